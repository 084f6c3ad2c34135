"""The command `weir`: one function for each verb, each importing what it needs when it is called.

So `weir --help` is quick, and a verb that needs no Kafka does not load a client. What a verb does
stands in the module it imports; here are only its words, its options and its exit status.
"""

import itertools
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from weir.verbs import (
    backtest,
    desk,
    evidence,
    files,
    letters,
    policy,
    replay,
    reports,
    resolution,
    web,
)

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
def status(
    as_json: Annotated[bool, typer.Option("--json", help="The same facts as one object.")] = False,
) -> None:
    """Show broker, workers, lag, mode, policy, last decision; status 1 without Kafka."""
    from weir.access import wire
    from weir.home import home
    from weir.status import picture
    from weir.status.text import text

    seen = picture(home(), wire())
    typer.echo(json.dumps(seen.as_json(), ensure_ascii=False) if as_json else text(seen))
    if not seen.answers:
        raise typer.Exit(1)


@app.command()
def run(
    workers: Annotated[
        list[str] | None, typer.Argument(metavar="[pipeline] [executor]", help="Default: both.")
    ] = None,
    slot: Annotated[int, typer.Option(help="The workers' stable number on this cluster.")] = 0,
    policy: Annotated[
        Path | None, typer.Option(help="Watch this policy file (WEIR_POLICY_FILE).")
    ] = None,
) -> None:
    """Run the workers under a supervisor: what decides, and what carries out."""
    from weir.run import run as run_workers

    run_workers(workers or [], slot, typer.echo, policy)


@app.command(
    context_settings={
        "allow_extra_args": True,
        "ignore_unknown_options": True,
        "help_option_names": [],
    }
)
def sandbox(
    context: typer.Context,
    venue: Annotated[str, typer.Argument(help="bybit or bank.")],
) -> None:
    """Run a stand-in with books of its own; its options: `weir sandbox bybit --help`."""
    words = list(context.args)
    if venue == "bank":
        from weir.sandbox.bank.__main__ import app as bank

        bank(args=words, prog_name="weir sandbox bank")
    if venue != "bybit":
        raise typer.BadParameter(f"no such venue: {venue}; there are bybit and bank")
    from weir.sandbox import bybit

    kafka = os.environ.get("WEIR_KAFKA")
    if kafka and any(word.partition("=")[0] == "--registry" for word in words):
        words += ["--bootstrap", kafka]  # `--bootstrap` on this line was read as a common option
    bybit.app(args=words, prog_name="weir sandbox bybit")


topics_app = typer.Typer(help="Print the catalogue of topics.", invoke_without_command=True)
app.add_typer(topics_app, name="topics")


@topics_app.callback()
def topics(context: typer.Context) -> None:
    """Print the catalogue of topics."""
    if context.invoked_subcommand is None:
        from weir.topics import catalogue

        _print([catalogue()])


@topics_app.command("show")
def topics_show(name: str) -> None:
    """Show what a topic holds: fields, types, meanings, and an example line."""
    from weir.topics import show

    _print(show(name))


@topics_app.command("create")
def topics_create(
    replication: Annotated[int, typer.Option(help="Copies of each partition.")] = 1,
) -> None:
    """Create the topics that are missing; refuse those that differ from their contract."""
    from weir.home import home, settings
    from weir.run import bootstrap
    from weir.topics import ensure

    created = ensure(bootstrap(home()), settings().partitions, replication)
    typer.echo("\n".join(created) if created else "all topics are there, as declared")


@app.command()
def produce(
    topic: str,
    file: Annotated[
        Path | None, typer.Argument(help="JSON Lines; default: standard input.")
    ] = None,
) -> None:
    """Send JSON Lines to a topic: every line is checked before any is sent."""
    from weir.access import address, wire
    from weir.produce import lines_of, produce

    lines = lines_of(file)
    sent = produce(address(), topic, lines, wire())
    typer.echo(f"{sent} {'record' if sent == 1 else 'records'} on {topic}", err=True)


@app.command()
def consume(
    topic: str,
    start: Annotated[
        str, typer.Option("--from", help="earliest, latest, an offset, or an ISO-8601 time.")
    ] = "earliest",
    until: Annotated[str, typer.Option(help="end, a number of records, or never.")] = "end",
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object per line, as produce takes it.")
    ] = False,
    timeout_s: Annotated[
        float | None, typer.Option(help="Fail when it takes longer than this.")
    ] = None,
) -> None:
    """Print what is committed on a topic."""
    from weir.access import address, wire
    from weir.consume import consume, printed

    for line in consume(address(), topic, wire(), start, until, timeout_s):
        typer.echo(printed(line, as_json))


@app.command()
def explain(
    decision_id: Annotated[str, typer.Argument(metavar="DECISION_ID")],
    as_json: Annotated[bool, typer.Option("--json", help="The same as one object.")] = False,
    timeout_s: Annotated[
        float | None, typer.Option(help="Fail when it takes longer than this.")
    ] = None,
) -> None:
    """Say why a decision was made, and what would have changed it."""
    from weir.access import address, wire
    from weir.explain import explain, text

    found = explain(address(), wire(), decision_id, timeout_s)
    typer.echo(json.dumps(found.as_json(), ensure_ascii=False) if as_json else text(found))


def _print(parts: Iterable[Any]) -> None:
    """Tables as wide as the terminal, or as they need to be when piped."""
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else 160)
    for part in parts:
        whole = isinstance(part, str)
        console.print(part, markup=False, highlight=False, soft_wrap=whole)


@app.command()
def demo(
    fills: Annotated[int, typer.Option(min=1, help="Fills of the day.")] = 3000,
    rate: Annotated[float, typer.Option(min=1, help="Fills per second.")] = 125.0,
    accounts: Annotated[int, typer.Option(min=1, max=20, help="Accounts at the venue.")] = 3,
    seed: Annotated[int, typer.Option(help="Seed of prices and hedger.")] = 1,
    prices: Annotated[
        Path | None, typer.Option(help="CSV of candles: BTCUSDT trades it, at today's times.")
    ] = None,
    feed: Annotated[
        Literal["ws", "hedger"],
        typer.Option(help="Who writes executions: the hedger, or the venue's stream is read."),
    ] = "hedger",
    as_json: Annotated[bool, typer.Option("--json", help="Only the verdict, as JSON.")] = False,
) -> None:
    """A hedging day and a bank day on sandboxes, then all books compared; status 1 if not equal."""
    from weir.demo.stage import Day
    from weir.demo.story import demo as run_demo

    day = Day(accounts=accounts, fills=fills, rate=rate, seed=seed, prices=prices, feed=feed)
    if not run_demo(day, as_json):
        raise typer.Exit(1)


backtest.add(app)
desk.add(app)
evidence.add(app)
files.add(app)
letters.add(app)
policy.add(app)
replay.add(app)
reports.add(app)
resolution.add(app)
web.add(app)


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
