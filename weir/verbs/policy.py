"""The verbs of the policy: what ships, what is in force where, and a person's word about it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from agents.standing import Standing

_As = Annotated[
    list[str] | None, typer.Option("--as", metavar="NAME", help="An admin; may be repeated.")
]

policy_app = typer.Typer(help="The policy in force.", no_args_is_help=True)


def add(app: typer.Typer) -> None:
    """Adds these verbs to the command."""
    app.add_typer(policy_app, name="policy")


@policy_app.command("defaults")
def defaults() -> None:
    """Print the shipped policy as a YAML file to start from."""
    from schemas.policy import Policy
    from weir.policies import as_yaml

    typer.echo(as_yaml(Policy()), nl=False)


@policy_app.command("set")
def policy_set(
    file: Path,
    people: _As = None,
    despite: Annotated[
        str | None,
        typer.Option(
            "--despite",
            metavar="REASON",
            help="Set it against what lint or simulation object, and say why: it is recorded.",
        ),
    ] = None,
) -> None:
    """Put a YAML file in force as the next version, above all watched sources: linted, simulated
    over the last days, and signed by an admin if there is one.
    """
    from weir.access import address, wire
    from weir.policies import put

    def tell(line: str) -> None:
        typer.echo(line, err=True)

    typer.echo(put(address(), wire(), file, people or [], despite, tell))


@policy_app.command("lint")
def policy_lint(
    file: Annotated[
        Path | None, typer.Argument(help="A policy file; default: the policy in force.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The findings as a list.")] = False,
) -> None:
    """Name what collides in a policy that is valid by each field; status 1 if there is an error."""
    from streams.lint import errors
    from weir import lint, policies

    policy = policies.of_file(file) if file is not None else policies.in_force(_standing())
    findings = lint.look(policy)
    told = json.dumps([one.as_json() for one in findings], ensure_ascii=False)
    typer.echo(told if as_json else "\n".join(lint.lines(findings)))
    if errors(findings):
        raise typer.Exit(1)


@policy_app.command("release")
def release(people: _As = None) -> None:
    """Let the watched file, the environment and Consul speak again after `weir policy set`."""
    from weir.access import address, wire
    from weir.policies import release as let

    typer.echo(let(address(), wire(), people or []))


@policy_app.command("show")
def show(
    as_json: Annotated[bool, typer.Option("--json", help="The same facts as one object.")] = False,
    as_yaml: Annotated[bool, typer.Option("--yaml", help="The policy itself, as a file.")] = False,
) -> None:
    """Show which policy is in force, who set it, and which nodes decide by it already."""
    from weir import policies, policy_show
    from weir.access import address, wire

    shown, standing = policy_show.look(address(), wire())
    if as_yaml:
        typer.echo(policies.as_yaml(policies.in_force(standing)), nl=False)
        return
    typer.echo(json.dumps(shown.as_json()) if as_json else "\n".join(policy_show.lines(shown)))


@policy_app.command("simulate")
def policy_simulate(
    file: Path,
    days: Annotated[
        int | None, typer.Option(min=1, help="Over the last days; default: activation.days.")
    ] = None,
    start: Annotated[str | None, typer.Option("--from", help="From when on: ISO-8601.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Until when: ISO-8601.")] = None,
    source: Annotated[
        list[Path] | None,
        typer.Option("--input", metavar="FOLDER", help="An export or lines of JSON, not Kafka."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as one object.")] = False,
) -> None:
    """Run a policy over the last days beside the one in force; status 1 if it fires too many orders
    more.
    """
    from weir import policies, simulate
    from weir.access import wire
    from weir.backtest import rulings
    from weir.progress import progress
    from weir.verbs.inputs import log_of, span_of

    proposed, codec = policies.of_file(file), wire()
    with log_of(source, codec) as log, progress("simulating", "records") as tell:
        in_force = rulings.of(policies.standing_in(log, codec))
        span = span_of(start, until) if start or until else None
        if span is None and days is not None:
            span = simulate.last_days(log, codec, days)
        found = simulate.simulate(log, codec, in_force, proposed, span, tell)
    if as_json:
        typer.echo(json.dumps(found.as_json() | {"refused": found.objection is not None}))
    else:
        typer.echo("\n".join(simulate.lines(found)))
    if found.objection is not None:
        typer.echo(f"weir: refused: {found.objection}", err=True)
        raise typer.Exit(1)


def _standing() -> "Standing":
    from weir.access import address, wire
    from weir.controls import standing_of

    return standing_of(address(), wire())
