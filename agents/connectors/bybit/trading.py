"""Leverage, reduce-only orders and cancels at Bybit: read, post once, look.

A leverage is absolute: the position list shows what it is. An order carries our id and is asked for
by it among the open ones, the closed ones and in the history, in this order, so that one which
closes meanwhile is not missed; how it ended is what was done. A cancel is judged by the end of the
order it names.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Protocol

from agents.connectors.bybit import orders
from agents.connectors.bybit.client import Client, Json
from agents.connectors.bybit.errors import LEVERAGE_IS_SET, ORDER_ENDED, ORDER_EXISTS
from agents.connectors.bybit.payloads import OrderRow, result
from agents.connectors.port import (
    CANCEL_ORDER,
    REDUCE_POSITION,
    SET_LEVERAGE,
    Answer,
    AnswerClass,
    Reading,
    Rejected,
    TimedOut,
)
from schemas.ids import order_link_id
from schemas.money import parse_e18, text_e18
from streams.effects import Call, Look, Prepare

RAW_MAX = 4096
Check = Callable[[], None]


class Operation(Protocol):
    """One operation of one account, as the port has it."""

    def prepare(self, work: Prepare) -> Reading: ...
    def call(self, work: Call, check: Check) -> Answer: ...
    def look(self, work: Look) -> Answer: ...


class Leverage:
    """The setting of a contract, for both sides of it."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def prepare(self, work: Prepare) -> Reading:
        """What it is now."""
        return Reading(self._known(work)[1])

    def call(self, work: Call, check: Check) -> Answer:
        """Set it; that it was so already is as good."""
        try:
            answer = self._client.post(self._client.leverages, "set_leverage", work.body, check)
        except TimedOut as unclear:
            if unclear.code != str(LEVERAGE_IS_SET):
                raise
            return Answer("done", code=unclear.code, message=unclear.message)
        return Answer("done", raw=_raw(answer))

    def look(self, work: Look) -> Answer:
        """Whether the position list shows what was asked for."""
        shown, facts = self._known(work)
        done = shown == {parse_e18(work.params["leverage"])}
        return Answer("done" if done else "unknown", facts=facts | {"rows": str(int(done))})

    def _known(self, work: Prepare | Look) -> tuple[set[int | None], dict[str, str]]:
        rows, server_ms = orders.positions(self._client, work.params)
        shown = {row.leverage for row in rows}
        facts = {"server_ms": str(server_ms)}
        told = next(iter(shown)) if len(shown) == 1 else None
        if told is not None:  # empty under portfolio margin, two under hedge mode
            facts["leverage"] = text_e18(told)
        return shown, facts


