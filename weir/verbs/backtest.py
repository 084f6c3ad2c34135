"""The verbs of back-tests: the same day under another policy, and an account made from prices."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from weir.verbs.policy import policy_app

if TYPE_CHECKING:
    from schemas.policy import Policy
    from weir.backtest import Comparison, Ruling

backtest_app = typer.Typer(help="Data for back-tests.", no_args_is_help=True)


def add(app: typer.Typer) -> None:
    """Adds these verbs to the command."""
    app.add_typer(backtest_app, name="backtest")


@backtest_app.command("prices")
def prices(
    file: Annotated[Path, typer.Argument(metavar="CSV", help="Candles: time or date, and close.")],
    to: Annotated[Path, typer.Option("--to", metavar="FOLDER", help="A folder that is new.")],
    account: Annotated[str, typer.Option(help="VENUE:NUMBER")] = "bybit:candles",
    coin: Annotated[str, typer.Option(help="What is pledged and hedged.")] = "BTC",
    collateral: Annotated[str, typer.Option(help="Its worth at first, USD.")] = "100000",
    ltv: Annotated[str, typer.Option(help="Loan to value at first.")] = "0.30",
    draw: Annotated[str, typer.Option(help="Up to which it is drawn again.")] = "0.25",
    draw_rows: Annotated[int, typer.Option(help="After so many candles.")] = 90,
    hedge: Annotated[str, typer.Option(help="Part of the collateral that is hedged.")] = "0.5",
    mean_rows: Annotated[int, typer.Option(help="Hedged below the mean of so many.")] = 50,
    roll_rows: Annotated[int, typer.Option(help="Profit is realised after so many.")] = 30,
    fee: Annotated[str, typer.Option(help="Of a fill's value.")] = "0.00055",
    funding: Annotated[
        Path | None, typer.Option(metavar="CSV", help="A time and funding_rate.")
    ] = None,
) -> None:
    """Write the records of a hedged, indebted account that lived through these prices."""
    from weir.backtest.candles import Plan, records
    from weir.backtest.lines import write
    from weir.backtest.market import candles, fundings

    plan = Plan(
        account_id=account,
        coin=coin,
        collateral_usd_e18=_number("--collateral", collateral),
        ltv_e18=_number("--ltv", ltv),
        draw_ltv_e18=_number("--draw", draw),
        draw_rows=draw_rows,
        hedge_e18=_number("--hedge", hedge),
        mean_rows=mean_rows,
        roll_rows=roll_rows,
        fee_e18=_number("--fee", fee),
    )
    paid = [] if funding is None else fundings(funding)
    count = write(records(candles(file), plan, paid), to)
    typer.echo(f"{count:,} records in {to}", err=True)


def _number(name: str, text: str) -> int:
    from schemas.money import parse_e18
    from weir.errors import WeirError

    try:
        return parse_e18(text)
    except ValueError as why:
        raise WeirError(f"{name}: {why}") from why


@policy_app.command("diff")
def diff(
    left: Annotated[str, typer.Argument(metavar="A")],
    right: Annotated[str, typer.Argument(metavar="B")],
    start: Annotated[
        str | None, typer.Option("--from", help="From when on: ISO-8601; default: the beginning.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", help="Until when; default: the end of the log.")
    ] = None,
    source: Annotated[
        list[Path] | None,
        typer.Option("--input", metavar="FOLDER", help="An export or lines of JSON, not Kafka."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE", help="Write one HTML file with plots as well."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Both courses as one object.")] = False,
) -> None:
    """Run the recorded past under two policies: every decision that differs, and the money.

    A and B are each a YAML file, NAME@VERSION as recorded, `recorded` (all versions, one after the
    other), or a rule of allocation: seed-v1, seed-v1-narrative, opt-v1.
    """
    from schemas.policy import Policy, parse
    from weir.access import wire
    from weir.backtest import compare, find
    from weir.backtest.text import lines
    from weir.policies import standing_in
    from weir.progress import progress
    from weir.verbs.inputs import log_of, span_of

    codec, span = wire(), span_of(start, until)
    with log_of(source, codec) as log, progress("running", "records") as tell:
        policies = find(left, log, codec), find(right, log, codec)
        both = compare(log, codec, *policies, span, tell=tell)
        if report is not None:
            last = parse(standing_in(log, codec).body) if None in policies else Policy()
            _report(report, both, (left, right), policies, source, last)
    text = json.dumps(both.as_json(), ensure_ascii=False) if as_json else "\n".join(lines(both))
    typer.echo(text)


def _report(
    file: Path,
    both: Comparison,
    said: tuple[str, str],
    rulings: tuple[Ruling | None, Ruling | None],
    source: list[Path] | None,
    last: Policy,
) -> None:
    """Writes the page; the command in it names both ends, so that a longer log gives the same."""
    from schemas.jsonform import iso
    from weir.errors import WeirError
    from weir.htmlreport import About, render

    words = ["weir", "policy", "diff", *said, "--from", str(iso(both.right.from_ms))]
    words += ["--to", str(iso(both.right.to_ms))]
    words += [word for path in source or () for word in ("--input", str(path))]
    words += ["--report", file.name]
    where = f"files: {', '.join(map(str, source))}" if source else "Kafka"
    left, right = (None if one is None else one.policy for one in rulings)
    page = render(both, About(where, shlex.join(words), left, right, last))
    try:
        file.write_text(page, "utf-8")
    except OSError as why:
        raise WeirError(f"{file}: {why}") from why
    typer.echo(f"report: {file}", err=True)
