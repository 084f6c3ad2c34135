"""`weir resolve`: people end what the venue's records could not."""

from __future__ import annotations

from typing import Annotated

import typer


def add(app: typer.Typer) -> None:
    """Adds the verb."""
    app.command("resolve")(resolve)


def resolve(
    intent_id: Annotated[str, typer.Argument(metavar="INTENT")],
    people: Annotated[list[str], typer.Option("--as", help="Who says so; two of them.")],
    outcome: Annotated[
        str,
        typer.Option(help="CONFIRMED (it happened), REJECTED (it will not), READY (do it again)."),
    ],
    note: Annotated[str, typer.Option(help="The evidence, in words.")],
    venue_ref: Annotated[
        str | None, typer.Option("--ref", help="The venue's reference, if there is one.")
    ] = None,
    wait_s: Annotated[float, typer.Option(help="How long to wait for the executor.")] = 10.0,
) -> None:
    """Say with two people how a parked intent ended; their evidence goes on the log."""
    from weir.access import address, wire
    from weir.home import home
    from weir.resolve import Word
    from weir.resolve import resolve as write

    word = Word(people, outcome, note, venue_ref)
    typer.echo(write(address(), home(), wire(), intent_id, word, wait_s))
