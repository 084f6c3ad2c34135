"""The judge: Weir's numbers, from its topics, against the venue's own books (and the bank's, in
`bank_judge`). Equal, or it says what is not.

Amounts are compared at the venue's 8 decimals, operations by their ids: one more is a double, one
less is lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from schemas.money import text_e18
from weir.demo.watch import Seen

PLACES = Decimal(1).scaleb(-8)
CONFIRMED = "CONFIRMED"


@dataclass(frozen=True)
class Line:
    """One comparison; for ids, counts, and `difference` names the odd ones. `theirs` is what the
    other side says: the venue or the bank.
    """

    account_id: str
    what: str
    weir: str
    theirs: str
    difference: str
    side: str = "venue"

    @property
    def equal(self) -> bool:
        return not self.difference

    def plain(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self) | {"equal": self.equal}


def compare(account_id: str, seen: Seen, book: dict[str, Any]) -> Iterable[Line]:
    """Every comparison of one account; `book` is the account's part of the venue's book."""
    yield same_ids(
        account_id, "executions", list(seen.exec_ids.elements()), book["executions"]["ids"]
    )
    for what, ours_e18 in (
        ("realised", seen.realised_e18),
        ("fees", seen.fees_e18),
        ("funding", seen.funding_e18),
    ):
        venue = book["pnl"]["realised_exact" if what == "realised" else what]
        yield same_amount(account_id, what, ours_e18, venue)
    for symbol, position in book["positions"].items():
        yield same_amount(
            account_id, f"position {symbol}", seen.sizes_e18.get(symbol, 0), position["size"]
        )
    yield from _operations(account_id, seen, book)
    if seen.loan is not None:
        yield from _loan(account_id, seen.loan, book["loan"])


def _operations(account_id: str, seen: Seen, book: dict[str, Any]) -> Iterable[Line]:
    """Transfers, repayments and pledges: the ids of confirmed legs, and what they add up to."""
    legs = [
        (state, leg)
        for state in seen.intents.values()
        for leg in state.legs
        if leg.state == CONFIRMED
    ]
    mains = [(state, leg) for state, leg in legs if leg.leg == "main"]
    transfers = [leg.venue_ref for _, leg in legs if leg.leg in ("transfer", "return")]
    yield same_ids(
        account_id, "transfers", transfers, [row["transfer_id"] for row in book["transfers"]]
    )
    for what, kind, id_field in (
        ("repays", "REPAY", "repay_id"),
        ("adjusts", "ADD_COLLATERAL", "adjust_id"),
    ):
        done = [(state, leg) for state, leg in mains if state.kind == kind]
        rows = book[what]
        yield same_ids(
            account_id,
            what,
            [leg.venue_ref for _, leg in done],
            [str(row[id_field]) for row in rows],
        )
        ours_e18 = sum(state.amount_done_e18 for state, _ in done)
        total = sum((Decimal(row["amount"]) for row in rows), Decimal(0))
        yield same_amount(account_id, f"{what}, amount", ours_e18, str(total))


def _loan(account_id: str, loan: Any, book: dict[str, Any]) -> Iterable[Line]:
    debt = book["debts"].get(loan.coin, {"principal": "0", "interest": "0"})
    yield same_amount(
        account_id, f"principal {loan.coin}", loan.principal_amount_e18, debt["principal"]
    )
    yield same_amount(account_id, "LTV", loan.ltv_ratio_e18, book["ltv"])


def same_amount(
    account_id: str, what: str, ours_e18: int, theirs: str, side: str = "venue"
) -> Line:
    """An amount, at the venue's decimals."""
    weir, other = _rounded(Decimal(text_e18(ours_e18))), _rounded(Decimal(theirs))
    difference = "" if weir == other else f"{weir - other:f}"
    return Line(account_id, what, f"{weir:f}", f"{other:f}", difference, side)


def same_ids(
    account_id: str, what: str, ours: list[str], theirs: list[str], side: str = "venue"
) -> Line:
    """The same things, each as often."""
    odd = [f"only Weir: {one}" for one in _without(ours, theirs)]
    odd += [f"only the {side}: {one}" for one in _without(theirs, ours)]
    return Line(account_id, what, str(len(ours)), str(len(theirs)), "; ".join(odd[:3]), side)


def _without(some: list[str], others: list[str]) -> list[str]:
    """What is in `some` more often than in `others`."""
    return sorted((Counter(some) - Counter(others)).elements())


def _rounded(value: Decimal) -> Decimal:
    return value.quantize(PLACES, rounding=ROUND_HALF_EVEN)
