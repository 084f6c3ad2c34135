"""One partition of a table against a plain dict: every layer, every restart, and its hash."""

import itertools
import tempfile
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agents.exact.due import DUE, Due
from agents.exact.store import HASH_KEY, Part

KEYS = st.sampled_from([f"{stem}|{i}" for stem in ("a", "ab", "b", "é") for i in range(4)])
VALUES = st.text(max_size=4)
CACHE_ENTRIES = 4  # far below the number of keys


def open_part(path: Path | None, journal: list, cache_entries: int = CACHE_ENTRIES) -> Part:
    return Part(path, lambda _, v: v.encode(), lambda _, raw: raw.decode(), cache_entries, journal)


def entry(at_ms: int, key: str) -> str:
    return f"{DUE}{at_ms:015d}|{key}"


def hash_of(entries: dict) -> int:
    """The hash as its definition says, from nothing but the entries."""
    rows = ((key.encode(), str(value).encode()) for key, value in entries.items())
    return sum(int.from_bytes(sha256(k + b"\0" + v).digest(), "big") for k, v in rows) % (1 << 256)


def own(entries: dict) -> dict:
    return {key: value for key, value in entries.items() if not key.startswith(DUE)}


def pending(entries: dict) -> list[str]:
    due = sorted(
        (value, key[len(entry(0, "")) :]) for key, value in entries.items() if key[0] == "@"
    )
    return [key for _, key in due]


class Table(RuleBasedStateMachine):
    """`live` is what a step must see, `sealed` what commits, `stored` what a crash leaves."""

    on_disk = True

    @initialize()
    def begin(self):
        self.folder = tempfile.TemporaryDirectory()
        self.numbers = itertools.count()
        self.journal: list = []
        self.live: dict = {}
        self.before_event: dict = {}
        self.sealed: dict | None = None
        self.sealed_ms = 0
        self.rows: list | None = None
        self.stored: dict = {}
        self.stored_ms = 0
        self.log: list = []
        self.now_ms = 0
        self.path = Path(self.folder.name) / "part" if self.on_disk else None
        self.part = open_part(self.path, self.journal)

    def teardown(self):
        if hasattr(self, "part"):
            self.part.close()
            self.folder.cleanup()

    # -- what a step does

    @rule()
    def next_event(self):
        self.journal.clear()
        self.before_event = dict(self.live)

    @rule(key=KEYS, value=VALUES)
    def put(self, key, value):
        self.part.put(key, value)
        self.live[key] = value

    @rule(key=KEYS)
    def delete(self, key):
        self.part.delete(key)
        self.live.pop(key, None)

    @rule(key=KEYS)
    def get(self, key):
        assert self.part.get(key) == self.live.get(key)

    @rule(prefix=st.sampled_from(["", "a", "a|", "ab|1", "b", "é", "z", "@"]))
    def range(self, prefix):
        expected = {k: v for k, v in own(self.live).items() if k.startswith(prefix)}
        assert list(self.part.range(prefix)) == sorted(expected.items())

    @rule(key=KEYS, at_ms=st.one_of(st.none(), st.integers(0, 9)))
    def wake(self, key, at_ms):
        self.part.wake(key, at_ms)
        for full in [full for full in self.live if full[0] == "@" and full.endswith(f"|{key}")]:
            if full[len(entry(0, "")) :] == key:
                del self.live[full]
        if at_ms is not None:
            self.live[entry(at_ms, key)] = at_ms

    @rule()
    def refuse(self):
        for part, key, prior, due_at in reversed(self.journal):
            part.take_back(key, prior, due_at)
        self.journal.clear()
        self.live = dict(self.before_event)

    # -- what the engine does

    @precondition(lambda self: self.sealed is None)
    @rule()
    def seal(self):
        self.now_ms += 1
        self.part.seal(self.now_ms)
        self.next_event()
        self.sealed, self.sealed_ms = dict(self.live), self.now_ms

    @precondition(lambda self: self.sealed is not None and self.rows is None)
    @rule()
    def produce(self):
        self.rows = self.part.rows(self.sealed_ms, {})
        assert self.rows[-1][0] == HASH_KEY.encode()
        assert self.part.hash == hash_of(self.sealed)

    @precondition(lambda self: self.rows is not None)
    @rule()
    def store(self):
        self.log += [*self.rows, None]  # None stands for the commit marker
        self.part.store(self.rows, len(self.log) - 1, len(self.log) - 2)
        self.part.stored()
        self.stored, self.stored_ms = self.sealed, self.sealed_ms
        self.sealed = self.rows = None

    @precondition(lambda self: self.on_disk)
    @rule()
    def crash(self):
        self.part.close()
        self.journal.clear()
        self.part = open_part(self.path, self.journal)
        self._back_to_stored()

    @precondition(lambda self: self.on_disk)
    @rule()
    def wipe(self):
        self.part.wipe()
        self.journal.clear()
        assert (self.part.position, self.part.hash, self.part.at_ms) == (0, 0, 0)
        self._restore(len(self.log))

    @rule(chunk=st.integers(1, 7), crash_at=st.integers(0, 40))
    def restore_elsewhere(self, chunk, crash_at):
        """Onto an empty folder, in chunks, with one crash in the middle of it."""
        self.part.close()
        self.journal.clear()
        path = self.path and Path(self.folder.name) / f"restored-{next(self.numbers)}"
        self.path, self.part = path, open_part(path, self.journal)
        if self.on_disk and crash_at < len(self.log):
            self._restore(chunk, until=crash_at)
            self.part.close()
            self.part = open_part(path, self.journal)
        self._restore(chunk)

    def _restore(self, chunk, until=None):
        end = len(self.log) if until is None else until
        while self.part.position < end:
            start = self.part.position
            rows = [row for row in self.log[start : min(start + chunk, end)] if row is not None]
            self.part.restore(rows, min(start + chunk, end), -1)
        if until is None:
            claimed = self.part.reopen()
            assert claimed == self.part.hash
        self._back_to_stored()

    def _back_to_stored(self):
        self.live, self.before_event = dict(self.stored), dict(self.stored)
        self.sealed = self.rows = None

    @invariant()
    def holds(self):
        if not hasattr(self, "part"):
            return
        assert self.part.due.pending() == pending(self.live)
        if self.sealed is None:
            assert self.part.hash == hash_of(self.stored)
            assert self.part.at_ms == self.stored_ms


