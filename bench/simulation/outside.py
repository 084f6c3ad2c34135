"""What reaches Weir from outside: profits, readings of the account, pauses, policies, wishes; and
what people do at the venue by themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.simulation.books import COIN, DONE, HOURLY_RATE_E18, PROCESSING, REPAY, RefusedByVenue
from bench.simulation.policies import policy
from bench.simulation.swarm import HOUR, MINUTE, SECOND
from schemas.money import E18
from schemas.records import (
    AccountSnapshot,
    BookInput,
    Collateral,
    ControlCopy,
    Debt,
    DeskInput,
    IntentInput,
    LoanState,
    PolicyCopy,
    Request,
    UsdRate,
    WalletBalance,
)
from tables.partition import ControlEntry
from tables.spec import PARTITION_KEY
from tests.fill import fill

if TYPE_CHECKING:
    from bench.simulation.world import World

INBOXES = {
    "treasury.book-inputs.v1": BookInput,
    "treasury.desk-inputs.v1": DeskInput,
    "treasury.intent-inputs.v1": IntentInput,
}
PROFITS_USD = (300, 1_000, 2_000, 5_000, 9_000, 20_000)
RATES_E18 = (E18, E18, E18 - E18 // 2000, E18 + E18 // 3000)
FACTORS_PCT = (95, 94, 93, 90, 45)
JUMPS_MS = (-HOUR, -MINUTE, -SECOND, SECOND, MINUTE, HOUR)
VENUE_JUMPS_MS = (-HOUR, -MINUTE, MINUTE, HOUR, HOUR)
ACTIVE_MS, SOON_MS = 8 * MINUTE, 20 * SECOND
LONG_MS = 80 * MINUTE
READS_MAX = 3


class Outside:
    """`controls` are (time, scope, mode, epoch) as they were written."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.controls: list[tuple[int, str, str, int]] = []
        self.versions: dict[str, PolicyCopy] = {}
        self._relayed_ms = dict.fromkeys(INBOXES, 0)
        self._fills = self._polls = 0

    def begin(self) -> None:
        """Puts the whole life on the agenda."""
        world, swarm = self._world, self._world.swarm
        self.new_policy(at_once=True)
        self.control("all", "ACTIVE", at_once=True)
        for number in range(swarm.fills):
            at_ms = 1_000 if number == 0 else world.draw_ms(ACTIVE_MS)
            world.act_after(at_ms, self.earn, number == 0)
        for count, act in (
            (swarm.pauses, self.pause),
            (swarm.policies, self.new_policy),
            (swarm.cancels, self.cancel),
            (swarm.manual, self.act_by_hand),
            (swarm.jumps, self.jump),
            (swarm.venue_jumps, self.venue_jump),
        ):
            for _ in range(count):
                soon = world.chance.random() < 0.5
                world.act_after(world.draw_ms(SOON_MS if soon else ACTIVE_MS), act)
        world.agenda.after(world.draw_ms(HOUR), self.accrue)
        if not swarm.quiet:
            world.act_after(ACTIVE_MS + world.draw_ms(ACTIVE_MS), self.rest)

    def rest(self) -> None:
        """Nothing more is to come."""

    # Policy and pause

    def new_policy(self, at_once: bool = False) -> None:
        """The next version."""
        world, swarm = self._world, self._world.swarm
        windows = ("utc_day", "rolling_24h") if swarm.rolling else ("utc_day",)
        copy = policy(
            len(self.versions) + 1,
            world.accounts,
            world.chance.choice((4_000, 7_000)) if swarm.tight else 50_000,
            world.chance.choice(windows),
            swarm.absence_s,
            world.chance.choice(("keep", "return")) if swarm.keep else "return",
            swarm.people,
            swarm.dual,
        )
        self.versions[f"{copy.name}@{copy.version}"] = copy
        self._relay(copy, at_once)

    def pause(self) -> None:
        """A pause, and its end. Two people may act at once, and then both controls have one epoch,
        as they may while the policy names nobody.
        """
        world = self._world
        scope = world.chance.choice(("all", "all", "class:loan", f"account:{world.accounts[0]}"))
        mode = world.chance.choice(("PAUSED", "PAUSED", "PAUSED", "REDUCING"))
        if world.swarm.races:
            self.control("venue:bybit", "ACTIVE")
        self.control(scope, mode, again=world.swarm.races)
        most_ms = LONG_MS if world.swarm.long_pause else MINUTE
        world.act_after(SECOND + world.draw_ms(most_ms), self.control, scope, "ACTIVE")

    def control(self, scope: str, mode: str, at_once: bool = False, *, again: bool = False) -> None:
        """One change of mode; the relay copies it, and processes read it by themselves. `again`:
        under the epoch of the one before.
        """
        now_ms = self._world.agenda.now_ms
        epoch = self.epoch_at(now_ms) + (not again)
        self.controls.append((now_ms, scope, mode, epoch))
        self._relay(ControlCopy(scope, mode, epoch, "simulated", now_ms), at_once)

    def epoch_at(self, at_ms: int) -> int:
        """The newest epoch at a time."""
        return max((epoch for when, _, _, epoch in self.controls if when <= at_ms), default=0)

    def controls_at(self, at_ms: int) -> tuple[ControlEntry, ...]:
        """The control of each scope at a time."""
        said = {
            scope: ControlEntry(scope, mode, epoch, "simulated")
            for when, scope, mode, epoch in self.controls
            if when <= at_ms
        }
        return tuple(said.values())

    def paused(self, account_id: str, since_ms: int, until_ms: int) -> bool:
        """Whether the account was paused without a break between two times."""
        mine = ("all", "class:loan", f"account:{account_id}")
        modes: dict[str, str] = {}
        began_ms: int | None = None
        for when_ms, scope, mode, _ in self.controls:
            if when_ms > until_ms:
                break
            if scope in mine:
                modes[scope] = mode
            if "PAUSED" not in modes.values():
                began_ms = None
            elif began_ms is None:
                began_ms = when_ms
        return began_ms is not None and began_ms <= since_ms

    def _relay(self, copy: PolicyCopy | ControlCopy, at_once: bool) -> None:
        world = self._world
        for topic, record in INBOXES.items():
            if at_once:
                world.log.write(topic, record(body=copy), PARTITION_KEY)
                continue
            at_ms = world.agenda.now_ms + world.draw_ms(world.swarm.relay_lag_ms)
            self._relayed_ms[topic] = at_ms = max(at_ms, self._relayed_ms[topic])
            world.act_after(
                at_ms - world.agenda.now_ms,
                world.log.write,
                topic,
                record(body=copy),
                PARTITION_KEY,
            )

    def cancel(self) -> None:
        """Somebody wants one of the open intents gone."""
        world = self._world
        for intent_id in list(world.judge.open)[:1]:
            wish = Request(
                f"cancel-{intent_id}", "CANCEL", {"intent_id": intent_id}, (), "simulated"
            )
            lane = world.judge.lane_of[intent_id]
            world.log.write("treasury.intent-inputs.v1", IntentInput(body=wish), lane)

    # Readings

    def earn(self, first: bool) -> None:
        """A closed trade, mostly a gain, and fresh readings before it."""
        world, chance = self._world, self._world.chance
        account_id = chance.choice(world.accounts)
        profit = -500 if not first and chance.random() < 0.1 else chance.choice(PROFITS_USD)
        if first:
            self._yesterday(account_id, profit)
        self.poll(account_id)
        self._fills += 1
        books = world.venue.books(account_id)
        row = fill(
            f"x{self._fills}",
            account_id,
            "Buy",
            E18,
            (60_000 + profit) * E18,
            world.agenda.now_ms + books.skew_ms,
            kind="CLOSED_TRADE",
            size_e18=E18,
            entry_price_e18=60_000 * E18,
            exit_price_e18=(60_000 + profit) * E18,
            source="simulated",
        )
        world.judge.earned(account_id, profit * E18)
        world.log.write("hedge-executions", row)

    def poll(self, account_id: str) -> None:
        """What the pollers read: rate, wallets, loan."""
        world = self._world
        books = world.venue.books(account_id)
        held, as_of_ms = books.held, world.agenda.now_ms + books.skew_ms
        rate = UsdRate(COIN, world.chance.choice(RATES_E18), as_of_ms)
        world.log.write("treasury.desk-inputs.v1", DeskInput(body=rate), "desk")
        wallets = (
            WalletBalance("UNIFIED", COIN, held.unified_e18, held.unified_e18),
            WalletBalance("FUND", COIN, held.fund_e18, held.fund_e18),
        )
        snapshot = AccountSnapshot(account_id, wallets, (), (), "REGULAR_MARGIN", 0, as_of_ms)
        world.log.write("treasury.account-snapshots.v1", snapshot)
        owed = Debt(
            COIN, held.principal_e18, held.interest_e18, held.debt_e18, HOURLY_RATE_E18, False
        )
        world.log.write(
            "treasury.loan-states.v1",
            LoanState(
                account_id=account_id,
                loan_id="pool",
                coin=COIN,
                principal_amount_e18=held.principal_e18,
                accrued_interest_e18=held.interest_e18,
                interest_rate_e18=HOURLY_RATE_E18 * 8760,
                hourly_rate_e18=HOURLY_RATE_E18,
                debts=(owed,) if held.debt_e18 else (),
                total_debt_usd_e18=held.debt_e18,
                collateral_value_e18=books.backing_e18 + held.pledged_e18,
                ltv_ratio_e18=books.ltv_e18(held),
                collaterals=(
                    Collateral("BTC", E18, books.backing_e18),
                    Collateral(COIN, held.pledged_e18, held.pledged_e18),
                ),
                as_of_ms=as_of_ms,
                col_res=0,
            ),
        )

    def poll_soon(self, account_id: str) -> None:
        """Something was decided or has ended: sometimes the next readings come in time."""
        if self._polls < READS_MAX and not self._world.swarm.calm:
            self._polls += 1
            self._world.act_after(self._world.draw_ms(5 * SECOND), self.poll, account_id)

    def _yesterday(self, account_id: str, profit: int) -> None:
        """The same has been done the day before: history knows the same amounts."""
        world = self._world
        for pct in FACTORS_PCT:
            amount = min(profit * E18 * pct // 100, 10_000 * E18)
            for op in ("REPAY", "ADD_COLLATERAL"):
                world.venue.books(account_id).remember(op, amount, 24 * HOUR, world.agenda.now_ms)

    # What nobody told Weir

    def jump(self) -> None:
        """A worker's clock is set."""
        worker = self._world.chance.choice(list(self._world.workers.values()))
        worker.jump(self._world.chance.choice(JUMPS_MS))

    def venue_jump(self) -> None:
        """The venue's clock is set."""
        world = self._world
        books = world.venue.books(world.chance.choice(world.accounts))
        books.skew_ms += world.chance.choice(VENUE_JUMPS_MS)

    def accrue(self) -> None:
        """An hour is full everywhere."""
        for account_id in self._world.accounts:
            self._world.venue.books(account_id).accrue(self._world.agenda.now_ms)
        self._world.agenda.after(HOUR, self.accrue)

    def act_by_hand(self) -> None:
        """A person, or the venue itself, moves money of the same account."""
        world, chance = self._world, self._world.chance
        books, now_ms = world.venue.books(chance.choice(world.accounts)), world.agenda.now_ms
        amount = chance.randrange(1, 500_000) * E18 // 100 + 10**12
        act = chance.choice((self._deposit, self._borrow, self._repay, self._pledge, self._sell))
        try:
            act(books, amount, now_ms)
        except RefusedByVenue:
            return
        world.venue.fired["by_hand"] += 1

    def _deposit(self, books: Any, amount: int, now_ms: int) -> None:
        books.change(now_ms, fund=amount)

    def _borrow(self, books: Any, amount: int, now_ms: int) -> None:
        books.change(now_ms, fund=amount, principal=amount)

    def _repay(self, books: Any, amount: int, now_ms: int) -> None:
        """With money of their own. Never what Weir may be repaying at the time, to the last unit:
        nobody could tell whose row that is; so all of a debt is paid in two parts.
        """
        debt = books.held.debt_e18
        for part in (amount,) if amount < debt else (debt // 3, debt - debt // 3):
            books.change(now_ms, fund=part)
            books.settle_repay(now_ms, books.repay(now_ms, part, None, 0), DONE)

    def _pledge(self, books: Any, amount: int, now_ms: int) -> None:
        amount = min(amount, books.held.pledged_e18 // 2)
        books.pledge(now_ms, -amount, None, 0)

    def _sell(self, books: Any, amount: int, now_ms: int) -> None:
        if all(row.steps[-1][1] != PROCESSING for row in books.rows[REPAY]) and books.held.debt_e18:
            books.liquidate(now_ms, min(amount, books.backing_e18 // 10))
