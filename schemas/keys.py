"""How a message key, and the text whose hash names the partition, follow from a record."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

COPY_KEY = "@partition"
"""Key of the copies of policy, controls and calendars; their writer names the partition."""
CHECKPOINT_KEY = "root"
"""Key of the audit's checkpoints: there is one line of them."""


def _account_input_key(record: Any) -> str | None:
    if _is_copy(record):
        return COPY_KEY
    account_id: str | None = getattr(record.body, "account_id", None)
    return account_id


def _desk_input_key(record: Any) -> str:
    return COPY_KEY if _is_copy(record) else "desk"


def _intent_input_key(record: Any) -> str | None:
    return COPY_KEY if _is_copy(record) else None


def _is_copy(record: Any) -> bool:
    return type(record.body).__name__ in ("PolicyCopy", "ControlCopy", "Calendar")


def _desk(record: Any) -> str:
    return "desk"


def _instrument(record: Any) -> str:
    """A spot pair may be called as a contract is: only it says what it is."""
    return f"spot:{record.symbol}" if record.category == "spot" else str(record.symbol)


_account: Callable[[Any], str] = attrgetter("account_id")
_lane: Callable[[Any], str] = attrgetter("lane")
KEYS: dict[str, Callable[[Any], str | None]] = {
    "hedge-executions": _account,
    "treasury.loan-states.v1": _account,
    "treasury.account-snapshots.v1": _account,
    "treasury.book-inputs.v1": _account_input_key,
    "treasury.pnl.v1": _account,
    "treasury.positions.v1": lambda r: f"{r.account_id}|{_instrument(r)}|{r.idx}",
    "treasury.trades.v1": _account,
    "treasury.risk-events.v1": _account,
    "treasury.tax-lots.v1": lambda r: f"{r.account_id}|{r.asset}",
    "treasury.allocations.v1": _account,
    "treasury.actions.v1": _account,
    "balance_events": _account,
    "treasury.cash-inputs.v1": _account_input_key,
    "cash_positions": _account,
    "treasury.forecasts.v1": _account,
    "treasury.var.v1": _account,
    "sweep_intent": attrgetter("order_id"),
    "orch_config_updates": attrgetter("name"),
    "treasury.controls.v1": attrgetter("scope"),
    "treasury.proposals.v1": _desk,
    "treasury.approvals.v1": _desk,
    "treasury.desk-inputs.v1": _desk_input_key,
    "treasury.intents.v1": _lane,
    "treasury.intent-inputs.v1": _intent_input_key,
    "treasury.intent-states.v1": attrgetter("intent_id"),
    "treasury.decisions.v1": lambda r: f"{r.node}|{r.key}",
    "treasury.audit.v1": attrgetter("chain_id"),
    "treasury.audit-checkpoints.v1": lambda r: CHECKPOINT_KEY,
    "treasury.merge-order.v1": lambda r: f"{r.node}|{r.partition}",
    "treasury.alerts.v1": attrgetter("key"),
}
PARTITION_KEYS: dict[str, Callable[[Any], str]] = {
    "treasury.positions.v1": _account,
    "treasury.tax-lots.v1": _account,
    "treasury.intent-states.v1": _lane,
}
