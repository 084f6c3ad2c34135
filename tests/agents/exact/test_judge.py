"""The campaign's judge can fail: each kind of fault, planted into a clean log, is counted.

The log is made by the harness, so this needs no broker; that the judge finds a clean log clean is
the harness's word against an independent fold.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from agents.exact.harness import Harness, Record, partition_of
from bench import workload
from bench.check import FAULTS, check
from bench.replay import replay

SUFFIX = "j"
PNL, ALLOCATIONS = f"pnl-{SUFFIX}", f"allocations-{SUFFIX}"
DESK, NUMBERED, ORDER = f"desk-{SUFFIX}", f"numbered-{SUFFIX}", f"order-{SUFFIX}"
CHANGELOG = f"w-{SUFFIX}-accounts-changelog"
PARTITIONS = 8


class Log:
    """Topics in memory, as the judge reads them."""

    def __init__(self, topics: dict[str, list[Record]]) -> None:
        self.topics = topics
        self._ends = Counter((m.topic(), m.partition()) for all in topics.values() for m in all)

    def read(self, topic: str, committed: bool = True):
        yield from sorted(self.topics.get(topic, ()), key=lambda m: (m.partition(), m.offset()))

    def add(self, topic: str, key: bytes, value: bytes | None, partition: int, at_ms: int) -> None:
        record = Record(topic, partition, self._ends[topic, partition], key, value, at_ms)
        self._ends[topic, partition] += 1
        self.topics[topic].append(record)

    def change(self, topic: str, at: int, value: bytes) -> None:
        old = self.topics[topic][at]
        where = old.partition(), old.offset(), old.key()
        self.topics[topic][at] = Record(topic, *where, value, old.timestamp()[1])


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Log:
    return asyncio.run(_make(tmp_path_factory.mktemp("judge")))


@pytest.fixture
def log(clean: Log) -> Log:
    return Log({topic: list(records) for topic, records in clean.topics.items()})


async def _make(folder: Path) -> Log:
    log = Log(defaultdict(list))
    app = workload.build(SUFFIX, "127.0.0.1:1", folder, chain=True)
    async with Harness(app, PARTITIONS) as h:
        waiting: list[Record] = []
        for number, (stem, record) in enumerate(workload.generate(3000, seed=5)):
            topic, key = f"{stem}-{SUFFIX}", record.account.encode()
            partition = partition_of(key, PARTITIONS)
            log.add(topic, key, workload.DUMPS(record), partition, 1)
            waiting.append(log.topics[topic][-1])
            if number % 500 == 499:
                await _turn(h, log, waiting, number)
        await _turn(h, log, waiting, 3000)
        await _turn(h, log, list(log.topics[DESK]), 7000)
    return log


async def _turn(h: Harness, log: Log, messages: list[Record], at_ms: int) -> None:
    await h.turn(messages, at_ms)
    messages.clear()
    for one in h.records:
        key = one.key.encode() if isinstance(one.key, str) else one.key
        log.add(one.topic, key, one.value, one.partition, one.timestamp_ms)
    h.records.clear()


def test_a_clean_log_is_clean_and_replays_to_the_same_bytes(log: Log):
    found = check(log, SUFFIX)
    assert {name: found[name] for name in FAULTS} == dict.fromkeys(FAULTS, 0)
    assert found["executions"] == found["pnl"] == 3000
    assert found["allocations"] == found["numbered"] > 10
    assert replay(log, SUFFIX, 1) == {"replayed": len(log.topics[ORDER]), "replay_mismatch": 0}


def twice(topic: str) -> Callable[[Log], None]:
    def plant(log: Log) -> None:
        one = log.topics[topic][3]
        log.add(topic, one.key(), one.value(), one.partition(), 1)

    return plant


def lost(topic: str) -> Callable[[Log], None]:
    return lambda log: log.topics[topic].pop(3)


def one_more(topic: str) -> Callable[[Log], None]:
    """The last digit of the last number is another one."""

    def plant(log: Log) -> None:
        value = log.topics[topic][3].value()
        log.change(topic, 3, value[:-1] + bytes([value[-1] ^ 2]))

    return plant


def stale_state(log: Log) -> None:
    """An older value of an entry is the last one."""
    by_key: dict[bytes, list[Record]] = defaultdict(list)
    for record in log.topics[CHANGELOG]:
        by_key[record.key()].append(record)
    key, rows = next((k, r) for k, r in by_key.items() if len(r) > 1 and k != b"@hash")
    log.add(CHANGELOG, key, rows[0].value(), rows[0].partition(), 1)


def other_hash(log: Log) -> None:
    value = log.topics[ORDER][-1].value()
    at = value.index(b'"table_hash":"') + 14
    log.change(
        ORDER, -1, value[:at] + (b"0" if value[at : at + 1] != b"0" else b"1") + value[at + 1 :]
    )


def out_of_step(log: Log) -> None:
    first, second = log.topics[NUMBERED][:2]
    log.change(NUMBERED, 0, second.value())
    log.change(NUMBERED, 1, first.value())


@pytest.mark.parametrize(
    ("plant", "kind"),
    [
        (twice(PNL), "double"),
        (lost(PNL), "missing"),
        (one_more(PNL), "wrong"),
        (twice(ALLOCATIONS), "allocation_double"),
        (lost(ALLOCATIONS), "allocation_missing"),
        (one_more(ALLOCATIONS), "allocation_wrong"),
        (stale_state, "state_mismatch"),
        (other_hash, "hash_mismatch"),
        (lost(ORDER), "order_errors"),
        (twice(ORDER), "order_errors"),
        (out_of_step, "sequence_errors"),
        (lost(NUMBERED), "sequence_errors"),
    ],
)
def test_a_planted_fault_is_counted(log: Log, plant: Callable[[Log], None], kind: str):
    plant(log)
    assert check(log, SUFFIX)[kind] > 0


def test_a_replay_that_leads_elsewhere_is_counted(log: Log):
    other_hash(log)
    assert replay(log, SUFFIX, 1)["replay_mismatch"] == 1
