"""How far a loan is from margin call and liquidation: by a fall of collateral, and by time alone.

A fall is a part of the collateral's value (0.48: it may lose 48 %), below 0 once the level is
crossed. It is told as a RiskEvent of kind DISTANCE when it has moved by a point since it was last
told, or across 0; a record for each poll would bury the ones that matter. Time is that in which
interest alone lifts the debt to the level, without compounding steps: ln(level / ltv) / rate. The
logarithm is taken in decimal with 40 digits, correctly rounded on every machine, and the years are
cut to six places; nothing is decided by it.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, Context, Decimal
from typing import Any

from schemas.money import E18, HOURS_PER_YEAR, div_e18, divide_half_even
from schemas.policy import Policy
from schemas.records import Meta, RiskEvent
from streams.step import Emit, Event
from tables.allocation import Loan

MOVED_E18 = E18 // 100
_PRECISE = Context(prec=40)
_SHOWN = Decimal("0.000001")


def levels_e18(policy: Policy) -> tuple[int, int]:
    """Margin call and liquidation."""
    return policy.loan.ltv_margin_call_e18, policy.loan.ltv_liquidation_e18


def fall_e18(ltv_e18: int, level_e18: int) -> int:
    """The part of its value that the collateral may lose until the loan to value is at a level."""
    return E18 - div_e18(ltv_e18, level_e18)


def years(ltv_e18: int, level_e18: int, rate_e18: int) -> Decimal | None:
    """The years until interest alone brings it there; 0 if it is there, None if it never is."""
    if ltv_e18 >= level_e18:
        return Decimal(0)
    if ltv_e18 <= 0 or rate_e18 <= 0:
        return None
    ratio = _PRECISE.divide(Decimal(level_e18), Decimal(ltv_e18))
    rate = _PRECISE.divide(Decimal(rate_e18), Decimal(E18))
    return _PRECISE.divide(ratio.ln(_PRECISE), rate).quantize(_SHOWN, ROUND_DOWN)


def rate_e18(loan: Loan) -> int:
    """The yearly rate of the whole debt: the average of its coins, weighted by dollars."""
    usd = sum(debt.usd_e18 for debt in loan.debts)
    if usd == 0:
        return loan.hourly_rate_e18 * HOURS_PER_YEAR
    cost = sum(debt.usd_e18 * debt.hourly_rate_e18 for debt in loan.debts)
    return divide_half_even(cost * HOURS_PER_YEAR, usd)


def told(policy: Policy, old: Loan | None, loan: Loan) -> tuple[int, ...]:
    """The distances as last told, once this state is known: the new ones if they have moved."""
    if loan.ltv_ratio_e18 == 0:
        return ()
    now = tuple(fall_e18(loan.ltv_ratio_e18, level) for level in levels_e18(policy))
    before = old.told_e18 if old else ()
    if len(before) != len(now):
        return now
    moved = any(
        abs(was - is_) >= MOVED_E18 or (was > 0) != (is_ > 0)
        for was, is_ in zip(before, now, strict=True)
    )
    return now if moved else before


def events(policy: Policy, loan: Loan, event: Event, stamp: Meta) -> list[Any]:
    """One RiskEvent for each level."""
    return [
        Emit(
            "treasury.risk-events.v1",
            RiskEvent(
                meta=stamp,
                type="DISTANCE",
                account_id=event.key,
                timestamp_ms=event.timestamp_ms,
                level_e18=level,
                value_e18=fall,
            ),
        )
        for level, fall in zip(levels_e18(policy), loan.told_e18, strict=True)
    ]
