"""How far a long command is, on a terminal and in a log."""

from __future__ import annotations

import io
import re

from rich.console import Console

from weir.progress import progress


def test_a_terminal_shows_a_bar_with_rate_and_time_left() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=100)
    with progress("exporting", "offsets", console) as tell:
        for done in range(0, 3_001, 1_000):
            tell(done, 4_000)
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.getvalue())
    assert re.search(r"exporting .* 75% 3,000 offsets(, [\d,]+/s)? \d\d:\d\d", shown)


def test_a_log_gets_a_line_now_and_then() -> None:
    out = io.StringIO()
    with progress("replaying", "events", Console(file=out), 0) as tell:
        tell(0, 4)
        tell(2, 4)
    assert re.fullmatch(
        r"replaying: 0 of 4 events, 0/s\nreplaying: 2 of 4 events, [\d,]+/s, \d+ s left\n",
        out.getvalue(),
    )
    quiet = io.StringIO()
    with progress("replaying", "events", Console(file=quiet)) as tell:
        tell(2, 4)
    assert quiet.getvalue() == ""
