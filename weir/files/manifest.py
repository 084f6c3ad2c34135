"""`manifest.json`: what an export holds, so that a part of it can not be taken for the whole.

It is written last: a folder without it was never finished. Every file stands in it with its place
on the log, its count and its sha256; `checked` compares all of that with what lies there.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct, field
from msgspec.structs import replace

from schemas.topics import BY_NAME
from schemas.wire import Wire
from weir.errors import WeirError

NAME = "manifest.json"
FORMAT = "weir-export"
VERSION = 1
_CHUNK = 1 << 20


class Part(Struct, frozen=True, forbid_unknown_fields=True):
    """One partition: its records lie in `file`, or there are none. `start` is where the log began
    or the range does, `end` is exclusive; times are epoch milliseconds.
    """

    partition: int
    start: int
    end: int
    records: int
    undecoded: int = 0
    first_ms: int | None = None
    last_ms: int | None = None
    file: str | None = None
    bytes: int = 0
    sha256: str | None = None


class Schema(Struct, frozen=True, forbid_unknown_fields=True):
    """A schema id on a topic: which one it is (empty when it was not known), and how often."""

    id: int
    subject: str
    version: int
    records: int


class TopicPart(Struct, frozen=True, forbid_unknown_fields=True):
    """A topic: every partition it has, also those without records."""

    partitions: list[Part]
    schemas: list[Schema] = []


class State(Struct, frozen=True, forbid_unknown_fields=True):
    """The state of a node's partition before the first transaction, as `table_hash` proves it."""

    node: str
    partition: int
    table_hash: str
    file: str
    bytes: int
    sha256: str


class Manifest(Struct, frozen=True, forbid_unknown_fields=True):
    """`range` is in words what was asked for; without it the log was read from its beginning.
    `states` are those that a range begins from. `seal` is the hash of all the rest.
    """

    code: str
    made: str
    origin: str
    topics: dict[str, TopicPart]
    range: str | None = None
    states: list[State] = []
    format: str = FORMAT
    version: int = VERSION
    seal: str = ""

    def sealed(self) -> Manifest:
        """With the seal that belongs to what it says."""
        said = msgspec.json.encode(replace(self, seal=""))
        return replace(self, seal=hashlib.sha256(said).hexdigest())

    @property
    def records(self) -> int:
        """All records of all topics."""
        return sum(part.records for topic in self.topics.values() for part in topic.partitions)

    @property
    def bytes(self) -> int:
        """All files together."""
        return sum(part.bytes for topic in self.topics.values() for part in topic.partitions)


class _Head(Struct):
    """What every version of the format says of itself."""

    format: str = ""
    version: int = field(default=0)


def place(topic: str, partition: int) -> str:
    """Where the file of a partition lies in the folder."""
    return f"{topic}/{partition}.parquet"


def state_place(node: str, partition: int) -> str:
    """Where the state of a node's partition lies in the folder."""
    return f"states/{node}-{partition}.json"


def save(folder: Path, manifest: Manifest) -> None:
    """Writes it, whole or not at all."""
    text = msgspec.json.format(msgspec.json.encode(manifest.sealed()), indent=1)
    fresh = folder / f"{NAME}.new"
    fresh.write_bytes(text + b"\n")
    fresh.replace(folder / NAME)


def load(folder: Path) -> Manifest:
    """The manifest of a folder, as it stands. WeirError says what is wrong with it."""
    path = folder / NAME
    if not folder.is_dir():
        raise WeirError(f"{folder} is no folder")
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise WeirError(f"{path} is missing: {folder} is no export, or an unfinished one") from None
    except OSError as error:
        raise WeirError(f"{path}: {error.strerror}") from error
    try:
        head = msgspec.json.decode(data, type=_Head)
        if head.format != FORMAT:
            raise WeirError(f"{path}: format is {head.format!r}, not {FORMAT}")
        if head.version > VERSION:
            raise WeirError(
                f"{path}: version {head.version} of the format is newer than this version of Weir"
                f" reads ({VERSION}): upgrade it"
            )
        found = msgspec.json.decode(data, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WeirError(f"{path} is damaged: {error}") from error
    if found != found.sealed():
        raise WeirError(f"{path} was changed: its seal is not that of what it says")
    return found


def checked(folder: Path, wire: Wire | None = None) -> Manifest:
    """The manifest, after every file was found as it was written. WeirError names the first that
    is not, and, where there is a `wire`, the first schema that it does not know.
    """
    manifest = load(folder)
    for name, topic in manifest.topics.items():
        if name not in BY_NAME:
            raise WeirError(f"{folder / NAME}: {name!r} is no topic of this version of Weir")
        for number, part in enumerate(topic.partitions):
            if part.partition != number:
                raise WeirError(f"{folder / NAME}: {name} lacks partition {number}")
            if part.file is not None:
                if part.file != place(name, number):
                    raise WeirError(f"{folder / NAME}: {part.file!r} is not {place(name, number)}")
                _check(folder / part.file, part)
            elif part.records:
                raise WeirError(f"{folder / NAME}: {name}[{number}] names no file")
        if wire is not None:
            _check_schemas(folder, name, topic, wire)
    for state in manifest.states:
        if state.file != state_place(state.node, state.partition):
            raise WeirError(f"{folder / NAME}: {state.file!r} is not a place of a state")
        _check_bytes(folder / state.file, state, f"the state of {state.node}[{state.partition}] is")
    return manifest


def sha256(path: Path) -> str:
    """The hash of a file."""
    found = hashlib.sha256()
    with path.open("rb") as data:
        while chunk := data.read(_CHUNK):
            found.update(chunk)
    return found.hexdigest()


def _check_bytes(path: Path, part: Part | State, lacking: str) -> None:
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        raise WeirError(f"{path} is missing: {lacking} not there") from None
    if size != part.bytes:
        raise WeirError(f"{path} has {size:,} bytes, the manifest says {part.bytes:,}")
    found = sha256(path)
    if found != part.sha256:
        raise WeirError(f"{path} was changed: its sha256 is {found}, not {part.sha256}")


def _check(path: Path, part: Part) -> None:
    _check_bytes(path, part, f"{part.records:,} records are")
    try:
        rows = pq.read_metadata(path).num_rows
    except pa.ArrowException as error:
        raise WeirError(f"{path} is no Parquet: {error}") from error
    if rows != part.records:
        raise WeirError(f"{path} holds {rows:,} records, the manifest says {part.records:,}")


def _check_schemas(folder: Path, name: str, topic: TopicPart, wire: Wire) -> None:
    for schema in topic.schemas:
        if not schema.subject:
            continue  # nobody knew it when it was recorded: such records were refused then too
        known = wire.released(name, schema.id)
        if known is None or (known.subject, known.version) != (schema.subject, schema.version):
            raise WeirError(
                f"{folder / NAME}: {schema.records:,} records of {name} are written with schema id"
                f" {schema.id} ({schema.subject} version {schema.version}), which is not known"
                " here: a newer Weir or another registry (WEIR_REGISTRY) wrote them"
            )
