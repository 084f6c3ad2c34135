"""`weir import`: what came from outside, out of files into an empty Kafka, for a pipeline to decide
again.

From outside are executions, accounts, balances, policies and controls, and what people, pollers and
calendars put into the inboxes of book, cash and gate. What nodes wrote is left out, and so are the
relay's copies, because the nodes and the relay of the new log write their own. Approvals, attempts
and revocations are left out too: they speak of intents by ids that the new log gives anew.

Nothing of it can become live. Every record carries `treasury.mode: replay`, and the first record of
all is a control of the scope `import`, which nobody can take back: from it on the pipeline signs
nothing and marks its own outputs, and the executor refuses at its last check before a call.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from agents.nodes import REPLAY
from agents.standing import CONTROLS, POLICIES
from schemas.errors import NewerSchema, Undecodable
from schemas.records import Calendar, Control, ControlCopy, PolicyCopy
from schemas.wire import Wire
from streams.step import IMPORTED
from weir.errors import WeirError
from weir.files.offsets import ends
from weir.progress import Tell
from weir.replay.folder import FolderLog, FolderReader
from weir.replay.log import At, KafkaLog, Record
from weir.topics import PATIENCE_S, partition_counts

FACTS = (
    "hedge-executions",
    "treasury.loan-states.v1",
    "treasury.account-snapshots.v1",
    "balance_events",
    POLICIES,
    CONTROLS,
)
INBOXES = ("treasury.book-inputs.v1", "treasury.cash-inputs.v1", "treasury.desk-inputs.v1")
MODE = {name: value.encode() for name, value in REPLAY.items()}
_DELIVERY_S = 60


def bring(
    log: FolderLog, bootstrap: str, wire: Wire, name: str, tell: Tell = lambda done, of: None
) -> Counter[str]:
    """Writes what came from outside, in the order of time, with partition, key, value, headers and
    timestamp as they were; how many records of which topic. `name` is what people call the input.

    WeirError, before anything is written, when a topic is not there, is not empty or has another
    number of partitions; and when Kafka does not take a record, with how many it has taken.
    """
    topics = [topic for topic in (*FACTS, *INBOXES) if topic in log.topics]
    parts = [part for topic in topics for part in log.manifest.topics[topic].partitions]
    total = sum(part.records for part in parts)
    if not total:
        raise WeirError(f"{name} holds nothing that came from outside")
    _check(log, topics, bootstrap, wire)
    first_ms = min(part.first_ms for part in parts if part.first_ms is not None)
    sent = _Sending(bootstrap)
    sent.put(_marker(wire, name, first_ms))
    sent.flush()
    brought: Counter[str] = Counter()
    with closing(log.read(topics)) as reader:
        for seen, record in enumerate(_in_time(log, reader, topics), start=1):
            if _is_from_outside(record, wire):
                sent.put(record)
                brought[record.topic] += 1
            tell(seen, total)
    sent.flush()
    return brought


def _check(log: FolderLog, topics: Iterable[str], bootstrap: str, wire: Wire) -> None:
    there = partition_counts(bootstrap)
    wanted = {topic: log.partitions(topic) for topic in topics} | {CONTROLS: 1}
    for topic, count in wanted.items():
        if topic not in there:
            raise WeirError(
                f"{topic} is not on Kafka at {bootstrap}: `weir topics create` makes it"
            )
        if there[topic] != count:
            raise WeirError(
                f"{topic} has {there[topic]} partitions on Kafka at {bootstrap} and {count} in the"
                " input: a key would lie elsewhere (WEIR_PARTITIONS)"
            )
    facts = ((topic, wanted[topic]) for topic in FACTS if topic in wanted)
    used = [at for at, end in ends(bootstrap, facts).items() if end > 0]
    for topic, partition in used or _used(bootstrap, [t for t in INBOXES if t in wanted], wire):
        raise WeirError(
            f"{topic}[{partition}] on Kafka at {bootstrap} is not empty: an import wants topics"
            " without a past, as `weir topics create` makes them"
        )


def _used(bootstrap: str, inboxes: Iterable[str], wire: Wire) -> Iterator[At]:
    """Inboxes that hold something from outside; the calendars of a pipeline that has just begun
    are no past.
    """
    log = KafkaLog(bootstrap)
    with closing(log.read(inboxes)) as reader:
        for topic in inboxes:
            for partition in range(log.partitions(topic)):
                while (record := reader.next(topic, partition)) is not None:
                    if _is_from_outside(record, wire) and not _is_calendar(record, wire):
                        yield topic, partition
                        break


def _marker(wire: Wire, name: str, at_ms: int) -> Record:
    reason = f"imported from {name}: nothing on this log is carried out"
    control = Control(IMPORTED, "PAUSED", 0, reason, (), (), at_ms)
    return Record(CONTROLS, 0, 0, IMPORTED.encode(), wire.encode(CONTROLS, control), at_ms)


def _is_from_outside(record: Record, wire: Wire) -> bool:
    """No node wrote it, and it is not a copy. What is no record at all no node wrote."""
    if record.topic in FACTS and record.topic != CONTROLS:
        return True
    try:
        value = wire.decode(record.topic, record.value)
    except (Undecodable, NewerSchema):
        return True
    if record.topic == CONTROLS:
        return bool(value.scope != IMPORTED)  # of the import before
    return value.meta is None and not isinstance(value.body, PolicyCopy | ControlCopy)


def _is_calendar(record: Record, wire: Wire) -> bool:
    try:
        return isinstance(wire.decode(record.topic, record.value).body, Calendar)
    except (Undecodable, NewerSchema):
        return False


def _in_time(log: FolderLog, reader: FolderReader, topics: Iterable[str]) -> Iterator[Record]:
    """All partitions by time, each in its own order whatever times its records claim."""
    lines = [_line(reader, topic, p) for topic in topics for p in range(log.partitions(topic))]
    return (record for _, _, record in heapq.merge(*lines, key=lambda one: one[:2]))


def _line(reader: FolderReader, topic: str, partition: int) -> Iterator[tuple[int, Any, Record]]:
    at_ms = 0
    while (record := reader.next(topic, partition)) is not None:
        at_ms = max(at_ms, record.timestamp_ms)
        yield at_ms, (topic, partition), record


class _Sending:
    """An idempotent producer whose first failure ends the import."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap, self._put = bootstrap, 0
        self._confirmed = 0
        self._failed: KafkaError | None = None
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "enable.idempotence": True,
                "acks": "all",
                "linger.ms": 20,
                "message.timeout.ms": _DELIVERY_S * 1000,
                "log_level": 0,
            }
        )

    def put(self, record: Record) -> None:
        """Hands a record over; it is not live whatever it was."""
        headers: list[tuple[str, str | bytes | None]] = [
            *(pair for pair in record.headers if pair[0] not in MODE),
            *MODE.items(),
        ]
        while True:
            try:
                self._producer.produce(
                    record.topic,
                    record.value,
                    record.key,
                    record.partition,
                    timestamp=record.timestamp_ms,
                    headers=headers,
                    on_delivery=self._told,
                )
            except BufferError:
                self._producer.poll(0.1)
            except KafkaException as error:
                raise self._broken(error.args[0].str()) from error
            else:
                break
        self._put += 1
        self._producer.poll(0)
        if self._failed is not None:
            raise self._broken(self._failed.str())

    def flush(self) -> None:
        """Waits for the broker's word on everything so far."""
        left = self._producer.flush(_DELIVERY_S + PATIENCE_S)
        if self._failed is not None or left:
            raise self._broken(self._failed.str() if self._failed else "no answer")

    def _told(self, error: KafkaError | None, message: Any) -> None:
        if error is None:
            self._confirmed += 1
        else:
            self._failed = self._failed or error

    def _broken(self, why: str) -> WeirError:
        return WeirError(
            f"{self._confirmed:,} records are on Kafka at {self._bootstrap}, then it failed: {why};"
            " the import is not whole: empty the topics before another one"
        )
