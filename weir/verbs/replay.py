"""`weir replay`: what was recorded, folded again and compared."""

from __future__ import annotations

import json
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from schemas.wire import Wire
    from weir.replay.folder import FolderLog

_From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="WHERE",
        help="A day (UTC), an ISO-8601 time or ms, or a place in the merge order: an offset,"
        " or PARTITION:OFFSET,... for these partitions alone.",
    ),
]
_To = Annotated[
    str | None,
    typer.Option(
        "--to", metavar="WHERE", help="The same; not itself replayed, but a day is, whole."
    ),
]
_Run = Annotated[
    str | None,
    typer.Option(
        "--to-topics",
        metavar="RUN",
        help="Write what it gives to topics of its own, replay.RUN.*, never live.",
    ),
]
_Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FOLDER",
        help="Records without a merge order: write what the nodes give as lines of JSON here.",
    ),
]


def add(app: typer.Typer) -> None:
    """Adds the verb."""
    app.command("replay")(replay)


def replay(
    check: Annotated[
        bool,
        typer.Option("--check", help="Compare with what was recorded: what it does anyway."),
    ] = True,
    start: _From = None,
    stop: _To = None,
    topic: Annotated[
        list[str] | None,
        typer.Option(help="Compare only what lies on this topic (of an input: what follows)."),
    ] = None,
    node: Annotated[list[str] | None, typer.Option(help="Replay only this node.")] = None,
    source: Annotated[
        Path | None,
        typer.Option("--input", metavar="FOLDER", help="Replay an export; needs no Kafka."),
    ] = None,
    run: _Run = None,
    out: _Out = None,
    as_json: Annotated[bool, typer.Option("--json", help="The verdict as one object.")] = False,
    batch: Annotated[int, typer.Option(min=1, help="Records asked for at once.")] = 2000,
) -> None:
    """Fold the recorded order again; status 1 at the first output or table that differs.

    It writes nothing, unless to topics of its own. Without a range it replays all that is recorded.
    Files without a merge order are folded in the order of their times, under the policies in them
    (or the shipped one); there is nothing to compare, so it says what came of it.
    """
    from agents.wiring import ORDER_TOPIC
    from weir import replay as replaying
    from weir.access import address, wire
    from weir.errors import WeirError
    from weir.files.opening import opened
    from weir.home import settings
    from weir.progress import progress
    from weir.replay.copies import Copies

    choice = replaying.Choice(replaying.span(start, stop), tuple(node or ()), tuple(topic or ()))
    codec = wire()
    with ExitStack() as open_:
        log: replaying.Log
        given: list[replaying.Base] = []
        if source is None:
            log = replaying.KafkaLog(address(), batch)
        else:
            log = held = open_.enter_context(opened([source], codec, settings().partitions))
            given = held.bases
            if ORDER_TOPIC not in held.topics:
                if node or topic or run:
                    raise WeirError(f"{source} holds no merge order: --from, --to and --out alone")
                _fold(held, codec, start, stop, out, as_json)
                return
        if out is not None:
            raise WeirError("--out is for records without a merge order; this log has one")
        copy = None
        if run is not None:
            counts = {topic: log.partitions(topic) for topic in choice.sinks()}
            copy = open_.enter_context(closing(Copies(address(), run, counts))).take
        with progress("replaying", "events") as tell:
            report = replaying.check(
                log,
                codec,
                tell=lambda done: tell(done.events, done.expected),
                choice=choice,
                given=given,
                copy=copy,
            )
    typer.echo(json.dumps(report.as_json(), ensure_ascii=False) if as_json else str(report))
    if not report.identical:
        raise typer.Exit(1)


def _fold(
    log: FolderLog,
    codec: Wire,
    start: str | None,
    stop: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    from weir.backtest import fold
    from weir.progress import progress
    from weir.verbs.inputs import span_of

    with progress("folding", "records") as tell:
        folded = fold(log, codec, out, span_of(start, stop), tell)
    if as_json:
        typer.echo(json.dumps(folded.as_json(), ensure_ascii=False))
        return
    typer.echo(f"without a merge order: {folded}")
    for cause, count in folded.letters.items():
        typer.echo(f"  {count:>8,} {cause}")
    for sentence in folded.assumptions:
        typer.echo(f"  assumed: {sentence}")
