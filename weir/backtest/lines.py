"""Records as files of JSON Lines, one for each topic, as `weir produce` takes them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from schemas.jsonform import iso, to_json
from weir.backtest.candles import Said
from weir.errors import WeirError


def write(said: Iterable[Said], folder: Path) -> int:
    """Writes `<topic>.jsonl` for each topic; how many records. WeirError for a folder in use."""
    empty(folder)
    count = 0
    with ExitStack() as stack:
        files: dict[str, IO[str]] = {}
        for one in said:
            if one.topic not in files:
                place = folder / f"{one.topic}.jsonl"
                files[one.topic] = stack.enter_context(place.open("w", encoding="utf-8"))
            line = {"timestamp": iso(one.at_ms), "value": to_json(one.record)}
            files[one.topic].write(json.dumps(line, ensure_ascii=False) + "\n")
            count += 1
    return count


def empty(folder: Path) -> None:
    """Makes the folder. WeirError where there is something in it already."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise WeirError(f"{folder} is not empty: nothing is written over")
    folder.mkdir(parents=True, exist_ok=True)
