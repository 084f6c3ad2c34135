"""Records to bytes and back, in the Confluent wire format: a zero, four bytes of schema id, the
Avro value.

The current version of a topic's schema goes through the generated codec. Any other version the
registry knows goes through fastavro, which resolves it to the current one. Unknown ids and bytes
that are no record are `Undecodable`, except that a newer version of an inbox's own schema stops
the worker (`NewerSchema`): an older Weir is running.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import fastavro

from schemas.contracts import SUBJECTS, named, plain, raw, resolved
from schemas.datum import from_datum, misfit
from schemas.errors import NewerSchema, Undecodable, Unencodable
from schemas.generate import lock
from schemas.records import DECODERS, ENCODERS, Meta, read_meta
from schemas.registry import Registry, Released
from schemas.topics import BY_NAME, Topic

__all__ = ["NewerSchema", "SchemaIds", "Undecodable", "Unencodable", "Wire", "header"]


def header(schema_id: int) -> bytes:
    """The five bytes before a value."""
    return b"\0" + schema_id.to_bytes(4, "big")


class SchemaIds:
    """Which id stands for which schema, from the committed lock or from a registry by URL."""

    def __init__(self, released: list[Released], registry: Registry | None = None) -> None:
        self._by_id = {entry.id: entry for entry in released}
        self._registry = registry
        self._missing: set[int] = set()

    @classmethod
    def from_lock(cls) -> SchemaIds:
        """The ids of schemas/ids.lock.json: what the embedded registry serves."""
        return cls([Released(**entry) for entry in lock()])

    @classmethod
    def from_registry(cls, url: str) -> SchemaIds:
        """The ids of a Confluent-compatible registry, in which our schemas are registered."""
        registry = Registry(url)
        found = [entry for topic in SUBJECTS for entry in registry.versions(f"{topic}-value")]
        return cls(found, registry)

    def current(self, topic: str) -> Released:
        """The released form of the schema this version of Weir writes."""
        wanted = plain(resolved(SUBJECTS[topic]))
        for entry in reversed(list(self._by_id.values())):
            if entry.subject == f"{topic}-value" and plain(json.loads(entry.schema)) == wanted:
                return entry
        where = self._registry.url if self._registry else "schemas/ids.lock.json"
        raise LookupError(f"{where}: subject {topic}-value does not hold the schema Weir writes")

    def find(self, schema_id: int, subject: str) -> Released | None:
        """The schema of an id; a registry is asked once for one that is not known yet."""
        if schema_id not in self._by_id and self._registry and schema_id not in self._missing:
            for entry in self._registry.versions(subject, known=set(self._by_id)):
                self._by_id[entry.id] = entry
            if schema_id not in self._by_id:
                foreign = self._registry.by_id(schema_id)
                if foreign is None:
                    self._missing.add(schema_id)
                else:
                    self._by_id[schema_id] = foreign
        return self._by_id.get(schema_id)


class Wire:
    """Encodes and decodes the values of all topics. `encoder` and `decoder` are for hot loops."""

    def __init__(self, ids: SchemaIds) -> None:
        self._ids = ids
        self._encoders: dict[str, Callable[[Any], bytes]] = {}
        self._decoders: dict[str, Callable[[bytes | None], Any]] = {}
        self._stamped: dict[str, bytes] = {}

    def encode(self, topic: str, record: Any) -> bytes:
        """The bytes of a record. Unencodable names the field and the value that do not fit."""
        return self.encoder(topic)(record)

    def decode(self, topic: str, data: bytes | None) -> Any:
        """The record of these bytes, else Undecodable or NewerSchema."""
        return self.decoder(topic)(data)

    def meta(self, topic: str, data: bytes | None) -> Meta | None:
        """The stamp of a record, else errors as of `decode`. Where it stands first, as it does in
        nearly all that nodes write, nothing behind it is looked at.
        """
        prefix = self._stamped.get(topic)
        if prefix is None:
            prefix = self._stamped[topic] = self._stamp_prefix(topic)
        if not prefix or data is None or data[:5] != prefix:
            return getattr(self.decode(topic, data), "meta", None)
        try:
            return read_meta(data, 5)[0]
        except (IndexError, UnicodeDecodeError) as error:
            raise Undecodable("decode", why=f"{len(data)} bytes: {error}") from error

    def released(self, topic: str, schema_id: int) -> Released | None:
        """The schema that an id stands for among the values of a topic, of dead letters among those
        of their source; None for an unknown one.
        """
        contract = BY_NAME[BY_NAME[topic].source or topic]
        return self._ids.find(schema_id, contract.subject)

    def encoder(self, topic: str) -> Callable[[Any], bytes]:
        """`encode` bound to one topic."""
        if topic not in self._encoders:
            self._encoders[topic] = self._make_encoder(topic)
        return self._encoders[topic]

    def decoder(self, topic: str) -> Callable[[bytes | None], Any]:
        """`decode` bound to one topic."""
        if topic not in self._decoders:
            self._decoders[topic] = self._make_decoder(topic)
        return self._decoders[topic]

    def _stamp_prefix(self, topic: str) -> bytes:
        """What a value begins with if its stamp follows at once; nothing if it does not."""
        fields = _record_type(topic).__struct_fields__  # type: ignore[attr-defined]
        return header(self._ids.current(topic).id) if fields[0] == "meta" else b""

    def _make_encoder(self, topic: str) -> Callable[[Any], bytes]:
        record_type = _record_type(topic)
        prefix, write = header(self._ids.current(topic).id), ENCODERS[record_type]

        def encode(record: Any) -> bytes:
            if type(record) is not record_type:
                name = type(record).__name__
                raise Unencodable("value", name, f"{topic} holds {record_type.__name__}")
            try:
                return write(prefix, record)
            except Unencodable:
                raise
            except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
                raise misfit(record, error) from error

        return encode

    def _make_decoder(self, topic: str) -> Callable[[bytes | None], Any]:
        contract, read = BY_NAME[topic], DECODERS[_record_type(topic)]
        prefix = header(self._ids.current(topic).id)

        def decode(data: bytes | None) -> Any:
            if data is None:  # a tombstone: any client can write one to any topic
                raise Undecodable("decode", why="no value")
            if data[:5] != prefix:
                return self._foreign(contract, data)
            try:
                return read(data, 5)
            except (IndexError, UnicodeDecodeError) as error:
                raise Undecodable("decode", why=f"{len(data)} bytes: {error}") from error

        return decode

    def _foreign(self, topic: Topic, data: bytes) -> Any:
        """A value of another version than the current one."""
        if len(data) < 5 or data[0] != 0:
            raise Undecodable("decode", why="not in the Confluent wire format")
        schema_id = int.from_bytes(data[1:5], "big")
        released = self._ids.find(schema_id, topic.subject)
        current = self._ids.current(topic.name)
        if released is None:
            raise Undecodable("schema", "id", schema_id, f"not known for {topic.name}")
        newer = released.subject == topic.subject and released.version > current.version
        if newer and topic.inbox:
            raise NewerSchema(topic.name, schema_id, released.version)
        return _resolve(topic, released, data)


def _record_type(topic: str) -> type:
    contract = BY_NAME.get(topic)
    if contract is None or contract.record is None:
        raise LookupError(f"{topic} is not a topic with a record")
    return contract.record


def _resolve(topic: Topic, released: Released, data: bytes) -> Any:
    """Reads with the writer's schema and resolves to ours."""
    name = SUBJECTS[topic.name]
    stream = io.BytesIO(data[5:])
    try:
        writer = fastavro.parse_schema(raw(json.loads(released.schema)), named_schemas={})
        reader = fastavro.parse_schema(raw(resolved(name)), named_schemas={})
        datum = fastavro.schemaless_reader(stream, writer, reader, return_record_name=True)
    except Exception as error:
        why = f"cannot be read as {topic.subject}: {type(error).__name__}"
        raise Undecodable("schema", "id", released.id, why) from error
    if stream.read(1):
        raise Undecodable("decode", why="bytes left over")
    return from_datum(named()[name], datum)
