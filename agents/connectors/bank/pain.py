"""Payments as ISO 20022 says them: pain.001.001.09 out, pain.002 back.

Written from the committed body alone, so the same order gives the same bytes whoever writes it, and
however often. All ids are the order's own, as 32 hex digits: a bank that gets a message twice can
tell. What a standard element cannot hold is refused, never cut.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from lxml import etree

from agents.connectors.bank.config import Bank
from agents.connectors.bank.iso20022 import NAMESPACE, Part, message
from agents.connectors.port import Rejected, TimedOut
from streams.requests import TAG
from streams.step import Refused

NAME = "pain.001.001.09"
ID_MAX, TEXT_MAX, NAME_MAX = 35, 140, 140
CENT = Decimal("0.01")
DUPLICATES = frozenset({"DU01", "DU02", "DU03", "DU04", "DU05", "AM05"})
"""Reasons of a rejection that say only that this id was sent before, not what became of it."""
_ABA = re.compile(r"[0-9]{9}")
Node = tuple[str, "str | Sequence[Node]"] | tuple[str, "str | Sequence[Node]", Mapping[str, str]]


class Status(NamedTuple):
    """How one payment stands: ISO's code, the reason of a rejection, and the bank's reference."""

    code: str
    reason: str
    ref: str


def id_of(order_id: str) -> str:
    """The order's id as a bank gets it. Raises Rejected for one that does not fit."""
    text = order_id.replace("-", "").lower()
    if not 0 < len(text) <= ID_MAX or not text.isalnum():
        raise Rejected(f"order_id {order_id!r} is no reference of at most {ID_MAX} characters")
    return text


def pain001(body: Mapping[str, str], bank: Bank) -> bytes:
    """The message of a payment. Raises Rejected for what the standard cannot say."""
    name = id_of(body["order_id"])
    amount = _amount(body["amount"])
    account, counterparty = (bank.agent, body["source_account"]), _account(body["counterparty"])
    ours, theirs = (bank.owner, account), (body["counterparty_name"], counterparty)
    debtor, creditor = (ours, theirs) if body["direction"] == "OUT" else (theirs, ours)
    transfer: Sequence[Node] = [
        ("PmtId", [("InstrId", name), ("EndToEndId", name), ("UETR", _uetr(name))]),
        ("Amt", [("InstdAmt", amount, {"Ccy": body["ccy"]})]),
        *_agent("CdtrAgt", creditor[1][0]),
        ("Cdtr", [("Nm", _text("creditor", creditor[0] or creditor[1][1], NAME_MAX))]),
        ("CdtrAcct", _number(creditor[1][1])),
        *(("InstrForCdtrAgt", [("InstrInf", line)]) for line in _tags(body, "instruction")),
        ("RmtInf", [("Ustrd", line) for line in (_purpose(body), *_tags(body, "remittance"))]),
    ]
    group: Sequence[Node] = [
        ("PmtInfId", name),
        ("PmtMtd", "TRF"),
        ("NbOfTxs", "1"),
        ("CtrlSum", amount),
        ("PmtTpInf", [("SvcLvl", [("Cd", "URGP")])]),
        ("ReqdExctnDt", [("Dt", body["value_date"])]),
        ("Dbtr", [("Nm", _text("debtor", debtor[0] or debtor[1][1], NAME_MAX))]),
        ("DbtrAcct", [*_number(debtor[1][1]), ("Ccy", body["ccy"])]),
        *(_agent("DbtrAgt", debtor[1][0]) or [("DbtrAgt", [("FinInstnId", [])])]),
        ("ChrgBr", "SHAR"),
        ("CdtTrfTxInf", transfer),
    ]
    head: Sequence[Node] = [
        ("MsgId", name),
        ("CreDtTm", body["created"]),
        ("NbOfTxs", "1"),
        ("CtrlSum", amount),
        ("InitgPty", [("Nm", _text("owner", bank.owner, NAME_MAX))]),
    ]
    return _written([("CstmrCdtTrfInitn", [("GrpHdr", head), ("PmtInf", group)])])


