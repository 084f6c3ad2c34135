"""Orders and leverage of linear contracts, matched at the mark.

A market order fills at the mark at once and whatever it cannot fill is cancelled; a limit order
waits until the mark reaches its price. A reduce-only order is cut to the position it reduces and
never turns it over. Time comes in as milliseconds, amounts are integers of 10^-8.
"""

from dataclasses import dataclass
from fractions import Fraction
from uuid import NAMESPACE_URL, uuid5

from weir.sandbox.books import Books, Trade, amount_e8
from weir.sandbox.catalogue import Symbol
from weir.sandbox.money import UNIT, places
from weir.sandbox.records import NEVER_MS, Account, Order, Setting
from weir.sandbox.refusal import Refused

__all__ = ["TAKER_RATE", "Asked", "cancel", "create", "find", "match", "set_leverage"]

TAKER_RATE = "0.00055"
OPEN_MAX = 500
LEVERAGE_MAX = 100
LINK_PLACES = 36


@dataclass(frozen=True, slots=True)
class Asked:
    """An order as it is asked for; amounts are the request's text, a market order has no price.

    `fills` is the part of it that finds another side, `waits_ms` how long it is in process.
    """

    symbol: str
    side: str
    quantity: str
    price: str = ""
    reduce_only: bool = False
    link_id: str = ""
    good_til: str = "GTC"
    fills: Fraction = Fraction(1)
    waits_ms: int = 0


def create(books: Books, account: Account, asked: Asked, at_ms: int) -> Order:
    """Accept an order, or refuse it with the documented code; what can be filled is."""
    listed = _listed(books, asked.symbol)
    quantity_e8 = _steps("qty", asked.quantity, listed.step_e8)
    price_e8 = _steps("price", asked.price, listed.tick_e8) if asked.price else 0
    if asked.side not in ("Buy", "Sell") or asked.good_til not in ("GTC", "IOC"):
        raise Refused(10001, f"params error: side {asked.side!r}, {asked.good_til!r}")
    if len(asked.link_id) > LINK_PLACES:
        raise Refused(10001, "params error: orderLinkId is longer than 36 characters")
    if asked.link_id and any(order.link_id == asked.link_id for order in account.orders):
        raise Refused(110072, "OrderLinkedID is duplicate")
    if sum(1 for order in account.orders if order.is_open) >= OPEN_MAX:
        raise Refused(110020, "You can't have more than 500 active orders.")
    if asked.reduce_only:
        quantity_e8 = min(quantity_e8, _reducible_e8(account, asked.symbol, asked.side))
        if quantity_e8 == 0:
            raise Refused(110017, "Reduce-only rule not satisfied")
    else:
        _afford(books, account, asked, quantity_e8, price_e8)
    number = len(account.orders) + 1
    order = Order(
        order_id=str(uuid5(NAMESPACE_URL, f"order|{account.number}|{number}|{at_ms}")),
        link_id=asked.link_id,
        symbol=asked.symbol,
        side=asked.side,
        quantity_e8=quantity_e8,
        price_e8=price_e8,
        reduce_only=asked.reduce_only,
        at_ms=at_ms,
        updated_ms=at_ms,
        acts_ms=at_ms + asked.waits_ms,
        good_til=asked.good_til if price_e8 else "IOC",
    )
    account.orders.append(order)
    _act(books, account, order, at_ms, asked.fills)
    return order


def cancel(books: Books, account: Account, order: Order | None, at_ms: int) -> Order:
    """End an order that is open, or refuse with the code that says why it cannot be."""
    if order is None:
        raise Refused(110001, "order not exists or too late to cancel")
    if order.status == "Cancelled":
        raise Refused(110010, "The order has been cancelled.")
    if not order.is_open:
        raise Refused(110008, "The order has been completed or cancelled.")
    _end(order, "Cancelled", at_ms, cancel="CancelByUser")
    account.cancels += 1
    return order


def find(account: Account, order_id: str, link_id: str) -> Order | None:
    """The order of the venue's id, or of the client's if there is none of the venue's."""
    for order in account.orders:
        if order_id == order.order_id or (not order_id and link_id and link_id == order.link_id):
            return order
    return None


def match(books: Books, at_ms: int) -> None:
    """Fill what waits and can be filled now."""
    for account in books.accounts.values():
        for order in account.orders:
            if order.is_open:
                _act(books, account, order, at_ms)


