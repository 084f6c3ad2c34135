"""Random lives of a bank account: what must hold after every single record."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.money import parse_e18
from schemas.records import BalanceEvent, CashInput, Decision, IntentOutcome, ScheduledFlow
from streams.orders import CONFIRMED, FINAL, OUT, key_of
from streams.step import Refused
from streams.topology import CASH
from tests.streams.cash_world import ACCOUNT, CashWorld
from tests.streams.desk_world import assert_storable
from tests.table import Row

STATES = ("RESERVED", "AWAITING", "ATTEMPTED", "ACKED", "UNKNOWN", *sorted(FINAL))
MINUTES = st.sampled_from([1, 1, 1, 30, 90, 400, 1440, 2880, 5760]).map(
    lambda minutes: f"+{minutes}m"
)
THOUSANDS = [-500, -5, 0, 1, 100, 230, 300, 310, 900, 2500, 4000]
AMOUNTS = st.sampled_from(THOUSANDS).map(lambda thousands: f"{thousands}000")
STEP = st.one_of(
    st.tuples(st.just("at"), MINUTES),
    st.tuples(st.just("tick")),
    st.tuples(st.just("report"), AMOUNTS, st.sampled_from([0, 0, 0, 90])),
    st.tuples(st.just("report"), AMOUNTS, st.just(0)),
    st.tuples(st.just("outcome"), st.sampled_from(["CONFIRMED", "VOID"]), st.just(100)),
    st.tuples(st.just("outcome"), st.sampled_from(STATES), st.integers(1, 100)),
    st.tuples(st.just("booked"), st.integers(1, 4), st.booleans()),
    st.tuples(st.just("scheduled"), st.sampled_from("abc"), AMOUNTS, st.integers(0, 50)),
    st.tuples(st.just("rule"), st.sampled_from(["sweep-seed-v1", "sweep-safe-v1"])),
    st.tuples(st.just("control"), st.sampled_from(["ACTIVE"] * 4 + ["REDUCING", "PAUSED"])),
)
_HISTORY = CashWorld("2026-07-06T12:00:00Z").play("days 255 out=1000000 in=1000000")


class Life(CashWorld):
    """A world that goes on from a year of statements."""

    def __init__(self) -> None:
        super().__init__("2026-07-06T12:00:00Z")
        self.store.entries = dict(_HISTORY.store.entries)
        self.settings["guards"]["balance_age_max_s"] = 10 * 86_400
        self.settings["sweep"]["rule"] = "sweep-safe-v1"
        self.put_policy()

    def live(self, step: tuple[Any, ...]) -> None:
        """One step, if it can be one."""
        self.out = []
        verb, *words = step
        if verb == "at":
            self.at(Row(0, verb, tuple(words), {}))
        elif verb == "tick":
            if self.due_ms is not None:
                self.tick(Row(0, verb, (), {}))
        elif verb == "report":
            self.now_ms += 60_000
            self.report(Row(0, verb, ("ITAV", words[0]), {"as_of": f"-{words[1]}s"}))
        elif verb == "outcome" and self.orders:
            granted = self.orders[-1].asked_e18 * words[1] // 100
            fields = {"granted": f"{granted // 10**16 / 100:.2f}"}
            self.outcome(Row(0, verb, (words[0],), fields))
        elif verb == "booked" and self.orders:
            number = min(words[0], len(self.orders))
            sign = -1 if (self.orders[number - 1].kind == OUT) == words[1] else 1
            amount = str(sign * (self.orders[number - 1].asked_e18 // 10**18))
            self.entry(Row(0, "entry", (f"R{number}{sign}", amount), {"order": str(number)}))
            self.report(Row(0, "report", (), {}))
        elif verb == "scheduled" and words[1].strip("-0."):
            self.scheduled(Row(0, verb, (words[0], words[1]), {"due": f"+{words[2]}h"}))
        elif verb == "rule":
            self.settings["sweep"]["rule"] = words[0]
            self.put_policy()
        elif verb == "control":
            self.control(Row(0, verb, (words[0],), {}))


@settings(max_examples=50, deadline=None)
@given(st.lists(STEP, min_size=20, max_size=60))
def test_what_holds_after_every_record(steps: list[tuple[Any, ...]]) -> None:
    life = Life()
    for step in steps:
        before = dict(life.store.entries)
        try:
            life.live(step)
        except Refused:
            life.store.entries = before
            continue
        check_orders(life)
        for decision in life.said("decision"):
            check_decision(life, decision)
        check_again(life)
    assert_storable(CASH, life.store)


def check_orders(life: Life) -> None:
    """One order at a time; a placement gives no more than it holds; ids are given once."""
    kept = [value for key, value in life.store.entries.items() if key.startswith("orders|")]
    assert sum(not one.final for one in kept) <= 1
    assert len(kept) == len({one.intent_id for one in life.orders}) == len(life.orders)
    listed = life.store.get(f"active|{ACCOUNT}")
    for one in kept:
        assert one.amount_e18 >= 0
        assert one.taken_e18 >= 0
        assert one.state != CONFIRMED or one.kind != OUT or one.taken_e18 <= one.left_e18
        assert one.left_e18 <= one.amount_e18
        if not one.final:
            assert key_of(one.intent_id) in listed.keys


def check_decision(life: Life, decision: Decision) -> None:
    """The sums add up, and no order goes beyond them."""
    body = json.loads(decision.body)
    sums, order = body["sums"], body["order"]
    if sums is None:
        assert order is None
        return
    numbers = {name: parse_e18(text) for name, text in sums.items() if text is not None}
    out, in_ = parse_e18(body["inputs"]["pending_out"]), parse_e18(body["inputs"]["pending_in"])
    assert numbers["excess"] == numbers["available"] - out
    assert numbers["usable"] == numbers["excess"] + in_
    assert numbers["investable"] == max(0, numbers["excess"] - numbers.get("float", 0))
    if order is None:
        return
    assert body["inputs"]["open_order"] == ""
    assert body["inputs"]["mode"] != "PAUSED"
    amount = parse_e18(order["amount"])
    assert amount <= parse_e18(order["room"])
    if decision.outcome == OUT:
        assert 10_000 * 10**18 <= amount <= numbers["excess"]
        assert body["inputs"]["mode"] == "ACTIVE"
        if life.settings["sweep"]["rule"] == "sweep-safe-v1":
            assert amount <= numbers["investable"]
    else:
        placed = {one["order"]: parse_e18(one["amount"]) for one in body["inputs"]["placements"]}
        assert amount == sum(parse_e18(one["amount"]) for one in order["takes"])
        assert all(parse_e18(one["amount"]) <= placed[one["order"]] for one in order["takes"])


def check_again(life: Life) -> None:
    """A record that comes twice changes nothing the second time."""
    topic, value, key, time_ms = life.last
    record = value.body if isinstance(value, CashInput) else value
    if not life.out or not isinstance(record, BalanceEvent | IntentOutcome | ScheduledFlow):
        return
    state = dict(life.store.entries)
    orders = len(life.orders)
    life.send(topic, value, key, time_ms)
    assert life.out == []
    assert life.store.entries == state
    assert len(life.orders) == orders
