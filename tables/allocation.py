"""What an account owes, what it can pay from, and who is allocating what.

Every number is an integer of 10^-18 units of its coin (ratios, yearly and hourly rates: of 1).
"""

from __future__ import annotations

from tables.state import State


class Coordinates(State, frozen=True):
    """Where an input lies on the log, so that a decision can name it."""

    topic: str
    partition: int
    offset: int


class Owed(State, frozen=True):
    """What is owed in one coin; a fixed loan can only be repaid whole."""

    coin: str
    principal_e18: int
    interest_e18: int
    usd_e18: int
    hourly_rate_e18: int
    fixed: bool


class Pledged(State, frozen=True):
    """What is pledged in one coin; `usd` is after the haircut, `ratio` that of its last tier."""

    coin: str
    amount_e18: int
    usd_e18: int
    ratio_e18: int | None = None


class Loan(State, frozen=True):
    """The account's loan as last published, or as a confirmed operation left it.

    `coin` is what a repayment is made in, `hourly_rate` the rate of the debt it goes to first.
    `moved_at_ms` is the last known operation: an older state is not applied. `told` are the
    distances to margin call and liquidation that were last said.
    """

    as_of_ms: int
    coin: str
    ltv_ratio_e18: int
    hourly_rate_e18: int
    repayable_e18: int
    debt_usd_e18: int
    collateral_usd_e18: int
    col_res: int | None
    band: str
    source: Coordinates
    loan_id: str = ""
    debts: tuple[Owed, ...] = ()
    collaterals: tuple[Pledged, ...] = ()
    moved_at_ms: int = 0
    told_e18: tuple[int, ...] = ()


class Wallets(State, frozen=True):
    """What each coin of the trading wallet can be transferred, by the last snapshot less what was
    moved since.
    """

    as_of_ms: int
    transferable_e18: dict[str, int]
    source: Coordinates
    moved_at_ms: int = 0


class YieldKnown(State, frozen=True):
    """The last yearly yield of a collateral coin that was reported, key the coin."""

    rate_e18: int
    as_of_ms: int
    source: Coordinates


class Leg(State, frozen=True):
    """One intent of a decision: how much of the profit it still claims (l), and how it ended."""

    intent_id: str
    kind: str
    claim_e18: int
    state: str = ""
    final: bool = False
    reason: str = ""
    refs: tuple[str, ...] = ()


class Operation(State, frozen=True):
    """One decision that moves money, key its decision id: legs, its factor, and what it keeps back
    (b).

    `floor` is the loan to value it must not go below. `before` is the loan it was made from, kept
    until the decision has ended; `read` whether the venue was read after one of its legs.
    """

    ccy: str
    factor_e18: int
    kept_e18: int
    trigger_ms: int
    legs: tuple[Leg, ...]
    action: str = ""
    floor_e18: int | None = None
    before: Loan | None = None
    read: bool = False


class Allocating(State, frozen=True):
    """Single flight: the decision that is open, or until when and for what the account waits.

    A wait ends at `wait_until_ms` (0: by no clock), under another policy than `wait_policy`, and,
    unless the day's limit is used up, with the next loan state.
    """

    open_id: str = ""
    waits_for: str = ""
    wait_until_ms: int = 0
    wait_policy: str = ""


class Alerting(State, frozen=True):
    """An alert that is firing, key its name."""

    since_ms: int
    severity: str


PARTS: dict[str, type[State]] = {
    "loans": Loan,
    "wallets": Wallets,
    "yields": YieldKnown,
    "operations": Operation,
    "allocating": Allocating,
    "alerting": Alerting,
}
"""The parts of the book's table that allocation writes."""
