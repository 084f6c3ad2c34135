"""Collisions in how cash is placed and brought back: floors and floats, products, cut-offs, ladder.

What is placed in what is `streams.sweep`, what comes back `streams.reverse`, the rungs
`streams.ladder`. What only matters once a bank account is listed is told only then.
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.money import E18, text_e18
from schemas.policy import Policy
from schemas.policy_cash import Product, seconds
from streams.flows import KEEP_MORE
from streams.ladder import WEEK_DAYS
from streams.lint.finding import Finding, Surroundings, error, percent, text, usd, values, warning
from streams.reverse import is_enabled
from streams.sweep import BILL, ESG, OVERNIGHT
from streams.var import BPS

DAY_S = 86_400
SUMMER_S, WINTER_S = 4 * 3_600, 5 * 3_600
"""How far New York's clocks are behind UTC."""
BUSINESS_DAYS = 5


def least_below_gate(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """What cash orders at least must be what the gate lets pass at least."""
    least, gate = policy.sweep.min_sweep_usd_e18, policy.limits.sweep.min_usd_e18
    if least < gate:
        yield warning(
            "least_below_gate",
            values(policy, "sweep.min_sweep_usd", "limits.sweep.min_usd"),
            f"orders from {usd(least)} to {usd(gate)} USD are proposed and refused as below_min,"
            " and the account waits until the next cut-off",
        )


def least_above_single(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """The least order must fit into the largest single operation."""
    least, limit = policy.sweep.min_sweep_usd_e18, policy.limits.sweep
    if least <= limit.single_usd_e18:
        return
    fields = values(policy, "sweep.min_sweep_usd", "limits.sweep.single_usd", "limits.sweep.over")
    if limit.over == "refuse":
        sentence = "every order is larger than any that may pass: nothing is ever placed"
        yield error("least_above_single", fields, sentence)
    else:
        sentence = f"every order is cut to {usd(limit.single_usd_e18)} USD, less than the least"
        yield warning("least_above_single", fields, sentence)


def breach_takes_all(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """Under sweep-seed-v1 the float is not kept when the risk limit is broken."""
    sweep = policy.sweep
    if sweep.rule == "sweep-seed-v1" and sweep.floor_usd_e18 == 0:
        yield warning(
            "breach_takes_all",
            values(policy, "sweep.rule", "sweep.floor_usd"),
            "on the day value at risk is above its limit the whole balance is placed overnight and"
            " nothing stays for payments; sweep-safe-v1 keeps the float",
        )


def nothing_is_kept(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """Neither floor nor float."""
    sweep = policy.sweep
    if sweep.liq_buffer_pct_e18 == 0 and sweep.floor_usd_e18 == 0:
        yield error(
            "nothing_is_kept",
            values(policy, "sweep.liq_buffer_pct", "sweep.floor_usd"),
            "every order empties the account: the first payment of the day finds nothing",
        )


def float_runs_dry(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """A float below the expected outflow, and nothing brings money back."""
    sweep = policy.sweep
    if not is_enabled(policy) and 0 < sweep.liq_buffer_pct_e18 < E18:
        yield warning(
            "float_runs_dry",
            values(policy, "sweep.liq_buffer_pct", "sweep.reverse.enabled", "sweep.rule"),
            f"{percent(sweep.liq_buffer_pct_e18)} of what is expected to go out is kept and nothing"
            " is brought back before it matures: a usual day pays out more than is there",
        )


def never_comes_back(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """What does not mature must be brought back."""
    for row in _placed(policy):
        if row.matures == "never" and not is_enabled(policy):
            yield error(
                "never_comes_back",
                {
                    **_of(row, "matures"),
                    **values(policy, "sweep.reverse.enabled", "sweep.rule", "sweep.esg_pref"),
                },
                f"money placed in {row.product} does not mature, and nothing brings it back",
            )


def reverse_too_late(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """Money is brought back below a part of the float; of nothing, or none of it, only when the
    floor has broken.
    """
    sweep = policy.sweep
    if is_enabled(policy) and 0 in (sweep.liq_buffer_pct_e18, sweep.reverse.trigger_pct_e18):
        yield warning(
            "reverse_too_late",
            values(policy, "sweep.reverse.trigger_pct", "sweep.liq_buffer_pct"),
            "money is ordered back only once the floor is broken: the trigger cannot fire before",
        )


def reverse_at_once(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """An order leaves just the float, so any payment then asks for money back."""
    rule = policy.sweep.reverse
    if is_enabled(policy) and rule.trigger_pct_e18 == E18:
        yield warning(
            "reverse_at_once",
            values(policy, "sweep.reverse.trigger_pct", "limits.sweep.min_usd"),
            f"an order leaves exactly the float: the next payment brings back"
            f" {usd(policy.limits.sweep.min_usd_e18)} USD or more, and so on every day",
        )


def product_missing(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """The products the rule places in must be in the table and enabled."""
    for name in _used(policy):
        row = policy.sweep.product(name)
        if row is None or not row.enabled:
            found = "false" if row is not None else "no such row"
            yield warning(
                "product_missing",
                {f"sweep.products.{name}.enabled": found, **values(policy, "sweep.esg_pref")},
                f"the rule places in {name}, which is closed: that money stays on the account as"
                " class_disabled",
            )


def nowhere_to_pay(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """Without a beneficiary nothing is placed in a product; one that is not allowed is refused."""
    allowed = {*policy.screening.allow, *(one.account_id for one in policy.accounts)}
    for row in _placed(policy) if _banks(policy) else ():
        if row.beneficiary is None:
            yield warning(
                "nowhere_to_pay",
                _of(row, "beneficiary"),
                f"nothing is placed in {row.product}: every such decision holds with screening",
            )
        elif row.beneficiary not in allowed:
            yield error(
                "beneficiary_not_allowed",
                {**_of(row, "beneficiary"), **values(policy, "screening.allow")},
                f"every order for {row.product} is refused by screening: the account it pays is not"
                " on the list",
            )


def overnight_is_locked(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """When risk is high or unknown, money must be back the next day."""
    row = policy.sweep.product(OVERNIGHT)
    if row is not None and row.matures != "next_day":
        yield error(
            "overnight_is_locked",
            _of(row, "matures", "term_days"),
            f"{OVERNIGHT} is where money waits when value at risk is above its limit, and it does"
            " not come back the next day",
        )


def rungs_do_not_sum(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """One rung a week, each an equal part: as many rungs as a bill has weeks make the whole."""
    sweep, row = policy.sweep, policy.sweep.product(BILL)
    if sweep.ladder != "ladder-v1" or row is None or _life_days(row) == sweep.target_ladder_days:
        return
    rungs, alive = sweep.target_ladder_days // WEEK_DAYS, _life_days(row) // WEEK_DAYS
    fields = {
        **values(policy, "sweep.target_ladder_days", "sweep.ladder"),
        **_of(row, "matures", "term_days"),
    }
    if alive < rungs:
        sentence = (
            f"at most {alive} of {rungs} rungs are filled before the first comes back: the rest of"
            " the money stays overnight for ever"
        )
    else:
        sentence = (
            f"{rungs} rungs hold everything and the first comes back after {alive} weeks: in"
            f" {alive - rungs} of {alive} weeks nothing matures"
        )
    yield error("rungs_do_not_sum", fields, sentence)


def ladder_unused(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """A ladder is made of bills, which are not bought where the ESG product is preferred."""
    if policy.sweep.ladder == "ladder-v1" and policy.sweep.esg_pref:
        yield warning(
            "ladder_unused",
            values(policy, "sweep.ladder", "sweep.esg_pref"),
            f"{ESG} is preferred to bills: no rung is ever filled",
        )


def cutoffs_after_close(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """Money of an order moves the same day only if a cut-off is before the product closes."""
    for row in _placed(policy):
        closes = seconds(row.closes)
        seasons = [
            name
            for name, behind in (("summer", SUMMER_S), ("winter", WINTER_S))
            if all((seconds(one) - behind) % DAY_S >= closes for one in policy.sweep.cutoffs_utc)
        ]
        if seasons:
            yield warning(
                "cutoffs_after_close",
                {**values(policy, "sweep.cutoffs_utc"), **_of(row, "closes")},
                f"in {' and '.join(seasons)} {row.product} has closed in New York at every cut-off:"
                " an order is always one for the next business day",
            )


def lead_beyond_gap(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """An order must be ready `lead_s` before its cut-off; within that time it is one for a later
    cut-off.
    """
    sweep = policy.sweep
    clocks = sorted({seconds(one) for one in sweep.cutoffs_utc})
    gap_s = max(
        (after - before) % DAY_S or DAY_S
        for before, after in zip(clocks, [*clocks[1:], clocks[0]], strict=True)
    )
    if sweep.lead_s >= gap_s:
        yield error(
            "lead_beyond_gap",
            values(policy, "sweep.lead_s", "sweep.cutoffs_utc"),
            f"cut-offs are at most {gap_s} s apart: no order is ever made for the next one, and the"
            " forecast and the float are those of a later day",
        )
    if len(clocks) < len(sweep.cutoffs_utc):
        yield warning(
            "cutoff_twice", values(policy, "sweep.cutoffs_utc"), "a cut-off stands there twice"
        )


def risk_limit(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """A limit that every risk breaks, or none below the whole balance."""
    limit = policy.sweep.var_limit_bps_e18
    if limit == 0:
        yield warning(
            "risk_limit_always",
            values(policy, "sweep.var_limit_bps"),
            f"any value at risk is above it: everything waits in {OVERNIGHT}, bills are not bought",
        )
    if limit >= BPS * E18:
        yield error(
            "risk_limit_never",
            values(policy, "sweep.var_limit_bps"),
            f"{text_e18(limit)} basis points are the whole balance or more: bills are bought"
            " however large the risk",
        )


def var_is_the_worst_day(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """Fewer observations than one in the tail make the quantile the worst day."""
    rule = policy.var
    if rule.min_obs * (E18 - rule.quantile_e18) < E18:
        yield warning(
            "var_is_the_worst_day",
            values(policy, "var.min_obs", "var.quantile"),
            f"of {rule.min_obs} days the quantile is simply the worst one: one large payment makes"
            " the figure for a year",
        )


def forecast_beyond_memory(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """Statements older than the window of the risk are forgotten."""
    kept = policy.var.window + KEEP_MORE
    if policy.forecast.weeks * BUSINESS_DAYS > kept:
        yield warning(
            "forecast_beyond_memory",
            values(policy, "forecast.weeks", "var.window"),
            f"{kept} statements are kept, about {kept // BUSINESS_DAYS} weeks: a forecast over more"
            " never has them",
        )


def _used(policy: Policy) -> tuple[str, str]:
    """The products the rule places in: overnight, and bills or what is preferred to them."""
    return OVERNIGHT, ESG if policy.sweep.esg_pref else BILL


def _placed(policy: Policy) -> list[Product]:
    rows = (policy.sweep.product(name) for name in _used(policy))
    return [row for row in rows if row is not None and row.enabled]


def _banks(policy: Policy) -> bool:
    return any(account.kind == "bank" for account in policy.accounts)


def _life_days(row: Product) -> int:
    return row.term_days if row.matures in ("tuesday", "term") else 0


def _of(row: Product, *names: str) -> dict[str, str]:
    return {f"sweep.products.{row.product}.{name}": text(getattr(row, name)) for name in names}


RULES = (
    least_below_gate,
    least_above_single,
    breach_takes_all,
    nothing_is_kept,
    float_runs_dry,
    never_comes_back,
    reverse_too_late,
    reverse_at_once,
    product_missing,
    nowhere_to_pay,
    overnight_is_locked,
    rungs_do_not_sum,
    ladder_unused,
    cutoffs_after_close,
    lead_beyond_gap,
    risk_limit,
    var_is_the_worst_day,
    forecast_beyond_memory,
)
