"""`weir report`: what others ask for once a year."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer


def add(app: typer.Typer) -> None:
    """Adds the verbs."""
    report = typer.Typer(help="Reports from the topics, as CSV.", no_args_is_help=True)
    report.callback()(_group)
    report.command("tax")(tax)
    app.add_typer(report, name="report")


def _group() -> None:
    """Reports from the topics, as CSV."""


def tax(
    year: Annotated[int, typer.Option(min=1970, max=9999, help="UTC year of closing.")],
    file: Annotated[Path | None, typer.Argument(help="Default: standard output.")] = None,
    account: Annotated[str | None, typer.Option(help="Only this account (venue:number).")] = None,
    method: Annotated[
        Literal["FIFO", "LIFO", "HIFO", "ACB"] | None,
        typer.Option(help="Default: allocation.lot_method of the policy."),
    ] = None,
) -> None:
    """Gains of a year by lot: proceeds, cost, gain and days held, under one cost method."""
    from weir import report
    from weir.access import address, wire
    from weir.consume import consume

    bootstrap, codec = address(), wire()
    chosen = method or report.preferred(consume(bootstrap, "orch_config_updates", codec))
    rows = report.tax(consume(bootstrap, report.TAX_LOTS, codec), year, chosen, account)
    if file is None:
        report.write(rows, sys.stdout)
    else:
        with file.open("w", newline="") as out:
            report.write(rows, out)
    told = ", ".join(f"{gain} {ccy}" for ccy, gain in report.total(rows).items()) or "no gain"
    typer.echo(f"{len(rows)} closed lots of {year} by {chosen}: {told}", err=True)