def set_leverage(
    books: Books, account: Account, symbol: str, buy: str, sell: str, at_ms: int
) -> None:
    """Set the leverage of a contract in one-way mode, or refuse with the documented code."""
    _listed(books, symbol)
    for name, value in (("buyLeverage", buy), ("sellLeverage", sell)):
        try:
            fine = places(value) <= 2 and Fraction(value) >= 1
        except ValueError:
            fine = False
        if not fine:
            raise Refused(10001, f"params error: {name} invalid: {value!r}")
    if Fraction(buy) != Fraction(sell):
        raise Refused(10001, "params error: buyLeverage and sellLeverage differ in one-way mode")
    if Fraction(buy) > LEVERAGE_MAX:
        raise Refused(110013, "Cannot set leverage due to risk limit level.")
    before = account.leverage.get(symbol)
    if books.leverage(account, symbol) == Fraction(buy):
        raise Refused(110043, "Set leverage has not been modified.")
    account.leverage[symbol] = buy
    if books.free_margin(account) < 0:
        account.leverage.pop(symbol)
        account.leverage |= {symbol: before} if before is not None else {}
        raise Refused(110044, "Available margin is insufficient.")
    account.settings.append(Setting(symbol, buy, at_ms))


def _act(
    books: Books, account: Account, order: Order, at_ms: int, fills: Fraction = Fraction(1)
) -> None:
    """Fill an order at the mark if it may act and the mark lets it."""
    mark_e8 = books.prices_e8.get(order.symbol, 0)
    if order.acts_ms > at_ms or not mark_e8:
        return
    if not _crosses(order, mark_e8):
        if order.good_til == "IOC":
            _end(order, "Cancelled", at_ms, reject="EC_NoImmediateQtyToFill")
        return
    quantity_e8 = order.left_e8
    if order.reduce_only:
        quantity_e8 = min(quantity_e8, _reducible_e8(account, order.symbol, order.side))
    step_e8 = books.symbols[order.symbol].step_e8
    quantity_e8 = int(quantity_e8 * fills) // step_e8 * step_e8
    if quantity_e8:
        _fill(books, account, order, quantity_e8, mark_e8, at_ms)
    if order.filled_e8 == order.quantity_e8:
        _end(order, "Filled", at_ms)
    elif order.good_til == "IOC":
        _end(order, "Cancelled", at_ms, reject="EC_NoEnoughQtyToFill")
    elif order.reduce_only:
        _end(order, "Cancelled", at_ms, cancel="CancelByReduceOnly")


def _fill(
    books: Books, account: Account, order: Order, quantity_e8: int, mark_e8: int, at_ms: int
) -> None:
    name = f"fill|{order.order_id}|{order.filled_e8}"
    row = books.execute(
        account,
        Trade(
            exec_id=str(uuid5(NAMESPACE_URL, name)),
            symbol=order.symbol,
            side=order.side,
            quantity_e8=quantity_e8,
            price_e8=mark_e8,
            fee_rate=TAKER_RATE,
            order_id=order.order_id,
            order_quantity_e8=order.quantity_e8,
            order_link_id=order.link_id,
        ),
        at_ms,
    )
    order.filled_e8 += quantity_e8
    order.value += Fraction(quantity_e8 * mark_e8, UNIT)
    order.fee_e8 += row.fee_e8
    order.status, order.updated_ms = "PartiallyFilled", at_ms


def _end(order: Order, status: str, at_ms: int, *, reject: str = "", cancel: str = "") -> None:
    order.status, order.updated_ms, order.acts_ms = status, at_ms, NEVER_MS
    order.reject, order.cancel = reject or order.reject, cancel or order.cancel


def _crosses(order: Order, mark_e8: int) -> bool:
    if not order.price_e8:
        return True
    return order.price_e8 >= mark_e8 if order.side == "Buy" else order.price_e8 <= mark_e8


def _reducible_e8(account: Account, symbol: str, side: str) -> int:
    position = account.positions.get(symbol)
    size_e8 = position.size_e8 if position else 0
    return max(0, -size_e8 if side == "Buy" else size_e8)


def _afford(books: Books, account: Account, asked: Asked, quantity_e8: int, price_e8: int) -> None:
    """What an order adds to a position must be covered by free margin."""
    adds_e8 = quantity_e8 - _reducible_e8(account, asked.symbol, asked.side)
    value = Fraction(adds_e8 * (price_e8 or books.prices_e8.get(asked.symbol, 0)), UNIT)
    if adds_e8 > 0 and value / books.leverage(account, asked.symbol) > books.free_margin(account):
        raise Refused(110007, "Available balance is insufficient.")


def _listed(books: Books, symbol: str) -> Symbol:
    if symbol not in books.symbols:
        raise Refused(10001, f"params error: symbol invalid {symbol}")
    return books.symbols[symbol]


def _steps(name: str, value: str, step_e8: int) -> int:
    number_e8 = amount_e8(name, value, 8, precision_code=10001)
    if number_e8 % step_e8:
        raise Refused(10001, f"params error: {name} invalid: {value}")
    return number_e8
