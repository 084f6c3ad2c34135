"""The policy of what is unusual: how far, how often, and when people act."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from schemas.money import parse_e18
from schemas.section import Money, Section

DAY_MINUTES = 24 * 60
_HOURS = re.compile(r"([0-2][0-9]):([0-5][0-9])\s*[-\u2013]\s*([0-2][0-9]):([0-5][0-9])", re.ASCII)


def _hours(value: Any) -> str:
    """`HH:MM-HH:MM`, the end after midnight where it is the smaller one."""
    found = _HOURS.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("must be two times of day, as in 06:00-20:00")
    text = "{}:{}-{}:{}".format(*found.groups())
    opens, closes = minutes(text)
    if opens == closes or opens >= DAY_MINUTES or closes > DAY_MINUTES:
        raise ValueError("must be two different times of day; 00:00-24:00 is always")
    return text


Hours = Annotated[str, BeforeValidator(_hours)]


def minutes(hours: str) -> tuple[int, int]:
    """Both ends in minutes from midnight."""
    opens, closes = (int(text[:2]) * 60 + int(text[3:]) for text in hours.split("-"))
    return opens, closes


class Anomaly(Section):
    """When an alert says that an operation is unusual; none is refused for it.

    An amount: more than `sigma` standard deviations above the mean of the last `window_ops`
    confirmed operations of its class, silent until there are so many. A pace: more than
    `ops_per_hour` granted within an hour. A person who acts outside `office_hours_utc`, whose
    first moment is inside and whose last is not.
    """

    sigma_e18: Money = parse_e18("4")
    window_ops: Annotated[int, Field(ge=2, le=1000)] = 90
    ops_per_hour: Annotated[int, Field(ge=1, le=1000)] = 20
    office_hours_utc: Hours = "06:00-20:00"
