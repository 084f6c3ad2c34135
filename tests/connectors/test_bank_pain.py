"""Payments as the standard has them: valid, the same whenever written, and read back as said."""

from __future__ import annotations

import string
import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

import schemas
from agents.connectors.bank import Bank, BankConnector
from agents.connectors.bank.iso20022 import message
from agents.connectors.bank.pain import Status, id_of, pain001, status
from agents.connectors.port import Rejected, TimedOut, Unsupported
from tests.connectors.conftest import Recorded
from tests.connectors.effects import call, look, prepare, work
from weir.sandbox.bank.pain import read_request

XSD = etree.XMLSchema(
    etree.parse(Path(schemas.__file__).parent / "iso20022" / "pain.001.001.09.xsd")
)
ORDER = "01975b5d-516a-77cf-b151-967e5b2b8a54"
HEX = "01975b5d516a77cfb151967e5b2b8a54"
BANK = Bank("bank:0123456789", "http://127.0.0.1:1", "c", "s", agent="021000021")


def body(**more: str) -> dict[str, str]:
    said = {
        "order_id": ORDER,
        "created": "2026-01-05T10:00:00.000Z",
        "direction": "OUT",
        "source_account": "0123456789",
        "counterparty": "026009593/987654321",
        "counterparty_name": "GOVT FUND",
        "target_product": "FED_RRP",
        "instrument": "GOVT_FUND",
        "value_date": "2026-01-05",
        "tags_in": "remittance",
        "ccy": "USD",
        "amount": "1000000",
    }
    return {**said, **more}


def texts(data: bytes, *paths: str) -> list[str | None]:
    said = message(data, {"pain.001"}).body
    return [said.text(path) for path in paths]


@pytest.mark.req("004-06", "004-07", "004-48")
def test_an_order_is_a_wire_as_the_sample_has_it() -> None:
    data = pain001(body(**{"tag.bsa": "own-funds", "tag.aml": "low"}), BANK)
    assert XSD.validate(etree.fromstring(data)), XSD.error_log
    assert texts(data, "GrpHdr/MsgId", "PmtInf/PmtInfId") == [HEX, HEX]
    transfer = "PmtInf/CdtTrfTxInf"
    found = texts(
        data,
        "GrpHdr/CtrlSum",
        "PmtInf/PmtTpInf/SvcLvl/Cd",
        "PmtInf/ReqdExctnDt/Dt",
        "PmtInf/DbtrAcct/Id/Othr/Id",
        "PmtInf/DbtrAgt/FinInstnId/ClrSysMmbId/MmbId",
        f"{transfer}/PmtId/EndToEndId",
        f"{transfer}/Amt/InstdAmt",
        f"{transfer}/CdtrAgt/FinInstnId/ClrSysMmbId/ClrSysId/Cd",
        f"{transfer}/CdtrAcct/Id/Othr/Id",
        f"{transfer}/Cdtr/Nm",
    )
    assert found == [
        "1000000.00", "URGP", "2026-01-05", "0123456789", "021000021", HEX, "1000000.00", "USABA",
        "987654321", "GOVT FUND",
    ]  # fmt: skip
    lines = message(data, {"pain.001"}).body.parts(f"{transfer}/RmtInf/Ustrd")
    assert [line.element.text for line in lines] == [
        "SWEEP OUT FED_RRP GOVT_FUND", "aml=low", "bsa=own-funds"
    ]  # fmt: skip


@pytest.mark.req("004-48")
def test_the_policy_says_which_element_carries_the_tags() -> None:
    data = pain001(body(**{"tag.bsa": "own-funds", "tags_in": "instruction"}), BANK)
    assert XSD.validate(etree.fromstring(data)), XSD.error_log
    place = "PmtInf/CdtTrfTxInf/InstrForCdtrAgt/InstrInf"
    assert texts(data, place) == ["bsa=own-funds"]


def test_money_comes_back_from_where_it_lies() -> None:
    data = pain001(body(direction="BACK"), BANK)
    transfer = "PmtInf/CdtTrfTxInf"
    assert texts(
        data, "PmtInf/Dbtr/Nm", "PmtInf/DbtrAcct/Id/Othr/Id", f"{transfer}/CdtrAcct/Id/Othr/Id"
    ) == ["GOVT FUND", "987654321", "0123456789"]


LATIN = st.text(string.ascii_letters + string.digits + " .,-/&<>'äé", min_size=1, max_size=140)
NUMBERS = st.text(string.ascii_uppercase + string.digits, min_size=1, max_size=34)
BANKS = st.one_of(
    st.from_regex(r"[0-9]{9}", fullmatch=True),
    st.from_regex(r"[A-Z]{6}[A-Z2-9][A-NP-Z0-9]([A-Z0-9]{3})?", fullmatch=True),
)


