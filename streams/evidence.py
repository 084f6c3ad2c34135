"""What a look proves. No money is sent again without the proof that the first call had no effect.

A row in the venue's history proves an effect. Absence needs all of: enough time by the venue's own
clock and by ours (either may be set), enough complete looks, no row seen in any of them, the
funding balance untouched and the debt unchanged apart from interest. An order or a payment is asked
for by our own id: no balance speaks against its absence, because others move the same position or
account. What is neither is left open, and what contradicts itself goes to people. Amounts are
decimal text as the venue gave them.
"""

from __future__ import annotations

from typing import NamedTuple

from schemas.money import parse_e18, text_e18
from schemas.policy_gate import Execution
from schemas.records import AttemptRecord
from streams.saga import ATTEMPTED, PAYMENTS, UNKNOWN
from streams.step import Refused
from tables.intents import LegEntry

ABSENCE_POLLS_MIN = 5
AMOUNTS = frozenset({"fund", "debt", "collateral", "hourly_rate", "reducible"})
COUNTS = frozenset({"server_ms", "last_id", "rows"})
HOUR_MS = 3600 * 1000
DUST_E18 = 10**10  # one unit of the eighth place: the venue rounds what it shows
BY_WALLET = frozenset({"TRANSFER", "REPAY", "ADD_COLLATERAL"})
"""What moves money between wallets: balances must agree with what the rows say."""
REPEATABLE = frozenset({"SET_LEVERAGE", "CANCEL_ORDER"})
"""Done twice they leave what once leaves: absence need only outlast the call that was lost."""
CALL_DEAD_S = 10
"""A signed request is refused by the venue once its window (5 s) has passed."""


class Verdict(NamedTuple):
    """The trigger a look amounts to (None: nothing yet) and the words for people."""

    trigger: str | None
    reason: str = ""


OPEN = Verdict(None)


def complete(record: AttemptRecord) -> bool:
    """Whether the look read everything: only such a look counts towards absence."""
    return record.facts is not None and "server_ms" in record.facts


def check(record: AttemptRecord, kind: str) -> None:
    """Refuses a record that cannot be judged by: a number that is none, or one missing."""
    for said in (record.watermark, record.facts):
        for name, text in (said or {}).items():
            try:
                if name in AMOUNTS:
                    parse_e18(text)
                elif name in COUNTS:
                    int(text)
            except ValueError as why:
                raise Refused("reading", name, text, str(why)) from why
    needed = {"server_ms"} | NEEDED.get(kind, {"fund"})
    if record.leg == "main":
        needed |= {"collateral"} if kind == "ADD_COLLATERAL" else set()
        needed |= {"last_id"} if record.watermark is not None else set()
    read = record.facts if record.watermark is None and complete(record) else record.watermark
    if read is not None and needed - read.keys():
        raise Refused("reading", "missing", sorted(needed - read.keys()), "was not read")


def judge(
    leg: LegEntry,
    op: str,
    record: AttemptRecord,
    execution: Execution,
    now_ms: int,
    *,
    answered: bool = True,
) -> Verdict:
    """What an EVIDENCE record means for an attempt; `leg.polls` already counts this look. Unless a
    call of ours is `answered`, being accepted is told by nobody else.
    """
    if record.class_ == "done" and op in PAYMENTS:
        done_e18 = record.amount_done_e18
        if done_e18 is None or done_e18 == leg.amount_e18:
            return Verdict("effect")
        said = f"{text_e18(done_e18)} were booked, {text_e18(leg.amount_e18)} ordered"
        return Verdict("disagreement", said)
    if record.class_ == "done":
        unmoved = op in BY_WALLET and complete(record) and _untouched(leg, op, record)
        if leg.state == UNKNOWN and unmoved:
            # A row the balances do not know of may be a page ahead of the books: look again first.
            enough = leg.polls >= ABSENCE_POLLS_MIN
            return Verdict("disagreement", "row_without_movement") if enough else OPEN
        return Verdict("effect")
    if record.class_ == "refused":
        return Verdict("refused", record.code or "venue_history")
    if record.class_ == "accepted":
        unheard = leg.state == UNKNOWN or (leg.state == ATTEMPTED and not answered)
        return Verdict("accepted") if unheard else OPEN
    if leg.state == UNKNOWN and record.class_ == "unknown" and complete(record):
        return _absence(leg, op, record, execution, now_ms)
    return OPEN


NEEDED: dict[str, set[str]] = {
    "REPAY": {"fund", "debt"},
    "SET_LEVERAGE": set(),
    "CANCEL_ORDER": set(),
    "REDUCE_POSITION": {"reducible"},
    "SWEEP": set(),
    "REVERSE_SWEEP": set(),
}
"""What must have been read besides the venue's time; of all other kinds the funding balance."""


def _untouched(leg: LegEntry, op: str, record: AttemptRecord) -> bool:
    """Whether what a call would have moved in the wallets is where it was before it."""
    before, now = leg.watermark, record.facts or {}
    if parse_e18(before["fund"]) != parse_e18(now["fund"]):
        return False
    if op == "REPAY":
        was, is_ = parse_e18(before["debt"]), parse_e18(now["debt"])
        return was <= is_ <= was + _interest_bound_e18(leg, now)
    if op == "ADD_COLLATERAL":
        return parse_e18(before["collateral"]) == parse_e18(now["collateral"])
    return True


def _absence(
    leg: LegEntry, op: str, record: AttemptRecord, execution: Execution, now_ms: int
) -> Verdict:
    least_s = CALL_DEAD_S if op in REPEATABLE else execution.absence_s
    elapsed_ms = min(_elapsed_ms(leg, record.facts or {}), now_ms - leg.since_ms)
    if leg.venue_ref and op not in REPEATABLE:
        return Verdict("disagreement", "row_is_gone") if leg.polls >= ABSENCE_POLLS_MIN else OPEN
    if elapsed_ms < least_s * 1000 or leg.polls < ABSENCE_POLLS_MIN:
        return OPEN
    if op not in BY_WALLET:
        return Verdict("absent", f"not found in {leg.polls} looks")
    if _untouched(leg, op, record):
        return Verdict("absent", f"no row, no movement after {leg.polls} looks")
    return Verdict("disagreement", "movement_without_row")


def _elapsed_ms(leg: LegEntry, now: dict[str, str]) -> int:
    return int(now["server_ms"]) - int(leg.watermark["server_ms"])


def _interest_bound_e18(leg: LegEntry, now: dict[str, str]) -> int:
    """The most that can have accrued: twice the rate read, every hour begun and one more."""
    hours = -(-_elapsed_ms(leg, now) // HOUR_MS) + 1
    rate_e18 = parse_e18(leg.watermark.get("hourly_rate", "0"))
    return 2 * hours * parse_e18(leg.watermark["debt"]) * rate_e18 // 10**18 + DUST_E18
