"""What the recorded policy itself did, as far as its own records tell: it is taken out of the
recorded loan states, snapshots and statements, so that only the outside is left of them.

A call that is recorded may show in the next loan state or snapshot or in a later one, or never: the
loan and the wallets look for it there. It is known some time before (`weir.backtest.sources`).
"""

from __future__ import annotations

from schemas.records import AttemptRecord, Intent, SweepOrder
from streams.orders import key_of
from streams.saga import RETURN
from weir.backtest.awaited import Awaited
from weir.backtest.bank import Bank
from weir.backtest.desk import Placed
from weir.backtest.venue import ADD, REPAY, Account, Venue
from weir.backtest.wallets import FUND, UNIFIED, Moving

DAY_MS = 86_400_000
LOAN = (REPAY, ADD)


class Recorded:
    """Follows the recorded intents to their ends."""

    def __init__(self, venue: Venue, bank: Bank) -> None:
        self._venue, self._bank = venue, bank
        self._intents: dict[str, Intent] = {}
        self._open: dict[tuple[str, str], tuple[Awaited | Moving, ...]] = {}
        """What was called and has no end yet, by intent and leg."""

    def take(self, placed: Placed) -> None:
        """One record of a node or of the executor."""
        value = placed.value
        if isinstance(value, SweepOrder):
            self._bank.foreign.add(key_of(value.order_id))
        elif isinstance(value, Intent):
            self._forget(value.meta.event_time_ms)
            self._intents[value.intent_id] = value
        elif isinstance(value, AttemptRecord):
            self._attempt(value)

    def _attempt(self, record: AttemptRecord) -> None:
        intent = self._intents.get(record.intent_id)
        if intent is None or intent.class_ not in ("loan", "transfer"):
            return
        at, account = (record.intent_id, record.leg), self._venue.account(intent.account_id)
        if record.kind == "ATTEMPT":
            if at not in self._open:
                self._open[at] = _called(account, intent, record)
            for one in self._open[at]:
                one.amount_e18 = record.amount_e18 or 0
        elif record.class_ == "done":
            for one in self._open.pop(at, ()):
                one.amount_e18 = record.amount_done_e18 or one.amount_e18
                one.done_ms = _venue_ms(record, record.facts)
        elif record.class_ == "refused":
            _without_effect(account, self._open.pop(at, ()))

    def _forget(self, at_ms: int) -> None:
        """Intents whose deadline is long past have ended, one way or the other."""
        over = [name for name, one in self._intents.items() if one.deadline_ms < at_ms - DAY_MS]
        for name in over:
            account = self._venue.account(self._intents.pop(name).account_id)
            for leg in ("transfer", "main", RETURN):
                _without_effect(account, self._open.pop((name, leg), ()))


def _called(
    account: Account, intent: Intent, record: AttemptRecord
) -> tuple[Awaited | Moving, ...]:
    """What a call moves, expected of the account's loan and wallets."""
    coin, amount = intent.ccy, record.amount_e18 or 0
    called_ms = _venue_ms(record, record.watermark)
    source, target = FUND, ""
    if record.leg != "main":
        source, target = UNIFIED, FUND
        if intent.kind not in LOAN:
            source = intent.params.get("from", UNIFIED)
            target = intent.params.get("to", FUND)
        if record.leg == RETURN:
            source, target = target, source
    moving = Moving(source, target, coin, amount, called_ms)
    account.wallets.expect(moving)
    if record.leg != "main":
        return (moving,)
    return moving, account.loan.expect(intent.kind, coin, amount, called_ms)


def _without_effect(account: Account, ended: tuple[Awaited | Moving, ...]) -> None:
    for one in ended:
        if isinstance(one, Moving):
            account.wallets.forget(one)
        else:
            account.loan.forget(one)


def _venue_ms(record: AttemptRecord, read: dict[str, str] | None) -> int:
    """The venue's own time of what was read for this record; without one the record's."""
    said = (read or {}).get("server_ms", "")
    return int(said) if said.isdigit() else record.at_ms
