"""Amounts as banks write them in JSON: text with thousands commas, or numbers; exact or refused."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator

from schemas.money import parse_scaled
from streams.step import Refused

PLACES = 4
AMOUNT_E4_MAX = 10**20 - 1
_WRITTEN = re.compile(r"[+-]?([0-9]+|[0-9]{1,3}(,[0-9]{3})+)(\.[0-9]+)?")


def e4(value: object) -> int:
    """`1,234,567.89` as units of 10^-4. ValueError for what could be read in two ways (12,34), has
    more than four decimals or is no number.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError(f"{value!r} is not an amount")
    text = str(value).strip()
    if isinstance(value, str):
        if not _WRITTEN.fullmatch(text):
            raise ValueError(f"{value!r} is not an amount")
        text = text.replace(",", "")
    found = parse_scaled(text, PLACES)
    if abs(found) > AMOUNT_E4_MAX:
        raise ValueError(f"{value!r} is larger than any account")
    return found


E4 = Annotated[int, BeforeValidator(e4)]
"""A field of an amount; what is held is an integer of 10^-4."""


def parsed(data: bytes, bytes_max: int) -> Any:
    """JSON with exact numbers. Raises Refused: too_large or malformed."""
    if len(data) > bytes_max:
        raise Refused("too_large", "bytes", len(data), f"at most {bytes_max} are read")
    try:
        return json.loads(data, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError) as why:
        raise Refused("malformed", "body", data[:40], f"no JSON: {why}") from why


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number")
