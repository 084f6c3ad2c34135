"""One partition of one table: frozen values in memory over a RocksDB folder that trails the
changelog.

Three layers answer a read, newest first: what the running batch wrote (`_new`), what the committing
batch wrote (`_inflight`), and the database, which changes only after a commit. In front of them
lies a cache of two generations: a hit in the old one moves to the young one, and when the young one
is full the old one is dropped.

Beside every state stands its hash, the sum modulo 2^256 of sha256(key, 0x00, value) over all
entries, kept up to date per changed entry: two tables are equal when their hashes are.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import rocksdict

from agents.exact.due import DUE, Due
from agents.exact.ordered import Keys

HASH_KEY = "@hash"
_POSITION = b"\x00position"
_MODULUS = 1 << 256
_MISS = object()
_DELETED = object()

Row = tuple[bytes, bytes | None]
Journal = list[tuple["Part", str, Any, int | None]]


class Damaged(RuntimeError):
    """A folder that RocksDB cannot read as it was written. It has been removed: whoever opens the
    part next begins with an empty one and restores it from the changelog.
    """


class Part:
    """The entries of one (table, partition). `journal` is the engine's list of what the current
    event wrote. What cannot be read raises Damaged, and the process must not go on with this part.
    """

    def __init__(
        self,
        path: Path | None,
        dumps: Callable[[str, Any], bytes],
        loads: Callable[[str, bytes], Any],
        cache_entries: int,
        journal: Journal,
    ) -> None:
        self._path, self._dumps, self._loads = path, dumps, loads
        self._journal = journal
        self._half = max(1, cache_entries // 2)
        self._db: Any = _Memory() if path is None else _Folder(path)
        self._young: dict[str, Any] = {}
        self._old: dict[str, Any] = {}
        self._new: dict[str, Any] = {}
        self._inflight: dict[str, Any] = {}
        self._new_keys, self._inflight_keys = Keys(), Keys()
        # what the stored entry adds to the hash, 0 where there is none: spares the commit a read
        self._sums: dict[str, int] = {}
        # written with the entries: what a restore that was cut short has reached, their hash, and
        # where the last `@hash` lies on the changelog
        position, total, stamp_at = (self._db.get(_POSITION) or b"0 0 -1").split()
        self.position, self.hash, self.stamp_at = int(position), int(total, 16), int(stamp_at)
        self._prove()
        self.unproven = self._recall() != self.hash

    def _prove(self) -> None:
        """Reads every entry once (1.6 s for a million): RocksDB's checksums find a flipped bit in
        what it still lists, but it takes a damaged end of its list for a write that was cut off.
        """
        if isinstance(self._db, _Memory):
            return
        total = sum(digest(key, value) for key, value in self._db.scan(b"") if key not in _OURS)
        if total % _MODULUS != self.hash:
            raise self._db.damaged("the entries do not have the hash written with them")

    def _recall(self) -> int:
        """Time, wake-ups and the next offset of each source as the stored entries say; returns the
        hash the log claims.
        """
        raw = self._db.get(HASH_KEY.encode())
        stamp: Any = json.loads(raw) if raw is not None else {"hash": "0", "at": 0}
        self.at_ms = int(stamp["at"])
        self.next = {} if raw is None else stamp.get("next")
        self.due = Due(self)
        return int(stamp["hash"], 16)

    # -- what a step does

    def get(self, key: str) -> Any | None:
        value = self._young.get(key, _MISS)
        if value is not _MISS:
            return value
        value = self._below(key)
        self._cache(key, value)
        return value

    def put(self, key: str, value: Any) -> None:
        if type(value) not in _IMMUTABLE:
            _require_immutable(value)
        self._log(key)
        self._new[key] = value
        self._cache(key, value)

    def delete(self, key: str) -> None:
        self._log(key)
        self._new[key] = _DELETED
        self._cache(key, None)

    def range(self, prefix: str) -> Iterator[tuple[str, Any]]:
        """Entries whose key starts with `prefix`, in key order, with everything written so far.

        Wake-ups are entries too, and are seen only by a prefix of their own.
        """
        shows_due = prefix.startswith(DUE)
        found, ordered = {}, (self._inflight_keys, self._new_keys)
        for layer, keys in zip((self._inflight, self._new), ordered, strict=True):
            for key in keys.starting(prefix):
                if key in layer:  # else it was taken back
                    found[key] = layer[key]
        for raw, data in self._db.scan(prefix.encode()):
            key = raw.decode()
            if key not in found and raw not in _OURS:
                found[key] = self._load(key, data)
        for key in sorted(found):
            if found[key] is not _DELETED and (shows_due or not key.startswith(DUE)):
                yield key, found[key]

    def wake(self, key: str, at_ms: int | None) -> None:
        self.due.wake(key, at_ms)

    def take_back(self, key: str, prior: Any, due_at: int | None) -> None:
        """Undoes one write of a refused event."""
        if prior is _MISS:
            self._new.pop(key, None)
            self._young.pop(key, None)
            self._old.pop(key, None)
        else:
            self._new[key] = prior
            self._young[key] = None if prior is _DELETED else prior
        if key.startswith(DUE):
            self.due.restore(key.split("|", 2)[2], due_at)

    # -- what the engine does

    @property
    def dirty(self) -> bool:
        return bool(self._new)

    def seal(self, at_ms: int) -> None:
        """The running batch becomes the committing one; the one before must have been stored."""
        self._inflight, self._new, self.at_ms = self._new, {}, at_ms
        self._inflight_keys, self._new_keys = self._new_keys, Keys()

    def rows(self, at_ms: int, offsets: dict[str, int]) -> list[Row]:
        """The sealed batch as changelog rows, `@hash` last, which also says up to which offset of
        each source it leads. Runs in the commit thread.
        """
        self._recall_sums()
        total, sums = self.hash, self._sums
        out: list[Row] = []
        for key, value in self._inflight.items():
            raw = key.encode()
            data = None if value is _DELETED else self._dump(key, value)
            now = 0 if data is None else digest(raw, data)
            total += now - sums[key]
            sums[key] = now
            out.append((raw, data))
        self.hash = total % _MODULUS
        self.next = {**(self.next or {}), **offsets}
        stamp = {"at": at_ms, "hash": f"{self.hash:064x}", "next": self.next}
        out.append((HASH_KEY.encode(), json.dumps(stamp).encode()))
        return out

    def _recall_sums(self) -> None:
        """Makes sure that the sum of every entry to be written is known."""
        if len(self._sums) > self._half:
            self._sums = {}
        unknown = [key for key in self._inflight if key not in self._sums]
        raws = [key.encode() for key in unknown]
        for key, raw, data in zip(unknown, raws, self._db.get(raws) if raws else (), strict=True):
            self._sums[key] = 0 if data is None else digest(raw, data)

    def store(self, rows: list[Row], position: int, stamp_at: int) -> None:
        """Writes committed rows, the changelog position behind them and the place of their last
        `@hash` in one batch.
        """
        reached = f"{position} {self.hash:x} {stamp_at}".encode()
        self._db.write([*rows, (_POSITION, reached)])
        self.position, self.stamp_at = position, stamp_at

    def stored(self) -> None:
        """The committing batch is in the database now."""
        self._inflight, self._inflight_keys = {}, Keys()

    def restore(self, rows: list[Row], position: int, stamp_at: int) -> None:
        """Applies changelog rows written by others; the hash follows entry by entry."""
        self._sums = {}
        total = self.hash
        latest = dict(rows)
        for (key, value), before in zip(
            latest.items(), self._db.get(list(latest)) if latest else (), strict=True
        ):
            if key == HASH_KEY.encode():
                continue
            if before is not None:
                total -= digest(key, before)
            if value is not None:
                total += digest(key, value)
        self.hash = total % _MODULUS
        self.unproven = self.unproven or bool(rows)
        self.store(list(latest.items()), position, stamp_at)

    def is_stamp(self, key: bytes, value: bytes | None) -> bool:
        """Whether a changelog row is the last one that was written here."""
        return key == HASH_KEY.encode() and value == self._db.get(key)

    def reopen(self) -> int:
        """Forgets all caches after a restore; returns the hash the log claims."""
        self._young, self._old, self._new, self._inflight, self._sums = {}, {}, {}, {}, {}
        self._new_keys, self._inflight_keys = Keys(), Keys()
        self.unproven = False
        return self._recall()

    def wipe(self) -> None:
        """Empties the folder: it is not a prefix of this log."""
        if self._path is None:
            raise ValueError("a part in memory has no folder to wipe")
        self.close()
        shutil.rmtree(self._path)
        self._db = _Folder(self._path)
        self.position, self.hash, self.stamp_at = 0, 0, -1
        self.reopen()

    def close(self) -> None:
        self._db.close()

    def _cache(self, key: str, value: Any) -> None:
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}
        self._young[key] = value

    def _below(self, key: str) -> Any | None:
        for layer in (self._new, self._inflight, self._old):
            value = layer.get(key, _MISS)
            if value is not _MISS:
                return None if value is _DELETED else value
        raw = self._db.get(key.encode())
        if raw is None:
            self._sums[key] = 0
            return None
        return self._load(key, raw)

    def _log(self, key: str) -> None:
        due_at = self.due.at(key.split("|", 2)[2]) if key.startswith(DUE) else None
        prior = self._new.get(key, _MISS)
        if prior is _MISS:
            self._new_keys.fresh.append(key)
        self._journal.append((self, key, prior, due_at))

    def _dump(self, key: str, value: Any) -> bytes:
        return str(value).encode() if key.startswith(DUE) else self._dumps(key, value)

    def _load(self, key: str, data: bytes) -> Any:
        return int(data) if key.startswith(DUE) else self._loads(key, data)


_OURS = {HASH_KEY.encode(), _POSITION}


class _Memory(dict[bytes, bytes]):
    """The database of a part that lives in memory (harness)."""

    def get(self, key: Any, default: Any = None) -> Any:
        if isinstance(key, list):
            return [super(_Memory, self).get(one) for one in key]
        return super().get(key, default)

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        yield from sorted((key, value) for key, value in self.items() if key.startswith(prefix))

    def write(self, rows: list[Row]) -> None:
        self.update((key, value) for key, value in rows if value is not None)
        for gone in [key for key, value in rows if value is None]:
            self.pop(gone, None)

    def close(self) -> None:
        self.clear()


class _Folder:
    """A RocksDB folder. Its checksums find every flipped bit of an entry; a damaged end of the
    write-ahead log is cut off by whole writes, so what is left is an earlier state with its
    position.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db: Any = None
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._db = rocksdict.Rdict(str(path), _options())
        except Exception as error:
            raise self._judged(error) from error

    def get(self, key: Any) -> Any:
        try:
            return self._db.get(key)
        except Exception as error:
            raise self._judged(error) from error

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """A scan that meets a damaged block just ends; only its status tells it from the end."""
        at = self._db.iter()
        at.seek(prefix)
        while at.valid():
            key = at.key()
            if not key.startswith(prefix):
                return
            yield key, at.value()
            at.next()
        try:
            at.status()
        except Exception as error:
            del at  # it holds the folder open
            raise self._judged(error) from error

    def write(self, rows: list[Row]) -> None:
        batch = rocksdict.WriteBatch(raw_mode=True)
        for key, value in rows:
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        self._db.write(batch)

    def close(self) -> None:
        self._db.close()

    def _judged(self, error: Exception) -> Exception:
        """What a failure means; a folder that is damaged is removed. A full disk or a lock is no
        damage, and what RocksDB itself does not say is not about the folder.
        """
        said = str(error)
        missing = said.startswith("IO error: No such file")
        if type(error) is not Exception or (said.startswith("IO error") and not missing):
            return error
        return self.damaged(said)

    def damaged(self, why: str) -> Damaged:
        """Removes the folder."""
        if self._db is not None:
            self._db.close()  # its lock would outlive the folder
        shutil.rmtree(self._path, ignore_errors=True)
        return Damaged(f"{self._path.name} is damaged: {why}")


def _options() -> rocksdict.Options:
    options = rocksdict.Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_write_buffer_size(8 << 20)
    options.set_max_write_buffer_number(2)
    options.set_keep_log_file_num(2)
    blocks = rocksdict.BlockBasedOptions()
    blocks.set_block_cache(rocksdict.Cache(8 << 20))
    blocks.set_bloom_filter(10, False)
    options.set_block_based_table_factory(blocks)
    return options


def digest(key: bytes, value: bytes) -> int:
    """What one entry adds to its table's hash."""
    return int.from_bytes(sha256(key + b"\x00" + value).digest(), "big")


_IMMUTABLE: set[type] = {str, bytes, int, bool, tuple, frozenset, type(None)}


def _require_immutable(value: Any) -> None:
    """A value that could change behind the table's back would lose the update: refuse it by type,
    once.
    """
    cls = type(value)
    frozen = (isinstance(value, msgspec.Struct) and cls.__struct_config__.frozen) or (
        is_dataclass(value) and cls.__dataclass_params__.frozen
    )
    if not frozen:
        raise TypeError(f"a table holds frozen values, not {cls.__name__}")
    _IMMUTABLE.add(cls)
