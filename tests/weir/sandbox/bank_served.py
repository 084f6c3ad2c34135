"""A sandbox bank over real HTTP, with a clock that the test holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
from lxml import etree

from agents.connectors.bank.config import Bank as Access
from agents.connectors.bank.iso20022 import SCHEMAS
from tests.weir.sandbox.conftest import PATIENCE_S, run_in_thread
from weir.sandbox.bank.assembly import Opening, make_bank
from weir.sandbox.bank.bank import Bank
from weir.sandbox.bank.books import Books
from weir.sandbox.bank.endpoints import build_app
from weir.sandbox.bank.payments import Terms
from weir.sandbox.bank.statements import Writer

ACCOUNT, FUND = "0123456789", "987654321"
TUESDAY = "2026-07-07T14:00:00+00:00"
"""Ten in the morning in New York, an open day."""
PAIN001 = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"><CstmrCdtTrfInitn>
<GrpHdr><MsgId>{msg_id}</MsgId><CreDtTm>2026-07-07T10:00:00Z</CreDtTm><NbOfTxs>{count}</NbOfTxs>
{control}<InitgPty><Nm>TREASURY LLC</Nm></InitgPty></GrpHdr><PmtInf><PmtInfId>P1</PmtInfId>
<PmtMtd>TRF</PmtMtd><ReqdExctnDt><Dt>{day}</Dt></ReqdExctnDt><Dbtr><Nm>TREASURY LLC</Nm></Dbtr>
<DbtrAcct><Id><Othr><Id>{debtor}</Id></Othr></Id></DbtrAcct><DbtrAgt><FinInstnId><ClrSysMmbId>
<ClrSysId><Cd>USABA</Cd></ClrSysId><MmbId>021000021</MmbId></ClrSysMmbId></FinInstnId></DbtrAgt>
{transactions}</PmtInf></CstmrCdtTrfInitn></Document>"""
TRANSACTION = """<CdtTrfTxInf><PmtId><InstrId>I1</InstrId><EndToEndId>{end_to_end_id}</EndToEndId>
</PmtId><Amt><InstdAmt Ccy="{ccy}">{amount}</InstdAmt></Amt><Cdtr><Nm>FUND</Nm></Cdtr><CdtrAcct>
<Id><Othr><Id>{creditor}</Id></Othr></Id></CdtrAcct><RmtInf><Ustrd>SWEEP</Ustrd></RmtInf>
</CdtTrfTxInf>"""


def at(text: str) -> int:
    """Milliseconds."""
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def transaction(end_to_end_id: str, amount: str, **more: str) -> str:
    """One transaction of a message; more: ccy, creditor."""
    values = {"ccy": "USD", "creditor": FUND, **more}
    return TRANSACTION.format(end_to_end_id=end_to_end_id, amount=amount, **values)


def pain001(msg_id: str, *transactions: str, **more: str) -> bytes:
    """A payment message; more: day, debtor, count, control."""
    values = {"day": "2026-07-07", "debtor": ACCOUNT, "count": str(len(transactions))}
    values |= {"control": "", **more}
    return PAIN001.format(msg_id=msg_id, transactions="".join(transactions), **values).encode()


@dataclass(frozen=True)
class Status:
    """What a pain.002 says of one transaction."""

    end_to_end_id: str
    state: str
    reason: str


@dataclass
class ServedBank:
    """A running bank and how to reach it."""

    bank: Bank
    url: str
    clock: list[int]
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.url, trust_env=False)

    def access(self, **more: Any) -> Access:
        """How a client of ours reaches it."""
        options = {"paced": False, "timeout_s": 2.0, **more}
        return Access(f"bank:{ACCOUNT}", self.url, "sandbox-client", "sandbox-secret", **options)

    def login(self) -> None:
        """From now on with a token."""
        found = self.http.get("/login/v1/sandbox/.well-known/openid-configuration").json()
        who = ("sandbox-client", "sandbox-secret")
        form = {"grant_type": "client_credentials"}
        token = self.http.post(found["token_endpoint"], data=form, auth=who).json()
        self.http.headers["Authorization"] = f"Bearer {token['access_token']}"

    def passes(self, ms: int) -> None:
        """The machine's clock goes on."""
        self.clock[0] += ms
        if ms >= 1000 * self.bank.gate.life_s:
            self.login()

    def pay(self, body: bytes) -> list[Status]:
        """Sends a message; what the bank says of its transactions."""
        answer = self.http.post("/payments/v1/initiations", content=body)
        assert answer.status_code == 200, answer.text
        return statuses(answer.content)

    def status(self, end_to_end_id: str) -> str:
        """The state of one payment now."""
        answer = self.http.get(f"/payments/v1/transactions/{end_to_end_id}")
        return statuses(answer.content)[-1].state

    def books(self) -> Any:
        """What the bank says about itself."""
        return self.http.get("/sandbox/books").json()

    def stage(self, where: str, **order: Any) -> Any:
        """One order of a stage director."""
        answer = self.http.post(f"/sandbox/{where}", json=order)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def document(self, number: int) -> bytes:
        """One message of the mailbox."""
        answer = self.http.get(f"/statements/v1/documents/{number}")
        assert answer.status_code == 200, answer.text
        return answer.content


def statuses(xml: bytes) -> list[Status]:
    """What a pain.002 says; it must be valid by its ISO schema."""
    root = etree.fromstring(xml)
    valid_by_iso(root)
    return [
        Status(
            one.findtext("{*}OrgnlEndToEndId") or "",
            one.findtext("{*}TxSts") or "",
            one.findtext("{*}StsRsnInf/{*}Rsn/{*}Cd") or "",
        )
        for one in root.iter("{*}TxInfAndSts")
    ]


def valid_by_iso(root: Any) -> None:
    """Fails where the document is not valid by the schema of its namespace."""
    name = re.sub(".*:", "", etree.QName(root).namespace or "")
    schema = etree.XMLSchema(etree.parse(SCHEMAS / f"{name}.xsd"))
    schema.assertValid(root)


class Switch:
    """One server for all banks of a run: it passes requests on to the bank of the moment."""

    def __init__(self) -> None:
        self.app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


@contextmanager
def switching() -> Iterator[tuple[Switch, str]]:
    """The server, and where it listens."""
    switch = Switch()
    server, thread = run_in_thread(switch)
    try:
        yield switch, server.url
    finally:
        server.should_exit = True
        thread.join(timeout=PATIENCE_S)
        assert not thread.is_alive()


def serving(switch: Switch, url: str) -> Callable[..., ServedBank]:
    """What makes a bank and lets the server answer for it."""

    def serve(
        opening: Opening | None = None,
        terms: Terms | None = None,
        *,
        now: str = TUESDAY,
        version: int = 8,
        page: int = 1000,
        report_ms: int = 60_000,
    ) -> ServedBank:
        clock = [at(now)]
        bank = make_bank(opening or Opening(), terms or Terms(), Books(), lambda: clock[0])
        bank.gate.limit_per_s = 0
        bank.mailbox.report_ms = report_ms
        bank.mailbox.writer = Writer(bank.books, version, page=page)
        bank.advance()
        switch.app = build_app(bank)
        running = ServedBank(bank, url, clock)
        running.login()
        return running

    return serve
