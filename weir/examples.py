"""An example line for each topic, made from its contract, so that it can be sent as it stands."""

from __future__ import annotations

from typing import Any

from schemas.contracts import SUBJECTS, inner, named, nullable, short
from schemas.jsonform import from_json
from schemas.topics import COPY_KEY, Topic, key_of

TIME = "2026-01-05T09:30:00.250Z"
INTENT = "01975b5d-516a-77cf-b151-967e5b2b8a54"
TEXT = {
    "account_id": "bybit:12345678",
    "action": "repay_principal",
    "actor": "weir:weir-default@1",
    "author": "ann",
    "body": "{}",
    "ccy": "USDT",
    "chain_id": "audit-0",
    "coin": "USDT",
    "event_id": INTENT,
    "decision_id": INTENT,
    "intent_id": INTENT,
    "exec_id": "7f2a1c1e",
    "exec_type": "Trade",
    "fee_ccy": "USDT",
    "id": INTENT,
    "key": "bybit:12345678",
    "lane": "bybit|12345678|USDT",
    "leg": "main",
    "loan_id": "pool",
    "maker": "weir:weir-default@1",
    "margin_mode": "REGULAR_MARGIN",
    "name": "weir-default",
    "node": "book",
    "origin_key": "bybit:12345678",
    "outcome": "ok",
    "policy": "weir-default@1",
    "rule": "seed-v1",
    "scope": "all",
    "settle_ccy": "USDT",
    "state": "READY",
    "symbol": "BTCUSDT",
    "topic": "hedge-executions",
    "venue": "bybit",
    "verb": "UNFREEZE",
    "wallet": "UNIFIED",
}
BANK = {
    "account_id": "bank:0123456789",
    "ccy": "USD",
    "code": "ITAV",
    "display_ref": "SWP-2026-01-05-1",
    "key": "bank:0123456789",
    "method": "inverted_cdf",
    "msg_id": "MSG-1",
    "order_id": INTENT,
    "ref": "E-1",
    "source_account": "0123456789",
    "status": "BOOK",
    "topic": "balance_events",
}
"""What stands otherwise in the records of a bank account."""
BANK_RECORDS = ("BalanceEvent", "CashInput", "CashPosition", "Forecast", "Var", "SweepOrder")
NUMBERS = {
    "price": "95900.1",
    "qty": "0.5",
    "fee": "26.3725275",
    "ltv_ratio": "0.41",
    "rate": "1",
    "hourly_rate": "0.0000075",
    "interest_rate": "0.0657",
    "multiplier": "1",
}


_NODE_KEY = {"CashInput": "account_id"}
"""Of an inbox the text that is its node's key, where that is not the lane."""


def example_line(topic: Topic) -> dict[str, Any]:
    """A line that `weir produce` accepts for a topic with a record."""
    if topic.record is None:
        raise LookupError(f"{topic.name} has no record")
    record = SUBJECTS[topic.name]
    text = TEXT | BANK if record in BANK_RECORDS else TEXT
    value = _example(record, text)
    key = key_of(topic, from_json(topic.record, value))
    line: dict[str, Any] = {
        "key": key if key is not None else text[_NODE_KEY.get(record, "lane")],
        "value": value,
    }
    if key == COPY_KEY:
        line["partition"] = 0
    return line


def _example(record: str, text: dict[str, str]) -> dict[str, Any]:
    return {
        field["name"]: _value(field["name"], field["type"], text)
        for field in named()[record]["fields"]
        if not nullable(field["type"]) and not field.get("default")
    }


def _value(name: str, avro: Any, text: dict[str, str]) -> Any:
    avro = inner(avro)
    if isinstance(avro, list):
        branch = "UsdRate" if "treasury.UsdRate" in avro else "Request"
        return {branch: _example(branch, text)}
    if isinstance(avro, dict):
        if avro["type"] == "array":
            return [] if avro["items"] == "string" else [_value(name, avro["items"], text)]
        if avro["type"] == "map":
            return {}
        if avro["logicalType"] == "decimal":
            return NUMBERS.get(name, "100")
        if avro["logicalType"] == "date":
            return TIME[:10]
        return TIME if avro["logicalType"] == "timestamp-millis" else text[name]
    if avro in ("int", "long"):
        return {"version": 1, "n": 1, "precision": 4, "to": 1}.get(name, 0)
    if avro == "boolean":
        return False
    if avro in ("string", "bytes"):
        return text.get(name, "")
    schema = named()[short(avro)]
    return schema["symbols"][1] if schema["type"] == "enum" else _example(schema["name"], text)
