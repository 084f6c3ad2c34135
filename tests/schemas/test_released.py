"""Released schemas: the current ones are released, and later ones read earlier ones."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from avro.schema import parse

from schemas import generate
from schemas.contracts import SUBJECTS, resolved
from schemas.errors import NewerSchema, Undecodable
from schemas.records import BookInput, Freeze
from schemas.registry import Released
from schemas.wire import SchemaIds, Wire, header
from tests.schemas.examples import EXECUTION

TOPIC = "hedge-executions"


def breaks(schemas: list[str]) -> list[str]:
    """What is not BACKWARD_TRANSITIVE in the versions of one subject, oldest first."""
    found = []
    parsed = [parse(schema) for schema in schemas]
    for place, reader in enumerate(parsed):
        for earlier, writer in enumerate(parsed[:place]):
            checker = ReaderWriterCompatibilityChecker()
            result = checker.get_compatibility(reader, writer)
            if result.compatibility is not SchemaCompatibilityType.compatible:
                found.append(f"version {place + 1} cannot read {earlier + 1}: {result.messages}")
    return found


def changed(record: str, edit: Any) -> str:
    schema = copy.deepcopy(resolved(record))
    edit(schema)
    return json.dumps(schema)


def test_nothing_is_stale() -> None:
    assert generate.check() == []


@pytest.mark.parametrize("topic", sorted(SUBJECTS))
def test_released_schemas_stay_backward_transitive(topic: str) -> None:
    entries = [e for e in generate.lock() if e["subject"] == f"{topic}-value"]
    assert [e["version"] for e in entries] == list(range(1, len(entries) + 1))
    schemas = [e["schema"] for e in entries]
    assert breaks(schemas) == []
    added = json.loads(schemas[-1])
    added["fields"].append({"name": "later", "type": ["null", "string"], "default": None})
    assert breaks([*schemas, json.dumps(added)]) == []


def test_the_check_catches_a_break() -> None:
    def required(schema: Any) -> None:
        schema["fields"].append({"name": "desk", "type": "string"})

    def retyped(schema: Any) -> None:
        schema["fields"][0]["type"] = "long"

    current = json.dumps(resolved("HedgeExecution"))
    for edit in (required, retyped):
        assert breaks([current, changed("HedgeExecution", edit)]) != []


def test_ids_are_unique_and_ascending() -> None:
    ids = [entry["id"] for entry in generate.lock()]
    assert ids == list(range(1, len(ids) + 1))


def with_extra(topic: str, record: str, edit: Any, version: int) -> tuple[Wire, int]:
    """A wire whose registry also holds another version of a topic's schema, and that one's id."""
    entries = [Released(**e) for e in generate.lock()]
    if version == 0:  # an older one: the current schema becomes version 2
        entries = [
            Released(e.id, e.subject, 2, e.schema) if e.subject == f"{topic}-value" else e
            for e in entries
        ]
        version = 1
    extra = Released(900, f"{topic}-value", version, changed(record, edit))
    return Wire(SchemaIds([extra, *entries])), 900


def test_an_older_version_becomes_the_same_record() -> None:
    def without_revision(schema: Any) -> None:
        assert schema["fields"].pop()["name"] == "revision"

    wire, schema_id = with_extra(TOPIC, "HedgeExecution", without_revision, 0)
    data = wire.encode(TOPIC, EXECUTION)
    assert data[-1] == 0  # revision
    assert wire.decode(TOPIC, header(schema_id) + data[5:-1]) == EXECUTION


def test_an_older_version_of_an_inbox_keeps_its_bodies() -> None:
    topic = "treasury.book-inputs.v1"

    def fewer(schema: Any) -> None:
        schema["fields"][1]["type"].pop()

    wire, schema_id = with_extra(topic, "BookInput", fewer, 0)
    record = BookInput(body=Freeze(break_id="b1", on=True, reason="größer"))
    data = wire.encode(topic, record)
    assert wire.decode(topic, header(schema_id) + data[5:]) == record


def test_a_newer_inbox_schema_stops_the_worker_and_others_are_read() -> None:
    def more(schema: Any) -> None:
        schema["fields"].append({"name": "later", "type": ["null", "string"], "default": None})

    inbox = "treasury.book-inputs.v1"
    wire, schema_id = with_extra(inbox, "BookInput", more, 99)
    data = wire.encode(inbox, BookInput(body=Freeze(break_id="b1", on=True, reason="")))
    with pytest.raises(NewerSchema, match=r"version 99 .*upgrade it"):
        wire.decode(inbox, header(schema_id) + data[5:] + b"\0")
    wire, schema_id = with_extra(TOPIC, "HedgeExecution", more, 99)
    data = wire.encode(TOPIC, EXECUTION)
    assert wire.decode(TOPIC, header(schema_id) + data[5:] + b"\0") == EXECUTION


def test_unknown_ids_and_other_subjects_are_dead_letters() -> None:
    wire = Wire(SchemaIds.from_lock())
    data = wire.encode(TOPIC, EXECUTION)
    for schema_id in (2, 4_000_000_000, 77):
        with pytest.raises(Undecodable) as caught:
            wire.decode(TOPIC, header(schema_id) + data[5:])
        assert caught.value.cause == "schema"


@pytest.mark.parametrize("data", [None, b"", b"\0", b"text, not Avro"])
def test_a_tombstone_and_bytes_of_no_schema_are_dead_letters(data: bytes | None) -> None:
    with pytest.raises(Undecodable) as caught:
        Wire(SchemaIds.from_lock()).decode(TOPIC, data)
    assert caught.value.cause == "decode"
