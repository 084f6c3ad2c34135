"""The topics on a cluster: what they hold, and that they are as declared.

A topic whose partitions or settings differ from its contract is refused, never altered: changing P
moves keys to other partitions, and a shorter retention loses evidence.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.admin._resource import ResourceType
from confluent_kafka.cimpl import NewTopic
from rich.console import RenderableType
from rich.table import Table

from schemas import order_schema
from schemas.contracts import SUBJECTS, inner, named, nullable, short
from schemas.topics import BY_NAME, DAY_MS, FOREVER, TOPICS, Topic, partitions_of, settings
from weir.errors import WeirError
from weir.examples import example_line

ANSWER_S = 6.0
PATIENCE_S = 10.0


def ensure(bootstrap: str, partitions: int, replication: int) -> list[str]:
    """Creates the topics that are missing and returns their names.

    WeirError names topic, setting, what is expected and what is there, for all that differ.
    """
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    there = partition_counts(bootstrap, admin)
    _check(admin, there, partitions)
    missing = [topic for topic in TOPICS if topic.name not in there]
    raced = _create(admin, missing, partitions, replication)
    _check(admin, _when_all_are_there(bootstrap, admin), partitions, only=raced)
    return [topic.name for topic in missing if topic.name not in raced]


def partition_counts(
    bootstrap: str, client: AdminClient | Consumer | Producer | None = None
) -> dict[str, int]:
    """How many partitions each topic on the cluster has; WeirError when Kafka does not answer.

    A client that has been asked knows the cluster, and its first record takes no second of waiting.
    """
    asked = client or AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    try:
        found = asked.list_topics(timeout=ANSWER_S)
    except KafkaException as error:
        raise no_answer(bootstrap) from error
    return {name: len(topic.partitions) for name, topic in found.topics.items()}


def partitions_there(bootstrap: str, topic: str, client: Consumer | Producer) -> int:
    """How many partitions a topic has; WeirError says how to make it when it is not there."""
    there = partition_counts(bootstrap, client)
    if topic not in there:
        raise WeirError(f"{topic} is not on Kafka at {bootstrap}: `weir topics create` makes it")
    return there[topic]


def no_answer(bootstrap: str) -> WeirError:
    """The sentence for a broker that is away."""
    return WeirError(f"Kafka at {bootstrap} does not answer within {ANSWER_S:.0f} s: is it up?")


def catalogue() -> Table:
    """All topics in one table."""
    table = Table(box=None, pad_edge=False)
    for head in ("topic", "key", "partitions", "record", "kept", "writers", "readers"):
        table.add_column(head, overflow="fold", no_wrap=head == "topic")
    for topic in TOPICS:
        table.add_row(
            topic.name,
            topic.key,
            str(topic.partitions),
            SUBJECTS.get(topic.name, "original bytes" if topic.source else "JSON"),
            kept(topic),
            ", ".join(topic.writers),
            ", ".join(topic.readers),
        )
    return table


def show(name: str) -> Iterable[RenderableType]:
    """What one topic holds: its settings, its fields with their docs, and an example line."""
    topic = find(name)
    yield f"{topic.name}: key {topic.key}, {topic.partitions} partitions, {kept(topic)}"
    yield f"written by {', '.join(topic.writers)}; read by {', '.join(topic.readers)}"
    if topic.source:
        yield f"Original bytes, key and headers of {topic.source}, and why they were refused."
        return
    if topic.record is None:
        yield "State of a node: readable JSON by entry, latest value per key."
        return
    if topic.subject == order_schema.SUBJECT:
        said = json.loads(order_schema.FILE.read_text())
        yield f"JSON Schema 2020-12: schemas/{order_schema.FILE.name}, {said['$id']}"
    for record in _with_nested(SUBJECTS[name]):
        yield ""
        yield f"{record}: {named()[record]['doc']}"
        yield _fields(record)
    yield ""
    yield "A line for `weir produce`:"
    yield json.dumps(example_line(topic), ensure_ascii=False)


def find(name: str) -> Topic:
    """The contract of a topic; WeirError names those whose names are near."""
    topic = BY_NAME.get(name)
    if topic is None:
        near = [other for other in BY_NAME if name.strip(".") in other]
        hint = f"did you mean {', '.join(near[:4])}?" if near else "`weir topics` lists them"
        raise WeirError(f"{name!r} is no topic of Weir: {hint}")
    return topic


def kept(topic: Topic) -> str:
    """How long records stay, in words."""
    if topic.cleanup == "compact":
        after = topic.compaction_lag_ms // DAY_MS
        return f"latest per key, after {after} d" if after else "latest per key"
    if topic.retention_ms == FOREVER:
        return "for ever"
    days = f"{topic.retention_ms // DAY_MS} d"
    return days if topic.cleanup == "delete" else f"latest per key, {days}"


def _check(
    admin: AdminClient, there: dict[str, int], partitions: int, only: set[str] | None = None
) -> None:
    known = [t for t in TOPICS if t.name in there and (only is None or t.name in only)]
    faults = [*_wrong_counts(known, there, partitions), *_wrong_settings(admin, known, partitions)]
    if faults:
        raise WeirError("topics differ from their contract:\n  " + "\n  ".join(faults))


def _when_all_are_there(bootstrap: str, admin: AdminClient) -> dict[str, int]:
    """Creation is confirmed by the controller before every broker knows of it."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        there = partition_counts(bootstrap, admin)
        unseen = [topic.name for topic in TOPICS if topic.name not in there]
        if not unseen:
            return there
        if time.monotonic() > deadline:
            raise WeirError(f"{unseen[0]} was created but Kafka at {bootstrap} does not show it")
        time.sleep(0.05)


