"""The judge of the bank's day: Weir's numbers against the bank's own books, to the cent.

Payments are compared by the id the bank got with each, so one more is a double and one less is
lost. Value at risk is worked out again here from what the bank says its customers moved.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Any

from weir.demo.bank import ACCOUNT_ID, FUND, NUMBER
from weir.demo.judge import Line, same_amount, same_ids
from weir.demo.watch import BACK, OUT, Seen

E4_TO_E18 = 10**14
WINDOW, QUANTILE = 250, Fraction(99, 100)
BANK = "bank"


def compare(seen: Seen, books: dict[str, Any], flows: dict[str, str]) -> Iterable[Line]:
    """Every comparison of the bank account."""
    account, fund = books["accounts"][NUMBER], books["accounts"][FUND]
    payments = [one for one in books["payments"] if one["state"] == "ACSC" and not one["returned"]]
    open_days = [_date(day).isoformat() for day in sorted(seen.days)]
    stated = [day for day in open_days if day in flows]
    yield same_ids(ACCOUNT_ID, "business days", stated, list(flows), BANK)
    yield _count("days stated", len(seen.days), account["statements"])
    yield _money("available", seen.position.avail_usd_e4, account["available"])
    yield _money("booked", seen.position.booked_usd_e4, account["booked"])
    waiting = [one for one in books["payments"] if one["end_to_end_id"] in account["pending"]]
    held = sum((Decimal(one["amount"]) for one in waiting), Decimal(0))
    under_way = seen.position.pending_out_e4 + seen.position.pending_in_e4
    yield _money("under way", under_way, str(held))
    yield same_ids(
        ACCOUNT_ID,
        "orders, signed",
        [_id(order_id) for order_id, holds in seen.orders.items() if holds],
        [one["end_to_end_id"] for one in books["payments"]],
        BANK,
    )
    moved_e18 = {}
    for what, kind, debtor in (("swept", OUT, NUMBER), ("returned", BACK, FUND)):
        theirs = [one for one in payments if one["debtor"] == debtor]
        done = seen.done(kind)
        moved_e18[kind] = sum(state.amount_done_e18 for state in done)
        ours = [_id(state.intent_id) for state in done]
        yield same_ids(ACCOUNT_ID, what, ours, [one["end_to_end_id"] for one in theirs], BANK)
        total = sum((Decimal(one["amount"]) for one in theirs), Decimal(0))
        yield same_amount(ACCOUNT_ID, f"{what}, amount", moved_e18[kind], str(total), BANK)
    left = sum((Decimal(one["left"]) for one in fund["placements"]), Decimal(0))
    yield same_amount(ACCOUNT_ID, "placed", moved_e18[OUT] - moved_e18[BACK], str(left), BANK)
    yield _count("days of risk", seen.risk.n, min(WINDOW, len(flows)))
    yield _money("value at risk", seen.risk.var_usd_e4, str(var_usd(list(flows.values()))))


def var_usd(nets: list[str]) -> Decimal:
    """The loss that 99 of 100 of the last 250 days stay within: the 3rd worst."""
    losses = sorted(-Decimal(net) for net in nets[-WINDOW:])
    return max(Decimal(0), losses[ceil(QUANTILE * len(losses)) - 1])


def _money(what: str, ours_e4: int | None, theirs: str) -> Line:
    return same_amount(ACCOUNT_ID, what, (ours_e4 or 0) * E4_TO_E18, theirs, BANK)


def _count(what: str, ours: int, theirs: int) -> Line:
    difference = "" if ours == theirs else str(ours - theirs)
    return Line(ACCOUNT_ID, what, str(ours), str(theirs), difference, BANK)


def _id(order_id: str) -> str:
    """As the bank gets it."""
    return order_id.replace("-", "").lower()


def _date(day: int) -> date:
    return date(1970, 1, 1) + timedelta(days=day)
