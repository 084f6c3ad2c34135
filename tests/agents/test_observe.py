"""The figures of cash that Prometheus reads, of a balance that becomes a signed order."""

from __future__ import annotations

import json
from collections.abc import Iterable
from math import isnan
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY, generate_latest

from agents import exact
from agents.exact.harness import Harness, Sent
from agents.nodes import add_node
from agents.observe import ARRIVED, VAR_BPS, Observer, committed
from agents.signatures import signing
from schemas.policy import Policy, canonical, policy_hash
from schemas.records import (
    BalanceEvent,
    BankBalance,
    BankEntry,
    Calendar,
    CashInput,
    ControlCopy,
    DeskInput,
    IntentOutcome,
    PolicyCopy,
    Proposal,
    SweepOrder,
)
from schemas.signing import PrivateKey
from schemas.wire import SchemaIds, Wire
from streams.holidays import CALENDARS, closed
from streams.newyork import DAY_MS
from streams.topology import CASH, GATE
from tables.spec import PARTITION_KEY
from tests.streams.cash_world import ACCOUNT, PAYEES, settings

WIRE = Wire(SchemaIds.from_lock())
NOW_MS = 1_783_602_000_000  # 2026-07-09T13:00:00Z, a Thursday
TODAY = NOW_MS // DAY_MS
PROPOSALS = "treasury.proposals.v1"


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


class Desk:
    """Cash and gate in one app; what one writes the other is fed, headers and all."""

    def __init__(self, folder: Path) -> None:
        config = exact.Config(bootstrap="127.0.0.1:1", datadir=folder, header_prefix="treasury")
        self.app = exact.App("pipeline", config=config)
        self.key = PrivateKey.new("pipeline")
        sign = signing(self.key)
        for node in (CASH, GATE):
            add_node(self.app, node, WIRE, 1, sign=sign, observer=Observer())

    async def open(self, h: Harness) -> None:
        """A policy, ACTIVE, calendars, and a week of statements."""
        chosen = settings(screening={"mode": "allowlist", "allow": sorted(PAYEES.values())})
        body = canonical(Policy.model_validate(json.loads(json.dumps(chosen))))
        copies: list[Any] = [
            PolicyCopy("test", 1, policy_hash(body), body),
            ControlCopy("all", "ACTIVE", 1, "test", 0),
        ]
        for copy in copies:
            await h.feed(GATE.inbox, DeskInput(body=copy), key=PARTITION_KEY, timestamp_ms=1)
        copies += [Calendar(name, 2026, closed(name, 2026)) for name in CALENDARS]
        for copy in copies:
            await self.tell(h, CashInput(body=copy), PARTITION_KEY)
        for day in (TODAY - 3, TODAY - 2, TODAY - 1):
            entry = BankEntry(f"E{day}", -(10**10), "USD", "BOOK", False, day)
            statement = BalanceEvent(
                ACCOUNT, "camt053", f"S{day}", (), (entry,), NOW_MS - DAY_MS, day
            )
            await self.balance(h, statement)

    async def balance(self, h: Harness, event: BalanceEvent) -> None:
        await h.feed(
            "balance_events", event, key=ACCOUNT, timestamp_ms=event.as_of_ms, at_ms=NOW_MS
        )

    async def tell(self, h: Harness, record: Any, key: str = ACCOUNT) -> None:
        await h.feed(CASH.inbox, record, key=key, timestamp_ms=NOW_MS, at_ms=NOW_MS)


def found(sent: Iterable[Sent], topic: str) -> list[Sent]:
    return [one for one in sent if one.topic == topic]


@pytest.mark.req("004-41", "004-42", "004-43")
async def test_a_balance_that_becomes_an_order(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    before = value("sweep_decision_latency_seconds_count")
    swept = value("treasury_swept_usd_total", product="FED_RRP")
    async with Harness(desk.app) as h:
        await desk.open(h)
        assert isnan(value("treasury_var_bps", account=ACCOUNT))  # of no balance: not none at all
        balance = BankBalance("ITAV", 10**10, "USD", NOW_MS)
        await desk.balance(h, BalanceEvent(ACCOUNT, "camt052", "M1", (balance,), (), NOW_MS))
        assert value("treasury_var_bps", account=ACCOUNT) == 10_000
        (proposed,) = found(h.outputs, PROPOSALS)
        headers = dict(proposed.headers)
        assert headers[ARRIVED].isdigit()
        proposal = WIRE.decode(PROPOSALS, proposed.value or b"")
        assert isinstance(proposal, Proposal)
        await h.feed(
            PROPOSALS,
            proposal,
            key="desk",
            timestamp_ms=NOW_MS,
            at_ms=NOW_MS,
            headers=[(name, text.encode()) for name, text in headers.items()],
        )
        (ordered,) = found(h.outputs, "sweep_intent")
        order = WIRE.decode("sweep_intent", ordered.value or b"")
        assert isinstance(order, SweepOrder)
        assert dict(ordered.headers)[ARRIVED] == headers[ARRIVED]
        assert value("sweep_decision_latency_seconds_count") == before
        await committed(h.effects, 0.0)  # the engine's call, once the transaction has committed
        assert value("sweep_decision_latency_seconds_count") == before + 1
        for _ in range(2):  # said twice, counted once
            await desk.tell(h, CashInput(body=confirmed(proposal)))
        assert value("treasury_swept_usd_total", product="FED_RRP") == swept + 700_000


@pytest.mark.req("004-42")
async def test_after_a_restart_the_next_balance_tells_the_risk_again(tmp_path: Path) -> None:
    """Nothing has changed, so no record says it: the gauge of a new process would stay away."""
    desk = Desk(tmp_path)
    async with Harness(desk.app) as h:
        await desk.open(h)
        for number in (1, 2):
            VAR_BPS.clear()
            balance = BankBalance("ITAV", 10**10, "USD", NOW_MS + number)
            said = BalanceEvent(ACCOUNT, "camt052", f"M{number}", (balance,), (), NOW_MS + number)
            await desk.balance(h, said)
            assert value("treasury_var_bps", account=ACCOUNT) == 10_000


def confirmed(proposal: Proposal) -> IntentOutcome:
    return IntentOutcome(
        intent_id=proposal.intent_id,
        decision_id=proposal.decision_id,
        kind=proposal.kind,
        class_="sweep",
        origin="cash",
        account_id=ACCOUNT,
        lane=proposal.lane,
        state="CONFIRMED",
        asked_e18=proposal.asked_e18,
        granted_e18=proposal.asked_e18,
        amount_done_e18=proposal.asked_e18,
        ccy="USD",
        venue_refs=(),
        facts={},
        final=True,
        at_ms=NOW_MS,
    )


@pytest.mark.req("004-04", "004-10")
def test_prometheus_finds_the_three_figures() -> None:
    text = generate_latest().decode()
    for name in (
        "treasury_swept_usd_total",
        "treasury_var_bps",
        "sweep_decision_latency_seconds_bucket",
    ):
        assert name in text