@settings(max_examples=200, deadline=None)
@given(
    st.uuids(),
    st.integers(1, 10**15),
    st.sampled_from(["OUT", "BACK"]),
    NUMBERS,
    st.tuples(BANKS, NUMBERS),
    st.one_of(st.just(""), LATIN.map(str.strip).filter(bool)),
    st.dates(date(2024, 1, 1), date(2030, 1, 1)),
    st.dictionaries(
        st.text(string.ascii_lowercase, min_size=1, max_size=20),
        LATIN.map(str.strip).filter(lambda text: 0 < len(text) < 110),
        max_size=3,
    ),
    st.sampled_from(["remittance", "instruction"]),
)
def test_every_order_is_valid_and_the_bank_reads_what_was_meant(
    order: Any, cents: int, direction: str, own: str, other: tuple[str, str], name: str,
    day: date, tags: dict[str, str], tags_in: str,
) -> None:  # fmt: skip
    said = body(
        order_id=str(order),
        amount=f"{cents // 100}.{cents % 100:02d}",
        direction=direction,
        source_account=own,
        counterparty="/".join(other),
        counterparty_name=name,
        value_date=day.isoformat(),
        tags_in=tags_in,
        **{f"tag.{key}": text for key, text in tags.items()},
    )
    data = pain001(said, BANK)
    assert data == pain001(dict(reversed(said.items())), BANK)
    assert XSD.validate(etree.fromstring(data)), XSD.error_log
    (read,) = read_request(data).orders
    assert read_request(data).wrong == ""
    assert read.end_to_end_id == order.hex
    assert len(read.end_to_end_id) == 32
    assert int(read.amount.replace(".", "")) == cents
    accounts = (own, other[1]) if direction == "OUT" else (other[1], own)
    assert (read.debtor, read.creditor, read.day) == (*accounts, day.isoformat())


@pytest.mark.parametrize(
    "change",
    [
        {"amount": "10.005"},
        {"amount": "0"},
        {"amount": "-5"},
        {"order_id": "x" * 36},
        {"order_id": ""},
        {"order_id": "a b"},
        {"counterparty": "987654321"},
        {"counterparty": "/987654321"},
        {"counterparty": "026009593/" + "9" * 35},
        {"counterparty_name": "N" * 141},
        {"counterparty_name": "bell\x07"},
        {"tag.bsa": "x" * 137},
    ],
)
def test_what_a_payment_cannot_say_is_refused_and_never_cut(change: dict[str, str]) -> None:
    with pytest.raises(Rejected):
        pain001(body(**change), BANK)


def report(code: str, reason: str = "", name: str = HEX) -> bytes:
    """A pain.002 as banks send it."""
    why = f"<StsRsnInf><Rsn><Cd>{reason}</Cd></Rsn></StsRsnInf>" if reason else ""
    return (
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.12"><CstmrPmtStsRpt>'
        "<GrpHdr><MsgId>S1</MsgId><CreDtTm>2026-01-05T10:00:01Z</CreDtTm></GrpHdr>"
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{HEX}</OrgnlMsgId>"
        "<OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId></OrgnlGrpInfAndSts>"
        f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{HEX}</OrgnlPmtInfId><TxInfAndSts>"
        f"<OrgnlEndToEndId>{name}</OrgnlEndToEndId><TxSts>{code}</TxSts>{why}"
        "<AcctSvcrRef>REF-1</AcctSvcrRef></TxInfAndSts></OrgnlPmtInfAndSts>"
        "</CstmrPmtStsRpt></Document>"
    ).encode()


def test_a_status_is_read_from_the_transaction_or_the_group() -> None:
    assert status(report("ACSP"), HEX) == Status("ACSP", "no reason given", "REF-1")
    assert status(report("RJCT", "AM04"), HEX) == Status("RJCT", "AM04", "REF-1")
    group = (
        report("ACSP", name="other")
        .replace(b"</OrgnlMsgNmId>", b"</OrgnlMsgNmId><GrpSts>RJCT</GrpSts>"
                 b"<StsRsnInf><Rsn><Prtry>CLOSED</Prtry></Rsn></StsRsnInf>")
    )  # fmt: skip
    assert status(group, HEX) == Status("RJCT", "CLOSED", HEX)
    others = group.replace(b"<OrgnlMsgId>0", b"<OrgnlMsgId>f")  # rejects another message
    for data in (others, report("ACSP", name="other"), b"<html/>", b"", b"<!DOCTYPE x><a/>"):
        with pytest.raises(TimedOut):
            status(data, HEX)