def _wrong_counts(known: list[Topic], there: dict[str, int], partitions: int) -> Iterable[str]:
    for topic in known:
        wanted = partitions_of(topic, partitions)
        if there[topic.name] != wanted:
            yield f"{topic.name}: partitions must be {wanted}, is {there[topic.name]}"


def _wrong_settings(admin: AdminClient, known: list[Topic], partitions: int) -> Iterable[str]:
    if not known:
        return
    resources = [ConfigResource(ResourceType.TOPIC, topic.name) for topic in known]
    answers = admin.describe_configs(resources, request_timeout=PATIENCE_S)
    for resource, future in answers.items():
        try:
            actual = future.result()
        except KafkaException as error:
            raise WeirError(f"{resource.name}: {error.args[0].str()}") from error
        topic = BY_NAME[resource.name]
        for name, wanted in settings(topic, partitions, 1).items():
            found = actual[name].value
            if name != "min.insync.replicas" and found != wanted:
                yield f"{topic.name}: {name} must be {wanted}, is {found}"


def _create(
    admin: AdminClient, missing: list[Topic], partitions: int, replication: int
) -> set[str]:
    """Creates topics; the names of those that somebody else created meanwhile."""
    raced: set[str] = set()
    if not missing:
        return raced
    wanted = [
        NewTopic(
            topic.name,
            num_partitions=partitions_of(topic, partitions),
            replication_factor=replication,
            config=settings(topic, partitions, replication),
        )
        for topic in missing
    ]
    for name, future in admin.create_topics(wanted, request_timeout=PATIENCE_S).items():
        try:
            future.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise WeirError(f"{name} cannot be created: {error.args[0].str()}") from error
            raced.add(name)
    return raced


def _with_nested(record: str) -> list[str]:
    """A record and the records inside it, each once, outermost first."""
    found = [record]
    for name in found:
        for field in named()[name]["fields"]:
            found += [n for n in _records_in(field["type"]) if n not in found]
    return found


def _records_in(avro: Any) -> Iterable[str]:
    if isinstance(avro, list):
        for item in avro:
            yield from _records_in(item)
    elif isinstance(avro, dict) and avro["type"] in ("array", "map"):
        yield from _records_in(avro.get("items", avro.get("values")))
    elif isinstance(avro, str) and named().get(short(avro), {}).get("type") == "record":
        yield short(avro)


def _fields(record: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2))
    for head in ("field", "type", "meaning"):
        table.add_column(head, overflow="fold")
    for field in named()[record]["fields"]:
        default = field.get("default")
        extra = f" = {default}" if isinstance(default, int) else ""
        table.add_row(f"  {field['name']}", _type(field["type"]) + extra, field["doc"])
    return table


def _type(avro: Any) -> str:
    """An Avro type in words."""
    if nullable(avro):
        return f"{_type(inner(avro))} or null"
    if isinstance(avro, list):
        return " or ".join(short(item) for item in avro)
    if isinstance(avro, dict):
        if avro["type"] == "array":
            return f"list of {_type(avro['items'])}"
        if avro["type"] == "map":
            return f"map of {_type(avro['values'])}"
        if avro["logicalType"] == "decimal":
            return f"decimal({avro['precision']},{avro['scale']})"
        return "time" if avro["logicalType"] == "timestamp-millis" else "uuid"
    schema = named().get(short(avro))
    if schema and schema["type"] == "enum":
        return " | ".join(schema["symbols"][1:])
    return short(avro)
