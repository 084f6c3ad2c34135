"""Leverage, reduce-only orders and cancels: one leg each, and what proves that it was done."""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import Any

import pytest

from schemas.money import E18, parse_e18
from streams.effects import Call
from streams.step import Emit
from tests.streams.order_world import FATES, PARAMS, WHOLE_E18, size, wish, world
from tests.streams.saga_world import T0_MS, World, answer, in_force

KINDS = sorted(PARAMS)


def until(made: World, state: str) -> World:
    """Lives until the intent is in a state."""
    for _ in range(300):
        if made.states()[-1:] == [state]:
            return made
        if made.pending:
            made.fold(made.carry(made.pending.pop(0)))
        else:
            assert made.tick()
    raise AssertionError(made.states())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("fate", "states", "effects"),
    [
        ("ok", ["ATTEMPTED", "ACKED", "CONFIRMED"], 1),
        ("refused", ["ATTEMPTED", "REJECTED"], 0),
        ("lost_after", ["ATTEMPTED", "UNKNOWN", "CONFIRMED"], 1),
    ],
)
@pytest.mark.req("000-40", "002-23")
def test_each_ends_as_the_venue_says(kind: str, fate: str, states: list[str], effects: int) -> None:
    made = world(kind, fate)
    made.run()
    if (kind, fate) == ("SET_LEVERAGE", "ok"):
        states = ["ATTEMPTED", "CONFIRMED"]  # done at once
    assert made.states() == states
    assert len(made.venue.effects) == effects


@pytest.mark.parametrize(
    ("kind", "least_s", "most_s"),
    [("REDUCE_POSITION", 900, 960), ("SET_LEVERAGE", 10, 70), ("CANCEL_ORDER", 10, 70)],
)
def test_absence_takes_its_time_and_five_looks(kind: str, least_s: int, most_s: int) -> None:
    """An order is asked for as long as a repayment; what may be repeated only until the lost call
    can no longer be accepted.
    """
    made = until(world(kind, "lost_before"), "UNKNOWN")
    unknown_ms = made.now_ms
    until(made, "READY")
    assert least_s * 1000 <= made.now_ms - unknown_ms <= most_s * 1000
    assert int(made.state().reason.split()[3]) >= 5
    made.run()
    assert made.states()[-1] == "CONFIRMED"
    assert len(made.posts) == 2
    assert len(made.venue.effects) == 1


def test_an_order_goes_out_under_one_id_whatever_the_attempt() -> None:
    made = world("REDUCE_POSITION", "lost_before")
    made.run()
    assert [call.body["orderLinkId"] for call in made.posts] == ["i1", "i1"]
    assert [call.body["reduceOnly"] for call in made.posts] == [True, True]


def test_absence_does_not_depend_on_what_others_trade() -> None:
    made = until(world("REDUCE_POSITION", "lost_before"), "UNKNOWN")
    made.venue.size_e18 -= E18 // 10  # type: ignore[attr-defined]
    made.run()
    assert (made.states()[-1], len(made.venue.effects)) == ("CONFIRMED", 1)


@pytest.mark.parametrize(
    ("granted", "held", "sent"),
    [
        ("0.4", "1", "0.4"),
        ("0.4", "0.25", "0.25"),
        ("0.4", "0.25077", "0.25"),
        ("0.4", "0", None),
        ("0.4", "-1", None),
    ],
)
def test_no_more_than_the_position_holds(granted: str, held: str, sent: str | None) -> None:
    made = world("REDUCE_POSITION", amount=granted)
    made.venue.size_e18 = parse_e18(held)  # type: ignore[attr-defined]
    made.run()
    assert [call.body["qty"] for call in made.posts] == ([sent] if sent else [])
    assert made.states()[-1] == ("CONFIRMED" if sent else "REJECTED")
    assert made.state().amount_done_e18 == (parse_e18(sent) if sent else 0)


def test_a_partial_fill_is_confirmed_for_what_it_filled() -> None:
    made = world("REDUCE_POSITION")
    made.venue.fills_e18 = parse_e18("0.15")  # type: ignore[attr-defined]
    made.run()
    assert made.states()[-1] == "CONFIRMED"
    assert made.state().amount_done_e18 == parse_e18("0.15")
    assert made.state().facts == {"order_status": "Cancelled", "filled": "0.15"}


def test_an_order_that_appears_after_declared_absence_halts_the_lane() -> None:
    made = until(world("REDUCE_POSITION", "lost_before"), "READY")
    made.venue.carry(made.posts[-1], made.now_ms)
    made.run()
    assert (made.states()[-1], len(made.posts)) == ("PARKED", 1)
    assert "appeared after absence" in made.lane().halted


@pytest.mark.parametrize("class_", ["refused", "transient", "done"])
def test_a_late_word_on_what_may_be_repeated_contradicts_nothing(class_: str) -> None:
    made = world("SET_LEVERAGE", "lost_before")
    made.run()
    made.fold(answer(made.posts[0], "RESULT", made.now_ms, class_=class_, code="10002"))
    made.fold(answer(made.posts[1], "RESULT", made.now_ms, class_=class_, code="10002"))
    assert (made.states()[-1], made.lane().halted) == ("CONFIRMED", "")


def test_a_late_word_on_an_order_does() -> None:
    made = world("REDUCE_POSITION")
    made.run()
    made.fold(answer(made.posts[0], "RESULT", made.now_ms, class_="refused", code="110017"))
    assert "was confirmed" in made.lane().halted


