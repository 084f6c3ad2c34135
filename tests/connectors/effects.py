"""Effects as the intents node makes them, for connectors and the runner."""

from __future__ import annotations

from itertools import count
from typing import Any

from schemas.ids import leg_id
from schemas.money import parse_e18
from streams.effects import Call, Look, Prepare
from streams.requests import Terms, body, request_hash

_numbers = count(1)


def work(account_id: str, op: str, amount: str, **more: Any) -> dict[str, Any]:
    """What all effects of one attempt share."""
    intent_id = more.pop("intent_id", f"intent-{next(_numbers)}")
    leg = {"TRANSFER": "transfer", "REPAY": "main", "ADD_COLLATERAL": "main"}.get(op, "only")
    venue = account_id.partition(":")[0]
    coin = more.pop("coin", "USD" if venue == "bank" else "USDT")
    return {
        "effect_id": f"effect-{next(_numbers)}",
        "lane": f"{venue}|{account_id}|{coin}",
        "intent_id": intent_id,
        "leg": leg,
        "n": 1,
        "kind": "REPAY" if op == "TRANSFER" else op,
        "op": op,
        "account_id": account_id,
        "coin": coin,
        "amount_e18": parse_e18(amount),
        "transfer_id": leg_id(intent_id, leg),
        "source": "UNIFIED",
        "target": "FUND",
        "params": {},
        "executed_by": "weir",
        **more,
    }


def prepare(shared: dict[str, Any], absent_mark: dict[str, str] | None = None) -> Prepare:
    """The reads before."""
    return Prepare(**shared, absent_mark=absent_mark or {})


def call(
    shared: dict[str, Any],
    watermark: dict[str, str],
    order: dict[str, str] | None = None,
    **more: Any,
) -> Call:
    """The call itself, with the body and hash the node commits."""
    venue = shared["account_id"].partition(":")[0]
    facts = {name: shared[name] for name in Terms._fields if name in shared}
    said = body(venue, shared["op"], Terms(**facts, order=order or {}))
    rest = {
        "watermark": watermark,
        "body": said,
        "request_hash": request_hash(said),
        "pause_epoch": 1,
        "control_age_max_s": 5,
        "call_start_s": 2,
        "deadline_ms": None,
    }
    return Call(**shared, **{**rest, **more})


def look(shared: dict[str, Any], watermark: dict[str, str], venue_ref: str = "") -> Look:
    """The reads afterwards."""
    return Look(**shared, watermark=watermark, venue_ref=venue_ref)
