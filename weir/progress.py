"""How far a long command is: a bar with rate and time left on a terminal, else a line now and then.

It goes to standard error, so that what a command prints can be piped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

LINE_EVERY_S = 5.0

Tell = Callable[[int, int], None]
"""What is done, of how much."""


@contextmanager
def progress(
    what: str, unit: str, console: Console | None = None, every_s: float = LINE_EVERY_S
) -> Iterator[Tell]:
    """Shows a bar for as long as the block runs; the block tells how far it is."""
    console = console or Console(stderr=True)
    if not console.is_terminal:
        yield _Lines(what, unit, console, every_s).tell
        return
    columns = (
        TextColumn(what),
        BarColumn(),
        TaskProgressColumn(),
        _Rate(unit),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


class _Rate(ProgressColumn):
    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        rate = f", {speed:,.0f}/s" if speed else ""
        return Text(f"{task.completed:,.0f} {self._unit}{rate}")


class _Lines:
    """For logs: the first line comes after a while, so a short command says nothing."""

    def __init__(self, what: str, unit: str, console: Console, every_s: float) -> None:
        self._what, self._unit, self._console, self._every_s = what, unit, console, every_s
        self._began_s = self._told_s = time.monotonic()

    def tell(self, done: int, of: int) -> None:
        now_s = time.monotonic()
        if now_s - self._told_s < self._every_s:
            return
        self._told_s = now_s
        rate = done / (now_s - self._began_s)
        left = f", {(of - done) / rate:,.0f} s left" if rate else ""
        line = f"{self._what}: {done:,} of {of:,} {self._unit}, {rate:,.0f}/s{left}"
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)