class TableInMemory(Table):
    on_disk = False


MODEST = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestOnDisk = Table.TestCase
TestOnDisk.settings = MODEST
TestInMemory = TableInMemory.TestCase
TestInMemory.settings = MODEST


@given(st.lists(st.tuples(KEYS, st.one_of(st.none(), st.integers(0, 9)), st.booleans())))
@settings(max_examples=100, deadline=None)
def test_due_against_a_model(wishes):
    """At most one wake-up per key; a refused wish leaves the one before."""
    journal: list = []
    part = open_part(None, journal)
    model: dict[str, int] = {}
    for key, at_ms, refused in wishes:
        journal.clear()
        part.wake(key, at_ms)
        if refused:
            for each, full, prior, due_at in reversed(journal):
                each.take_back(full, prior, due_at)
        elif at_ms is None:
            model.pop(key, None)
        else:
            model[key] = at_ms
        assert part.due.pending() == [k for _, k in sorted((t, k) for k, t in model.items())]
        for now_ms in (0, 4, 9):
            ready = sorted((t, k) for k, t in model.items() if t <= now_ms)
            assert part.due.ready(now_ms) == [k for _, k in ready]
            assert part.due.at(key) == model.get(key)
    assert Due(part).pending() == part.due.pending()


@dataclass
class Loose:
    items: list = field(default_factory=list)


@dataclass(frozen=True)
class Firm:
    items: tuple = ()


class Struct(msgspec.Struct):
    total: int = 0


class FrozenStruct(msgspec.Struct, frozen=True):
    total: int = 0


@pytest.mark.parametrize("value", [[], {}, set(), bytearray(), Loose(), Struct()])
def test_a_value_that_could_change_is_refused(value):
    part = open_part(None, [])
    with pytest.raises(TypeError, match=type(value).__name__):
        part.put("k", value)
    assert part.get("k") is None


@pytest.mark.parametrize("value", ["", b"", 1, True, (), frozenset(), Firm(), FrozenStruct()])
def test_a_frozen_value_is_taken(value):
    part = open_part(None, [])
    part.put("k", value)
    assert part.get("k") == value


def test_the_cache_is_bounded_by_writes_too():
    """A step that only writes (ids it has seen, wake-ups that come and go) must not fill memory."""
    part = open_part(None, [], cache_entries=10)
    for i in range(1000):
        part.put(f"seen-{i}", "x")
        part.wake("k", i)
        part.get("hot")
        part.delete(f"gone-{i}")
    assert len(part._young) + len(part._old) <= 12
