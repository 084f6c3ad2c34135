"""The watched file, however it is changed: what counts is what stands in it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from agents.policies.file import watch
from agents.policies.layers import Fault, Layer

BEFORE, AFTER = "sweep: {liq_buffer_pct: '0.30'}\n", "sweep: {liq_buffer_pct: '0.25'}\n"


def in_place(path: Path) -> None:
    path.write_text(AFTER)


def replaced(path: Path) -> None:
    part = path.with_suffix(".part")
    part.write_text(AFTER)
    part.replace(path)


def with_the_old_time(path: Path) -> None:
    """As tools leave it that give every file one time; the size is the same as well."""
    was = path.stat()
    path.write_text(AFTER)
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))


def other_link(path: Path) -> None:
    other = path.with_name("other.yaml")
    other.write_text(AFTER)
    path.unlink()
    path.symlink_to(other)


@pytest.mark.req("004-24")
@pytest.mark.parametrize("change", [in_place, replaced, with_the_old_time, other_link])
async def test_every_change_of_the_file_is_seen(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(BEFORE)
    heard: list[Layer | Fault] = []
    stop = asyncio.Event()
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(watch(path, heard.append, stop))
        for count in (1, 2):
            for _ in range(200):
                if len(heard) < count:
                    await asyncio.sleep(0.01)
            if count == 1:
                change(path)
        stop.set()
    pct = [one.content["sweep"]["liq_buffer_pct"] for one in heard if isinstance(one, Layer)]
    assert pct == ["0.30", "0.25"]
