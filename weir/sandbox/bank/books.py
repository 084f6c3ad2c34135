"""The bank's own ledger: every row is written down before it counts, and read again after a kill.

Money moves between two accounts, one of which may be the outside world, so all accounts together
always add up to nothing. Rows that belong together are one line of the journal and count together
or not at all: a line is on the disk before anyone is answered, and one that a kill cut off was
never in force. Time comes in with each row: the books have no clock.
"""

import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from weir.sandbox.bank.money import cents
from weir.sandbox.bank.records import (
    OPEN,
    OUTSIDE,
    Account,
    Change,
    Clock,
    Document,
    Movement,
    Payment,
    Plan,
)

__all__ = ["DUPLICATES", "Books"]

DUPLICATES = frozenset({"DU01", "DU04"})
Row = Account | Movement | Payment | Change | Plan | Document | Clock
KINDS: dict[str, Callable[..., Row]] = {
    kind.__name__: kind for kind in (Account, Movement, Payment, Change, Plan, Document, Clock)
}


class Books:
    """All rows, and what they add up to."""

    def __init__(self, path: Path | None = None) -> None:
        self.accounts: dict[str, Account] = {}
        self.movements: list[Movement] = []
        self.payments: list[Payment] = []
        self.plans: dict[int, Plan] = {}
        self.documents: list[Document] = []
        self.ahead_ms = 0
        self._changes: dict[int, list[Change]] = defaultdict(list)
        self._balances: dict[str, int] = defaultdict(int)
        self._held: dict[str, dict[int, int]] = defaultdict(dict)
        self._by_end_to_end: dict[str, list[Payment]] = defaultdict(list)
        self._by_message: dict[str, list[Payment]] = defaultdict(list)
        self._entries: dict[str, list[Movement]] = defaultdict(list)
        self._file = None
        if path is not None:
            for row in _read(path):
                self._apply(row)
            self._file = path.open("ab", buffering=0)

    def write(self, *rows: Row) -> None:
        """Write rows down, all in one, then let them count."""
        if self._file is not None:
            group = [{"row": type(row).__name__, **asdict(row)} for row in rows]
            line = f"{json.dumps(group, separators=(',', ':'))}\n".encode()
            if self._file.write(line) != len(line):
                raise OSError("the books could not be written")
            os.fsync(self._file.fileno())
        for row in rows:
            self._apply(row)

    def movement(
        self,
        at_ms: int,
        source: str,
        target: str,
        amount_cents: int,
        day: str,
        *,
        end_to_end_id: str = "",
        code: str = "TRF",
        text: str = "",
        payment: int = 0,
        reversal: bool = False,
        reason: str = "",
        value_day: str = "",
    ) -> Movement:
        """The next movement, not yet written; a negative amount goes the other way."""
        if amount_cents < 0:
            source, target, amount_cents = target, source, -amount_cents
        return Movement(
            number=len(self.movements) + 1,
            at_ms=at_ms,
            source=source,
            target=target,
            amount_cents=amount_cents,
            day=day,
            end_to_end_id=end_to_end_id,
            code=code,
            text=text,
            payment=payment,
            reversal=reversal,
            reason=reason,
            value_day=value_day,
        )

    def booked_cents(self, number: str) -> int:
        """What is booked on an account."""
        return self._balances[number]

    def available_cents(self, number: str) -> int:
        """What is booked less what accepted payments hold."""
        return self._balances[number] - sum(self._held[number].values())

    def pending(self, number: str) -> list[Payment]:
        """The payments of an account whose money is held, oldest first."""
        return [self.payments[payment - 1] for payment in sorted(self._held[number])]

    def open_payments(self) -> list[Payment]:
        """All payments that are under way, oldest first."""
        numbers = sorted(number for held in self._held.values() for number in held)
        return [self.payments[number - 1] for number in numbers]

    def entries(self, number: str) -> list[Movement]:
        """The movements of an account, in order."""
        return self._entries[number]

    def changes(self, payment: Payment) -> list[Change]:
        """The states of a payment, oldest first."""
        return self._changes[payment.number]

    def state(self, payment: Payment) -> Change:
        """How a payment stands."""
        return self._changes[payment.number][-1]

    def message(self, msg_id: str) -> list[Payment]:
        """The payments of the first message with this id."""
        found = self._by_message.get(msg_id, [])
        return [payment for payment in found if payment.message == found[0].message]

    def known(self, end_to_end_id: str) -> Payment | None:
        """The payment with this id: the newest that was more than a repetition."""
        for payment in reversed(self._by_end_to_end.get(end_to_end_id, [])):
            if self.state(payment).reason not in DUPLICATES:
                return payment
        return None

    def conserved(self) -> bool:
        """Add all movements up again and compare; nothing appears and nothing vanishes."""
        sums: dict[str, int] = defaultdict(int)
        for row in self.movements:
            sums[row.source] -= row.amount_cents
            sums[row.target] += row.amount_cents
        names = set(sums) | set(self._balances)
        equal = all(sums[name] == self._balances[name] for name in names)
        return equal and sum(self._balances.values()) == 0

    def _apply(self, row: Row) -> None:
        if isinstance(row, Account):
            self.accounts[row.number] = row
        elif isinstance(row, Movement):
            self.movements.append(row)
            for name, signed in ((row.source, -row.amount_cents), (row.target, row.amount_cents)):
                self._balances[name] += signed
                if name != OUTSIDE:
                    self._entries[name].append(row)
        elif isinstance(row, Payment):
            self.payments.append(row)
            self._by_message[row.msg_id].append(row)
            self._by_end_to_end[row.end_to_end_id].append(row)
        elif isinstance(row, Change):
            self._change(row)
        elif isinstance(row, Plan):
            self.plans[row.payment] = row
        elif isinstance(row, Document):
            self.documents.append(row)
        else:
            self.ahead_ms = row.ahead_ms

    def _change(self, row: Change) -> None:
        self._changes[row.payment].append(row)
        payment = self.payments[row.payment - 1]
        if row.state in OPEN:
            self._held[payment.debtor][row.payment] = cents(payment.amount)
        else:
            self._held[payment.debtor].pop(row.payment, None)


def _read(path: Path) -> Iterator[Row]:
    """The rows of an earlier life; a last line that is cut off was never in force."""
    if not path.exists():
        return
    whole, newline, cut = path.read_bytes().rpartition(b"\n")
    if cut:
        path.write_bytes(whole + newline)
    for line in whole.splitlines():
        group: list[dict[str, Any]] = json.loads(line)
        for values in group:
            row = KINDS[values.pop("row")](**values)
            yield replace(row, pending=tuple(row.pending)) if isinstance(row, Document) else row
