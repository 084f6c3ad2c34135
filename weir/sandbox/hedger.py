"""A seeded hedger: it trades linear symbols along price paths and books each fill at the venue.

Per account and symbol it steers an inventory, in thousandths of the largest position: a swinging
exposure with a lean to the short side, plus a view of the path ahead that is right more often than
not, because the day is there to show what becomes of profit. So there are adds, reduces, flips,
wins and losses, maker rebates, and funding every 8 simulated hours. It decides with integers only.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from uuid import NAMESPACE_URL, uuid5

from weir.sandbox.books import SETTLE_COIN, Books, Trade
from weir.sandbox.journal import UNIFIED
from weir.sandbox.money import UNIT
from weir.sandbox.prices import POINTS_PER_ROW, PricePath
from weir.sandbox.records import Account, Execution

__all__ = ["Hedger", "Plan"]

TAKER_RATE, MAKER_RATE = "0.00055", "-0.00005"
FUNDING_ROWS = 480
FIRST_FUNDING_ROW = 240
VIEW_POINTS = 200
FILLS_TO_LARGEST = 20


@dataclass(frozen=True, slots=True)
class Plan:
    """How a day is traded; sizes in USD, shares in thousandths.

    The largest position is smaller on a path so wild that a usual move of it, over the time one
    view holds, would bring more than `swing_usd`.
    """

    fills: int = 3000
    seed: int = 1
    run: str = ""
    largest_usd: int = 400_000
    swing_usd: int = 700
    right: int = 820
    maker: int = 600
    flat_every: int = 2


@dataclass(slots=True)
class _Book:
    """What the hedger remembers of one account and symbol."""

    account: Account
    symbol: str
    noise: int = 0
    view: int = 0
    view_until: int = -1
    order_id: str = ""
    order_side: str = ""
    order_left: int = 0


class Hedger:
    """Trades one day; `step` makes the next fill, with the funding that fell due before it."""

    def __init__(self, books: Books, paths: Sequence[PricePath], plan: Plan) -> None:
        self._books, self._plan = books, plan
        self._paths: Mapping[str, PricePath] = {path.symbol: path for path in paths}
        self._points = min(len(path.points_e8) for path in paths)
        self._random = Random(f"{plan.seed}|hedger")
        self._largest_usd = {path.symbol: _largest_usd(path, plan) for path in paths}
        self._held = [
            _Book(account, path.symbol) for account in books.accounts.values() for path in paths
        ]
        self._flattened = [
            book
            for number, book in enumerate(self._held)
            if number // len(paths) % plan.flat_every == 0
        ]
        self._row = -1
        self._serial = 0
        self._last_ms: dict[str, int] = {}
        self.fills = 0
        self.funding = 0
        self._set_prices(0)

    @property
    def done(self) -> bool:
        """Whether the day is over."""
        return self.fills >= self._plan.fills

    def step(self, now_ms: int) -> Iterator[Execution]:
        """The next fill; `now_ms` is the wall clock, an account's times strictly increase."""
        if self.done:
            return
        point = self.fills * self._points // self._plan.fills
        yield from self._to_point(point, now_ms)
        left = self._plan.fills - self.fills
        book = self._flattened[left - 1] if left <= len(self._flattened) else None
        size_e8 = self._size(book) if book else 0
        if book and size_e8:
            signed_e8 = -size_e8
        else:
            book = self._random.choice(self._held)
            signed_e8 = self._wanted(book, point)
        self.fills += 1
        yield self._fill(book, signed_e8, now_ms)

    def _to_point(self, point: int, now_ms: int) -> Iterator[Execution]:
        self._set_prices(point)
        row = point // POINTS_PER_ROW
        for passed in range(self._row + 1, row + 1):
            if passed % FUNDING_ROWS == FIRST_FUNDING_ROW:
                yield from self._pay_funding(now_ms)
        self._row = row

    def _pay_funding(self, now_ms: int) -> Iterator[Execution]:
        rates = {symbol: self._random.randint(-150, 300) for symbol in self._paths}
        for book in self._held:
            rate = rates[book.symbol]
            text = f"{'-' if rate < 0 else ''}0.{abs(rate):06d}"
            at_ms = self._next_ms(book.account.number, now_ms)
            paid = self._books.pay_funding(
                book.account, book.symbol, self._id("funding"), text, at_ms
            )
            if paid is not None:
                self.funding += 1
                yield paid

    def _wanted(self, book: _Book, point: int) -> int:
        """The signed quantity of the next fill, towards the inventory wanted now."""
        random = self._random
        price_e8 = self._price(book.symbol, point)
        if point >= book.view_until:
            ahead_e8 = self._price(book.symbol, min(point + VIEW_POINTS, self._points - 1))
            is_right = random.randrange(1000) < self._plan.right
            book.view = 600 if (ahead_e8 > price_e8) == is_right else -600
            book.view_until = point + VIEW_POINTS * 3 // 4
        book.noise = book.noise * 7 // 8 + random.randint(-140, 140)
        target = max(-1000, min(1000, book.noise + book.view - 80))
        step_e8 = self._books.symbols[book.symbol].step_e8
        usd_per_step_e8 = price_e8 * step_e8 // UNIT
        size = self._size(book) // step_e8
        most = self._largest_usd[book.symbol] * UNIT // usd_per_step_e8
        wanted = most * target // 1000
        largest = max(1, most // FILLS_TO_LARGEST)
        quantity = random.randint(max(1, largest // 8), largest)
        if wanted == size:
            return random.choice((-1, 1)) * step_e8
        direction = 1 if wanted > size else -1
        if direction * size > 0 and not self._has_margin(book):
            direction = -direction
        return direction * min(quantity, abs(wanted - size)) * step_e8

    def _fill(self, book: _Book, signed_e8: int, now_ms: int) -> Execution:
        side = "Buy" if signed_e8 > 0 else "Sell"
        if book.order_left == 0 or book.order_side != side:
            book.order_id, book.order_side = self._id("order"), side
            book.order_left = self._random.randint(1, 3)
        book.order_left -= 1
        is_maker = self._random.randrange(1000) < self._plan.maker
        ticks = self._random.randint(0, 2)
        against = 1 if (side == "Buy") != is_maker else -1
        tick_e8 = self._books.symbols[book.symbol].tick_e8
        mark_e8 = self._books.prices_e8[book.symbol]
        trade = Trade(
            exec_id=self._id("exec"),
            symbol=book.symbol,
            side=side,
            quantity_e8=abs(signed_e8),
            price_e8=max(tick_e8, mark_e8 + against * ticks * tick_e8),
            fee_rate=MAKER_RATE if is_maker else TAKER_RATE,
            order_id=book.order_id,
            is_maker=is_maker,
        )
        at_ms = self._next_ms(book.account.number, now_ms)
        return self._books.execute(book.account, trade, at_ms)

    def _has_margin(self, book: _Book) -> bool:
        free_e8 = self._books.transferable_e8(book.account, SETTLE_COIN, UNIFIED)
        return free_e8 > self._plan.largest_usd * UNIT // 10

    def _size(self, book: _Book) -> int:
        position = book.account.positions.get(book.symbol)
        return position.size_e8 if position else 0

    def _price(self, symbol: str, point: int) -> int:
        return self._paths[symbol].points_e8[point]

    def _set_prices(self, point: int) -> None:
        for symbol in self._paths:
            self._books.prices_e8[symbol] = self._price(symbol, point)

    def _next_ms(self, account: str, now_ms: int) -> int:
        self._last_ms[account] = max(now_ms, self._last_ms.get(account, 0) + 1)
        return self._last_ms[account]

    def _id(self, kind: str) -> str:
        self._serial += 1
        name = f"{self._plan.run}|{self._plan.seed}|{kind}|{self._serial}"
        return str(uuid5(NAMESPACE_URL, name))


def _largest_usd(path: PricePath, plan: Plan) -> int:
    """The largest position in USD: what a usual move turns into `swing_usd`, within the plan."""
    ahead = zip(path.points_e8, path.points_e8[VIEW_POINTS:], strict=False)
    moves_ppm = sorted(abs(later - now) * 10**6 // now for now, later in ahead)
    usual_ppm = moves_ppm[len(moves_ppm) // 2] if moves_ppm else 0
    return min(plan.largest_usd, plan.swing_usd * 10**6 // max(1, usual_ppm))
