"""The venue's journal: every change of a balance is one row, moved from a place to a place.

Places inside an account hold its money; the others (VENUE, FEES, ...) are the venue's own side, so
the places of one account and coin always add up to zero. Owed debt is a negative balance.
"""

from collections import defaultdict
from dataclasses import dataclass

from weir.sandbox.money import text

__all__ = [
    "COLLATERAL",
    "FUND",
    "HELD",
    "INTEREST",
    "IN_PROCESS",
    "PRINCIPAL",
    "UNIFIED",
    "VENUE",
    "Journal",
    "Row",
]

UNIFIED = "UNIFIED"
FUND = "FUND"
COLLATERAL = "COLLATERAL"
IN_PROCESS = "IN_PROCESS"
PRINCIPAL = "PRINCIPAL"
INTEREST = "INTEREST"
VENUE = "VENUE"
HELD = frozenset({FUND, COLLATERAL, IN_PROCESS})


@dataclass(frozen=True, slots=True)
class Row:
    """One movement inside one account and coin; the amount is always positive."""

    number: int
    at_ms: int
    account: str
    coin: str
    source: str
    target: str
    amount_e8: int
    cause: str
    ref: str


class Journal:
    """Rows in order, and the balances they add up to."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._balances: dict[tuple[str, str, str], int] = defaultdict(int)

    def balance_e8(self, account: str, coin: str, place: str) -> int:
        """The balance of one place; 0 where nothing ever moved."""
        return self._balances.get((account, coin, place), 0)

    def coins(self, account: str, place: str) -> tuple[str, ...]:
        """The coins that ever moved through a place of an account, in order of name."""
        keys = self._balances
        return tuple(sorted(c for number, c, p in keys if number == account and p == place))

    def move(
        self,
        at_ms: int,
        account: str,
        coin: str,
        *,
        source: str,
        target: str,
        amount_e8: int,
        cause: str,
        ref: str,
    ) -> None:
        """Book one movement; a negative amount goes the other way, zero is no row."""
        if amount_e8 == 0:
            return
        if amount_e8 < 0:
            source, target, amount_e8 = target, source, -amount_e8
        left = self._balances[account, coin, source] - amount_e8
        if source in HELD and left < 0:
            raise ValueError(f"{cause} {ref}: {source} {coin} of {account} would be {text(left)}")
        self._balances[account, coin, source] = left
        self._balances[account, coin, target] += amount_e8
        number = len(self.rows) + 1
        self.rows.append(Row(number, at_ms, account, coin, source, target, amount_e8, cause, ref))

    def conserved(self) -> bool:
        """Add all rows up again and compare with the balances."""
        sums: dict[tuple[str, str, str], int] = defaultdict(int)
        for row in self.rows:
            sums[row.account, row.coin, row.source] -= row.amount_e8
            sums[row.account, row.coin, row.target] += row.amount_e8
        touched = set(sums) | set(self._balances)
        return all(sums.get(key, 0) == self._balances.get(key, 0) for key in touched)
