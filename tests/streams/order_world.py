"""A small venue of orders and leverage with books of its own, for the lane of one symbol.

It counts what really happened: each order by its id, each setting, each cancel. Calls get their
fate from the test, as in saga_world; a repeated id is refused by the venue, as the real one does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from schemas.ids import order_link_id
from schemas.money import E18, parse_e18, text_e18
from schemas.records import AttemptRecord, Intent
from streams.effects import Call, Look, Prepare
from tests.streams.saga_world import LATE_MS, Venue, World, answer, intent

LANE = "bybit|bybit:1|BTCUSDT"
FATES = ("ok", "refused", "lost_before", "lost_after", "late")
PARAMS = {
    "REDUCE_POSITION": {"symbol": "BTCUSDT", "side": "Sell"},
    "SET_LEVERAGE": {"symbol": "BTCUSDT", "leverage": "3"},
    "CANCEL_ORDER": {"symbol": "BTCUSDT", "order_id": "o1"},
}


@dataclass
class OrderVenue(Venue):
    """A long position, a setting and one foreign order; `fills` is how much an order finds."""

    size_e18: int = E18
    leverage: str = "10"
    fills_e18: int = 100 * E18
    orders: dict[str, tuple[str, int]] = field(default_factory=dict)
    foreign: str = "New"

    def post(self, call: Call, fate: str, now_ms: int) -> AttemptRecord:
        """Answers one call with its fate; what happens happens, whatever is answered."""
        if fate == "refused":
            return answer(call, "RESULT", now_ms, class_="refused", code="10001", message="no")
        if fate == "late":
            self.later.append((now_ms + LATE_MS, call))
        if fate in ("ok", "lost_after"):
            self.carry(call, now_ms)
        if fate != "ok":
            return answer(call, "RESULT", now_ms, class_="unknown", message="ReadTimeout")
        class_ = "done" if call.op == "SET_LEVERAGE" else "accepted"
        ref = None if call.op == "SET_LEVERAGE" else "o-ours"
        return answer(call, "RESULT", now_ms, class_=class_, venue_ref=ref)

    def carry(self, call: Call, now_ms: int) -> None:
        """What the venue does on receipt."""
        if call.op == "SET_LEVERAGE":
            self.leverage = call.params["leverage"]
        elif call.op == "CANCEL_ORDER":
            if self.foreign != "New":
                return
            self.foreign = "Cancelled"
        else:
            link = str(call.body["orderLinkId"])
            if link in self.orders:
                return
            filled = min(call.amount_e18, self.size_e18, self.fills_e18)
            self.size_e18 -= filled
            status = "Filled" if filled == call.amount_e18 else "Cancelled"
            self.orders[link] = (status, filled)
        self.effects.append((call.intent_id, call.leg))

    def prepare(self, work: Prepare, now_ms: int) -> AttemptRecord:
        """The reads before a call."""
        late = work.absent_mark and order_link_id(work.intent_id) in self.orders
        facts = {"late_ref": "o-ours"} if late else {}
        return answer(work, "PREPARED", now_ms, watermark=self.shown(now_ms), facts=facts)

    def look(self, work: Look, now_ms: int) -> AttemptRecord:
        """The reads after a call."""
        class_, done_e18, facts = "unknown", None, {"rows": "0"}
        if work.op == "SET_LEVERAGE" and self.leverage == work.params["leverage"]:
            class_, facts = "done", {"rows": "1"}
        elif work.op == "CANCEL_ORDER":
            if self.foreign == "New":
                class_ = "accepted" if work.venue_ref else "unknown"
            else:
                class_ = "done" if self.foreign == "Cancelled" else "refused"
        elif work.op == "REDUCE_POSITION" and order_link_id(work.intent_id) in self.orders:
            status, filled = self.orders[order_link_id(work.intent_id)]
            class_, done_e18 = ("done", filled) if filled else ("refused", None)
            facts = {"rows": "1", "order_status": status, "filled": text_e18(filled)}
        return answer(
            work,
            "EVIDENCE",
            now_ms,
            class_=class_,
            code=self.foreign if class_ == "refused" else None,
            amount_done_e18=done_e18,
            facts={**self.shown(now_ms), **facts},
        )

    def shown(self, now_ms: int) -> dict[str, str]:
        """What a read shows besides the rows."""
        return {
            "server_ms": str(now_ms),
            "reducible": text_e18(max(self.size_e18, 0)),
            "leverage": self.leverage,
        }


def wish(kind: str, amount: str = "", **more: Any) -> Intent:
    """An intent of the lane as the gate hands it over."""
    by_order = kind == "REDUCE_POSITION"
    fields: dict[str, Any] = {
        "class_": "deleverage" if by_order else "control",
        "lane": LANE,
        "ccy": "BTC" if by_order else "USDT",
        "precision": 3,
        "params": PARAMS.get(kind, {}),
        **more,
    }
    return intent(kind=kind, amount=amount or ("0.4" if by_order else "0"), **fields)


def world(kind: str, *fates: str, **more: Any) -> World:
    """A lane with one intent whose first calls have these fates."""
    named = {("only", n): fate for n, fate in enumerate(fates, start=1)}
    made = World(venue=OrderVenue(), fates=named, lane_key=LANE)
    made.give(wish(kind, **more))
    return made


def size(made: World) -> int:
    """The position the venue holds."""
    venue: Any = made.venue
    return int(venue.size_e18)


WHOLE_E18 = parse_e18("0.4")
