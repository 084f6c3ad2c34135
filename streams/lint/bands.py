"""Collisions in how profit is used: bands, targets and rates of the allocation and of the loan.

Which field a rule reads is `streams.rules`; when an account decides is `streams.flight`.
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.money import E18, text_e18
from schemas.policy import Policy
from streams.lint.finding import Finding, Surroundings, error, percent, text, values, warning

OPT, NARRATIVE, SEED = "opt-v1", "seed-v1-narrative", "seed-v1"
DOLLARS = ("USD", "USDC", "USDT")
FALL_MIN_E18 = E18 // 10
"""Prices of collateral fall by a tenth within a day every few months."""
NOT_READ_BY = {
    SEED: ("ltv_target", "overshoot_max", "tax_rate"),
    NARRATIVE: (
        *("spread_min", "f_mid_repay", "f_mid_collateral"),
        *("ltv_target", "overshoot_max", "tax_rate"),
    ),
    OPT: ("spread_min", "f_high", "f_low", "f_mid_repay", "f_mid_collateral"),
}
"""The fields of the allocation that a rule does not look at."""


def acts_after_margin_call(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """The level above which the loan is made safer must lie below the venue's margin call."""
    field, level = _acting(policy)
    call, end = policy.loan.ltv_margin_call_e18, policy.loan.ltv_liquidation_e18
    if level < call:
        return
    first = "liquidates" if level >= end else "calls for margin"
    yield error(
        "acts_after_margin_call",
        values(policy, f"allocation.{field}", "loan.ltv_margin_call", "loan.ltv_liquidation"),
        f"profit lowers the loan to value only above {text_e18(level)}; the venue {first} before",
    )


