"""`weir replay`: what was recorded, folded again and compared."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from weir.replay import Progress


def add(app: typer.Typer) -> None:
    """Adds the verb."""
    app.command("replay")(replay)


def replay(
    check: Annotated[
        bool,
        typer.Option("--check", help="Compare with what was recorded: what it does anyway."),
    ] = True,
    start: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="WHERE",
            help="A day (UTC), an ISO-8601 time or ms, or a place in the merge order: an offset,"
            " or PARTITION:OFFSET,... for these partitions alone.",
        ),
    ] = None,
    stop: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="WHERE", help="The same; not itself replayed, but a day is, whole."
        ),
    ] = None,
    topic: Annotated[
        list[str] | None,
        typer.Option(help="Compare only what lies on this topic (of an input: what follows)."),
    ] = None,
    node: Annotated[list[str] | None, typer.Option(help="Replay only this node.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The verdict as one object.")] = False,
    batch: Annotated[int, typer.Option(min=1, help="Records asked for at once.")] = 2000,
) -> None:
    """Fold the recorded order again; status 1 at the first output or table that differs.

    It writes nothing. Without a range everything that is recorded is replayed.
    """
    from weir import replay as replaying
    from weir.access import address, wire

    on_screen = sys.stderr.isatty()

    def tell(progress: Progress) -> None:
        said = progress.left()
        typer.echo(f"\r{said}" if on_screen else said, err=True, nl=not on_screen)

    choice = replaying.Choice(replaying.span(start, stop), tuple(node or ()), tuple(topic or ()))
    log = replaying.KafkaLog(address(), batch)
    report = replaying.check(log, wire(), tell=tell, choice=choice)
    if on_screen:
        typer.echo("\r\033[K", err=True, nl=False)
    typer.echo(json.dumps(report.as_json(), ensure_ascii=False) if as_json else str(report))
    if not report.identical:
        raise typer.Exit(1)