ROW = "<TxInfAndSts><OrgnlEndToEndId>{}</OrgnlEndToEndId><TxSts>{}</TxSts>{}</TxInfAndSts>"
AGAIN = ROW.format(HEX, "RJCT", "<StsRsnInf><Rsn><Cd>DU04</Cd></Rsn></StsRsnInf>")


def also(data: bytes, row: str) -> bytes:
    return data.replace(b"<TxInfAndSts>", f"{row}<TxInfAndSts>".encode(), 1)


def test_that_an_id_came_twice_says_nothing_about_the_first() -> None:
    """A second call with it moves nothing: its rejection is none of the payment."""
    assert status(also(report("ACSC"), AGAIN), HEX).code == "ACSC"
    assert status(also(report("RJCT", "AM04"), AGAIN), HEX).reason == "AM04"
    for data in (report("RJCT", "DU04"), also(report("ACSC"), ROW.format(HEX, "RJCT", ""))):
        with pytest.raises(TimedOut):
            status(data, HEX)


@pytest.mark.parametrize(
    ("code", "reason", "class_"),
    [
        ("RCVD", "", "accepted"),
        ("ACTC", "", "accepted"),
        ("ACCP", "", "accepted"),
        ("ACSP", "", "accepted"),
        ("PDNG", "", "accepted"),
        ("ACSC", "", "done"),
        ("RJCT", "AM04", "Rejected"),
        ("RJCT", "TM01", "Rejected"),
        ("RJCT", "DU01", "TimedOut"),
        ("RJCT", "AM05", "TimedOut"),
        ("PART", "", "TimedOut"),
        ("CANC", "", "TimedOut"),
    ],
)
def test_what_each_status_means_for_the_money(
    recorded: Recorded, code: str, reason: str, class_: str
) -> None:
    connector = _connector(recorded)
    recorded.body = report(code, reason)
    shared = work("bank:0123456789", "SWEEP", "1000000", intent_id=ORDER)
    order = {key: value for key, value in body().items() if key not in ("ccy", "amount")}
    if class_ in ("accepted", "done"):
        assert connector.call(call(shared, {}, order), lambda: None).class_ == class_
    else:
        with pytest.raises(Rejected if class_ == "Rejected" else TimedOut) as raised:
            connector.call(call(shared, {}, order), lambda: None)
        assert raised.value.code == reason
    (post,) = [seen for seen in recorded.seen if seen[0] == "POST" and "payments" in seen[1]]
    assert post[2] == pain001(body(), connector._bank)


def test_a_rejection_is_found_by_looking(recorded: Recorded) -> None:
    connector, before_ms = _connector(recorded), int(time.time()) * 1000
    recorded.body = report("RJCT", "AC04")
    shared = work("bank:0123456789", "SWEEP", "1000000", intent_id=ORDER)
    found = connector.look(look(shared, {}))
    assert (found.class_, found.code, found.facts["rows"]) == ("refused", "AC04", "1")
    assert 0 <= int(found.facts["server_ms"]) - before_ms <= 5000


def test_looking_at_the_rejection_of_a_repeat_proves_nothing(recorded: Recorded) -> None:
    connector = _connector(recorded)
    recorded.body = report("RJCT", "DU04")
    shared = work("bank:0123456789", "SWEEP", "1000000", intent_id=ORDER)
    with pytest.raises(TimedOut):
        connector.look(look(shared, {}))
    assert connector.prepare(prepare(shared)).facts == {"late_ref": HEX}


def test_what_another_side_pays_no_bank_is_asked_for(recorded: Recorded) -> None:
    connector = _connector(recorded)
    shared = work("bank:0123456789", "SWEEP", "5", executed_by="external", intent_id=ORDER)
    with pytest.raises(Unsupported, match="exactly one side pays"):
        connector.call(call(shared, {}, body()), lambda: None)
    assert recorded.seen == []


def test_an_id_fits_or_is_refused() -> None:
    assert id_of(ORDER) == HEX
    assert id_of("i1") == "i1"


def _connector(recorded: Recorded) -> BankConnector:
    """A bank whose login works and which answers everything else alike."""
    recorded.first = [
        b'{"token_endpoint": "/token"}',
        b'{"access_token": "t", "expires_in": 300}',
    ]
    account = Bank("bank:0123456789", recorded.endpoint, "c", "s", agent="021000021", paced=False)
    return BankConnector(account)