def near_margin_call(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """A tenth of the collateral's value should be able to go before the venue calls."""
    field, level = _acting(policy)
    call = policy.loan.ltv_margin_call_e18
    fall = E18 - level * E18 // call
    if 0 < fall < FALL_MIN_E18:
        yield warning(
            "near_margin_call",
            values(policy, f"allocation.{field}", "loan.ltv_margin_call"),
            f"from the level at which profit is used against it, a fall of the collateral by"
            f" {percent(fall)} is a margin call",
        )


def no_step_before_liquidation(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """Margin call and liquidation at one level leave no time between."""
    if policy.loan.ltv_margin_call_e18 == policy.loan.ltv_liquidation_e18:
        yield warning(
            "no_step_before_liquidation",
            values(policy, "loan.ltv_margin_call", "loan.ltv_liquidation"),
            "both distances are told at once: nobody hears of a margin call before a liquidation",
        )


def target_outside_bands(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """opt-v1 moves to its target, but is asked again when the loan crosses a band."""
    rule = policy.allocation
    if rule.rule == OPT and not rule.ltv_low_e18 <= rule.ltv_target_e18 <= rule.ltv_high_e18:
        yield warning(
            "target_outside_bands",
            values(policy, "allocation.ltv_target", "allocation.ltv_low", "allocation.ltv_high"),
            "a loan that leaves the target does not cross a band by that, so it asks for no"
            f" decision: only new profit or the retry after {rule.retry_s} s does",
        )


def floor_below_band(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """What opt-v1 may reach at most should not itself be another band."""
    rule = policy.allocation
    floor = rule.ltv_target_e18 - rule.overshoot_max_e18
    if rule.rule == OPT and rule.ltv_target_e18 >= rule.ltv_low_e18 > floor:
        yield warning(
            "floor_below_band",
            values(
                policy, "allocation.ltv_target", "allocation.overshoot_max", "allocation.ltv_low"
            ),
            f"the rule may go down to {text_e18(floor)}, below the low band: its own operation can"
            " cross the band and ask for the next decision",
        )


def risk_never_lowered(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """A factor of 0, or all of it kept, is a branch that does nothing."""
    rule = policy.allocation
    if rule.rule == OPT:
        if rule.min_keep_pct_e18 == E18:
            yield error(
                "risk_never_lowered",
                values(policy, "allocation.min_keep_pct"),
                "all profit is kept: no profit ever repays or is pledged",
            )
    elif rule.f_high_e18 == 0:
        yield error(
            "risk_never_lowered",
            values(policy, "allocation.f_high", "allocation.ltv_high"),
            f"above a loan to value of {text_e18(rule.ltv_high_e18)} nothing is pledged at all",
        )


def low_band_idle(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """Below the low band nothing is done with a factor of 0."""
    rule = policy.allocation
    if rule.rule != OPT and rule.f_low_e18 == 0 < rule.f_high_e18:
        yield warning(
            "low_band_idle",
            values(policy, "allocation.f_low", "allocation.ltv_low"),
            f"below a loan to value of {text_e18(rule.ltv_low_e18)} profit lies idle",
        )


def rate_in_percent(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """Rates are fractions of 1 a year: 0.02, not 2."""
    rule = policy.allocation
    if rule.rule == SEED and rule.spread_min_e18 >= E18:
        yield error(
            "rate_in_percent",
            values(policy, "allocation.spread_min"),
            f"a loan would have to cost {percent(rule.spread_min_e18)} a year more than collateral"
            " yields: below the low band nothing is ever repaid",
        )
    for coin, rate in rule.collateral_yield.items():
        if rate >= E18:
            yield error(
                "rate_in_percent",
                {f"allocation.collateral_yield.{coin}": text_e18(rate)},
                f"collateral would yield {percent(rate)} a year: no loan costs more, so profit is"
                " pledged and interest goes on",
            )


def settled_in_no_dollar(policy: Policy, around: Surroundings) -> Iterator[Finding]:
    """The settlement currency is taken as dollars, one to one, and its rate must be read."""
    coin = policy.allocation.settle_ccy
    if coin not in DOLLARS:
        yield error(
            "settled_in_no_dollar",
            values(policy, "allocation.settle_ccy"),
            f"one {coin} would count as one dollar wherever profit meets debt and collateral",
        )
    elif coin not in ("USD", around.settle_coin):
        yield warning(
            "no_rate_read",
            {**values(policy, "allocation.settle_ccy"), "WEIR_SETTLE_COIN": around.settle_coin},
            f"the workers of this machine read the rate of {around.settle_coin}: unless someone"
            f" else writes that of {coin}, everything is refused as stale_mark",
        )


def pledge_counts_nothing(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """Collateral that the venue counts as nothing lowers no loan to value."""
    coin = policy.allocation.settle_ccy
    tiers = policy.loan.haircut.get(coin, ())
    if tiers and tiers[0].ratio_e18 == 0 and policy.allocation.rule != OPT:
        yield error(
            "pledge_counts_nothing",
            {f"loan.haircut.{coin}": text([text_e18(one.ratio_e18) for one in tiers])},
            f"pledged {coin} counts nothing: above the high band profit is locked and the loan to"
            " value stays as it is",
        )


def weaker_way(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """Above the high band these rules pledge, where a repayment would do more."""
    rule = policy.allocation
    if rule.rule == OPT:
        return
    yield warning(
        "weaker_way",
        values(policy, "allocation.rule", "allocation.ltv_high"),
        f"above {text_e18(rule.ltv_high_e18)} profit is pledged; at that level a dollar pledged"
        f" does {percent(rule.ltv_high_e18)} of what a dollar repaid does; opt-v1 repays first",
    )


def losses_left_out(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """Under per-trade-v1 a gain counts and a loss does not."""
    if policy.pnl.available_rule == "per-trade-v1":
        yield warning(
            "losses_left_out",
            values(policy, "pnl.available_rule"),
            "each gain may be used although losses follow: of 1000, -300, 200 and 250 it is 1,450,"
            " where 1,150 were earned",
        )


def not_read(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """A field that was changed although the rule in force does not look at it."""
    rule = policy.allocation.rule
    shipped = Policy()
    ignored = [f"allocation.{name}" for name in NOT_READ_BY[rule]]
    if policy.sweep.ladder == "off":
        ignored.append("sweep.target_ladder_days")
    now, then = values(policy, *ignored), values(shipped, *ignored)
    for path in ignored:
        if now[path] != then[path]:
            by = "sweep.ladder" if path.startswith("sweep") else "allocation.rule"
            chosen = values(policy, by)
            yield warning(
                "not_read",
                {path: now[path], **chosen},
                f"{by}={chosen[by]} does not look at {path.rpartition('.')[2]}: the change does"
                " nothing",
            )


def _acting(policy: Policy) -> tuple[str, int]:
    """The level above which a rule lowers the loan to value, and its name."""
    rule = policy.allocation
    if rule.rule == OPT:
        return "ltv_target", rule.ltv_target_e18
    return "ltv_high", rule.ltv_high_e18


RULES = (
    acts_after_margin_call,
    near_margin_call,
    no_step_before_liquidation,
    target_outside_bands,
    floor_below_band,
    risk_never_lowered,
    low_band_idle,
    rate_in_percent,
    settled_in_no_dollar,
    pledge_counts_nothing,
    weaker_way,
    losses_left_out,
    not_read,
)
