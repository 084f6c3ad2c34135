"""What would have led a bank account to another action: its balance, or its cut-off.

An action is what is done and with which product, or that the open order is taken back; another
amount of the same is no other action. The
cut-off is moved within the day on which its wires move, for which the forecast of the record holds.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from schemas.money import E18, text_e18
from schemas.policy import Policy
from schemas.policy_cash import seconds
from streams import cutoff, reverse, sweep
from streams.calendar import NoCalendar
from streams.cash_facts import Decided, Facts, Figures, figures
from streams.newyork import DAY_S, at, day_of
from streams.var import BPS
from weir.explain.flip import Flip, around, nearest, signed

HOLD, TAKE_BACK = "hold", "take back"
UNIT_E18 = E18 // 10**4
"""The last place of a balance."""
STRIDE_S = 900


def flips(policy: Policy, facts: Facts) -> tuple[Flip, ...]:
    """The nearest balance and the nearest cut-off that change the action."""
    found = [_of_balance(policy, facts), _of_cutoff(policy, facts)]
    return tuple(flip for flip in found if flip is not None)


def with_balance(facts: Facts, amount_e18: int) -> Facts:
    """The same with another balance."""
    if facts.balance is None:
        return facts
    return replace(facts, balance=replace(facts.balance, amount_e18=amount_e18))


def with_cutoff(policy: Policy, old: str, new: str) -> Policy:
    """The same with one cut-off at another time of the day (UTC)."""
    clocks = tuple(new if clock == old else clock for clock in policy.sweep.cutoffs_utc)
    return policy.model_copy(
        update={"sweep": policy.sweep.model_copy(update={"cutoffs_utc": clocks})}
    )


def action(decided: Decided) -> str:
    """What is done, and with which product."""
    if decided.because:
        return TAKE_BACK
    return f"{decided.kind} {decided.product}" if decided.kind else HOLD


def _of_balance(policy: Policy, facts: Facts) -> Flip | None:
    if facts.balance is None:
        return None

    def decided_at(amount: int) -> Decided:
        return sweep.decide(policy, with_balance(facts, amount))

    now = facts.balance.amount_e18
    edges = list(_edges(policy, facts, figures(policy, facts, facts.balance)))
    far = max(abs(edge - now) for edge in [*edges, 0, 2 * now])
    powers = range((far // UNIT_E18).bit_length() + 2)
    points = around((edge // UNIT_E18 * UNIT_E18 for edge in edges), UNIT_E18)
    points |= {now + sign * (UNIT_E18 << power) for sign in (-1, 1) for power in powers}
    to = nearest(now, lambda amount: action(decided_at(amount)), points, UNIT_E18)
    if to is None:
        return None
    said = _said(decided_at(to))
    return Flip("available", text_e18(now), text_e18(to), signed(to - now), said)


def _edges(policy: Policy, facts: Facts, sums: Figures) -> Iterator[int]:
    """The balances at which some test of the rules turns, as far as a formula tells them."""
    rules, kept = policy.sweep, sums.float_e18 or 0
    taken = sums.avail_e18 - sums.excess_e18
    yield 0
    if facts.unsent is not None:
        yield taken  # the order is among what is going out
        yield taken + (sweep.least_float_e18(policy, sums) or 0)
    for least in (rules.min_sweep_usd_e18, 0):
        yield taken + least
        yield taken + kept + least
    if facts.risk is not None and rules.var_limit_bps_e18:
        yield -(-BPS * facts.risk.var_e18 * E18 // rules.var_limit_bps_e18)
    cutoff_ms = cutoff.next_ms(facts.at_ms, rules)
    trigger = rules.reverse.trigger_pct_e18 * kept // E18
    for day in _days(policy, facts, cutoff_ms):
        apart = reverse.usable_e18(facts, sums, day) - sums.avail_e18
        yield from (trigger - apart, -apart)


def _days(policy: Policy, facts: Facts, cutoff_ms: int) -> set[int]:
    """The days for which it is looked at what will be usable."""
    try:
        days = {moves for _, moves, _ in reverse.groups(policy, facts, cutoff_ms)}
        return days | {cutoff.wire_day(cutoff_ms, facts.calendar("FED"))}
    except NoCalendar:
        return set()


def _of_cutoff(policy: Policy, facts: Facts) -> Flip | None:
    cutoff_ms = cutoff.next_ms(facts.at_ms, policy.sweep)
    now = cutoff_ms // 1000 % DAY_S
    chosen = next(clock for clock in policy.sweep.cutoffs_utc if seconds(clock) == now)
    fed = facts.calendar("FED")
    try:
        wires = cutoff.wire_day(cutoff_ms, fed)
    except NoCalendar:
        return None
    as_it_is = sweep.decide(policy, facts)

    def decided_at(second: int) -> Decided:
        other = with_cutoff(policy, chosen, clock_of(second))
        moved = cutoff.next_ms(facts.at_ms, other.sweep)
        same_day = cutoff.wire_day(moved, fed) == wires
        return sweep.decide(other, facts) if same_day else as_it_is

    ready = facts.at_ms // 1000 + policy.sweep.lead_s
    closing = {seconds(row.closes) for row in policy.sweep.products} | {cutoff.WIRE_CLOSES_S}
    edges = {at(day_of(cutoff_ms), second) // 1000 % DAY_S for second in closing}
    points = around(edges | {ready % DAY_S}, 1) | set(range(0, DAY_S, STRIDE_S)) | {DAY_S - 1}
    points |= {now + sign * 2**power for sign in (-1, 1) for power in range(10)}
    inside = {point for point in points if 0 <= point < DAY_S}
    to = nearest(now, lambda second: action(decided_at(second)), inside, 1)
    if to is None:
        return None
    change = f"{'-' if to < now else '+'}{clock_of(abs(to - now))}"
    return Flip("cutoff_utc", clock_of(now), clock_of(to), change, _said(decided_at(to)))


def clock_of(second: int) -> str:
    """A time of day as a policy has it."""
    hours, minutes = second // 3_600, second // 60 % 60
    return f"{hours:02d}:{minutes:02d}" + (f":{second % 60:02d}" if second % 60 else "")


def _said(decided: Decided) -> str:
    if decided.kind:
        return f"{action(decided)} {text_e18(decided.amount_e18)}"
    return f"{action(decided)} ({decided.because or decided.reason})"
