"""One account at Bybit. Transfers, repayments and collateral: read, post once, look.

The loan calls carry no id of ours. What a lost answer did is found in the history by id above the
watermark, time, exact amount and type; a transfer carries our id and is asked for by it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from agents.connectors.bybit import reads
from agents.connectors.bybit.client import Client, Json, client_of
from agents.connectors.bybit.config import Venue
from agents.connectors.bybit.errors import TRANSFER_EXISTS
from agents.connectors.bybit.payloads import result
from agents.connectors.bybit.trading import TRADING
from agents.connectors.port import (
    ADD_COLLATERAL,
    REPAY,
    TRANSFER,
    Answer,
    AnswerClass,
    Reading,
    TimedOut,
    Unsupported,
)
from schemas.money import text_e18
from streams.effects import Call, Look, Prepare

CAPABILITIES = frozenset({TRANSFER, REPAY, ADD_COLLATERAL, *TRADING})
RAW_MAX = 4096
FAILED = 3

_TRANSFER_CLASS: dict[str, AnswerClass] = {
    "SUCCESS": "done",
    "PENDING": "accepted",
    "STATUS_UNKNOWN": "accepted",
    "FAILED": "refused",
}
_ROW_CLASS: dict[int, AnswerClass] = {1: "done", 2: "accepted", FAILED: "refused"}
_POST = {
    REPAY: ("repay_flexible_crypto_loan", "repayId"),
    ADD_COLLATERAL: ("adjust_collateral_amount_new_crypto_loan", "adjustId"),
}


class Bybit:
    """One account; may be used from several threads."""

    capabilities = CAPABILITIES

    def __init__(self, venue: Venue, client: Client | None = None) -> None:
        self._client = client or client_of(venue)
        self._trading = {op: made(self._client) for op, made in TRADING.items()}

    def prepare(self, work: Prepare) -> Reading:
        """Last id, debt, balances, ltv, the venue's time; a late row of an earlier attempt."""
        self._require(work.op)
        if work.op in self._trading:
            return self._trading[work.op].prepare(work)
        watermark: dict[str, str] = {}
        if work.op != TRANSFER:
            watermark["last_id"] = str(reads.last_id(self._client, work.op, work.coin))
        watermark |= self._books(work.kind, work.op, work.coin)
        facts: dict[str, str] = {}
        if work.absent_mark and work.op != TRANSFER:
            rows = self._rows(work.op, work.coin, int(work.absent_mark["last_id"]))
            found = reads.matching(rows, work.amount_e18, work.absent_mark)
            late = [row for row in found if row.status != FAILED]
            facts = {"late_ref": str(late[0].id)} if late else {}
        return Reading(watermark, facts)

    def call(self, work: Call, check: Callable[[], None]) -> Answer:
        """One POST of the committed body."""
        self._require(work.op)
        if work.op in self._trading:
            return self._trading[work.op].call(work, check)
        if work.op == TRANSFER:
            return self._transfer(work, check)
        method, id_field = _POST[work.op]
        answer = self._client.post(self._client.loan_writes, method, work.body, check)
        ref = result(answer).get(id_field)
        if ref in (None, ""):
            raise TimedOut(f"accepted without {id_field}: {str(answer)[:200]}")
        return Answer("accepted", venue_ref=str(ref), raw=_raw(answer))

    def look(self, work: Look) -> Answer:
        """The row of the call, if there is one, with the balances beside it."""
        self._require(work.op)
        if work.op in self._trading:
            return self._trading[work.op].look(work)
        answer = self._transferred(work) if work.op == TRANSFER else self._main(work)
        return replace(answer, facts=answer.facts | self._books(work.kind, work.op, work.coin))

    def _main(self, work: Look) -> Answer:
        rows = self._rows(work.op, work.coin, int(work.watermark["last_id"]))
        found = reads.matching(rows, work.amount_e18, work.watermark)
        named = [row for row in rows if str(row.id) == work.venue_ref] if work.venue_ref else found
        effects = str(sum(row.status != FAILED for row in found))
        if not named:
            return Answer("unknown", facts={"rows": effects})
        row = min(named)
        class_ = _ROW_CLASS.get(row.status, "unknown")
        done_e18 = row.amount_e18 if class_ == "done" else None
        facts = {"rows": effects}
        if row.ltv is not None:
            facts |= {"row_ltv_before": text_e18(row.ltv[0]), "row_ltv_after": text_e18(row.ltv[1])}
        return Answer(class_, str(row.id), done_e18, facts)

    def _transferred(self, work: Look) -> Answer:
        row = reads.transfer(self._client, work.transfer_id)
        if row is None:
            return Answer("unknown", facts={"rows": "0"})
        class_ = _TRANSFER_CLASS.get(row.status, "unknown")
        done_e18 = row.amount if class_ == "done" else None
        return Answer(class_, work.transfer_id, done_e18, {"rows": "1"}, message=row.status)

    def _rows(self, op: str, coin: str, after: int) -> list[reads.Row]:
        history = reads.repayments if op == REPAY else reads.adjustments
        return history(self._client, coin, after)

    def _books(self, kind: str, op: str, coin: str) -> dict[str, str]:
        """What a call of this intent moves, and the venue's time of the first of these reads."""
        fund_e18, server_ms = reads.fund(self._client, coin)
        facts = {"fund": text_e18(fund_e18), "server_ms": str(server_ms)}
        if kind == REPAY:
            debt = reads.debt(self._client, coin)
            facts |= {
                "debt": text_e18(debt.total_e18),
                "hourly_rate": text_e18(debt.hourly_rate_e18),
            }
        if op != TRANSFER:
            loan, _ = reads.position(self._client)
            pledged = sum(row.amount for row in loan.collateral_list if row.currency == coin)
            facts |= {"ltv": text_e18(loan.ltv), "collateral": text_e18(pledged)}
        return facts

    def _transfer(self, work: Call, check: Callable[[], None]) -> Answer:
        try:
            answer = self._client.post(
                self._client.transfers, "create_internal_transfer", work.body, check
            )
        except TimedOut as unclear:
            if unclear.code != str(TRANSFER_EXISTS):
                raise
            row = reads.transfer(self._client, work.transfer_id)
            if row is None:
                raise
            return _transferred(work, row.status, None)
        return _transferred(work, str(result(answer).get("status")), _raw(answer))

    def _require(self, op: str) -> None:
        if op not in CAPABILITIES:
            raise Unsupported(f"bybit does not do {op}")


def _transferred(work: Call, status: str, raw: bytes | None) -> Answer:
    class_ = _TRANSFER_CLASS.get(status)
    if class_ is None:
        raise TimedOut(f"transfer status {status!r} is not documented")
    done_e18 = work.amount_e18 if class_ == "done" else None
    return Answer(class_, work.transfer_id, done_e18, message=status, raw=raw)


def _raw(answer: Json) -> bytes:
    return json.dumps(answer).encode()[:RAW_MAX]
