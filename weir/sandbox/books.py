"""The venue's own ledger: accounts with wallets, linear positions and a flexible loan pool each.

Every change of a balance is a journal row. Amounts are integers of 10^-8; time comes in as
milliseconds with each call, so the books themselves have no clock.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from uuid import UUID

from weir.sandbox import journal as place
from weir.sandbox.catalogue import COINS, SYMBOLS, Coin, Symbol
from weir.sandbox.journal import Journal
from weir.sandbox.listing import Listing
from weir.sandbox.money import UNIT, e8, e8_rounded, places, text
from weir.sandbox.positions import Position
from weir.sandbox.records import Account, Execution, Transfer
from weir.sandbox.refusal import Refused

__all__ = ["Books", "Terms", "Trade", "amount_e8"]

SETTLE_COIN = "USDT"
WALLETS = (place.UNIFIED, place.FUND)


@dataclass(frozen=True, slots=True)
class Terms:
    """What may be configured about the venue's ways; times in milliseconds."""

    settle_ms: int = 200
    hour_ms: int = 3_600_000
    ltv_initial: Fraction = Fraction(4, 5)
    first_repay_id: int = 1771
    first_adjust_id: int = 27511


@dataclass(frozen=True, slots=True)
class Trade:
    """A fill as the matching engine reports it; the fee follows from the rate."""

    exec_id: str
    symbol: str
    side: str
    quantity_e8: int
    price_e8: int
    fee_rate: str
    order_id: str = ""
    order_quantity_e8: int = 0
    is_maker: bool = False
    order_link_id: str = ""


