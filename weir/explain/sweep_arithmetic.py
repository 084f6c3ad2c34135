"""The arithmetic of a sweep, one step after the other, each with its formula and its result."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.jsonform import iso, iso_date
from schemas.money import text_e18
from schemas.outcome import Outcome
from schemas.policy import Policy
from streams import cutoff, ladder, reverse, sweep
from streams.calendar import NoCalendar
from streams.cash_facts import SAFE, Decided, Facts, Figures, figures
from streams.orders import BACK
from streams.var import BPS, OK, breaches
from weir.explain.arithmetic import Step

WIRE = "a wire"


def steps(policy: Policy, facts: Facts, decided: Decided) -> Iterator[Step]:
    """What becomes of an order that has not gone out, what holds, the sums, what is brought back,
    then what is placed; nothing after its end.
    """
    yield from _taken_back(policy, facts)
    if decided.because:
        yield Step("action", f"the open order: {decided.because}", "taken back")
        return
    held = ""
    for check in sweep.HOLDS:
        outcome = check(policy, facts)
        held = held or (outcome.value if outcome is not None else "")
        verdict = "passes" if outcome is None else f"holds: {outcome.value}"
        yield Step(f"guard {check.__name__}", _of_guard(check.__name__, policy, facts), verdict)
    if facts.balance is None or held:
        yield Step("action", "a guard holds", f"hold: {decided.reason}")
        return
    sums = figures(policy, facts, facts.balance)
    yield from _sums(policy, facts, sums)
    try:
        yield from _back(policy, facts, sums, decided)
        if decided.kind != BACK and not decided.short_e18:
            yield from _place(policy, facts, sums, decided)
    except NoCalendar as missing:
        yield Step("calendar", "closed days must be known", f"none of {missing}")
    yield Step("action", decided.reason or decided.product, decided.kind or "hold")


def _taken_back(policy: Policy, facts: Facts) -> Iterator[Step]:
    """Whether the order that has not gone out still stands."""
    if facts.unsent is None:
        return
    amount = text_e18(facts.unsent.amount_e18)
    carried = sweep.carried_e18(policy, facts, facts.unsent)
    if carried is None:
        age = _of_guard("stale_balance", policy, facts)
        yield Step("carried of the open order", f"the balance is {age}", "nobody knows")
        return
    least = text_e18(policy.sweep.reverse.trigger_pct_e18)
    how = f"what the rule lets go without it, keeping {least} of the float"
    yield Step("carried of the open order", how, text_e18(carried))
    less = facts.unsent.amount_e18 > carried
    yield Step("too little", f"{text_e18(carried)} < {amount}", _yes(less))


def _sums(policy: Policy, facts: Facts, sums: Figures) -> Iterator[Step]:
    rules, said = policy.sweep, facts.expected
    clocks = ", ".join(rules.cutoffs_utc)
    yield Step(
        "cut-off",
        f"the first of {clocks} UTC after {iso(facts.at_ms)} and {rules.lead_s} s",
        str(iso(cutoff.next_ms(facts.at_ms, rules))),
    )
    if said is None or sums.float_e18 is None:
        yield Step("float", "no outflow can be forecast", "none")
    else:
        how = f"liq_buffer_pct · expected = {text_e18(rules.liq_buffer_pct_e18)}"
        how += f" · {text_e18(said.p50_e18)}, rounded up to 4 places"
        yield Step("float", how, text_e18(sums.float_e18))
    out, coming = text_e18(facts.pending.out_e18), text_e18(facts.pending.in_e18)
    excess = text_e18(sums.excess_e18)
    how = f"available - going out - floor_usd = {text_e18(sums.avail_e18)} - {out}"
    yield Step("excess", f"{how} - {text_e18(rules.floor_usd_e18)}", excess)
    usable = text_e18(sums.usable_e18)
    yield Step("usable", f"excess + coming in = {excess} + {coming}", usable)


def _back(policy: Policy, facts: Facts, sums: Figures, decided: Decided) -> Iterator[Step]:
    """Whether money is brought back, in the order in which placements are looked at."""
    rules = policy.sweep
    if not reverse.is_enabled(policy):
        yield Step("bring back", f"not enabled under {rules.rule}", "no")
        return
    cutoff_ms = cutoff.next_ms(facts.at_ms, rules)
    trigger, kept = text_e18(rules.reverse.trigger_pct_e18), text_e18(sums.float_e18 or 0)
    days: list[tuple[str, int]] = [
        (row.product, day) for row, day, _ in reverse.groups(policy, facts, cutoff_ms)
    ]
    days.append((WIRE, cutoff.wire_day(cutoff_ms, facts.calendar("FED"))))
    for what, day in days:
        usable = reverse.usable_e18(facts, sums, day)
        later = usable - sums.usable_e18
        said, on = text_e18(usable), iso_date(day)
        how = f"usable and what moves until then, {text_e18(sums.usable_e18)} + {text_e18(later)}"
        yield Step(f"usable on {on} by {what}", how, said)
        low = reverse.is_low(policy, sums, usable)
        yield Step("too little", f"{said} < trigger_pct · float = {trigger} · {kept}", _yes(low))
        if low and what != WIRE:
            yield Step("lacks", f"float - usable = {kept} - {said}", _lack(sums, usable))
            break
    if decided.kind == BACK:
        how = f"what lacks, up to the next {text_e18(rules.reverse.round_usd_e18)}, at least"
        how += f" {text_e18(policy.limits.sweep.min_usd_e18)}, of what is placed"
        yield Step("ordered back", how, text_e18(decided.amount_e18))
    if decided.short_e18:
        yield Step("short", "what cannot be brought back", text_e18(decided.short_e18))


def _lack(sums: Figures, usable_e18: int) -> str:
    return text_e18((sums.float_e18 or 0) - usable_e18)


def _place(policy: Policy, facts: Facts, sums: Figures, decided: Decided) -> Iterator[Step]:
    rules, risk = policy.sweep, facts.risk
    if facts.mode != "ACTIVE" or sums.avail_e18 <= 0:
        said = f"mode {facts.mode}, available {text_e18(sums.avail_e18)}"
        yield Step("place", f"only in mode ACTIVE and of more than 0: {said}", "no")
        return
    n, measured = (0, "never measured") if risk is None else (risk.n, risk.status)
    yield Step("value at risk", f"{n} days, at least {policy.var.min_obs} are needed", measured)
    at_risk = False
    if risk is not None and risk.status == OK:
        at_risk = breaches(risk.var_e18, sums.avail_e18, rules.var_limit_bps_e18)
        how = f"{BPS} · {text_e18(risk.var_e18)} > var_limit_bps · available"
        how += f" = {text_e18(rules.var_limit_bps_e18)} · {text_e18(sums.avail_e18)}"
        yield Step("above the limit", how, _yes(at_risk))
    product, amount = sweep.wanted(policy, facts, sums)
    if amount is None:
        yield Step("wanted", f"{product}: the float must be known", "nothing")
        return
    how = "excess" if at_risk and rules.rule != SAFE else "excess - float"
    yield Step("wanted", f"{product}: {how}, at least 0", text_e18(amount))
    if product == sweep.BILL and rules.ladder == ladder.NAME:
        yield from _rung(policy, facts, sums)
    yield from _ordered(policy, decided)


def _rung(policy: Policy, facts: Facts, sums: Figures) -> Iterator[Step]:
    row = policy.sweep.product(sweep.BILL)
    if row is None:
        return
    cutoff_ms = cutoff.next_ms(facts.at_ms, policy.sweep)
    left = sums.excess_e18 - (sums.float_e18 or 0)
    rung = ladder.next_rung(policy, facts, row, left, cutoff_ms)
    how = "an equal part of all that is placed, less what the rung has"
    none = "no auction for this cut-off: all waits overnight"
    yield Step("next rung", how, none if rung is None else text_e18(rung.amount_e18))


def _ordered(policy: Policy, decided: Decided) -> Iterator[Step]:
    least = text_e18(policy.sweep.min_sweep_usd_e18)
    how = f"cut to cents, or what the bills it buys cost; at least min_sweep_usd, {least}"
    if not decided.kind:
        too_little = decided.reason == Outcome.below_min.value
        yield Step("ordered", how if too_little else "something is in the way", decided.reason)
        return
    yield Step("ordered", f"{decided.product}: {how}", text_e18(decided.amount_e18))
    row = policy.sweep.product(decided.product)
    if row is not None:
        ends = "never" if decided.matures_day is None else str(iso_date(decided.matures_day))
        how = f"{row.calendar} days, until {row.closes} in New York, settled after"
        how += f" {row.settle_days}; comes back {row.matures}: {ends}"
        yield Step("money moves on", how, str(iso_date(decided.value_day)))


def _of_guard(name: str, policy: Policy, facts: Facts) -> str:
    most_s = policy.guards.balance_age_max_s
    age = "never told"
    if facts.balance is not None:
        age = f"{facts.at_ms - facts.balance.as_of_ms} ms old, at most {most_s * 1000}"
    day = "unknown" if facts.business_day is None else str(iso_date(facts.business_day))
    told = {
        "paused": f"mode is {facts.mode}",
        "frozen": f"marks: {', '.join(facts.frozen) or 'none'}",
        "stale_balance": age,
        "no_calendar": f"business day {day}",
        "in_flight": f"open order: {facts.open_id or 'none'}",
    }
    return told[name]


def _yes(held: bool) -> str:
    return "yes" if held else "no"
