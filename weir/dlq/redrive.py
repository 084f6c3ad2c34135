"""Redriving: a dead letter goes back to its topic and partition, once.

The copy on the source topic and the mark beside the letter are one transaction, so there is no
moment between them: whoever is killed there has done neither. Two people at the same time are told
apart by the transactional id of the topic: the later one fences the earlier, and reads the marks
only after that. Nothing is ever removed from a dead-letter topic. An execution refused as late goes
back as a Correction instead (`weir.dlq.late`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from confluent_kafka import KafkaException, Producer

from agents.letter import ATTEMPT, MARK, REDRIVE_OF, Letter
from weir.access import wire
from weir.dlq.late import corrected, is_late
from weir.dlq.listing import letters
from weir.dlq.place import Place
from weir.errors import WeirError
from weir.topics import partition_counts

TRANSACTION_MS = 10_000
"""How long a killed redrive can hold back readers of the topic."""
PATIENCE_S = 20.0
LETTERS_PER_TRANSACTION = 200


class Outcome(NamedTuple):
    """What became of the letters that were meant."""

    redriven: list[Letter]
    already: list[Letter]
    obstacles: list[tuple[Letter, str]]


def redrive(
    bootstrap: str,
    place: Place,
    cause: str | None = None,
    dry_run: bool = False,
    written: Callable[[], None] = lambda: None,
) -> Outcome:
    """Sends the letters of a place back, those of one cause if it is named; a dry run sends none.

    `written` is called when a transaction's copies are on the broker and nothing is in force yet.
    WeirError when Kafka fails, or somebody else redrives the same topic.
    """
    if dry_run:
        return _sorted(bootstrap, place, cause)
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "transactional.id": f"weir-redrive-{place.topic}",
            "transaction.timeout.ms": TRANSACTION_MS,
            "log_level": 0,
        }
    )
    try:
        producer.init_transactions(PATIENCE_S)
        outcome = _sorted(bootstrap, place, cause)
        for at in range(0, len(outcome.redriven), LETTERS_PER_TRANSACTION):
            _transaction(producer, outcome.redriven[at : at + LETTERS_PER_TRANSACTION], written)
    except KafkaException as error:
        why = error.args[0]
        if why.fatal():
            raise WeirError(f"somebody else redrives {place.topic} now: {why.str()}") from error
        raise WeirError(
            f"{place.topic}: {why.str()}; letters without a mark have not been redriven"
        ) from error
    return outcome


def _sorted(bootstrap: str, place: Place, cause: str | None) -> Outcome:
    counts = partition_counts(bootstrap)
    outcome = Outcome([], [], [])
    meant = [letter for letter in letters(bootstrap, [place.topic]) if place.holds(letter)]
    for letter in meant:
        if cause is not None and letter.origin.cause != cause:
            continue
        obstacle = letter.obstacle() or _no_partition(letter, counts)
        if letter.redriven:
            outcome.already.append(letter)
        elif obstacle:
            outcome.obstacles.append((letter, obstacle))
        else:
            outcome.redriven.append(letter)
    if not meant and place.offset is not None:
        where = f"{place.topic}:{place.partition}:{place.offset}"
        raise WeirError(f"there is no dead letter at {where}")
    return outcome


def _no_partition(letter: Letter, counts: dict[str, int]) -> str:
    if _partition(letter) < counts.get(letter.source, 0):
        return ""
    return f"{letter.source} has no partition {_partition(letter)}"


def _partition(letter: Letter) -> int:
    named = letter.origin.partition
    return letter.partition if named is None else named


def _transaction(producer: Producer, chosen: Iterable[Letter], written: Callable[[], None]) -> None:
    chosen = list(chosen)
    producer.begin_transaction()
    for letter in chosen:
        producer.produce(**_back(letter))
    producer.flush(PATIENCE_S)
    written()
    for letter in chosen:
        producer.produce(**_mark(letter))
    producer.commit_transaction(PATIENCE_S)


def _back(letter: Letter) -> dict[str, Any]:
    """What goes back: the record as it was, but for an execution that only people can let in."""
    return corrected(letter, _copy(letter), wire()) if is_late(letter) else _copy(letter)


def _copy(letter: Letter) -> dict[str, Any]:
    """The original record, and how it came back."""
    headers = [
        (name, value)
        for name, value in letter.original_headers()
        if name not in (ATTEMPT, REDRIVE_OF)
    ]
    headers += [
        (ATTEMPT, str(letter.attempt + 1).encode()),
        (REDRIVE_OF, letter.place.encode()),
    ]
    return {
        "topic": letter.source,
        "partition": _partition(letter),
        "key": letter.key,
        "value": letter.value,
        "timestamp": letter.timestamp_ms,
        "headers": headers,
    }


def _mark(letter: Letter) -> dict[str, Any]:
    return {
        "topic": letter.topic,
        "partition": letter.partition,
        "key": letter.key,
        "value": None,
        "headers": [(MARK, f"{letter.partition}:{letter.offset}".encode())],
    }
