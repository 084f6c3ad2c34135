"""`weir report`: what others ask for: tax once a year, and whether value at risk holds."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal, TextIO

import typer


def add(app: typer.Typer) -> None:
    """Adds the verbs."""
    report = typer.Typer(help="Reports from the topics, as CSV.", no_args_is_help=True)
    report.callback()(_group)
    report.command("tax")(tax)
    report.command("var")(var)
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
    _write(file, lambda out: report.write(rows, out))
    told = ", ".join(f"{gain} {ccy}" for ccy, gain in report.total(rows).items()) or "no gain"
    typer.echo(f"{len(rows)} closed lots of {year} by {chosen}: {told}", err=True)


def var(
    file: Annotated[Path | None, typer.Argument(help="Default: standard output.")] = None,
    account: Annotated[str | None, typer.Option(help="Only this account (bank:number).")] = None,
) -> None:
    """Each business day against the value at risk said before it; Kupiec's test, stress, and how
    often the forecast's P95 held.
    """
    from weir import var_report
    from weir.access import address, wire
    from weir.consume import consume

    bootstrap, codec = address(), wire()
    said = list(consume(bootstrap, var_report.VARS, codec))
    found = var_report.days(said, account)
    known = var_report.quantiles(consume(bootstrap, "orch_config_updates", codec))
    within = var_report.covered(consume(bootstrap, var_report.FORECASTS, codec), account)
    bases = {line["value"]["account_id"]: line["value"]["base_usd"] for line in said}
    _write(file, lambda out: var_report.write(found, out))
    for name, days in found.items():
        lines = [*var_report.tested(days, known), *var_report.stressed(days, bases[name])]
        for line in (*lines, within.get(name, "no forecast outflow is known yet")):
            typer.echo(f"{name}: {line}", err=True)
    if not found:
        typer.echo("no value at risk was said", err=True)


def _write(file: Path | None, write: Callable[[TextIO], None]) -> None:
    if file is None:
        write(sys.stdout)
        return
    with file.open("w", newline="") as out:
        write(out)
