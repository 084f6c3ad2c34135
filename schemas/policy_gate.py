"""The policy of money that goes out: how much of which class, who is asked, who may receive it, how
fresh what is known must be, and how an operation is carried out.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from schemas.money import E18, parse_e18, text_e18
from schemas.section import Money, Ratio, Seconds, Section


class Limit(Section):
    """Limits of one class of operation, in USD; `over` says what becomes of a larger amount."""

    min_usd_e18: Money
    single_usd_e18: Money
    daily_usd_e18: Money
    over: Literal["clip", "refuse"]

    @model_validator(mode="after")
    def _ordered(self) -> Limit:
        least, single, daily = self.min_usd_e18, self.single_usd_e18, self.daily_usd_e18
        if not least <= single <= daily:
            raise ValueError(
                f"min_usd={text_e18(least)}, single_usd={text_e18(single)},"
                f" daily_usd={text_e18(daily)}: min_usd <= single_usd <= daily_usd must hold"
            )
        return self


def _limit(least: str, single: str, daily: str, over: Literal["clip", "refuse"]) -> Limit:
    return Limit.model_validate(
        {"min_usd": least, "single_usd": single, "daily_usd": daily, "over": over}
    )


class Limits(Section):
    """Limits by class, and the window of the daily one, which bounds what goes out: a reverse sweep
    brings money back, has the other limits of its class and uses nothing of the day.
    """

    loan: Limit = _limit("10", "10000", "50000", "clip")
    transfer: Limit = _limit("100", "250000", "1000000", "refuse")
    deleverage: Limit = _limit("0", "10000", "50000", "clip")
    sweep: Limit = _limit("10000", "5000000", "20000000", "clip")
    window: Literal["utc_day", "rolling_24h"] = "utc_day"


class Approvals(Section):
    """Above which amounts a second person is asked, and how long an answer is waited for. 0 =
    always. Above `dual_usd` two are asked (null: never). Lowering risk is never made to wait.
    """

    loan_usd_e18: Money = parse_e18("5000")
    transfer_usd_e18: Money = parse_e18("100000")
    sweep_usd_e18: Money = parse_e18("1000000")
    dual_usd_e18: Money | None = None
    ttl_s: Annotated[int, Field(ge=1)] = 14_400


class Guards(Section):
    """How old an input may be, and how far a stable coin may be from one dollar."""

    loan_age_max_s: Seconds = 120
    mark_age_max_s: Seconds = 30
    balance_age_max_s: Seconds = 3_600
    yield_age_max_s: Seconds = 86_400
    peg_max_dev_e18: Ratio = parse_e18("0.01")
    control_age_max_s: Seconds = 5


class Execution(Section):
    """How an operation is carried out: retries, deadlines, and what is done with a lost answer."""

    compensate: Literal["return", "keep"] = "return"
    backoff_s: Seconds = 2
    factor: Annotated[int, Field(ge=1)] = 2
    cap_s: Seconds = 60
    max_retries: Annotated[int, Field(ge=0)] = 3
    intent_ttl_s: Annotated[int, Field(ge=1)] = 3_600
    call_start_s: Annotated[int, Field(ge=1)] = 2
    unknown_alert_s: Seconds = 30
    absence_s: Annotated[int, Field(ge=1)] = 900
    park_s: Annotated[int, Field(ge=1)] = 1_800

    @model_validator(mode="after")
    def _ordered(self) -> Execution:
        if self.backoff_s > self.cap_s:
            raise ValueError(f"backoff_s={self.backoff_s}: at most cap_s={self.cap_s}")
        if self.absence_s > self.park_s:
            raise ValueError(f"absence_s={self.absence_s}: at most park_s={self.park_s}")
        return self


LEVERAGE_MAX_E18: int = 5 * E18
"""No policy and no approval lets a setting of leverage above it."""


class Risk(Section):
    """How far positions may be leveraged: the largest setting of a contract."""

    max_leverage_e18: Money = LEVERAGE_MAX_E18

    @model_validator(mode="after")
    def _bounded(self) -> Risk:
        if not 0 < self.max_leverage_e18 <= LEVERAGE_MAX_E18:
            raise ValueError(
                f"max_leverage={text_e18(self.max_leverage_e18)}: above 0 and at most"
                f" {text_e18(LEVERAGE_MAX_E18)}"
            )
        return self


class Screening(Section):
    """Who may receive money besides our own accounts."""

    mode: Literal["allowlist"] = "allowlist"
    allow: tuple[str, ...] = ()
