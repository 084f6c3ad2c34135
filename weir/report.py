"""`weir report tax`: the gains of one year under one cost method, as CSV.

The topic of lots is read from its beginning. Of the events of one method, lot and execution the
last one is valid, and one of quantity 0 says that it no longer happened. A closed trade that came
whole is the same under every method. Amounts are exact, in the currency named beside them; fees are
not part of them. A gain belongs to the UTC year in which its lot was closed.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, TextIO

from schemas.money import parse_e18, text_e18
from schemas.policy import Policy, parse

TAX_LOTS = "treasury.tax-lots.v1"
METHODS = ("FIFO", "LIFO", "HIFO", "ACB")
COLUMNS = (
    "account",
    "asset",
    "method",
    "opened",
    "closed",
    "holding_days",
    "qty",
    "proceeds",
    "cost",
    "gain",
    "ccy",
    "lot",
    "execution",
)

Line = dict[str, Any]


def tax(lines: Iterable[Line], year: int, method: str, account: str | None = None) -> list[Line]:
    """The rows of the report from the lines of the topic, by account, time of closing and lot."""
    valid: dict[tuple[str, ...], Line] = {}
    for line in lines:
        value = line["value"]
        if value["method"] not in (method, "ALL") or value["proceeds"] is None:
            continue
        if account in (None, value["account_id"]):
            names = ("account_id", "method", "lot_id", "exec_id")
            valid[tuple(value[name] for name in names)] = value
    kept = [
        value
        for value in valid.values()
        if parse_e18(value["qty"]) and _day(value["closed_at"]).year == year
    ]
    kept.sort(key=lambda value: (value["account_id"], value["closed_at"], value["lot_id"]))
    return [_row(value, method) for value in kept]


def write(rows: list[Line], out: TextIO) -> None:
    """The rows as CSV with a heading."""
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def preferred(lines: Iterable[Line]) -> str:
    """The method that the latest valid policy names; as shipped where there is none."""
    chosen = Policy()
    for policy in _policies(lines):
        chosen = policy
    return str(chosen.allocation.lot_method)


def total(rows: list[Line]) -> dict[str, str]:
    """The gain of each currency."""
    sums: dict[str, int] = {}
    for row in rows:
        sums[row["ccy"]] = sums.get(row["ccy"], 0) + parse_e18(row["gain"])
    return {ccy: text_e18(gain) for ccy, gain in sorted(sums.items())}


def _policies(lines: Iterable[Line]) -> Iterator[Policy]:
    for line in lines:
        try:
            yield parse(line["value"]["body"])
        except ValueError:
            continue  # the relay refuses it too: the one before stays in force


def _row(value: Line, method: str) -> Line:
    opened, closed = _day(value["opened_at"]), _day(value["closed_at"])
    return {
        "account": value["account_id"],
        "asset": value["asset"],
        "method": method,
        "opened": opened.isoformat(),
        "closed": closed.isoformat(),
        "holding_days": (closed - opened).days,
        "qty": value["qty"],
        "proceeds": value["proceeds"],
        "cost": value["cost"],
        "gain": value["gain"],
        "ccy": value["ccy"],
        "lot": value["lot_id"],
        "execution": value["exec_id"],
    }


def _day(text: str) -> date:
    return date.fromisoformat(text[:10])
