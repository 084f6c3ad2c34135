"""Maker and checker: which words count, which are refused and why, and what they lead to."""

import itertools
import json

import pytest

from tests.streams.desk_world import TOPICS
from tests.streams.people_world import Desk

ASKED = """
    rate    USDT 1
    propose p1 REPAY 6000
    expect  answer state=AWAITING
"""


@pytest.mark.req("000-54", "000-73")
def test_one_checker_lets_an_intent_out_unchanged() -> None:
    desk = Desk().play(f"""
        {ASKED}
        approve p1 by=ann
        expect  intent amount=6000 kind=REPAY account_id=bybit:12345678
        expect  state state=READY amount=6000 seed_status=NEW
        expect  answer state=READY granted=6000 final=false
        expect  decision outcome=approve kind=APPROVAL actor=ann
        expect  decision outcome=READY kind=DECISION
        table   gate holds p1 state=READY held_usd=6000 final=false
        table   gate used loan|2025-06-11 held_usd=6000
    """)
    (intent,), (state,) = desk.said("intent"), desk.said("state")
    assert intent.approvals == ("ann",)
    assert intent.body_hash == state.body_hash == desk.states[0].body_hash
    assert not list(filter(lambda key: key.startswith("awaiting"), desk.gate.entries))


@pytest.mark.req("000-73")
@pytest.mark.parametrize(
    ("row", "cause", "field"),
    [
        ("approve p9 by=ann hash=x", "unknown_intent", "intent_id"),
        ("approve p1 by=ann hash=00", "wrong_bytes", "body_hash"),
        ("approve p1 by=eve", "unknown_person", "approver"),
        ("approve p1 by=ann key=eve", "signature", "jws"),
        ("approve p1 by=bob as=ann", "signature", "jws"),
        ("deny p1 by=ann said=approve", "signature", "jws"),
        ("approve p1 by=ann jws=..", "signature", "jws"),
        ("approve p1 by=ann jws=x.y.z", "signature", "jws"),
        ("approve p1 by=olaf", "role", "role"),
        ("approve p1 by=ann role=admin", "role", "role"),
        ("at +10m\napprove p1 by=ann expires=+599999ms", "expired", "expires"),
        ("approve p1 by=dan", "scope", "approver"),
        ("deny p1 by=dan", "scope", "approver"),
        ("policy limits.loan.daily_usd=50000\npropose p2 REPAY 7001\napprove p2 by=bob",
         "scope", "approver"),
        ("propose p2 REPAY 6000 maker=ann\napprove p2 by=ann", "self_approved", "approver"),
        ("revoke p1 by=ann", "not_signed", "approver"),
        ("at +4h\napprove p1 by=ann", "not_awaiting", "intent_id"),
        ("propose p2 REPAY 100\napprove p2 by=ann", "not_awaiting", "intent_id"),
    ],
)  # fmt: skip
def test_what_is_refused_has_a_reason_and_no_effect(row: str, cause: str, field: str) -> None:
    desk = Desk().play(ASKED)
    *before, last = row.split("\n")
    desk.play("\n".join(before))
    entries = dict(desk.gate.entries)
    desk.play(f"{last}\nletter {cause} {field}")
    assert desk.gate.entries == entries
    assert json.loads(desk.said("decision")[0].body)["proven"] == (
        cause in {"role", "expired", "scope", "self_approved", "not_signed", "not_awaiting"}
    )


@pytest.mark.req("000-73")
def test_just_inside_passes() -> None:
    Desk().play(f"""
        {ASKED}
        at      +10m
        approve p1 by=ann expires=+10m
        expect  intent amount=6000
    """)
    Desk().play("""
        rate    USDT 1
        propose p1 REPAY 7000 maker=ann
        approve p1 by=bob
        expect  intent amount=7000
    """)


@pytest.mark.req("000-73")
def test_the_same_word_twice_has_one_effect() -> None:
    Desk().play(f"""
        {ASKED}
        approve p1 by=ann
        expect  intent amount=6000
        replay  0
        letter  replayed approver
        approve p1 by=ann
        letter  replayed approver
        approve p1 by=cem
        letter  not_awaiting intent_id
        outcome CONFIRMED to=gate of=p1
        replay  0
        letter  replayed approver
        table   gate used loan|2025-06-11 confirmed_usd=6000 held_usd=0
    """)


@pytest.mark.req("000-73")
def test_above_the_second_threshold_two_distinct_checkers_sign() -> None:
    rows = """
        policy  approvals.dual_usd=6000
        rate    USDT 1
        propose p0 REPAY 6000
        approve p0 by=ann
        expect  intent amount=6000
        propose p1 REPAY 6000.01
        expect  answer state=AWAITING
    """
    for first, second in itertools.permutations(("ann", "bob", "cem"), 2):
        Desk().play(f"""
            {rows}
            approve p1 by={first}
            expect  no intent
            expect  state state=AWAITING
            approve p1 by={first}
            letter  replayed approver
            approve p1 by={second}
            expect  intent amount=6000.01
            table   gate holds p1 state=READY
        """)


@pytest.mark.req("000-73")
def test_a_word_taken_back_counts_no_more_and_never_again() -> None:
    Desk().play("""
        policy  approvals.dual_usd=5000
        rate    USDT 1
        propose p1 REPAY 6000
        approve p1 by=ann
        revoke  p1 by=ann
        expect  state state=AWAITING
        approve p1 by=bob
        expect  no intent
        replay  0
        letter  replayed approver
        approve p1 by=ann
        expect  intent amount=6000
    """)