class Reduction:
    """A market order that can only make a position smaller."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def prepare(self, work: Prepare) -> Reading:
        """How much of the position it can close; an order of ours that appeared after all."""
        watermark = self._position(work)
        late = self._ours(work, work.absent_mark) if work.absent_mark else {}
        return Reading(watermark, {"late_ref": next(iter(late))} if late else {})

    def call(self, work: Call, check: Check) -> Answer:
        """Place it; an order with our id is this one, placed before."""
        try:
            answer = self._client.post(self._client.orders, "place_order", work.body, check)
        except TimedOut as unclear:
            if unclear.code not in ORDER_EXISTS:
                raise
            placed = self._ours(work, work.watermark)
            if not placed:
                raise
            return Answer("accepted", next(iter(placed)), code=unclear.code, message="is placed")
        return _accepted(answer)

    def look(self, work: Look) -> Answer:
        """How the order stands; what it filled is what was done, once it has ended."""
        facts = self._position(work)
        found = self._ours(work, work.watermark)
        facts["rows"] = str(len(found))
        if not found:
            return Answer("unknown", facts=facts)
        row = next(iter(found.values()))
        filled_e18 = row.cum_exec_qty or 0
        facts |= _facts(row)
        if not orders.has_ended(row):
            return Answer("accepted", row.order_id, facts=facts, message=row.order_status)
        if filled_e18 == 0:
            return Answer("refused", row.order_id, facts=facts, code=_end(row))
        return Answer("done", row.order_id, filled_e18, facts, message=row.order_status)

    def _position(self, work: Prepare | Look) -> dict[str, str]:
        rows, server_ms = orders.positions(self._client, work.params)
        other = "Sell" if work.params["side"] == "Buy" else "Buy"
        idx = int(work.params.get("position_idx", "0"))
        held = [row.size for row in rows if (row.side, row.position_idx) == (other, idx)]
        return {"server_ms": str(server_ms), "reducible": text_e18(sum(held))}

    def _ours(self, work: Prepare | Call | Look, watermark: dict[str, str]) -> dict[str, OrderRow]:
        named = {"orderLinkId": order_link_id(work.intent_id)}
        since_ms = int(watermark["server_ms"])
        return orders.find(self._client, work.params, named, since_ms=since_ms)[0]


class Cancel:
    """The end of an order, named by the venue's id or the one it was placed with."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def prepare(self, work: Prepare) -> Reading:
        """How the order stands now, if the venue knows it."""
        row, server_ms = self._named(work)
        facts = {"server_ms": str(server_ms)}
        return Reading(facts | ({"order_status": row.order_status} if row else {}))

    def call(self, work: Call, check: Check) -> Answer:
        """Cancel it; that it has ended before tells how, or that there is no such order."""
        try:
            answer = self._client.post(self._client.orders, "cancel_order", work.body, check)
        except TimedOut as unclear:
            if unclear.code not in ORDER_ENDED:
                raise
            row, _ = self._named(work)
            if row is None:
                raise Rejected(unclear.message, unclear.code) from unclear
            if not orders.has_ended(row):
                raise
            if not orders.is_cancelled(row):
                raise Rejected(f"the order is {_end(row)}", unclear.code) from unclear
            return Answer("done", row.order_id, facts=_facts(row), code=unclear.code)
        return _accepted(answer)

    def look(self, work: Look) -> Answer:
        """Done once the order is cancelled, refused once it has ended otherwise."""
        row, server_ms = self._named(work)
        facts = {"server_ms": str(server_ms), "rows": "0"}
        if row is None:
            return Answer("unknown", facts=facts)
        facts |= _facts(row)
        if orders.is_cancelled(row):
            return Answer("done", row.order_id, facts=facts | {"rows": "1"})
        if orders.has_ended(row):
            return Answer("refused", row.order_id, facts=facts, code=_end(row))
        taken: AnswerClass = "accepted" if work.venue_ref else "unknown"
        return Answer(taken, row.order_id, facts=facts, message=row.order_status)

    def _named(self, work: Prepare | Call | Look) -> tuple[OrderRow | None, int]:
        params = work.params
        named = {"orderId": params["order_id"]} if params.get("order_id") else {}
        named = named or {"orderLinkId": params["order_link_id"]}
        found, server_ms = orders.find(self._client, params, named)
        return next(iter(found.values()), None), server_ms


TRADING: Mapping[str, Callable[[Client], Operation]] = {
    SET_LEVERAGE: Leverage,
    REDUCE_POSITION: Reduction,
    CANCEL_ORDER: Cancel,
}


def _accepted(answer: Json) -> Answer:
    ref = result(answer).get("orderId")
    if not isinstance(ref, str) or not ref:
        raise TimedOut(f"accepted without orderId: {str(answer)[:200]}")
    return Answer("accepted", venue_ref=ref, raw=_raw(answer))


def _facts(row: OrderRow) -> dict[str, str]:
    facts = {"order_status": row.order_status, "filled": text_e18(row.cum_exec_qty or 0)}
    return facts | ({"avg_price": text_e18(row.avg_price)} if row.avg_price else {})


def _end(row: OrderRow) -> str:
    """The venue's words for how an order ended: `Rejected EC_NoEnoughQtyToFill`."""
    why = row.reject_reason if row.reject_reason not in ("", "EC_NoError") else ""
    return f"{row.order_status} {why}".strip()


def _raw(answer: Json) -> bytes:
    return json.dumps(answer).encode()[:RAW_MAX]
