"""`weir audit` and `weir verify-audit`: what became of a decision, and is the record whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

_Export = Annotated[
    Path | None,
    typer.Option(
        "--from-export",
        metavar="FILE",
        help="Lines of `weir consume --json` of both audit topics; needs no Kafka.",
    ),
]
_Json = Annotated[bool, typer.Option("--json", help="The same as one object.")]


def add(app: typer.Typer) -> None:
    """Adds the verbs."""
    app.command("audit")(audit)
    app.command("verify-audit")(verify_audit)


def audit(
    decision_id: Annotated[str, typer.Argument(metavar="DECISION_ID")],
    from_export: _Export = None,
    as_json: _Json = False,
) -> None:
    """Tell all that is recorded of one decision, in order."""
    from weir.audit import story
    from weir.audit.source import AUDIT, laid_from
    from weir.errors import WeirError

    found = story(laid_from(from_export, AUDIT), decision_id)
    if not found.records:
        raise WeirError(f"no decision {decision_id} in {from_export or AUDIT}")
    typer.echo(json.dumps(found.as_json(), ensure_ascii=False) if as_json else str(found))


def verify_audit(
    from_export: _Export = None,
    public_key: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY",
            help="Who may sign checkpoints: a key's text or its file; default: this home's.",
        ),
    ] = None,
    as_json: _Json = False,
) -> None:
    """Verify every chain and checkpoint; status 1, and the first bad record of each by name."""
    from weir.audit import check, verify
    from weir.audit.source import AUDIT, CHECKPOINTS, laid_from, public_keys

    keys = public_keys(public_key or [])
    report = verify(laid_from(from_export, AUDIT), check(laid_from(from_export, CHECKPOINTS), keys))
    typer.echo(json.dumps(report.as_json(), ensure_ascii=False) if as_json else str(report))
    if not report.whole:
        raise typer.Exit(1)