def status(data: bytes, end_to_end_id: str) -> Status:
    """What a pain.002 says of one payment. Raises TimedOut where it cannot be read from it: also
    where it says different things, or only that the id was seen before.
    """
    try:
        body = message(data, {"pain.002"}).body
    except Refused as why:
        raise TimedOut(f"no pain.002: {why}") from why
    found = {
        Status(row.text("TxSts") or "", _reason(row), row.text("AcctSvcrRef") or end_to_end_id)
        for row in body.parts("OrgnlPmtInfAndSts/TxInfAndSts")
        if row.text("OrgnlEndToEndId") == end_to_end_id
    }
    if not found:
        found = {
            Status("RJCT", _reason(group), end_to_end_id)
            for group in body.parts("OrgnlGrpInfAndSts")  # our message has the payment's own id
            if group.text("OrgnlMsgId") == end_to_end_id and group.text("GrpSts") == "RJCT"
        }
    repeated = [one for one in found if one.code == "RJCT" and one.reason in DUPLICATES]
    first = found.difference(repeated)
    if not first and repeated:
        raise TimedOut(f"the bank has seen {end_to_end_id} before", repeated[0].reason)
    if len(first) != 1:
        raise TimedOut(f"a pain.002 that says {len(first)} things of {end_to_end_id}")
    return first.pop()


def _reason(part: Part) -> str:
    found = part.text("StsRsnInf/Rsn/Cd") or part.text("StsRsnInf/Rsn/Prtry")
    return found or part.text("StsRsnInf/AddtlInf") or "no reason given"


def _purpose(body: Mapping[str, str]) -> str:
    """What the payment is for."""
    product, instrument = body["target_product"], body.get("instrument")
    named = [product] if instrument in (None, product) else [product, str(instrument)]
    return _text("remittance", " ".join(("SWEEP", body["direction"], *named)), TEXT_MAX)


def _tags(body: Mapping[str, str], element: str) -> list[str]:
    """Each compliance tag as a line, where this element is to carry them."""
    if body["tags_in"] != element:
        return []
    return [
        _text(name, f"{name.removeprefix(TAG)}={text}", TEXT_MAX)
        for name, text in sorted(body.items())
        if name.startswith(TAG)
    ]


def _amount(text: str) -> str:
    amount = Decimal(text)
    if amount <= 0 or amount != amount.quantize(CENT):
        raise Rejected(f"amount {text} is not a positive number of cents")
    return f"{amount:.2f}"


def _account(said: str) -> tuple[str, str]:
    """Bank and number of `bank/number`."""
    bank, _, number = said.partition("/")
    if not bank or not number:
        raise Rejected(f"counterparty {said!r} is not bank/number")
    return bank, number


def _agent(name: str, bank: str) -> list[Node]:
    """A bank by its nine digits or its BIC; nothing where none is named."""
    if not bank:
        return []
    if not _ABA.fullmatch(bank):
        return [(name, [("FinInstnId", [("BICFI", bank)])])]
    member: Sequence[Node] = [("ClrSysId", [("Cd", "USABA")]), ("MmbId", bank)]
    return [(name, [("FinInstnId", [("ClrSysMmbId", member)])])]


def _number(number: str) -> list[Node]:
    return [("Id", [("Othr", [("Id", _text("account", number, 34))])])]


def _text(field: str, text: str, most: int) -> str:
    if not 0 < len(text) <= most:
        raise Rejected(f"{field} {text[:60]!r} must have between 1 and {most} characters")
    return text


def _uetr(name: str) -> str:
    """The end-to-end reference of the transfer: a UUID of version 4 as the standard asks, made of
    the order's id.
    """
    digits = hashlib.sha256(f"uetr|{name}".encode()).hexdigest()
    variant = "89ab"[int(digits[16], 16) % 4]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


def _written(nodes: Sequence[Node]) -> bytes:
    space = f"{NAMESPACE}{NAME}"
    root = etree.Element(f"{{{space}}}Document", nsmap={None: space})
    try:
        _fill(root, nodes, space)
    except ValueError as why:
        raise Rejected(f"a text that XML cannot hold: {why}") from why
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return written


def _fill(parent: etree._Element, nodes: Sequence[Node], space: str) -> None:
    for node in nodes:
        name, content = node[0], node[1]
        attributes = node[2] if len(node) == 3 else {}
        element = etree.SubElement(parent, f"{{{space}}}{name}", dict(attributes))
        if isinstance(content, str):
            element.text = content
        else:
            _fill(element, content, space)
