"""The policy of cash: what is kept, what is placed where and until when, how outflow and risk are
measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from schemas.money import E18, parse_e18, text_e18
from schemas.section import Money, Ratio, Seconds, Section

_BENEFICIARY = r"^([0-9]{9}|[A-Z0-9]{8}|[A-Z0-9]{11})/[A-Za-z0-9]{1,34}$"
ProductName = Literal["FED_RRP", "TBILL_4W", "CARBON_NOTE"]


def _clock(value: object) -> str:
    """HH:MM or HH:MM:SS, as text with seconds left out where they are 0.

    YAML reads 15:30 without quotes as the base-60 number 930: that is refused, never guessed.
    """
    parts = value.split(":") if isinstance(value, str) else []
    numbers = [int(part) for part in parts if len(part) == 2 and part.isascii() and part.isdigit()]
    within = all(number < most for number, most in zip(numbers, (24, 60, 60), strict=False))
    if len(parts) not in (2, 3) or len(numbers) != len(parts) or not within:
        raise ValueError("must be a time of day in quotes: '15:30' or '15:30:00'")
    return ":".join(parts if parts[2:] != ["00"] else parts[:2])


Clock = Annotated[str, BeforeValidator(_clock)]
"""A time of day as text; `seconds` counts it from midnight."""


def seconds(clock: str) -> int:
    """A time of day in seconds from midnight."""
    hours, minutes, *rest = map(int, clock.split(":"))
    return hours * 3_600 + minutes * 60 + (rest[0] if rest else 0)


class Product(Section):
    """Where cash may be placed: by whose calendar, until when each day, and when it comes back.

    Times of day are New York's. `settle_days` counts business days from the order's day to the day
    on which the money moves. `matures` says when it comes back by itself: the next business day,
    the last Tuesday within `term_days` (as bills do), after `term_days`, or never (it is brought
    back). `discount_rate` is the bill's rate on a year
    of 360 days; without one a bill is ordered by its face, which it never costs more than.
    `beneficiary` is the account that receives the money, as bank/number, the bank by its nine
    digits or its BIC: what screening looks at and what is paid are one text. Without it nothing
    is placed.
    """

    product: ProductName
    instrument: str | None = None
    calendar: Literal["FED", "SIFMA"]
    opens: Clock = "00:00"
    closes: Clock
    settle_days: Annotated[int, Field(ge=0, le=10)] = 0
    matures: Literal["next_day", "tuesday", "term", "never"]
    term_days: Annotated[int, Field(ge=0, le=365)] = 0
    discount_rate_e18: Ratio | None = None
    beneficiary: Annotated[str, Field(pattern=_BENEFICIARY)] | None = None
    beneficiary_name: str = ""
    enabled: bool = True

    @model_validator(mode="after")
    def _consistent(self) -> Product:
        if seconds(self.opens) >= seconds(self.closes):
            raise ValueError(f"opens={self.opens} and closes={self.closes}: opens < closes")
        if (self.matures in ("tuesday", "term")) != (self.term_days > 0):
            raise ValueError(f"matures={self.matures} and term_days={self.term_days} disagree")
        return self


class Reverse(Section):
    """When placed money is brought back. `enabled` null: as the rule has it (safe yes, seed no).

    `dead_time`: no order in the other direction within the same business day, unless the floor
    would break.
    """

    enabled: bool | None = None
    trigger_pct_e18: Ratio = parse_e18("0.80")
    round_usd_e18: Money = parse_e18("1000")
    dead_time: Literal["same_business_day"] = "same_business_day"


PRODUCTS = (
    Product.model_validate(
        {
            "product": "FED_RRP",
            "instrument": "GOVT_FUND",
            "calendar": "FED",
            "opens": "12:45",
            "closes": "13:15",
            "matures": "next_day",
        }
    ),
    Product.model_validate(
        {
            "product": "TBILL_4W",
            "instrument": "TBILL_4W",
            "calendar": "SIFMA",
            "closes": "15:00",
            "settle_days": 1,
            "matures": "tuesday",
            "term_days": 28,
        }
    ),
    Product.model_validate(
        {
            "product": "CARBON_NOTE",
            "calendar": "SIFMA",
            "closes": "15:00",
            "settle_days": 2,
            "matures": "never",
            "enabled": False,
        }
    ),
)


class Sweep(Section):
    """What is kept on the account, what is placed, in what, and before which cut-offs (UTC)."""

    rule: Literal["sweep-seed-v1", "sweep-safe-v1"] = "sweep-seed-v1"
    liq_buffer_pct_e18: Ratio = parse_e18("0.30")
    var_limit_bps_e18: Money = parse_e18("10")
    target_ladder_days: Annotated[int, Field(ge=7, le=364, multiple_of=7)] = 28
    cutoffs_utc: Annotated[tuple[Clock, ...], Field(min_length=1)] = ("00:30", "15:30")
    lead_s: Seconds = 300
    min_sweep_usd_e18: Money = parse_e18("10000")
    floor_usd_e18: Money = 0
    esg_pref: bool = False
    ladder: Literal["off", "ladder-v1"] = "off"
    products: tuple[Product, ...] = PRODUCTS
    executed_by: Literal["weir", "external"] = "weir"
    reverse: Reverse = Reverse()
    compliance_tags: Mapping[str, str] = {}
    tags_in: Literal["remittance", "instruction"] = "remittance"
    """Which element of a payment carries the tags: what the receiver reads, or what its bank does.
    """

    @model_validator(mode="after")
    def _distinct(self) -> Sweep:
        names = [row.product for row in self.products]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"products: product={twice!r} stands there twice")
        return self

    def product(self, name: str) -> Product | None:
        """The row of a product, or None when the table has none."""
        return next((row for row in self.products if row.product == name), None)


class VarRule(Section):
    """How value at risk is measured: which quantile of how many days of net flows, against what."""

    quantile_e18: Ratio = parse_e18("0.99")
    window: Annotated[int, Field(ge=1, le=1000)] = 250
    min_obs: Annotated[int, Field(ge=1, le=1000)] = 250
    method: Literal["inverted_cdf"] = "inverted_cdf"
    base: Literal["avail_usd"] = "avail_usd"

    @model_validator(mode="after")
    def _consistent(self) -> VarRule:
        if not 0 < self.quantile_e18 < E18:
            raise ValueError(f"quantile={text_e18(self.quantile_e18)}: 0 < quantile < 1 must hold")
        if self.min_obs > self.window:
            raise ValueError(f"min_obs={self.min_obs}: at most window={self.window}")
        return self


class Forecasting(Section):
    """How tomorrow's outflow is expected: over how many past weeks, and of which days before."""

    method: Literal["weekday_median"] = "weekday_median"
    weeks: Annotated[int, Field(ge=4, le=52)] = 8
    fallback_days: Annotated[int, Field(ge=1, le=30)] = 5
