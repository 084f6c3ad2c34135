"""What the recorded policy itself did, as far as its own records tell: it is taken out of the
recorded loan states, snapshots and statements, so that only the outside is left of them.

A call that is recorded may show in the next loan state or in a later one, or never: the loan looks
for it there. A transfer counts from the answer that says it is done.
"""

from __future__ import annotations

from schemas.records import AttemptRecord, Intent, SweepOrder
from streams.orders import key_of
from streams.saga import RETURN
from weir.backtest.bank import Bank
from weir.backtest.desk import Placed
from weir.backtest.loan import Awaited
from weir.backtest.venue import ADD, REPAY, Account, Venue
from weir.backtest.wallets import FUND, UNIFIED

DAY_MS = 86_400_000
LOAN = (REPAY, ADD)


class Recorded:
    """Follows the recorded intents to their ends."""

    def __init__(self, venue: Venue, bank: Bank) -> None:
        self._venue, self._bank = venue, bank
        self._intents: dict[str, Intent] = {}
        self._called: dict[tuple[str, str], int] = {}
        self._awaited: dict[str, Awaited] = {}

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
        amount = record.amount_e18 or 0
        if record.kind == "ATTEMPT":
            if record.leg == "main" and at not in self._called:
                awaited = account.loan.expect(intent.kind, intent.ccy, amount)
                self._awaited[record.intent_id] = awaited
            self._called[at] = amount
        elif record.class_ == "done" and at in self._called:
            self._done(account, intent, record.leg, self._called.pop(at))
        elif record.class_ == "refused" and at in self._called:
            del self._called[at]
            if record.leg == "main":
                account.loan.forget(self._awaited.pop(record.intent_id))

    def _done(self, account: Account, intent: Intent, leg: str, amount: int) -> None:
        """Takes back what moved the recorded wallets."""
        if leg == "main":
            self._awaited.pop(intent.intent_id).done = True
            account.wallets.take_back(FUND, intent.ccy, amount)
            return
        source, target = UNIFIED, FUND
        if intent.kind not in LOAN:
            source = intent.params.get("from", UNIFIED)
            target = intent.params.get("to", FUND)
        if leg == RETURN:
            source, target = target, source
        account.wallets.take_back(source, intent.ccy, amount)
        account.wallets.take_back(target, intent.ccy, -amount)

    def _forget(self, at_ms: int) -> None:
        """Intents whose deadline is long past have ended, one way or the other."""
        over = [name for name, one in self._intents.items() if one.deadline_ms < at_ms - DAY_MS]
        for name in over:
            del self._intents[name]
            self._awaited.pop(name, None)
            for leg in ("transfer", "main", RETURN):
                self._called.pop((name, leg), None)
