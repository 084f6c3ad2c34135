"""What an operation can be paid from: the transferable balances of the trading wallet, in 10^-18 of
each coin.

An operation moves its coin out of this wallet first. Until a snapshot that is newer than the
confirmation arrives, what was moved is subtracted from the last one, so that the same coin is never
counted twice.
"""

from __future__ import annotations

from schemas.records import AccountSnapshot, IntentOutcome
from streams.step import Entries, Event
from tables.allocation import Coordinates, Wallets

SOURCE_WALLET = "UNIFIED"


def step(entries: Entries, event: Event) -> None:
    """Takes a snapshot's balances, unless it is older than what is known."""
    snapshot: AccountSnapshot = event.value
    old: Wallets | None = entries.get("wallets")
    if old is not None and snapshot.as_of_ms <= max(old.as_of_ms, old.moved_at_ms):
        return
    entries.put(
        "wallets",
        Wallets(
            as_of_ms=snapshot.as_of_ms,
            transferable_e18={
                row.coin: row.transferable_e18
                for row in snapshot.wallets
                if row.wallet == SOURCE_WALLET
            },
            source=Coordinates(event.topic, event.partition, event.offset),
        ),
    )


def confirmed(entries: Entries, outcome: IntentOutcome) -> None:
    """Subtracts what a confirmed operation has moved out."""
    old: Wallets | None = entries.get("wallets")
    if old is None or outcome.at_ms <= old.as_of_ms:
        return
    left = old.transferable_e18.get(outcome.ccy, 0) - outcome.amount_done_e18
    entries.put(
        "wallets",
        Wallets(
            as_of_ms=old.as_of_ms,
            transferable_e18={**old.transferable_e18, outcome.ccy: max(0, left)},
            source=old.source,
            moved_at_ms=max(old.moved_at_ms, outcome.at_ms),
        ),
    )
