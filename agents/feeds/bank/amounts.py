"""What banks write in JSON, where it could be read in two ways: amounts as text with thousands
commas, or numbers; days and times in ISO 8601; each name once. Exact or refused.
"""

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


def iso(value: object) -> object:
    """ISO 8601 has its hyphens. A number would be read as seconds or milliseconds by its size."""
    if isinstance(value, str) and value.count("-") > 1:
        return value
    raise ValueError(f"{value!r} is not ISO 8601 with hyphens")


Iso = BeforeValidator(iso)
"""A field of a day or a time."""


def parsed(data: bytes, bytes_max: int) -> Any:
    """JSON with exact numbers, each name once. Raises Refused: too_large or malformed."""
    if len(data) > bytes_max:
        raise Refused("too_large", "bytes", len(data), f"at most {bytes_max} are read")
    try:
        return json.loads(
            data, parse_float=Decimal, parse_constant=_no_number, object_pairs_hook=_once
        )
    except (ValueError, RecursionError) as why:
        raise Refused("malformed", "body", data[:40], f"no JSON: {why}") from why


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice} stands there twice")
    return found
