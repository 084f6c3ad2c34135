"""The records of one decision on treasury.decisions.v1: what the book or cash decided, and what the
gate and the executor's node decided of it later.

A decision's id begins with the time of its cause, which is the time of its record: reading starts
there and not at the beginning of the topic.
"""

from __future__ import annotations

import json
import re
from typing import Any

from schemas.jsonform import iso
from schemas.wire import Wire
from weir.consume import consume
from weir.errors import WeirError
from weir.explain import sweeps
from weir.explain.origin import known
from weir.explain.reasons import Reasons, reasons
from weir.explain.sweeps import SweepReasons

TOPIC = "treasury.decisions.v1"
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
BOOK, CASH = "book", "cash"


def explain(
    bootstrap: str, wire: Wire, decision_id: str, timeout_s: float | None = None
) -> Reasons | SweepReasons:
    """Why the decision was made. WeirError when no such decision is kept, or it is none of the
    book's or of cash.
    """
    if not _ID.fullmatch(decision_id):
        raise WeirError(f"decision {decision_id!r}: no id of a decision, which is a UUIDv7")
    since_ms = int(decision_id.replace("-", "")[:12], 16)
    lines = [
        line
        for line in consume(bootstrap, TOPIC, wire, start=str(iso(since_ms)), timeout_s=timeout_s)
        if line["value"]["decision_id"] == decision_id
    ]
    made = next((line for line in lines if line["value"]["node"] in (BOOK, CASH)), None)
    if made is None:
        raise WeirError(_missing(decision_id, [line["value"]["node"] for line in lines]))
    body = json.loads(made["value"]["body"])
    if "request_id" in body:
        raise WeirError(
            f"decision {decision_id}: a wish of people, which nothing was reckoned for;"
            f" `weir audit {decision_id}` tells what became of it"
        )
    if "terms" not in body:
        raise WeirError(f"decision {decision_id}: recorded before its terms were kept")
    later = [_later(line) for line in lines if line is not made]
    place = {"topic": TOPIC, "partition": made["partition"], "offset": made["offset"]}
    if made["value"]["node"] == CASH:
        found = known(bootstrap, wire, body, timeout_s)
        return sweeps.reasons(decision_id, place, body, later, found)
    return reasons(decision_id, place, body, later)


def _missing(decision_id: str, nodes: list[str]) -> str:
    if nodes:
        return (
            f"decision {decision_id}: only {', '.join(sorted(set(nodes)))} speaks of it on {TOPIC}"
        )
    return f"decision {decision_id}: not on {TOPIC} (its records are kept for 90 days)"


def _later(line: dict[str, Any]) -> dict[str, Any]:
    value = line["value"]
    return {
        "node": value["node"],
        "outcome": value["outcome"],
        "at": line["timestamp"],
        "topic": TOPIC,
        "partition": line["partition"],
        "offset": line["offset"],
    }