def test_a_cancelled_order_that_was_filled_first_is_no_cancel() -> None:
    made = until(world("CANCEL_ORDER", "lost_before"), "UNKNOWN")
    made.venue.foreign = "Filled"  # type: ignore[attr-defined]
    made.run()
    assert (made.states()[-1], made.state().reason) == ("REJECTED", "Filled")


def test_the_setting_is_told_before_and_after() -> None:
    made = world("SET_LEVERAGE")
    made.run()
    final = [one.value.body for one in made.out if getattr(one, "topic", "").endswith("inputs.v1")]
    assert final[-1].facts == {"leverage_before": "10", "leverage_after": "3"}
    assert (final[-1].amount_done_e18, final[-1].final) == (0, True)


@pytest.mark.parametrize(
    ("kind", "params", "reason"),
    [
        ("SET_LEVERAGE", {"symbol": "BTCUSDT"}, "SET_LEVERAGE without leverage"),
        ("REDUCE_POSITION", {"symbol": "BTCUSDT"}, "REDUCE_POSITION without side"),
        ("CANCEL_ORDER", {"symbol": "BTCUSDT"}, "CANCEL_ORDER without order_id or order_link_id"),
        (
            "REDUCE_POSITION",
            {"symbol": "BTCUSDT", "side": "Short"},
            "REDUCE_POSITION with side='Short'",
        ),
        (
            "REDUCE_POSITION",
            {"symbol": "BTCUSDT", "side": "Buy", "position_idx": "x"},
            "REDUCE_POSITION with position_idx='x'",
        ),
    ],
)
def test_what_has_no_body_frees_its_hold(kind: str, params: dict[str, str], reason: str) -> None:
    made = world(kind, params=params)
    assert (made.states(), made.pending, made.state().reason) == (["REJECTED"], [], reason)


@pytest.mark.parametrize(
    ("mode", "kind", "passes"),
    [
        ("REDUCING", "REDUCE_POSITION", True),
        ("REDUCING", "SET_LEVERAGE", False),
        ("REDUCING", "CANCEL_ORDER", False),
        ("PAUSED", "REDUCE_POSITION", False),
    ],
)
def test_reducing_lets_positions_be_reduced(mode: str, kind: str, passes: bool) -> None:
    made = World(lane_key=wish(kind).lane, force=in_force(mode))
    made.give(wish(kind))
    assert bool(made.pending) is passes


def test_one_symbol_is_one_lane() -> None:
    made = world("SET_LEVERAGE")
    made.give(wish("REDUCE_POSITION", intent_id="i2"))
    assert len(made.pending) == 1
    made.run()
    ended = [
        one.value.intent_id
        for one in made.out
        if isinstance(one, Emit)
        and one.topic == "treasury.intent-states.v1"
        and one.value.state == "CONFIRMED"
    ]
    assert ended == ["i1", "i2"]


def live(
    kind: str, fates: tuple[str, str], crash_at: int, owner: str, handed: bool, twice: bool
) -> World:
    """One whole life; the worker dies after its `crash_at`th committed event."""
    made = world(kind, *fates)
    crashed = False

    def after_event() -> None:
        nonlocal crashed
        if crashed or made.folded != crash_at:
            return
        crashed = True
        late = []
        for effect in list(made.pending) if handed else []:
            record = made.carry(effect)
            if owner == "other" and isinstance(effect, Call):
                late.append(record)
        made.restart(late)

    after_event()
    if twice:
        made.give(wish(kind))
        after_event()
    for _ in range(400):
        if made.pending:
            made.fold(made.carry(made.pending.pop(0)))
        elif not made.tick():
            break
        after_event()
    made.venue.pass_time(made.now_ms + 3_600_000)
    return made


def verdict(kind: str, made: World) -> str:
    """What the venue's books say about the node's word."""
    state, effects = made.state().state, len(made.venue.effects)
    if kind == "REDUCE_POSITION":
        gone = E18 - size(made)
        if effects > 1 or gone > WHOLE_E18:
            return "double"
        if state == "CONFIRMED" and made.state().amount_done_e18 != gone:
            return "guessed"
        if state == "REJECTED" and gone:
            return "lost"
        return "ok" if state in ("CONFIRMED", "REJECTED") else state
    venue: Any = made.venue
    shown = venue.leverage == "3" if kind == "SET_LEVERAGE" else effects == 1
    if state == "CONFIRMED" and not shown:
        return "guessed"
    return "ok" if state in ("CONFIRMED", "REJECTED") else state


@pytest.mark.req("000-40", "000-63", "003-62")
def test_no_crash_and_no_answer_doubles_or_loses_an_order(
    capsys: pytest.CaptureFixture[str],
) -> None:
    counted: Counter[str] = Counter()
    bad: list[Any] = []
    fates = [*((one, "ok") for one in FATES), ("lost_before", "refused"), ("lost_before",) * 2]
    cases = product(KINDS, fates, range(9), ("same", "other"), (False, True), (False, True))
    for kind, *case in cases:
        said = verdict(kind, live(kind, *case))
        counted[said] += 1
        if said != "ok":
            bad.append((said, kind, case))
    with capsys.disabled():
        print(f"\norders and settings, {counted.total()} lives: {dict(counted)}")
    assert bad == []


def test_a_deadline_ends_what_waits() -> None:
    made = World(lane_key=wish("SET_LEVERAGE").lane, force=in_force("PAUSED"))
    made.give(wish("SET_LEVERAGE", deadline_ms=T0_MS + 60_000))
    made.run()
    assert made.states() == ["HELD", "EXPIRED"]
