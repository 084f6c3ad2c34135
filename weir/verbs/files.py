"""`weir export`: the log in files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def add(app: typer.Typer) -> None:
    """Adds the verbs."""
    app.command("export")(export)


def export(
    to: Annotated[
        Path, typer.Option("--to", metavar="FOLDER", help="A folder that is new or empty.")
    ],
    topic: Annotated[
        list[str] | None,
        typer.Option(help="Only this topic; may be repeated. A replay needs all: the default."),
    ] = None,
) -> None:
    """Write what is committed on the topics into Parquet files: exact bytes, and typed columns."""
    from weir.access import address, wire
    from weir.files import export as exporting
    from weir.progress import progress

    with progress("exporting", "offsets") as tell:
        made = exporting.export(address(), wire(), to, topic or (), tell)
    typer.echo(
        f"{made.records:,} records of {len(made.topics)} topics in {to}, {made.bytes / 1e6:,.1f} MB"
    )
