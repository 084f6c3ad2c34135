"""What people see of the nodes while they work: the figures of cash that Prometheus reads (swept
amounts, value at risk, how long an order takes), and a line of the log for each state of an intent.

Both are read off what the nodes fold and put out; nothing decides by them. An order takes from the
moment a worker turns to the balance that causes it until the signed order is committed: the moment
travels as a header from the balance to the proposal and to the order, since the gate may live in
another worker. Orders that wait for people, or come of an outcome or a wake-up, have no such
moment. Counters begin with the process, as Prometheus expects. A line is written once its state has
committed; its `trace_id` is what the bank gets as end-to-end id.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import structlog
from prometheus_client import Counter, Gauge, Histogram

from schemas.money import E18, text_e18
from schemas.records import IntentOutcome, IntentState, SweepOrder, Var
from streams.orders import CONFIRMED, OUT, key_of
from streams.step import Emit

SWEPT = Counter("treasury_swept_usd", "Dollars placed and confirmed", ["product"])
VAR_BPS = Gauge("treasury_var_bps", "Value at risk in basis points of the base", ["account"])
LATENCY = Histogram(
    "sweep_decision_latency_seconds",
    "From a balance's arrival to its signed order on the log",
    buckets=(0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 0.8, 1.0, 2.5, 5.0, 30.0),
)
UNKNOWN = float("nan")
"""Where a figure is not known, which is not the same as none at all."""
ARRIVED = "treasury.arrived_ms"
BALANCES = "balance_events"
OBSERVED = frozenset({"cash", "gate"})
"""The nodes of the pipeline it looks at; of the executor it looks at the one there is."""
CARRIERS = frozenset({"treasury.proposals.v1", "sweep_intent"})
"""Topics whose records carry the moment on."""


log = structlog.get_logger()


class Ordered(NamedTuple):
    """An order of this transaction; it is observed once that has committed."""

    arrived_ms: int


class Reached(NamedTuple):
    """A state that an intent has in this transaction; it is logged once that has committed."""

    state: IntentState


class Observer:
    """Looks at one event of a node: `begin` before its step, `headers` and `end` after."""

    def __init__(self) -> None:
        self._arrived_ms: int | None = None

    def begin(self, event: Any) -> None:
        """Notes when the event, or the balance that caused it, arrived."""
        message = event.message
        self._arrived_ms = None
        if message is None:
            return
        if event.topic == BALANCES:
            self._arrived_ms = _now_ms()
        elif event.topic in CARRIERS:
            text = dict(message.headers() or ()).get(ARRIVED)
            self._arrived_ms = int(text) if isinstance(text, bytes) and text.isdigit() else None

    def headers(self, topic: str) -> dict[str, str]:
        """What a record on a topic carries on."""
        if self._arrived_ms is None or topic not in CARRIERS:
            return {}
        return {ARRIVED: str(self._arrived_ms)}

    def end(self, event: Any, outputs: Sequence[Any], part: Any) -> None:
        """Counts what the step put out."""
        for output in outputs:
            if not isinstance(output, Emit):
                continue
            if isinstance(output.value, Var):
                _risk(output.value.account_id, output.value.var_bps_e18)
            elif isinstance(output.value, SweepOrder) and self._arrived_ms is not None:
                event.effect(Ordered(self._arrived_ms))
            elif isinstance(output.value, IntentState):
                event.effect(Reached(output.value))
        known = part.get(f"risk|{event.key}") if event.topic == BALANCES else None
        if known is not None:  # as of a process before this one
            _risk(event.key, known.published_bps_e18)
        body = getattr(event.value, "body", None)
        if outputs and isinstance(body, IntentOutcome):
            _swept(event.key, body, part)


async def committed(effects: Sequence[Any], before_s: float) -> None:
    """The engine's word that what is among these is on the log."""
    for effect in effects:
        if isinstance(effect, Ordered):
            LATENCY.observe(max(0, _now_ms() - effect.arrived_ms) / 1000)
        elif isinstance(effect, Reached):
            tell(effect.state)


def traced(intent_id: str) -> dict[str, str]:
    """What every line of the log about an intent carries."""
    return {"trace_id": key_of(intent_id), "order_id": intent_id}


def tell(state: IntentState) -> None:
    """The line of a state."""
    log.info(
        "intent",
        **traced(state.intent_id),
        decision_id=state.decision_id,
        decision=state.kind,
        state=state.state,
        reason=state.reason,
        account_id=state.account_id,
        amount=text_e18(state.amount_e18),
        done=text_e18(state.amount_done_e18),
        ccy=state.ccy,
    )


def _risk(account_id: str, bps_e18: int | None) -> None:
    VAR_BPS.labels(account_id).set(UNKNOWN if bps_e18 is None else bps_e18 / E18)


def _swept(account_id: str, outcome: IntentOutcome, part: Any) -> None:
    if (outcome.state, outcome.kind, outcome.origin) != (CONFIRMED, OUT, "cash"):
        return
    order = part.get(f"orders|{account_id}|{key_of(outcome.intent_id)}")
    if order is not None:
        SWEPT.labels(order.product).inc(outcome.amount_done_e18 / E18)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
