"""`weir dlq`: list, show and redrive dead letters."""

from __future__ import annotations

import json
from typing import Annotated

import typer

_Json = Annotated[bool, typer.Option("--json", help="The same for programs.")]
_Place = Annotated[str, typer.Argument(metavar="TOPIC[:PARTITION[:OFFSET]]")]


def add(app: typer.Typer) -> None:
    """Adds the verbs."""
    dlq = typer.Typer(help="Dead letters: records that could not be used, and the way back.")
    dlq.command("list")(list_letters)
    dlq.command("show")(show)
    dlq.command("redrive")(redrive)
    app.add_typer(dlq, name="dlq")


def list_letters(as_json: _Json = False) -> None:
    """Count dead letters by topic, with causes and ages."""
    from weir.access import address
    from weir.dlq.listing import letters, summary
    from weir.dlq.place import DEAD
    from weir.dlq.text import table
    from weir.topics import partition_counts

    bootstrap = address()
    there = partition_counts(bootstrap)
    found = summary(letters(bootstrap, [topic for topic in DEAD if topic in there]))
    if as_json:
        typer.echo(json.dumps([one.as_json() for one in found]))
    else:
        typer.echo("\n".join(table(found)))


def show(place: _Place, as_json: _Json = False) -> None:
    """Show letters: why they were refused, their headers and their value."""
    from weir.access import address, wire
    from weir.dlq.listing import letters
    from weir.dlq.place import place_of
    from weir.dlq.text import described, shown
    from weir.errors import WeirError

    where = place_of(place)
    found = [one for one in letters(address(), [where.topic]) if where.holds(one)]
    if not found and where.offset is not None:
        raise WeirError(f"there is no dead letter at {place}")
    codec = wire()
    for letter in found:
        told = described(letter, codec)
        typer.echo(json.dumps(told, ensure_ascii=False) if as_json else shown(told))


def redrive(
    place: _Place,
    cause: Annotated[str | None, typer.Option(help="Only letters of this cause.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would go back; send nothing.")
    ] = False,
) -> None:
    """Send letters back to the topic they came from; each goes back once."""
    from weir.access import address
    from weir.dlq.place import place_of
    from weir.dlq.redrive import redrive as send
    from weir.dlq.text import told

    outcome = send(address(), place_of(place), cause, dry_run)
    typer.echo("\n".join(told(outcome, dry_run)))
    if outcome.obstacles:
        raise typer.Exit(1)
