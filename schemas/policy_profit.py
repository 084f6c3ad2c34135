"""The policy of profit: what it is used for, what of it may be used, and how the loan it meets is
counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from schemas.money import E18, parse_e18, text_e18
from schemas.section import Money, Ratio, Section


class Allocation(Section):
    """How available profit is used: bands of loan to value, and the factor of each."""

    rule: Literal["seed-v1", "seed-v1-narrative", "opt-v1"] = "seed-v1"
    ltv_high_e18: Ratio = parse_e18("0.45")
    ltv_low_e18: Ratio = parse_e18("0.35")
    spread_min_e18: Money = parse_e18("0.02")
    f_high_e18: Ratio = parse_e18("0.95")
    f_low_e18: Ratio = parse_e18("0.90")
    f_mid_repay_e18: Ratio = parse_e18("0.45")
    f_mid_collateral_e18: Ratio = parse_e18("0.45")
    min_keep_pct_e18: Ratio = parse_e18("0.05")
    ltv_target_e18: Ratio = parse_e18("0.40")
    overshoot_max_e18: Ratio = parse_e18("0.05")
    settle_ccy: str = "USDT"
    retry_s: Annotated[int, Field(ge=1)] = 60
    collateral_yield: Mapping[str, Money] = {}
    tax_rate_e18: Ratio = 0
    lot_method: Literal["FIFO", "LIFO", "HIFO", "ACB"] = "ACB"

    @model_validator(mode="after")
    def _consistent(self) -> Allocation:
        low, high = self.ltv_low_e18, self.ltv_high_e18
        if not 0 < low < high < E18:
            raise ValueError(
                f"ltv_low={text_e18(low)} and ltv_high={text_e18(high)}:"
                " 0 < ltv_low < ltv_high < 1 must hold"
            )
        target, over = self.ltv_target_e18, self.overshoot_max_e18
        if not 0 < target < E18 or over > target:
            raise ValueError(
                f"ltv_target={text_e18(target)} and overshoot_max={text_e18(over)}:"
                " 0 < ltv_target < 1 and overshoot_max <= ltv_target must hold"
            )
        most = E18 - self.min_keep_pct_e18
        middle = self.f_mid_repay_e18 + self.f_mid_collateral_e18
        for name, factor in (
            ("f_high", self.f_high_e18),
            ("f_low", self.f_low_e18),
            ("f_mid_repay + f_mid_collateral", middle),
        ):
            if factor > most:
                raise ValueError(
                    f"{name}={text_e18(factor)}: at most 1 - min_keep_pct = {text_e18(most)}"
                )
        return self


class Pnl(Section):
    """Which profit may be allocated, and how long an execution may still be put in its place."""

    available_rule: Literal["hwm-v1", "per-trade-v1"] = "hwm-v1"
    late_horizon_s: Annotated[int, Field(ge=1)] = 691_200
    journal_max: Annotated[int, Field(ge=1)] = 10_000


class Tier(Section):
    """A marginal step of a haircut: this ratio counts up to that value before the haircut, in USD;
    null: without end.
    """

    up_to_usd_e18: Money | None = None
    ratio_e18: Ratio


class Loan(Section):
    """Where the venue calls for margin and where it liquidates, and how it counts collateral.

    `haircut` names the tiers per coin. For a coin it leaves out, the ratio the venue publishes
    counts, else the average of what it counts now.
    """

    ltv_margin_call_e18: Ratio = parse_e18("0.87")
    ltv_liquidation_e18: Ratio = parse_e18("0.95")
    haircut: Mapping[str, tuple[Tier, ...]] = {}

    @model_validator(mode="after")
    def _consistent(self) -> Loan:
        call, end = self.ltv_margin_call_e18, self.ltv_liquidation_e18
        if not 0 < call <= end:
            raise ValueError(
                f"ltv_margin_call={text_e18(call)} and ltv_liquidation={text_e18(end)}:"
                " 0 < ltv_margin_call <= ltv_liquidation must hold"
            )
        for coin, tiers in self.haircut.items():
            bounds = [tier.up_to_usd_e18 for tier in tiers]
            known = [bound for bound in bounds[:-1] if bound is not None]
            ratios = [tier.ratio_e18 for tier in tiers]
            ended = bool(bounds) and bounds[-1] is None and len(known) == len(bounds) - 1
            if not ended or known != sorted(set(known)) or ratios != sorted(ratios, reverse=True):
                raise ValueError(
                    f"haircut.{coin}: bounds must rise, the last up_to_usd be null,"
                    " and no ratio be above the one before"
                )
        return self
