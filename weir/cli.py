"""The command `weir`: one function for each verb, each importing what it needs when it is called.

So `weir --help` is quick, and a verb that needs no Kafka does not load a client. What a verb does
stands in the module it imports; here are only its words, its options and its exit status.
"""

import itertools
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="weir",
    help="A treasury on a stream. `weir up`, then `weir status`; files live in WEIR_HOME.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

_Bootstrap = Annotated[
    str | None,
    typer.Option(
        "--bootstrap",
        metavar="HOST:PORT",
        help="Use this Kafka, not the embedded one (WEIR_KAFKA).",
    ),
]
_Home = Annotated[
    Path | None, typer.Option("--home", help="Where this machine's files are (WEIR_HOME).")
]


def main() -> None:
    """Run the command line; what a person can put right is one sentence and status 1."""
    from weir.errors import WeirError

    try:
        app(_common_first(sys.argv[1:]))
    except WeirError as error:
        typer.echo(f"weir: {error}", err=True)
        sys.exit(1)


@app.callback()
def common(bootstrap: _Bootstrap = None, home: _Home = None) -> None:
    """Options of every verb; they win over the environment."""
    if bootstrap is not None:
        os.environ["WEIR_KAFKA"] = bootstrap
    if home is not None:
        os.environ["WEIR_HOME"] = str(home)


@app.command()
def up(
    port: Annotated[
        int | None, typer.Option(help="Move the broker to this port; 0: a new free one.")
    ] = None,
) -> None:
    """Start the embedded Kafka and the schema registry, or find them running."""
    from weir import lifecycle

    typer.echo(lifecycle.up(port))


@app.command()
def down(
    wipe: Annotated[bool, typer.Option("--wipe", help="Forget all data of this home.")] = False,
) -> None:
    """Stop what `weir up` started; data stay unless wiped."""
    from weir import lifecycle

    typer.echo(lifecycle.down(wipe=wipe))


@app.command()
def status() -> None:
    """Show the broker and the processes of this home; status 1 when Kafka does not answer."""
    from weir import lifecycle

    answers, text = lifecycle.status()
    typer.echo(text)
    if not answers:
        raise typer.Exit(1)


def _common_first(words: list[str]) -> list[str]:
    """The common options may stand anywhere on the line; put them where the parser wants them."""
    first: list[str] = []
    rest: list[str] = []
    reading = iter(words)
    for word in reading:
        name, has_value, _ = word.partition("=")
        if name not in ("--bootstrap", "--home"):
            rest.append(word)
        elif has_value:
            first.append(word)
        else:
            first.extend([word, *itertools.islice(reading, 1)])
    return first + rest


if __name__ == "__main__":
    main()
