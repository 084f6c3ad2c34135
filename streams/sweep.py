"""Whether, when and how much of an account's cash is placed, and in what; and whether an order that
has not gone out still stands.

    sweep-seed-v1   above the limit of value at risk: overnight, all of the excess
                    else: the excess less the float, in bills (or the ESG product)
    sweep-safe-v1   the same products, but the float is kept in both branches; money comes back

With too few observations only the overnight product is used and the float is kept, under either
rule. The excess is what is available, less what is going out, less the floor. Reasons to hold are
told in the order of HOLDS; an order to bring money back goes before one to place it.

Before all that: an order that waits to go out (for a signature, under a pause, behind another) is
taken back when the balance of now does not carry it: when the rule, were the order not there, would
let less go. Of the float only the part counts below which money is brought back: outflows may use
the rest, which is there for them, but below that part the money would have to come back at once. A
balance that is too old to decide from carries nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from msgspec.structs import replace

from schemas.money import E18
from schemas.outcome import Outcome
from schemas.policy import Policy
from schemas.policy_cash import Product
from streams import bill, cutoff, ladder, reverse
from streams.calendar import NoCalendar
from streams.cash_facts import SAFE, Decided, Facts, Figures, figures, is_stale
from streams.orders import OUT, Unsent
from streams.reverse import is_dead_time
from streams.var import OK, UNIT_E18, breaches, held_against_e18
from tables.cash import Balance

OVERNIGHT, BILL, ESG = "FED_RRP", bill.PRODUCT, "CARBON_NOTE"
CENT_E18 = E18 // 100

Hold = Callable[[Policy, Facts], Outcome | None]


def decide(policy: Policy, facts: Facts) -> Decided:
    """The order, or the hold and its reason."""
    taken = taken_back(policy, facts)
    if taken is not None:
        return taken
    for check in HOLDS:
        outcome = check(policy, facts)
        if outcome is not None:
            return Decided(reason=outcome.value)
    known = cast(Balance, facts.balance)  # without one the balance is stale
    sums = figures(policy, facts, known)
    try:
        back = reverse.decide(policy, facts, sums)
        return place(policy, facts, sums) if back is None else back
    except NoCalendar:
        return Decided(reason=Outcome.no_calendar.value)


def paused(policy: Policy, facts: Facts) -> Outcome | None:
    """Nothing moves under PAUSED."""
    return Outcome.paused if facts.mode == "PAUSED" else None


def frozen(policy: Policy, facts: Facts) -> Outcome | None:
    """A break is open, or people have stopped the account."""
    return Outcome.frozen if facts.frozen else None


def stale_balance(policy: Policy, facts: Facts) -> Outcome | None:
    """The balance must be known and fresh."""
    old = facts.balance is None or is_stale(policy, facts.balance, facts.at_ms)
    return Outcome.stale_balance if old else None


def no_calendar(policy: Policy, facts: Facts) -> Outcome | None:
    """Without the bank's calendar no day is known to be a business day."""
    return Outcome.no_calendar if facts.business_day is None else None


def in_flight(policy: Policy, facts: Facts) -> Outcome | None:
    """One order of an account at a time."""
    return Outcome.in_flight if facts.open_id else None


def taken_back(policy: Policy, facts: Facts) -> Decided | None:
    """The end of an order that has not gone out; None: there is none, or it stands."""
    if facts.unsent is None:
        return None
    amount, room = facts.unsent.amount_e18, carried_e18(policy, facts, facts.unsent)
    if room is not None and amount <= room:
        return None
    because = Outcome.stale_balance if room is None else Outcome.floor_breach
    return Decided(
        reason=Outcome.withdrawn.value,
        amount_e18=amount,
        room_e18=max(0, room or 0),
        because=because.value,
    )


def carried_e18(policy: Policy, facts: Facts, unsent: Unsent) -> int | None:
    """The most that an order which has not gone out may still move; None: nobody knows, because the
    balance is too old. Of a rung it is not what the next auction now takes, but what there is: with
    what comes back until it is paid, and is not in the balance already.
    """
    balance = facts.balance
    if balance is None or stale_balance(policy, facts) is not None:
        return None
    pending = facts.pending._replace(out_e18=facts.pending.out_e18 - unsent.amount_e18)
    sums = figures(policy, replace(facts, pending=pending), balance)
    least = least_float_e18(policy, sums)
    if unsent.product == BILL and policy.sweep.ladder == ladder.NAME:
        comes = pending.to_come_e18() + ladder.comes_e18(facts.placements, unsent.value_day)
        return sums.excess_e18 - (least or 0) + comes
    _, room = wanted(policy, facts, sums._replace(float_e18=least))
    return sums.excess_e18 if room is None else room


