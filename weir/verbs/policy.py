"""The verbs of the policy: what ships, what is in force where, and a person's word about it."""

import json
from pathlib import Path
from typing import Annotated

import typer

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
def policy_set(file: Path, people: _As = None) -> None:
    """Put a YAML file in force as the next version, above all watched sources; an admin signs it
    if there is one.
    """
    from weir.access import address, wire
    from weir.policies import put

    typer.echo(put(address(), wire(), file, people or []))


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
    from weir.errors import WeirError

    shown, standing = policy_show.look(address(), wire())
    if as_yaml:
        if standing.policy is None:
            raise WeirError("there is no policy yet: `weir policy defaults` prints the shipped one")
        typer.echo(policies.as_yaml(standing.policy), nl=False)
        return
    typer.echo(json.dumps(shown.as_json()) if as_json else "\n".join(policy_show.lines(shown)))
