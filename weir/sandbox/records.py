"""The rows the venue keeps about what was done: executions, orders, transfers, repayments,
adjustments, settings of leverage.
"""

from dataclasses import dataclass, field
from fractions import Fraction

from weir.sandbox.positions import Position

__all__ = [
    "FAILED",
    "LIQUIDATION",
    "NEVER_MS",
    "PROCESSING",
    "SUCCESS",
    "USER",
    "Account",
    "Adjust",
    "Execution",
    "Order",
    "Repay",
    "Setting",
    "Transfer",
]

SUCCESS, PROCESSING, FAILED = 1, 2, 3
USER, LIQUIDATION = 1, 2
NEVER_MS = 1 << 62


@dataclass(frozen=True, slots=True)
class Execution:
    """A fill or a funding payment (`exec_type` Funding: quantity and side are the position's)."""

    exec_id: str
    account: str
    symbol: str
    side: str
    exec_type: str
    quantity_e8: int
    price_e8: int
    value_e8: int
    fee_e8: int
    fee_rate: str
    closed_e8: int
    gross_e8: int
    mark_e8: int
    order_id: str
    order_quantity_e8: int
    is_maker: bool
    seq: int
    exec_time_ms: int
    order_link_id: str = ""


@dataclass(slots=True)
class Order:
    """One order under the client's own id; a market order has price 0. It may act from `acts_ms`
    on.
    """

    order_id: str
    link_id: str
    symbol: str
    side: str
    quantity_e8: int
    price_e8: int
    reduce_only: bool
    at_ms: int
    updated_ms: int
    acts_ms: int
    good_til: str
    status: str = "New"
    filled_e8: int = 0
    value: Fraction = field(default_factory=Fraction)
    fee_e8: int = 0
    reject: str = "EC_NoError"
    cancel: str = "UNKNOWN"

    @property
    def is_open(self) -> bool:
        """Whether more may come of it."""
        return self.status in ("New", "PartiallyFilled")

    @property
    def left_e8(self) -> int:
        """What is not filled and still may be."""
        return self.quantity_e8 - self.filled_e8 if self.is_open else 0


@dataclass(frozen=True, slots=True)
class Setting:
    """A leverage that was set."""

    symbol: str
    leverage: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Transfer:
    """A movement between two wallets of one account, under the client's own id."""

    transfer_id: str
    coin: str
    amount_e8: int
    source: str
    target: str
    status: str
    at_ms: int


@dataclass(slots=True)
class Repay:
    """A repayment of the flexible loan; processing until `settles_ms`, interest is paid first."""

    repay_id: int
    coin: str
    amount_e8: int
    at_ms: int
    settles_ms: int
    status: int = PROCESSING
    repay_type: int = USER
    interest_e8: int = 0
    principal_e8: int = 0


@dataclass(frozen=True, slots=True)
class Adjust:
    """Collateral added (direction 0) or taken back (1), with the loan-to-value around it."""

    adjust_id: int
    coin: str
    amount_e8: int
    direction: int
    ltv_before: str
    ltv_after: str
    at_ms: int
    status: int = SUCCESS


@dataclass(slots=True)
class Account:
    """Everything of one account that is not a balance."""

    number: str
    opened_ms: int
    accrued_hours: int = 0
    positions: dict[str, Position] = field(default_factory=dict)
    executions: list[Execution] = field(default_factory=list)
    transfers: list[Transfer] = field(default_factory=list)
    repays: list[Repay] = field(default_factory=list)
    adjusts: list[Adjust] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    settings: list[Setting] = field(default_factory=list)
    leverage: dict[str, str] = field(default_factory=dict)
    cancels: int = 0
    forgotten_ms: int = -1
    """Orders that ended until then stand in the history only."""
