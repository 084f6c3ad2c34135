"""The modelled wallets of one account: what was recorded, moved by what the policy under test does
and the recorded one did not do.

A recorded balance already holds what the recorded policy moved; taking that back and moving our own
instead gives the balance there would have been, because the hedge itself is what it was. An account
of which no snapshot was ever recorded holds what its trades have brought in.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec.structs import replace

from schemas.money import E18, mul_e18
from schemas.records import AccountSnapshot, SnapshotPosition, WalletBalance

UNIFIED, FUND = "UNIFIED", "FUND"
_At = tuple[str, str]
_NONE = (0, 0)


@dataclass(eq=False)
class Moving:
    """Money that the recorded policy moves: from a wallet into another one, or out of both (""), as
    a repayment does; `done_ms` is when the venue was seen to have moved it.
    """

    source: str
    target: str
    coin: str
    amount_e18: int
    called_ms: int
    done_ms: int | None = None

    def shows(self, gone_e18: int, at_ms: int) -> bool:
        """Whether a snapshot of this time holds it, in which so much is gone from the source."""
        if self.done_ms is not None and self.done_ms <= at_ms:
            return True
        return self.called_ms <= at_ms and 2 * gone_e18 > self.amount_e18


@dataclass
class Wallets:
    """Balances of one account by (wallet, coin), in 10^-18."""

    rates: dict[str, int] = field(default_factory=dict)
    """Dollars of a unit by coin, as recorded last; of a coin without a rate a unit is a dollar."""
    recorded: AccountSnapshot | None = None
    shown: dict[_At, tuple[int, int]] = field(default_factory=dict)
    """Balance and transferable part as last recorded."""
    moved: dict[_At, int] = field(default_factory=dict)
    """What the policy under test moved."""
    back: dict[_At, int] = field(default_factory=dict)
    """What the recorded one moved, taken back."""
    _moving: list[Moving] = field(default_factory=list)
    earned: dict[str, int] = field(default_factory=dict)
    positions: tuple[SnapshotPosition, ...] = ()
    """Both count while no snapshot is recorded: the profit by coin, and what the book holds."""

    def take(self, snapshot: AccountSnapshot) -> None:
        """Takes a recorded snapshot; one that is not newer than the last says nothing."""
        if self.recorded is not None and snapshot.as_of_ms <= self.recorded.as_of_ms:
            return
        before, self.recorded = self.shown, snapshot
        self.shown = {
            (row.wallet, row.coin): (row.balance_e18, row.transferable_e18)
            for row in snapshot.wallets
        }
        left = []
        for one in self._moving:
            at = one.source, one.coin
            gone = before.get(at, _NONE)[0] - self.shown.get(at, _NONE)[0]
            if not one.shows(gone, snapshot.as_of_ms):
                left.append(one)
                continue
            held, free = before.get(at, _NONE)
            before[at] = held - one.amount_e18, free
            self._take_back(one)
        self._moving = left

    def expect(self, one: Moving) -> None:
        """The recorded policy moves money then: a snapshot to come shows it, or none does."""
        self._moving.append(one)

    def forget(self, one: Moving) -> None:
        """It ended without effect."""
        if one in self._moving:
            self._moving.remove(one)

    def _take_back(self, one: Moving) -> None:
        ways = (one.source, one.amount_e18), (one.target, -one.amount_e18)
        for wallet, amount in ways:
            if wallet:
                at = wallet, one.coin
                self.back[at] = self.back.get(at, 0) + amount

    def move(self, wallet: str, coin: str, amount_e18: int) -> None:
        """So much more in a wallet."""
        at = wallet, coin
        self.moved[at] = self.moved.get(at, 0) + amount_e18

    def balance_e18(self, wallet: str, coin: str) -> int:
        """What a wallet holds."""
        at = wallet, coin
        return self._shown(at)[0] + self.moved.get(at, 0)

    def transferable_e18(self, wallet: str, coin: str) -> int:
        """What of it can be moved now."""
        at = wallet, coin
        return max(0, self._shown(at)[1] + self.moved.get(at, 0))

    def rate_e18(self, coin: str) -> int:
        """Dollars of a unit."""
        return self.rates.get(coin, E18)

    def equity_e18(self, settle_ccy: str) -> int | None:
        """The venue's figure for the trading wallet; None without a recorded one."""
        if self.recorded is None:
            return None
        at = UNIFIED, settle_ccy
        units = self.back.get(at, 0) + self.moved.get(at, 0)
        return self.recorded.equity_e18 + mul_e18(units, self.rate_e18(settle_ccy))

    def snapshot(self, account_id: str, settle_ccy: str, at_ms: int) -> AccountSnapshot:
        """The snapshot as a poll at this time shows it."""
        known = self.shown.keys() | self.moved.keys() | self.back.keys()
        places = sorted(known | self._earned_places())
        rows = tuple(
            WalletBalance(*at, self.balance_e18(*at), self.transferable_e18(*at)) for at in places
        )
        if self.recorded is not None:
            equity = self.equity_e18(settle_ccy) or 0
            return replace(self.recorded, wallets=rows, equity_e18=equity, as_of_ms=at_ms)
        equity = self.balance_e18(UNIFIED, settle_ccy)
        return AccountSnapshot(account_id, rows, self.positions, (), "", equity, at_ms)

    def _shown(self, at: _At) -> tuple[int, int]:
        if self.recorded is None and at[0] == UNIFIED:
            earned = self.earned.get(at[1], 0)
            return earned, earned
        (balance, free), back = self.shown.get(at, (0, 0)), self.back.get(at, 0)
        if at[0] == FUND:  # on its way through: a snapshot may hold a part of what is taken back
            return max(0, balance + back), max(0, free + back)
        return balance + back, free + back

    def _earned_places(self) -> set[_At]:
        return set() if self.recorded else {(UNIFIED, coin) for coin in self.earned}
