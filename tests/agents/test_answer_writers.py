"""What the real writers of answers write is believed by the real reader: the runner, the cash node
and the web, each by its own key.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition

from agents import exact, keys
from agents.controls import Reading
from agents.exact.harness import Harness
from agents.nodes import add_node
from agents.outside import Outside
from agents.runner import Runner
from agents.signatures import ATTEMPTS, Trust, Trusted, answer_check, answering
from agents.wiring import partition_of
from schemas.records import (
    AttemptRecord,
    BalanceEvent,
    BankBalance,
    BankEntry,
    CashInput,
    ControlCopy,
    SweepOrder,
)
from schemas.signing import PrivateKey
from streams.effects import Prepare
from streams.orders import key_of
from streams.step import IMPORTED
from streams.topology import INTENTS
from tables.spec import PARTITION_KEY
from tests.agents.test_observe import ACCOUNT, NOW_MS, PROPOSALS, TODAY, WIRE, Desk, found
from tests.weir.orders.writer import order
from weir.topics import ensure
from weir.web.app import opened
from weir.web.payments import Word, attempt
from weir.web.settings import WebSettings

P = 8
Headers = list[tuple[str, bytes]]
STRANGER = PrivateKey.new("stranger").public
SEEN, FORGED = "unknown_intent", "signature"
"""Why the reader refuses what is about an intent that it does not know: believed, or not."""


async def refused(folder: Path, trust: Trust, one: AttemptRecord, key: str, said: Headers) -> str:
    """What the intents node refuses an answer with."""
    config = exact.Config(bootstrap="127.0.0.1:1", datadir=folder, header_prefix="treasury")
    app = exact.App("executor", config=config)
    add_node(app, INTENTS, WIRE, 1, checks=answer_check(trust))
    async with Harness(app) as h:
        await h.feed(ATTEMPTS, one, key=key, timestamp_ms=NOW_MS, at_ms=NOW_MS, headers=said)
        (letter,) = h.dead_letters
        return dict(letter.headers)["treasury.outcome"].decode()


def trusting(**said: str) -> Trust:
    """One key of each kind of process, a stranger's unless it is named."""

    def of(name: str) -> Trusted:
        return lambda: (said.get(name, STRANGER),)

    return Trust(of("pipelines"), of("executors"), of("webs"))


class Paused:
    """What the runner reads of the pause."""

    def reading(self) -> Reading:
        return Reading(0, 0.0)


def last(bootstrap: str, lane: str, offset: int) -> tuple[AttemptRecord, Headers]:
    """An answer as it lies on Kafka."""
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": "answers"})
    reader.assign([TopicPartition(ATTEMPTS, partition_of(lane, P), offset)])
    (message,) = reader.consume(1, 20)
    reader.close()
    assert message.key() == lane.encode()
    headers: Any = message.headers()
    return WIRE.decode(ATTEMPTS, message.value()), headers


class Placing(Outside):
    """Remembers where the last record lies."""

    async def write(self, *what: Any, **how: Any) -> int:
        self.offset = await super().write(*what, **how)
        return self.offset


@pytest.mark.req("000-57", "000-72")
async def test_the_runners_answer(broker: str, tmp_path: Path, fresh_topic_suffix: str) -> None:
    ensure(broker, P, 1)
    key, lane = keys.executor(tmp_path), f"bybit|bybit:{fresh_topic_suffix}|USDT"
    outside = Placing(broker, WIRE, P, sign=answering(key))
    runner = Runner({}, outside, Paused())
    work = ("i1", "main", 1, "REPAY", "REPAY", "bybit:1", "USDT", 1, "t", "", "", {}, "weir")
    await runner.carry(Prepare("e1", lane, *work, {}), 0.0)
    runner.close()
    await outside.close()
    one, said = last(broker, lane, outside.offset)
    assert (one.kind, one.attempt_id) == ("PREPARED", "e1")
    assert await refused(tmp_path, trusting(executors=key.public), one, lane, said) == SEEN
    others = trusting(pipelines=key.public, webs=key.public)
    assert await refused(tmp_path, others, one, lane, said) == FORGED


@pytest.mark.req("000-57", "004-11")
async def test_the_word_that_the_web_passes_on(broker: str, tmp_path: Path) -> None:
    ensure(broker, P, 1)
    told = order(3, executed_by="external")
    word = {"event_id": "e1", "order_id": told.order_id, "status": "ACSC"}
    row = attempt(Word.model_validate(word | {"at": "2026-01-05T15:20:00.000Z"}), told)
    lane = f"bank|{told.account_id}|USD"
    async with opened(WebSettings(bootstrap=broker, home=tmp_path)) as services:
        offset = await services.outside.write(ATTEMPTS, row, key=lane)
    one, said = last(broker, lane, offset)
    assert one == row
    key = keys.web(tmp_path).public
    assert await refused(tmp_path, trusting(webs=key), one, lane, said) == SEEN
    others = trusting(executors=key, pipelines=key)
    assert await refused(tmp_path, others, one, lane, said) == FORGED


@pytest.mark.req("000-57", "004-57")
@pytest.mark.parametrize("imported", [False, True])
async def test_an_entry_that_the_cash_node_reads(tmp_path: Path, imported: bool) -> None:
    desk = Desk(tmp_path / "pipeline")
    async with Harness(desk.app) as h:
        if imported:
            marker = ControlCopy(IMPORTED, "PAUSED", 0, "test", 1)
            await desk.tell(h, CashInput(body=marker), PARTITION_KEY)
        await desk.open(h)
        balance = BankBalance("ITAV", 10**10, "USD", NOW_MS)
        await desk.balance(h, BalanceEvent(ACCOUNT, "camt052", "M1", (balance,), (), NOW_MS))
        (proposed,) = found(h.outputs, PROPOSALS)
        proposal = WIRE.decode(PROPOSALS, proposed.value or b"")
        await h.feed(PROPOSALS, proposal, key="desk", timestamp_ms=NOW_MS, at_ms=NOW_MS)
        (ordered,) = found(h.outputs, "sweep_intent")
        made: SweepOrder = WIRE.decode("sweep_intent", ordered.value or b"")
        entry = BankEntry(
            "E1", -made.amount_usd_e4, "USD", "BOOK", False, TODAY, TODAY, key_of(made.order_id)
        )
        booked = BalanceEvent(ACCOUNT, "camt052", "M2", (balance,), (entry,), NOW_MS + 1)
        await desk.balance(h, booked)
        (sent,) = found(h.outputs, ATTEMPTS)
    one, lane = WIRE.decode(ATTEMPTS, sent.value or b""), str(sent.key)
    assert (one.kind, one.intent_id, lane) == ("EVIDENCE", made.order_id, f"bank|{ACCOUNT}|USD")
    said = [(name, text.encode()) for name, text in sent.headers.items()]
    assert ("jws" in dict(said)) is not imported
    trust, others = trusting(pipelines=desk.key.public), trusting(executors=desk.key.public)
    assert await refused(tmp_path, trust, one, lane, said) == (FORGED if imported else SEEN)
    assert await refused(tmp_path, others, one, lane, said) == FORGED
