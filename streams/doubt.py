"""What a balance may count already though no entry shows it: told by how far the balance has moved.

Banks hold the money of a payment from its acceptance on, and some list the entries of a day only
when it is over. Until an entry comes a movement of ours is pending, so that nothing is placed
twice; but taken off, or added, once more when the balance has it already, it would bring money back
that is not missing, or hide that it is. So a confirmed placement counts as felt once the balance
has fallen by more than half of it, and what has matured once it has risen so. What was asked back
is left pending whatever the balance does, or it would be asked for twice. Only what is brought back
is decided by this: what is placed never trusts it.
"""

from __future__ import annotations

from msgspec.structs import replace

from streams import orders
from streams.step import Entries
from tables.cash import Balance, Order


def mark(entries: Entries, active: list[Order], balance: Balance | None, today: int) -> list[Order]:
    """The active orders, with what the balance of now says of their movements."""
    if balance is None:
        return active
    marked = [_back(_out(order, balance, today), balance, today) for order in active]
    for old, new in zip(active, marked, strict=True):
        if new is not old:
            orders.put(entries, new)
    return marked


def _out(order: Order, balance: Balance, today: int) -> Order:
    """Whether the balance has felt a placement, from the day on which its money moves."""
    placed = order.kind == orders.OUT and order.state == orders.CONFIRMED
    if not placed or order.value_day > today or order.seen_ms or order.felt_ms:
        return order
    felt = 2 * (order.decided_on_e18 - balance.amount_e18) > order.amount_e18
    return replace(order, felt_ms=balance.as_of_ms) if felt else order


def _back(order: Order, balance: Balance, today: int) -> Order:
    """Whether the balance has risen by what has matured."""
    if order.back_ms or order.risen_ms or not orders.has_matured(order, today):
        return order
    if order.eve_e18 is None:
        return replace(order, eve_e18=balance.amount_e18)
    rose_e18 = balance.amount_e18 - order.eve_e18
    risen = 2 * rose_e18 > order.left_e18 - order.taken_e18
    return replace(order, risen_ms=balance.as_of_ms) if risen else order
