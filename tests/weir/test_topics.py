"""The catalogue: printed whole, created as declared, refused where a cluster differs."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from rich.console import Console

from schemas.topics import BY_NAME, TOPICS, settings
from schemas.wire import SchemaIds, Wire
from weir.errors import WeirError
from weir.examples import example_line
from weir.home import Home
from weir.kafka import Broker
from weir.lines import ready
from weir.processes import wait_until
from weir.topics import catalogue, ensure, find, partition_counts, show

RECORDS = [topic for topic in TOPICS if topic.record]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker without any topic."""
    own = Broker(Home(tmp_path_factory.mktemp("empty")))
    yield own.up(attached=True)
    own.down(wipe=True)


def printed(parts: object) -> str:
    console = Console(width=160, file=io.StringIO(), record=True)
    for part in parts:  # type: ignore[attr-defined]
        console.print(part, markup=False, soft_wrap=isinstance(part, str))
    return console.export_text()


def test_the_catalogue_names_every_topic() -> None:
    text = printed([catalogue()])
    for topic in TOPICS:
        assert topic.name in text


@pytest.mark.parametrize("topic", RECORDS, ids=lambda topic: topic.name)
def test_the_example_shown_can_be_produced(topic: object) -> None:
    text = printed(show(topic.name))  # type: ignore[attr-defined]
    line = text.strip().splitlines()[-1]
    assert json.loads(line) == example_line(topic)  # type: ignore[arg-type]
    made = ready(topic, line, Wire(SchemaIds.from_lock()))  # type: ignore[arg-type]
    assert made.key


def test_fields_are_shown_with_type_and_meaning() -> None:
    text = printed(show("hedge-executions"))
    assert "decimal(38,18)" in text
    assert "linear | inverse | spot" in text
    assert "Cost above 0, rebate below 0" in text
    assert "Original bytes" in printed(show("hedge-executions.dlq"))
    assert "readable JSON" in printed(show("weir-pipeline-book-changelog"))
    assert (
        "JSON Schema 2020-12: schemas/sweep_order.schema.json, urn:weir:sweep-order:1."
        in printed(show("sweep_intent"))
    )


def test_a_topic_that_is_not_there_is_refused_with_those_that_are_near() -> None:
    with pytest.raises(WeirError, match=r"'pnl' is no topic .* treasury\.pnl\.v1"):
        find("pnl")
    with pytest.raises(WeirError, match="`weir topics` lists them"):
        find("zzz")


def test_what_is_missing_is_created_and_what_differs_is_refused(empty: str) -> None:
    admin = AdminClient({"bootstrap.servers": empty})
    first = NewTopic("hedge-executions", 8, 1, config=settings(BY_NAME["hedge-executions"], 8, 1))
    admin.create_topics([first])["hedge-executions"].result(20)
    created = ensure(empty, 8, 1)
    assert len(created) == len(TOPICS) - 1
    assert ensure(empty, 8, 1) == []
    counts = partition_counts(empty)
    assert counts["treasury.positions.v1"] == 8
    assert counts["orch_config_updates"] == 1
    assert counts["weir-pipeline-book-changelog"] == 8
    with pytest.raises(WeirError, match=r"treasury\.pnl\.v1: partitions must be 4, is 8"):
        ensure(empty, 4, 1)
    for name in ("treasury.pnl.v1", "treasury.positions.v1"):
        admin.delete_topics([name])[name].result(20)
        assert wait_until(lambda gone=name: gone not in partition_counts(empty), 20)
    wrong = NewTopic("treasury.positions.v1", 8, 1, config={"retention.ms": "60000"})
    admin.create_topics([wrong])[wrong.topic].result(20)
    assert wait_until(lambda: wrong.topic in partition_counts(empty), 20)
    with pytest.raises(WeirError) as caught:
        ensure(empty, 8, 1)
    assert "treasury.positions.v1: cleanup.policy must be compact, is delete" in str(caught.value)
    assert "treasury.positions.v1: retention.ms must be -1, is 60000" in str(caught.value)
    assert "treasury.pnl.v1" not in partition_counts(empty), "nothing is created beside a fault"
