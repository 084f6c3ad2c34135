"""The `.avsc` files as data: named types, self-contained schemas, and how a field is called in
Python.

A type may be referenced from another file by its full name (`treasury.Meta`); `resolved` inlines
it where it is first used, so that the schema of a topic stands alone, as registries and foreign
readers expect.
"""

from __future__ import annotations

import json
import keyword
from functools import cache
from pathlib import Path
from typing import Any

Schema = dict[str, Any]
NAMESPACE = "treasury."
FOLDER = Path(__file__).parent / "avro"
SUFFIX = {("decimal", 18): "_e18", ("decimal", 4): "_e4", ("timestamp-millis", None): "_ms"}

SUBJECTS = {
    "hedge-executions": "HedgeExecution",
    "treasury.loan-states.v1": "LoanState",
    "treasury.account-snapshots.v1": "AccountSnapshot",
    "treasury.book-inputs.v1": "BookInput",
    "treasury.pnl.v1": "PnLRecord",
    "treasury.positions.v1": "Position",
    "treasury.trades.v1": "Trade",
    "treasury.risk-events.v1": "RiskEvent",
    "treasury.tax-lots.v1": "LotEvent",
    "treasury.allocations.v1": "AllocationDecision",
    "treasury.actions.v1": "TreasuryAction",
    "balance_events": "BalanceEvent",
    "treasury.cash-inputs.v1": "CashInput",
    "cash_positions": "CashPosition",
    "treasury.forecasts.v1": "Forecast",
    "treasury.var.v1": "Var",
    "sweep_intent": "SweepOrder",
    "orch_config_updates": "PolicyUpdate",
    "treasury.controls.v1": "Control",
    "treasury.proposals.v1": "Proposal",
    "treasury.approvals.v1": "Approval",
    "treasury.desk-inputs.v1": "DeskInput",
    "treasury.intents.v1": "Intent",
    "treasury.intent-inputs.v1": "IntentInput",
    "treasury.attempts.v1": "AttemptRecord",
    "treasury.intent-states.v1": "IntentState",
    "treasury.decisions.v1": "Decision",
    "treasury.audit.v1": "AuditRecord",
    "treasury.audit-checkpoints.v1": "Checkpoint",
    "treasury.merge-order.v1": "MergeRun",
    "treasury.alerts.v1": "Alert",
}
"""Which record is the value of which topic."""


@cache
def named() -> dict[str, Schema]:
    """Every named type by its short name, as written, in the order of files and lines."""
    types: dict[str, Schema] = {}
    for path in sorted(FOLDER.glob("*.avsc")):
        content = json.loads(path.read_text())
        for schema in content if isinstance(content, list) else [content]:
            if schema["name"] in types:
                raise ValueError(f"{path.name}: {schema['name']} is defined twice")
            types[schema["name"]] = schema
    return types


@cache
def resolved(name: str) -> Schema:
    """The self-contained schema of one record."""
    schema: Schema = _inline(named()[name], set())
    return schema


def short(name: str) -> str:
    """A full name without the namespace."""
    return name.removeprefix(NAMESPACE)


def nullable(avro: Any) -> bool:
    """Whether a type is `["null", T]`."""
    return isinstance(avro, list) and avro[0] == "null"


def inner(avro: Any) -> Any:
    """T of `["null", T]`, else the type itself."""
    return avro[1] if nullable(avro) else avro


def logical(avro: Any) -> tuple[str, int | None] | None:
    """(logical type, scale) of a type, through null, arrays and maps."""
    avro = inner(avro)
    if not isinstance(avro, dict):
        return None
    if avro["type"] in ("array", "map"):
        return logical(avro.get("items", avro.get("values")))
    kind = avro.get("logicalType")
    return (kind, avro.get("scale")) if kind else None


def attribute(field: Schema) -> str:
    """The name of a field in Python: its unit last, and never a keyword."""
    suffix = SUFFIX.get(logical(field["type"]) or ("", None), "")
    name = f"{field['name']}{suffix}"
    return f"{name}_" if keyword.iskeyword(name) else name


def plain(avro: Any) -> Any:
    """A schema without docs: what two versions must share to be the same contract."""
    if isinstance(avro, dict):
        return {key: plain(value) for key, value in avro.items() if key != "doc"}
    return [plain(item) for item in avro] if isinstance(avro, list) else avro


def raw(avro: Any) -> Any:
    """A schema without logical types: a reader of it gives the integers themselves."""
    if isinstance(avro, dict):
        gone = ("logicalType", "precision", "scale") if "logicalType" in avro else ()
        return {key: raw(value) for key, value in avro.items() if key not in gone}
    return [raw(item) for item in avro] if isinstance(avro, list) else avro


def _inline(avro: Any, seen: set[str]) -> Any:
    if isinstance(avro, str):
        if not avro.startswith(NAMESPACE) or avro in seen:
            return avro
        return _inline(named()[short(avro)], seen)
    if isinstance(avro, list):
        return [_inline(item, seen) for item in avro]
    if avro["type"] in ("record", "enum"):
        full = NAMESPACE + avro["name"]
        if full in seen:
            return full
        seen.add(full)
    out = dict(avro)
    if avro["type"] == "record":
        out["fields"] = [
            {**field, "type": _inline(field["type"], seen)} for field in avro["fields"]
        ]
    elif avro["type"] == "array":
        out["items"] = _inline(avro["items"], seen)
    elif avro["type"] == "map":
        out["values"] = _inline(avro["values"], seen)
    return out
