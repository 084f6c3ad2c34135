"""The verbs of back-tests: the same day under another policy, and an account made from prices."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from weir.verbs.policy import policy_app

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
    as_json: Annotated[bool, typer.Option("--json", help="Both courses as one object.")] = False,
) -> None:
    """Run the recorded past under two policies: every decision that differs, and the money.

    A and B are each a YAML file, NAME@VERSION as recorded, `recorded` (all versions, one after the
    other), or a rule of allocation: seed-v1, seed-v1-narrative, opt-v1.
    """
    from weir.access import address, wire
    from weir.backtest import Span, compare, find
    from weir.backtest.text import lines
    from weir.files.opening import opened
    from weir.home import settings
    from weir.progress import progress
    from weir.replay import KafkaLog, Log

    codec, span = wire(), Span(_time("--from", start), _time("--to", until))
    with ExitStack() as stack:
        log: Log = (
            stack.enter_context(opened(source, codec, settings().partitions))
            if source
            else KafkaLog(address())
        )
        policies = find(left, log, codec), find(right, log, codec)
        tell = stack.enter_context(progress("running", "records"))
        both = compare(log, codec, *policies, span, tell=tell)
    text = json.dumps(both.as_json(), ensure_ascii=False) if as_json else "\n".join(lines(both))
    typer.echo(text)


def _time(name: str, text: str | None) -> int | None:
    from schemas.jsonform import Invalid, parse_date, parse_time
    from weir.errors import WeirError

    if text is None:
        return None
    try:
        return parse_date(text) * 86_400_000 if len(text) == 10 else parse_time(text)
    except Invalid as why:
        raise WeirError(f"{name}: {why}") from why
