"""The sandbox venue as a process: `python -m weir.sandbox.bybit` or `weir sandbox bybit`.

A stand-in for Bybit's v5 API with books of its own. With --bootstrap and --registry a seeded
hedger trades a day on it and writes its executions to Kafka; without them the venue just serves.
"""

import time
from pathlib import Path
from typing import Annotated

import typer

from weir.sandbox.auth import RateLimits
from weir.sandbox.books import Books, Terms
from weir.sandbox.catalogue import SYMBOLS
from weir.sandbox.endpoints import Venue, build_app
from weir.sandbox.faults import Faults
from weir.sandbox.feed import ExecutionFeed
from weir.sandbox.hedger import Hedger, Plan
from weir.sandbox.hedging_run import HedgingRun
from weir.sandbox.opening import BANDS, START_PRICES, open_accounts
from weir.sandbox.prices import PricePath, built_in, read_prices
from weir.sandbox.server import Server, listen

__all__ = ["app", "serve"]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free port.")] = 0,
    port_file: Annotated[Path | None, typer.Option(help="Write the port here when ready.")] = None,
    accounts: Annotated[int, typer.Option(min=1, help="Accounts 100001, 100002, ...")] = 3,
    ltv: Annotated[str, typer.Option(help="Starting LTV of the accounts, in turn.")] = ",".join(
        BANDS
    ),
    unified: Annotated[str, typer.Option(help="Starting USDT in the UNIFIED wallet.")] = "250000",
    settle_ms: Annotated[int, typer.Option(help="How long a repayment is processed.")] = 200,
    interest_hour_s: Annotated[
        float, typer.Option(help="Seconds that count as one hour of interest.")
    ] = 3600.0,
    rate_limits: Annotated[
        bool, typer.Option(help="The documented rate limits per account.")
    ] = True,
    fault_seed: Annotated[int, typer.Option(help="Seed of the drawn faults.")] = 0,
    fault_rate: Annotated[
        float, typer.Option(min=0, max=1, help="Share of money requests that a fault hits.")
    ] = 0.0,
    fault_delay_ms: Annotated[int, typer.Option(help="How late a delayed answer is.")] = 1500,
    bootstrap: Annotated[str | None, typer.Option(help="Kafka for the hedger.")] = None,
    registry: Annotated[str | None, typer.Option(help="Schema registry for the hedger.")] = None,
    prices: Annotated[Path | None, typer.Option(help="CSV of candles: BTCUSDT trades it.")] = None,
    rows: Annotated[int, typer.Option(min=1, help="Minutes of the built-in path.")] = 1440,
    fills: Annotated[int, typer.Option(min=1, help="Fills of the day.")] = 3000,
    rate: Annotated[float, typer.Option(min=0, help="Fills per second; 0: no pause.")] = 125.0,
    seed: Annotated[int, typer.Option(help="Seed of prices and hedger.")] = 1,
    duplicates: Annotated[
        float, typer.Option(min=0, max=1, help="Share of rows that are sent again.")
    ] = 0.0,
    hold: Annotated[
        bool, typer.Option("--hold", help="Trade only after POST /sandbox/hedger/start.")
    ] = False,
) -> None:
    """Serve the sandbox venue until it is stopped; prints one JSON line when it answers."""
    if (bootstrap is None) != (registry is None):
        raise typer.BadParameter("the hedger needs both --bootstrap and --registry")
    if settle_ms < 0 or interest_hour_s <= 0:
        raise typer.BadParameter("--settle-ms is at least 0, --interest-hour-s above 0")
    books = Books(terms=Terms(settle_ms=settle_ms, hour_ms=max(1, round(interest_hour_s * 1000))))
    paths = _paths(prices, rows, seed)
    for path in paths:
        books.prices_e8[path.symbol] = path.points_e8[0]
    open_accounts(books, accounts, now_ms(), bands=ltv.split(","), unified=unified)
    venue = Venue(
        books,
        now_ms,
        limits=RateLimits() if rate_limits else RateLimits({}),
        faults=Faults(fault_seed, fault_rate, fault_delay_ms),
    )
    run = None
    if bootstrap is not None and registry is not None:
        feed_from = (bootstrap, registry)
        plan = Plan(fills=fills, seed=seed, run=str(now_ms()))
        run = HedgingRun(
            Hedger(books, paths, plan),
            lambda: ExecutionFeed(*feed_from, duplicates=duplicates, seed=seed),
            now_ms,
            planned=fills,
            rate=rate,
        )
        venue.hedger_status, venue.start_hedger = run.status, run.start
        if not hold:
            run.start()
    server = Server(
        build_app(venue),
        listen(host, port),
        port_file=port_file,
        beside=run.run() if run else None,
    )
    server.serve_forever()


def now_ms() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000_000


def _paths(prices: Path | None, rows: int, seed: int) -> list[PricePath]:
    if prices is None:
        return [built_in(SYMBOLS[name], START_PRICES[name], rows, seed) for name in SYMBOLS]
    try:
        return [read_prices(prices, SYMBOLS["BTCUSDT"])]
    except (OSError, ValueError) as error:
        raise typer.BadParameter(str(error)) from error


if __name__ == "__main__":
    app()
