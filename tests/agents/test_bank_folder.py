"""A folder that others use as well: what they take away or forbid stops nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.agents.bank_files import balance, camt053, statement
from tests.agents.bank_rig import Log, Rig, runs


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def files(folder: Path, *names: str) -> Path:
    folder.mkdir()
    for name in names:
        xml = camt053(statement(balance("CLBD", "1"), statement_id=name))
        (folder / name).write_bytes(xml)
    return folder


async def test_a_file_that_is_taken_away_before_it_is_read_stops_nothing(
    rig: Rig, tmp_path: Path
) -> None:
    folder = files(tmp_path / "in", "a.xml", "b.xml", "c.xml")

    class Slow(Log):
        async def write(self, topic: str, record: Any, **more: Any) -> int:
            (folder / "b.xml").unlink(missing_ok=True)
            return await super().write(topic, record, **more)

    rig.log = Slow()
    feed = rig.folder(folder)
    await runs(feed, lambda: len(rig.log.events) >= 2)
    assert [one.msg_id for one in rig.log.events] == ["M1/a.xml", "M1/c.xml"]
    assert rig.log.letters == []


async def test_a_file_that_cannot_be_moved_away_is_told_once_and_stops_nothing(
    rig: Rig, tmp_path: Path
) -> None:
    folder = files(tmp_path / "in", "a.xml", "b.xml")
    (folder / "taken").write_bytes(b"somebody's file, where the folder should be")
    feed = rig.folder(folder)
    await runs(feed, lambda: feed.polls >= 3)
    assert [one.msg_id for one in rig.log.events] == ["M1/a.xml", "M1/b.xml"], "each once"
    assert rig.log.causes() == ["malformed", "not_moved", "not_moved", "not_moved"]
    (folder / "taken").unlink()
    await runs(feed, lambda: feed.polls >= 6)
    assert sorted(path.name for path in (folder / "taken").iterdir()) == ["a.xml", "b.xml"]
    assert len(rig.log.events) == 2
