"""The topology as data: which node reads what, keeps which table, decides by which step, writes
where.

Wiring, replay, documentation and the test harness are all made from these tuples.

    hedge-executions, loan-states, snapshots ─> book ─> proposals ─> gate ─> intents ─> (executor)
                 balance_events ─> cash ─> proposals ─────┘   │                │
                         book-inputs, cash-inputs <─ outcomes ┴────────────────┘
    every decision ─> audit
"""

from __future__ import annotations

from streams import audit, book, cash, gate, intents
from streams.node import Node
from tables.audit import AUDIT as AUDIT_TABLE
from tables.book import BOOK as BOOK_TABLE
from tables.cash import CASH as CASH_TABLE
from tables.gate import GATE as GATE_TABLE
from tables.intents import INTENTS as INTENTS_TABLE

PIPELINE, EXECUTOR = "weir-pipeline", "weir-executor"

BOOK = Node(
    name="book",
    app=PIPELINE,
    sources=(
        "hedge-executions",
        "treasury.loan-states.v1",
        "treasury.account-snapshots.v1",
        "treasury.book-inputs.v1",
    ),
    inbox="treasury.book-inputs.v1",
    table=BOOK_TABLE,
    step=book.step,
    sinks=(
        "treasury.pnl.v1",
        "treasury.positions.v1",
        "treasury.trades.v1",
        "treasury.risk-events.v1",
        "treasury.tax-lots.v1",
        "treasury.allocations.v1",
        "treasury.actions.v1",
        "treasury.alerts.v1",
        "treasury.proposals.v1",
        "treasury.decisions.v1",
    ),
)

CASH = Node(
    name="cash",
    app=PIPELINE,
    sources=("balance_events", "treasury.cash-inputs.v1"),
    inbox="treasury.cash-inputs.v1",
    table=CASH_TABLE,
    step=cash.step,
    sinks=(
        "cash_positions",
        "treasury.forecasts.v1",
        "treasury.var.v1",
        "treasury.attempts.v1",
        "treasury.alerts.v1",
        "treasury.proposals.v1",
        "treasury.desk-inputs.v1",
        "treasury.decisions.v1",
    ),
)

GATE = Node(
    name="gate",
    app=PIPELINE,
    sources=("treasury.proposals.v1", "treasury.approvals.v1", "treasury.desk-inputs.v1"),
    inbox="treasury.desk-inputs.v1",
    table=GATE_TABLE,
    step=gate.step,
    sinks=(
        "treasury.intents.v1",
        "treasury.intent-inputs.v1",
        "treasury.intent-states.v1",
        "treasury.book-inputs.v1",
        "treasury.alerts.v1",
        "treasury.cash-inputs.v1",
        "sweep_intent",
        "treasury.decisions.v1",
    ),
)

INTENTS = Node(
    name="intents",
    app=EXECUTOR,
    sources=("treasury.intents.v1", "treasury.attempts.v1", "treasury.intent-inputs.v1"),
    inbox="treasury.intent-inputs.v1",
    table=INTENTS_TABLE,
    step=intents.step,
    sinks=(
        "treasury.attempts.v1",
        "treasury.intent-states.v1",
        "treasury.book-inputs.v1",
        "treasury.cash-inputs.v1",
        "treasury.desk-inputs.v1",
        "treasury.alerts.v1",
        "treasury.decisions.v1",
    ),
)

AUDIT = Node(
    name="audit",
    app=PIPELINE,
    sources=("treasury.decisions.v1",),
    inbox=None,
    table=AUDIT_TABLE,
    step=audit.step,
    sinks=("treasury.audit.v1",),
    per_partition=True,
)

NODES = (BOOK, CASH, GATE, INTENTS, AUDIT)
RELAYED = ("orch_config_updates", "treasury.controls.v1")
