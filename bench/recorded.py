"""A recorded run without a broker: the pipeline's own agents in the engine's harness, on the rows
of `bench.market`, with policies that change and partitions that are taken over meanwhile.

    log = recorded(folder, seed=1, turns=400)

What comes out is a log as a replay reads it: inputs, outputs, merge order and changelogs.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from agents import keys
from agents.exact.harness import Harness, partition_of
from agents.exact.harness import Record as Message
from agents.nodes import LIVE
from agents.pipeline import build
from agents.settings import WorkerSettings
from agents.signatures import copying
from bench.market import INBOX, ROWS, Market
from bench.memory_log import MemoryLog
from bench.polls import loan, rate, snapshot
from schemas import policy
from schemas.records import (
    BookInput,
    CashInput,
    ControlCopy,
    DeskInput,
    PolicyCopy,
)
from schemas.topics import BY_NAME, timestamp_ms
from schemas.wire import SchemaIds, Wire, header
from streams.topology import NODES, PIPELINE
from tables.spec import PARTITION_KEY
from weir.replay import Record

UNKNOWN = 999_999
"""A schema id that nobody knows: a row of it becomes a dead letter."""
BEGIN_MS = 1_767_571_200_000
"""2026-01-05, midnight."""
WIRE = Wire(SchemaIds.from_lock())
COPIES: dict[str, Callable[[Any], Any]] = {
    INBOX: lambda body: BookInput(body=body),
    "treasury.cash-inputs.v1": lambda body: CashInput(body=body),
    "treasury.desk-inputs.v1": lambda body: DeskInput(body=body),
}
CHANGES: tuple[dict[str, Any], ...] = (
    {},
    {"allocation": {"rule": "opt-v1"}},
    {"allocation": {"f_high": "0.93", "lot_method": "FIFO", "retry_s": 5}},
)
_POLICY = Path(__file__).parents[1] / "deploy" / "policy.yaml"


def recorded(
    folder: Path,
    seed: int = 1,
    turns: int = 300,
    partitions: int = 2,
    accounts: int = 9,
    gap_ms: int = 60_000,
) -> MemoryLog:
    """So many transactions, `gap_ms` apart."""
    run = _Run(folder, seed, partitions, accounts)
    return asyncio.run(run.live(turns, gap_ms))


Headers = tuple[tuple[str, bytes], ...]


class _Input(NamedTuple):
    """A record on its way to a node; without a partition it lies where its key does."""

    topic: str
    key: str
    value: bytes
    at_ms: int
    partition: int | None = None
    headers: Headers = ()


class _Run:
    """One pipeline, what is sent to it, and what it wrote."""

    def __init__(self, folder: Path, seed: int, partitions: int, accounts: int) -> None:
        settings = WorkerSettings(bootstrap="127.0.0.1:1", home=folder, partitions=partitions)
        self._app, self._partitions = build(settings), partitions
        self._sign = copying(keys.pipeline(folder))
        self._chance = random.Random(seed)
        self._market = Market(seed, accounts)
        self._next: Counter[tuple[str, int]] = Counter()
        self._log = MemoryLog({topic: partitions for topic in BY_NAME}, ())
        self._nodes = [node for node in NODES if node.app == PIPELINE]
        self._inputs = {topic for node in self._nodes for topic in node.sources}

    async def live(self, turns: int, gap_ms: int) -> MemoryLog:
        """Rows, polls, and what the nodes tell each other; policies and takeovers on the way."""
        now_ms, generation = BEGIN_MS, 1
        waiting = [*self._policy(0), *self._control(), *self._opened()]
        async with Harness(self._app, self._partitions) as harness:
            for turn in range(turns):
                now_ms += self._chance.randrange(1, 2 * gap_ms)
                if turn and turn % (turns // len(CHANGES)) == 0:
                    waiting += self._policy(turn * len(CHANGES) // turns)
                taken_over = self._chance.random() < 0.02
                generation += taken_over
                waiting += self._happens(now_ms)
                messages = [self._message(one) for one in waiting]
                await harness.turn(messages, now_ms, generation if taken_over else None)
                waiting = list(self._written(harness))
        for one in waiting:  # written, and not read any more
            self._message(one)
        return self._log

    def _happens(self, now_ms: int) -> Iterator[_Input]:
        for said in self._market.rows(now_ms):
            yield _input(said.topic, said.key, said.record, now_ms)
        account = self._chance.choice(self._market.accounts)
        if self._chance.random() < 0.02:
            yield _Input(ROWS, account, header(UNKNOWN) + b"?", now_ms)
        if self._chance.random() < 0.2:
            owed = loan(account, self._chance.randrange(20, 60), now_ms)
            yield _input("treasury.loan-states.v1", account, owed, now_ms)
            places = [place for place in self._market.places if place.account == account]
            held = snapshot(account, places, now_ms)
            yield _input("treasury.account-snapshots.v1", account, held, now_ms)
            yield _input("treasury.desk-inputs.v1", "desk", rate(now_ms), now_ms)

    def _opened(self) -> Iterator[_Input]:
        for said in self._market.openings():
            yield _input(said.topic, said.key, said.record, BEGIN_MS)

    def _policy(self, number: int) -> Iterator[_Input]:
        content = json.loads(policy.canonical(policy.from_yaml(_POLICY.read_text())))
        content["accounts"] = [{"account_id": account} for account in self._market.accounts]
        content["approvals"]["loan_usd"] = "10000"
        for section, fields in CHANGES[number % len(CHANGES)].items():
            content[section] |= fields
        body = policy.canonical(policy.parse(json.dumps(content)))
        yield from self._copies(PolicyCopy("test", number + 1, policy.policy_hash(body), body))

    def _control(self) -> Iterator[_Input]:
        yield from self._copies(ControlCopy("all", "ACTIVE", 1, "test", BEGIN_MS))

    def _copies(self, body: Any) -> Iterator[_Input]:
        """As the relay writes them, signed."""
        for topic, wrapped in COPIES.items():
            made = _input(topic, PARTITION_KEY, wrapped(body), BEGIN_MS)
            signed = self._sign[topic](PARTITION_KEY, wrapped(body), made.value)
            for partition in range(self._partitions):
                yield made._replace(partition=partition, headers=_headers({**LIVE, **signed}))

    def _message(self, one: _Input) -> Message:
        """One input, which has its place on the log from now on."""
        raw = one.key.encode()
        where = partition_of(raw, self._partitions) if one.partition is None else one.partition
        at = one.topic, where
        place = (*at, self._next[at], raw, one.value, one.at_ms)
        self._next[at] += 1
        self._log.records[at].append(Record(*place, one.headers))
        return Message(*place, list(one.headers))

    def _written(self, harness: Harness) -> Iterator[_Input]:
        """What a transaction wrote goes to the log; an input of a node comes back as one."""
        for one in harness.records:
            raw = one.key.encode() if isinstance(one.key, str) else one.key
            headers = _headers(one.headers)
            if one.topic in self._inputs:
                key, value = (raw or b"").decode(), one.value or b""
                yield _Input(one.topic, key, value, one.timestamp_ms, one.partition, headers)
                continue
            at = one.topic, one.partition
            place = (*at, self._next[at], raw, one.value, one.timestamp_ms)
            self._log.records[at].append(Record(*place, headers))
            self._next[at] += 1
        harness.records.clear()


def _input(topic: str, key: str, record: Any, now_ms: int) -> _Input:
    at_ms = timestamp_ms(BY_NAME[topic], record) or now_ms
    return _Input(topic, key, WIRE.encode(topic, record), at_ms)


def _headers(said: Any) -> Headers:
    """As they lie on Kafka; a producer also takes a mapping of texts."""
    pairs = said.items() if isinstance(said, Mapping) else said or ()
    return tuple((name, text.encode() if isinstance(text, str) else text) for name, text in pairs)
