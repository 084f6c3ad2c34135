"""A small log that needs no broker: a few records of three topics, as an export."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from agents.wiring import partition_of
from schemas.topics import BY_NAME, key_of, timestamp_ms
from tests.weir.rig import PARTITIONS, WIRE, fill_line
from weir.files.folder import Folder
from weir.files.manifest import NAME, Manifest, save, sha256
from weir.lines import ready
from weir.replay.log import Record

FILLS = "hedge-executions"
ACCOUNTS = [f"bybit:{number}" for number in range(100_001, 100_006)]
TIME = "2026-01-05T10:00:00.000Z"


def fills(count: int) -> list[dict[str, Any]]:
    """Lines of executions, in turn of each account, a second apart."""
    return [
        fill_line(
            ACCOUNTS[n % len(ACCOUNTS)],
            f"e{n}",
            "Buy" if n % 3 else "Sell",
            f"0.{n + 1}",
            "60000.000000000000000001",
            "0.1",
            exec_time=f"2026-01-05T10:{n // 60:02d}:{n % 60:02d}.000Z",
        )
        for n in range(count)
    ]


def records(lines: list[dict[str, Any]], topic: str = FILLS) -> list[Record]:
    """The records of lines, with gaps between the offsets as markers leave them."""
    ends: dict[int, int] = {}
    found = []
    for line in lines:
        made = ready(BY_NAME[topic], json.dumps(line), WIRE)
        value = WIRE.decode(topic, made.value)
        at_ms = timestamp_ms(BY_NAME[topic], value) or 0
        partition = partition_of(key_of(BY_NAME[topic], value) or "", PARTITIONS)
        offset = ends[partition] = ends.get(partition, -2) + 2
        found.append(Record(topic, partition, offset, made.key, made.value, at_ms, ()))
    return found


def exported(
    folder: Path, found: list[Record], topics: tuple[str, ...] = (FILLS,), rows: int = 3
) -> Manifest:
    """These records as an export, with several row groups."""
    written = Folder(folder, WIRE, rows)
    ranges = {(topic, p): (0, 0) for topic in topics for p in range(PARTITIONS)}
    for record in found:
        written.add(record)
        ranges[record.topic, record.partition] = 0, record.offset + 2
    return written.close(ranges, "test")


def rehash(folder: Path) -> None:
    """Makes the manifest agree with what lies in the folder now."""
    say(folder, lambda said: None)


def say(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Changes what the manifest says, and all the hashes and its seal with it."""
    said = json.loads((folder / NAME).read_text())
    for topic in said["topics"].values():
        for part in topic["partitions"]:
            file = folder / str(part["file"])
            if file.is_file():
                part["bytes"], part["sha256"] = file.stat().st_size, sha256(file)
    change(said)
    save(folder, msgspec.convert(said, Manifest))
