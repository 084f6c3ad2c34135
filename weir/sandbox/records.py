"""The rows the venue keeps about what was done: executions, transfers, repayments, adjustments."""

from dataclasses import dataclass, field

from weir.sandbox.positions import Position

__all__ = ["FAILED", "PROCESSING", "SUCCESS", "Account", "Adjust", "Execution", "Repay", "Transfer"]

SUCCESS, PROCESSING, FAILED = 1, 2, 3


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
    repay_type: int = 1
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
