"""`weir export` and `weir import`: the log in files, and back."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer


def add(app: typer.Typer) -> None:
    """Adds the verbs."""
    app.command("export")(take)
    app.command("import")(bring)


def take(
    to: Annotated[
        Path, typer.Option("--to", metavar="FOLDER", help="A folder that is new or empty.")
    ],
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="WHERE", help="Only from here on: as `weir replay --from`."),
    ] = None,
    stop: Annotated[
        str | None,
        typer.Option("--until", metavar="WHERE", help="Only up to here: as `weir replay --to`."),
    ] = None,
    topic: Annotated[
        list[str] | None,
        typer.Option(help="Only this topic; may be repeated. A replay needs all: the default."),
    ] = None,
) -> None:
    """Write what is committed on the topics into Parquet files: exact bytes, and typed columns.

    A range holds what its transactions took and gave, and the state they began from.
    """
    from weir.access import address, wire
    from weir.files.export import export
    from weir.progress import progress
    from weir.replay import span

    with progress("exporting", "offsets") as tell:
        made = export(address(), wire(), to, topic or (), span(start, stop, "--until"), tell)
    typer.echo(
        f"{made.records:,} records of {len(made.topics)} topics in {to}, {made.bytes / 1e6:,.1f} MB"
    )


def bring(
    source: Annotated[
        list[Path],
        typer.Argument(metavar="FOLDER|TOPIC.jsonl", help="An export, or lines of JSON."),
    ],
) -> None:
    """Write what came from outside into an empty Kafka, for a pipeline to decide it again.

    That is: executions, loan states, account snapshots, balances, policies, controls, and what
    people, pollers and calendars put into the inboxes. What nodes wrote is left out.

    The log is marked as imported for good: what is decided on it says treasury.mode replay and is
    not signed, and the executor calls nobody.
    """
    from weir.access import address, wire
    from weir.files.bring import bring as write
    from weir.files.opening import opened
    from weir.home import settings
    from weir.progress import progress

    codec, name = wire(), ", ".join(map(str, source))
    with ExitStack() as open_:
        with progress("reading", "bytes") as tell:
            log = open_.enter_context(opened(source, codec, settings().partitions, tell))
        with progress("importing", "records") as tell:
            brought = write(log, address(), codec, name, tell)
    for topic, count in brought.items():
        typer.echo(f"{count:>10,} {topic}")
    typer.echo(
        f"{brought.total():>10,} records of {name}; this log is marked: nothing is carried out"
    )