@dataclass
class Books:
    """All accounts of the venue and the one journal behind them."""

    terms: Terms = field(default_factory=Terms)
    coins: dict[str, Coin] = field(default_factory=lambda: dict(COINS))
    symbols: dict[str, Symbol] = field(default_factory=lambda: dict(SYMBOLS))
    prices_e8: dict[str, int] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    journal: Journal = field(default_factory=Journal)
    seqs: dict[str, int] = field(default_factory=dict)
    listing: Listing = field(default_factory=Listing)
    on_execution: list[Callable[[Account, Execution], None]] = field(default_factory=list)

    def open_account(
        self,
        number: str,
        at_ms: int,
        *,
        wallets: dict[tuple[str, str], int],
        principal: dict[str, int] | None = None,
        interest: dict[str, int] | None = None,
        collateral: dict[str, int] | None = None,
    ) -> Account:
        """Open an account with balances (10^-8): (wallet, coin), and per coin what it owes."""
        if number in self.accounts:
            raise ValueError(f"account {number} is open already")
        account = self.accounts[number] = Account(number, at_ms)
        for (wallet, coin), amount_e8 in wallets.items():
            self.book(account, at_ms, coin, place.VENUE, wallet, amount_e8, "opening", number)
        for coin, amount_e8 in (principal or {}).items():
            self.book(account, at_ms, coin, place.PRINCIPAL, place.VENUE, amount_e8, "loan", number)
        for coin, amount_e8 in (interest or {}).items():
            self.book(account, at_ms, coin, place.INTEREST, place.VENUE, amount_e8, "loan", number)
        for coin, amount_e8 in (collateral or {}).items():
            self.book(
                account, at_ms, coin, place.VENUE, place.COLLATERAL, amount_e8, "opening", number
            )
        return account

    def execute(self, account: Account, trade: Trade, at_ms: int) -> Execution:
        """Book one fill: position, gross profit and fee of the settlement coin."""
        price_e8, quantity_e8 = trade.price_e8, trade.quantity_e8
        position = self.position(account, trade.symbol, at_ms)
        value = Fraction(quantity_e8 * price_e8, UNIT)
        fee_e8 = e8_rounded(value * Fraction(trade.fee_rate))
        closed = position.trade(quantity_e8 if trade.side == "Buy" else -quantity_e8, price_e8)
        position.fees_e8 += fee_e8
        row = Execution(
            exec_id=trade.exec_id,
            account=account.number,
            symbol=trade.symbol,
            side=trade.side,
            exec_type="Trade",
            quantity_e8=quantity_e8,
            price_e8=price_e8,
            value_e8=e8_rounded(value),
            fee_e8=fee_e8,
            fee_rate=trade.fee_rate,
            closed_e8=closed.closed_e8,
            gross_e8=closed.gross_e8,
            mark_e8=self.prices_e8.get(trade.symbol, price_e8),
            order_id=trade.order_id,
            order_quantity_e8=trade.order_quantity_e8 or quantity_e8,
            is_maker=trade.is_maker,
            seq=self._next_seq(trade.symbol),
            exec_time_ms=at_ms,
            order_link_id=trade.order_link_id,
        )
        self._settle_execution(account, position, row)
        return row

    def pay_funding(
        self, account: Account, symbol: str, exec_id: str, rate: str, at_ms: int
    ) -> Execution | None:
        """Funding of an open position at the mark: a long pays a positive rate, a short gets it."""
        position = account.positions.get(symbol)
        if position is None or position.size_e8 == 0:
            return None
        mark_e8 = self.prices_e8[symbol]
        value, is_long = position.value_e8(mark_e8), position.size_e8 > 0
        held_rate = Fraction(rate) if is_long else -Fraction(rate)
        fee_e8 = e8_rounded(value * held_rate)
        position.funding_e8 += fee_e8
        row = Execution(
            exec_id=exec_id,
            account=account.number,
            symbol=symbol,
            side="Buy" if is_long else "Sell",
            exec_type="Funding",
            quantity_e8=abs(position.size_e8),
            price_e8=mark_e8,
            value_e8=e8_rounded(value),
            fee_e8=fee_e8,
            fee_rate=rate if is_long else rate.removeprefix("-") if rate[0] == "-" else f"-{rate}",
            closed_e8=0,
            gross_e8=0,
            mark_e8=mark_e8,
            order_id="",
            order_quantity_e8=0,
            is_maker=False,
            seq=self._next_seq(symbol),
            exec_time_ms=at_ms,
        )
        self._settle_execution(account, position, row)
        return row

    def transfer(
        self,
        account: Account,
        *,
        transfer_id: str,
        coin: str,
        amount: str,
        source: str,
        target: str,
        at_ms: int,
    ) -> Transfer:
        """Move a coin between the account's wallets, once per transfer id."""
        try:
            UUID(transfer_id)
        except ValueError:
            raise Refused(10001, f"params error: transferId is no UUID: {transfer_id!r}") from None
        if any(done.transfer_id == transfer_id for done in account.transfers):
            raise Refused(131214, "TransferId exist")
        for name, wallet in (("fromAccountType", source), ("toAccountType", target)):
            if wallet not in WALLETS:
                raise Refused(10001, f"params error: {name} not supported: {wallet!r}")
        if source == target:
            raise Refused(10001, "params error: fromAccountType and toAccountType are the same")
        listed = self.coins.get(coin)
        if listed is None:
            raise Refused(10001, f"params error: coin not supported: {coin!r}")
        moved_e8 = amount_e8("amount", amount, listed.transfer_places, precision_code=131210)
        if moved_e8 > self.transferable_e8(account, coin, source):
            raise Refused(131212, "User insufficient balance")
        self.book(account, at_ms, coin, source, target, moved_e8, "transfer", transfer_id)
        done = Transfer(transfer_id, coin, moved_e8, source, target, "SUCCESS", at_ms)
        account.transfers.append(done)
        return done

    def book(
        self,
        account: Account,
        at_ms: int,
        coin: str,
        source: str,
        target: str,
        amount_e8: int,
        cause: str,
        ref: str,
    ) -> None:
        """One journal row of an account."""
        self.journal.move(
            at_ms,
            account.number,
            coin,
            source=source,
            target=target,
            amount_e8=amount_e8,
            cause=cause,
            ref=ref,
        )

    def position(self, account: Account, symbol: str, at_ms: int) -> Position:
        """The position of a symbol, made flat on its first use."""
        if symbol not in account.positions:
            account.positions[symbol] = Position(symbol, created_ms=at_ms, updated_ms=at_ms)
        return account.positions[symbol]

    def balance_e8(self, account: Account, coin: str, where: str) -> int:
        """The balance of one place of an account."""
        return self.journal.balance_e8(account.number, coin, where)

    def usd_price_e8(self, coin: str) -> int:
        """The price of a coin in USD: its linear mark, or 1 for a stable coin."""
        return self.prices_e8.get(f"{coin}USDT", UNIT)

    def initial_margin(self, account: Account) -> Fraction:
        """Margin bound by open positions, in the settlement coin."""
        return sum(
            (
                p.value_e8(self.prices_e8.get(p.symbol, 0)) / self.leverage(account, p.symbol)
                for p in account.positions.values()
            ),
            Fraction(0),
        )

    def unrealised(self, account: Account) -> Fraction:
        """Unrealised profit of all positions at the marks, exact."""
        marks = self.prices_e8
        positions = account.positions.values()
        return sum((p.unrealised(marks.get(p.symbol, 0)) for p in positions), Fraction(0))

    def transferable_e8(self, account: Account, coin: str, wallet: str) -> int:
        """What may leave a wallet: in UNIFIED less margin bound and unrealised loss."""
        balance_e8 = self.balance_e8(account, coin, wallet)
        if wallet != place.UNIFIED or coin != SETTLE_COIN:
            return balance_e8
        free = self.free_margin(account)
        return max(0, free.numerator // free.denominator)

    def free_margin(self, account: Account) -> Fraction:
        """What of the trading wallet no position binds, unrealised loss taken off; exact, 10^-8."""
        balance_e8 = self.balance_e8(account, SETTLE_COIN, place.UNIFIED)
        loss = min(Fraction(0), self.unrealised(account))
        return balance_e8 - self.initial_margin(account) + loss

    def leverage(self, account: Account, symbol: str) -> Fraction:
        """The setting of a contract, or what it is listed with."""
        return Fraction(self.leverage_text(account, symbol))

    def leverage_text(self, account: Account, symbol: str) -> str:
        """The same as the venue writes it."""
        listed = self.symbols.get(symbol)
        return account.leverage.get(symbol, str(listed.leverage) if listed else "1")

    def _settle_execution(self, account: Account, position: Position, row: Execution) -> None:
        ref, coin, at_ms = row.exec_id, SETTLE_COIN, row.exec_time_ms
        self.book(account, at_ms, coin, place.VENUE, place.UNIFIED, row.gross_e8, "gross", ref)
        cause = "funding" if row.exec_type == "Funding" else "fee"
        self.book(account, at_ms, coin, place.UNIFIED, place.VENUE, row.fee_e8, cause, ref)
        position.seq, position.updated_ms = row.seq, row.exec_time_ms
        account.executions.append(row)
        for told in self.on_execution:
            told(account, row)

    def _next_seq(self, symbol: str) -> int:
        self.seqs[symbol] = self.seqs.get(symbol, 4_688_002_126) + 1
        return self.seqs[symbol]


def amount_e8(name: str, amount: str, allowed: int, *, precision_code: int) -> int:
    """Read an amount of a request: a plain positive number with the decimals allowed."""
    try:
        decimals = places(amount)
    except ValueError:
        raise Refused(10001, f"params error: {name} is no number: {amount!r}") from None
    if decimals > allowed:
        raise Refused(precision_code, f"{name} {amount} has more than {allowed} decimals")
    value_e8 = e8(amount)
    if value_e8 <= 0:
        raise Refused(10001, f"params error: {name} must be above 0: {text(value_e8)}")
    return value_e8