@pytest.mark.req("000-73")
def test_an_approval_taken_back_after_the_hand_over_asks_the_intents_node() -> None:
    desk = Desk().play(f"""
        {ASKED}
        approve p1 by=ann
        revoke  p1 by=cem
        letter  not_signed approver
        revoke  p1 by=ann
        expect  decision outcome=revoke
        table   gate holds p1 state=READY held_usd=6000
    """)
    (emit,) = [one for one in desk.out if one.topic == "treasury.intent-inputs.v1"]
    assert (emit.value.body.intent_id, emit.value.body.approver) == ("p1", "ann")
    assert emit.key == "bybit|bybit:12345678|USDT"
    desk.play("""
        outcome VOID to=gate of=p1
        table   gate used loan|2025-06-11 held_usd=0
        revoke  p1 by=ann
        letter  not_signed approver
    """)


@pytest.mark.req("000-54")
def test_a_denial_frees_the_hold() -> None:
    Desk().play(f"""
        {ASKED}
        propose p2 REPAY 6000
        deny    p1 by=bob
        expect  state state=VOID seed_status=FAILED reason=denied
        expect  answer state=VOID final=true reason=denied
        expect  wake +1h
        table   gate used loan|2025-06-11 held_usd=6000
        approve p1 by=ann
        letter  not_awaiting intent_id
        deny    p2 by=bob
        expect  wake none
        table   gate used loan|2025-06-11 held_usd=0
    """)


@pytest.mark.req("000-54", "000-59")
@pytest.mark.parametrize("scope", ["all", "class:loan", "venue:bybit", "account:bybit:12345678"])
def test_an_approval_under_a_pause_stays_awaiting_until_the_resume(scope: str) -> None:
    Desk().play(f"""
        {ASKED}
        control PAUSED scope={scope}
        approve p1 by=ann
        expect  no intent
        expect  state state=AWAITING reason=paused
        expect  wake +1s
        tick    gate
        expect  nothing_but_wake +2s
        control ACTIVE scope={scope}
        tick    gate
        expect  intent amount=6000
        expect  state state=READY
    """)


@pytest.mark.req("000-59")
def test_reducing_lets_out_what_lowers_risk() -> None:
    Desk().play(f"""
        {ASKED}
        control REDUCING
        approve p1 by=ann
        expect  intent amount=6000
    """)


@pytest.mark.req("000-54")
def test_what_a_pause_holds_still_ends() -> None:
    Desk().play("""
        policy  approvals.ttl_s=2
        rate    USDT 1
        propose p1 REPAY 6000
        control PAUSED
        approve p1 by=ann
        expect  wake +1s
        tick    gate
        propose p2 REPAY 100
        tick    gate
        expect  answer state=VOID reason=expired
        control ACTIVE
        table   gate used loan|2025-06-11 held_usd=0
    """)


@pytest.mark.req("000-73")
@pytest.mark.parametrize("event", ["leave ann", "rekey ann"])
def test_who_has_left_or_lost_a_key_counts_no_more(event: str) -> None:
    """A signature given before a key was replaced must not let money out afterwards."""
    Desk().play(f"""
        {ASKED}
        control PAUSED
        approve p1 by=ann
        {event}
        control ACTIVE
        tick    gate
        expect  no intent
        expect  state state=AWAITING
        approve p1 by=cem
        expect  intent amount=6000
    """)


@pytest.mark.req("000-54")
def test_two_that_wait_are_told_apart() -> None:
    Desk().play(f"""
        {ASKED}
        at      +1s
        propose p2 REPAY 6000.5
        approve p2 by=cem
        expect  intent intent_id=p2 amount=6000.5
        table   gate holds p1 state=AWAITING
        approve p1 by=cem
        expect  intent intent_id=p1 amount=6000
    """)


def test_without_a_policy_nobody_is_known() -> None:
    desk = Desk()
    desk.gate.entries.pop("@partition")
    desk.play("propose p1 REPAY 6000\nexpect answer reason=no_policy")
    desk.play("approve p1 by=ann\nletter unknown_person approver")


@pytest.mark.req("000-54", "000-73")
@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_words_in_any_order_let_out_once(order: tuple[int, ...]) -> None:
    """ann, bob, a stranger and ann again: whatever comes first, one intent and not before two."""
    rows = ["by=ann", "by=bob", "by=eve", "by=ann"]
    desk = Desk().play("""
        policy  approvals.dual_usd=5000
        rate    USDT 1
        propose p1 REPAY 6000
    """)
    out = []
    seen: set[str] = set()
    for place in order:
        desk.play(f"approve p1 {rows[place]}")
        out += [item for item in desk.out if getattr(item, "topic", "") == TOPICS["intent"]]
        seen |= {rows[place]} - {"by=eve"}
        assert len(out) == (len(seen) == 2)


@pytest.mark.req("000-54")
def test_a_word_counts_until_the_time_it_names_and_no_longer() -> None:
    """The first of two words has ended when the second comes: it must be given again."""
    Desk(approvals={"dual_usd": "5000"}).play("""
        rate    USDT 1
        propose p1 REPAY 6000
        approve p1 by=ann expires=+10m
        expect  state state=AWAITING
        at      +11m
        approve p1 by=cem
        expect  no intent
        approve p1 by=ann
        expect  intent amount=6000
    """)


def test_a_word_that_ends_while_all_is_paused_is_given_again() -> None:
    Desk().play("""
        rate    USDT 1
        propose p1 REPAY 6000
        control PAUSED
        approve p1 by=ann expires=+10m
        expect  no intent
        at      +11m
        control ACTIVE
        tick    gate now
        expect  no intent
        expect  state state=AWAITING
        approve p1 by=ann
        expect  intent amount=6000
    """)


def test_a_word_that_comes_in_its_last_moment_counts() -> None:
    Desk().play("""
        rate    USDT 1
        propose p1 REPAY 6000
        at      +10m
        approve p1 by=ann expires=+10m
        expect  intent amount=6000
    """)