def least_float_e18(policy: Policy, sums: Figures) -> int | None:
    """How much of the float is kept at least: below it money is brought back. Never rounded down;
    None: no outflow can be forecast.
    """
    if sums.float_e18 is None:
        return None
    exact = policy.sweep.reverse.trigger_pct_e18 * sums.float_e18
    return -(-exact // (E18 * UNIT_E18)) * UNIT_E18


HOLDS: tuple[Hold, ...] = (paused, frozen, stale_balance, no_calendar, in_flight)


def place(policy: Policy, facts: Facts, sums: Figures) -> Decided:
    """The order to place money, or why none. Raises NoCalendar."""
    if facts.mode != "ACTIVE":
        return Decided(reason=Outcome.paused.value)
    if sums.avail_e18 <= 0:
        return Decided(reason=Outcome.stale_balance.value)
    name, amount = wanted(policy, facts, sums)
    if amount is None:
        return Decided(reason=Outcome.no_forecast.value)
    cutoff_ms = cutoff.next_ms(facts.at_ms, policy.sweep)
    if name == BILL and policy.sweep.ladder == ladder.NAME:
        decided = _rung(policy, facts, sums, cutoff_ms)
    else:
        decided = _order(policy, facts, name, amount, cutoff_ms)
    if decided.kind and facts.waits_kind == OUT:
        return Decided(reason=facts.waits_for)
    if decided.kind and facts.back_today and is_dead_time(policy):
        return Decided(reason=Outcome.dead_time.value)
    return decided


def wanted(
    policy: Policy, facts: Facts, sums: Figures, rule: str | None = None
) -> tuple[str, int | None]:
    """The product and the amount by the rule (another than the policy's, if one is named), before
    rounding; None where a forecast is needed.
    """
    sweep = policy.sweep
    kept = None if sums.float_e18 is None else max(0, sums.excess_e18 - sums.float_e18)
    risk = facts.risk
    if risk is None or risk.status != OK:
        return OVERNIGHT, kept
    held_e18 = held_against_e18(policy.var, sums.avail_e18)
    if breaches(risk.var_e18, held_e18, sweep.var_limit_bps_e18):
        keeps = (rule or sweep.rule) == SAFE
        return OVERNIGHT, kept if keeps else max(0, sums.excess_e18)
    return (ESG if sweep.esg_pref else BILL), kept


def _rung(policy: Policy, facts: Facts, sums: Figures, cutoff_ms: int) -> Decided:
    """The next rung of the ladder first; once it is full the rest waits overnight."""
    row = policy.sweep.product(BILL)
    reason = _closed(policy, row)
    if reason is not None or row is None:
        return Decided(reason=(reason or Outcome.class_disabled).value)
    left = sums.excess_e18 - (sums.float_e18 or 0)
    rung = ladder.next_rung(policy, facts, row, left, cutoff_ms)
    ordered = 0
    if rung is not None:
        days = rung.matures_day - rung.value_day
        ordered = bill.cost_e18(rung.amount_e18, row.discount_rate_e18, days)
    if rung is None or ordered < _least_e18(policy):
        return _order(policy, facts, OVERNIGHT, max(0, left), cutoff_ms)
    return Decided(
        kind=OUT,
        product=BILL,
        amount_e18=ordered,
        room_e18=rung.room_e18,
        cutoff_ms=cutoff_ms,
        value_day=rung.value_day,
        matures_day=rung.matures_day,
    )


def _order(policy: Policy, facts: Facts, name: str, amount_e18: int, cutoff_ms: int) -> Decided:
    row = policy.sweep.product(name)
    reason = _closed(policy, row)
    if reason is not None or row is None:
        return Decided(reason=(reason or Outcome.class_disabled).value)
    calendar = facts.calendar(row.calendar)
    value_day = cutoff.value_day(cutoff_ms, row, calendar)
    matures_day = cutoff.matures_day(value_day, row, calendar)
    ordered = amount_e18 // CENT_E18 * CENT_E18
    if name == BILL:
        days = (matures_day or value_day) - value_day
        ordered = bill.cost_e18(amount_e18, row.discount_rate_e18, days)
    if ordered < _least_e18(policy):
        return Decided(reason=Outcome.below_min.value)
    return Decided(
        kind=OUT,
        product=name,
        amount_e18=ordered,
        room_e18=amount_e18,
        cutoff_ms=cutoff_ms,
        value_day=value_day,
        matures_day=matures_day,
    )


def _least_e18(policy: Policy) -> int:
    """Nothing is never an order, whatever the policy calls the least."""
    return max(policy.sweep.min_sweep_usd_e18, CENT_E18)


def _closed(policy: Policy, row: Product | None) -> Outcome | None:
    """Why nothing is placed in a product."""
    if row is None or not row.enabled:
        return Outcome.class_disabled
    return Outcome.screening if row.beneficiary is None else None
