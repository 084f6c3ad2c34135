"""The verbs of the people at the desk: keys, holds, approvals, the pause.

Their words and options; what they do stands in the modules they import when they are called.
"""

import json
from pathlib import Path
from typing import Annotated

import typer

_As = Annotated[
    list[str] | None, typer.Option("--as", metavar="NAME", help="Who asks; may be repeated.")
]
_Scope = Annotated[str, typer.Option(help="all, class:NAME, venue:NAME or account:ID.")]
_Reason = Annotated[str, typer.Option(help="Why, in words.")]
_Draft = Annotated[
    Path | None, typer.Option(help="A file that people hand around until enough have signed.")
]
_Name = Annotated[str, typer.Option("--as", metavar="NAME", help="Who says so.")]
_Valid = Annotated[int, typer.Option("--valid-s", min=1, help="How long the word counts.")]

keys_app = typer.Typer(help="Keys of people, as files of this home.", no_args_is_help=True)


def add(app: typer.Typer) -> None:
    """Adds these verbs to the command."""
    app.add_typer(keys_app, name="keys")
    for verb in (holds, approve, deny, revoke, pause, reduce, resume):
        app.command()(verb)


@keys_app.command("new")
def keys_new(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Make a key that only you can read, and print its public part for the policy."""
    from agents import keys
    from weir.errors import WeirError
    from weir.home import home

    try:
        key = keys.create(home().root, name)
    except keys.KeyFault as why:
        raise WeirError(str(why)) from why
    typer.echo(f"{keys.path_of(home().root, name)} is yours alone; into people[] goes:", err=True)
    typer.echo(f"- {{id: {name}, public_key: {key.public}, roles: [], classes: [], max_usd: 0}}")


def holds(
    as_json: Annotated[bool, typer.Option("--json", help="One object for each.")] = False,
) -> None:
    """Show what waits for a signature: the exact body, its hash, who may sign, until when."""
    from weir import holds as waiting
    from weir.access import address, wire

    found = waiting.holds(address(), wire())
    for line in [json.dumps(one.as_json()) for one in found] if as_json else waiting.lines(found):
        typer.echo(line)


def approve(intent: str, name: _Name, valid_s: _Valid = 900) -> None:
    """Sign an intent that waits; status 1 with the reason if the word does not count."""
    _say("approve", intent, name, valid_s)


def deny(intent: str, name: _Name, valid_s: _Valid = 900) -> None:
    """Say no to an intent that waits: it is void and its hold is freed."""
    _say("deny", intent, name, valid_s)


def revoke(intent: str, name: _Name, valid_s: _Valid = 900) -> None:
    """Take an approval back; what has not started yet does not start."""
    _say("revoke", intent, name, valid_s)


def pause(
    scope: _Scope = "all", people: _As = None, reason: _Reason = "", draft: _Draft = None
) -> None:
    """Let no money out; what is under way is resolved by reading. One person is enough."""
    _control("PAUSED", scope, people, reason, draft)


def reduce(
    scope: _Scope = "all", people: _As = None, reason: _Reason = "", draft: _Draft = None
) -> None:
    """Let out only what lowers risk."""
    _control("REDUCING", scope, people, reason, draft)


def resume(
    scope: _Scope = "all", people: _As = None, reason: _Reason = "", draft: _Draft = None
) -> None:
    """Let money out again. Two people sign."""
    _control("ACTIVE", scope, people, reason, draft)


def _say(verdict: str, intent: str, name: str, valid_s: int) -> None:
    from weir.access import address, wire
    from weir.holds import say

    typer.echo(say(address(), wire(), verdict, intent, name, valid_s))  # type: ignore[arg-type]


def _control(
    mode: str, scope: str, people: list[str] | None, reason: str, draft: Path | None
) -> None:
    from weir.access import address, wire
    from weir.controls import change

    typer.echo(change(address(), wire(), mode, scope, reason, people or [], draft))
