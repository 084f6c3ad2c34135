"""The sandbox venue as a process: `python -m weir.sandbox.bybit` or `weir sandbox bybit`.

A stand-in for Bybit's v5 API with books of its own. With --bootstrap and --registry a seeded
hedger trades a day on it and writes its executions to Kafka; with --feed venue it trades and
leaves the writing to whoever reads the venue; without either the venue just serves.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from weir.sandbox.assembly import Day, Kafka, Opening, make_run, make_venue, price_paths
from weir.sandbox.endpoints import build_app
from weir.sandbox.feed import REGISTRY_WAIT_S, TOPIC
from weir.sandbox.opening import BANDS
from weir.sandbox.server import Server, listen

__all__ = ["app", "serve"]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


class Writer(StrEnum):
    """hedger: it produces its executions itself; venue: who wants them asks the venue."""

    hedger = "hedger"
    venue = "venue"


LTV_BANDS = ",".join(BANDS)

_Host = Annotated[str, typer.Option(help="Address to listen on.")]
_Port = Annotated[int, typer.Option(help="0 takes a free port.")]
_PortFile = Annotated[Path | None, typer.Option(help="Write the port here when ready.")]
_Accounts = Annotated[int, typer.Option(min=1, help="Accounts 100001, 100002, ...")]
_Ltv = Annotated[str, typer.Option(help="Starting LTV of the accounts, in turn.")]
_Unified = Annotated[str, typer.Option(help="Starting USDT in each UNIFIED wallet.")]
_SettleMs = Annotated[int, typer.Option(help="How long a repayment is processed.")]
_HourS = Annotated[float, typer.Option(help="Seconds that count as one hour of interest.")]
_Limits = Annotated[bool, typer.Option(help="The documented rate limits per account.")]
_FaultSeed = Annotated[int, typer.Option(help="Seed of the drawn faults.")]
_FaultRate = Annotated[
    float, typer.Option(min=0, max=1, help="Share of money requests that a fault hits.")
]
_FaultDelay = Annotated[int, typer.Option(min=0, help="How late a delayed answer is.")]
_Bootstrap = Annotated[str | None, typer.Option(help="Kafka for the hedger.")]
_Registry = Annotated[str | None, typer.Option(help="Schema registry for the hedger.")]
_Wait = Annotated[float, typer.Option(min=0, help="How long the registry may take to answer.")]
_Topic = Annotated[str, typer.Option(help="Where the hedger writes.")]
_Prices = Annotated[Path | None, typer.Option(help="CSV of candles that BTCUSDT trades on.")]
_Rows = Annotated[int, typer.Option(min=1, help="Minutes of the built-in path.")]
_Fills = Annotated[int, typer.Option(min=1, help="Fills of the day.")]
_Rate = Annotated[float, typer.Option(min=0, help="Fills per second; 0: no pause.")]
_Seed = Annotated[int, typer.Option(help="Seed of prices and hedger.")]
_Duplicates = Annotated[
    float, typer.Option(min=0, max=1, help="Share of rows that are written again.")
]
_Feed = Annotated[Writer, typer.Option(help="Who writes executions to Kafka.")]
_Hold = Annotated[bool, typer.Option("--hold", help="Trade after POST /sandbox/hedger/start.")]


@app.command()
def serve(
    host: _Host = "127.0.0.1",
    port: _Port = 0,
    port_file: _PortFile = None,
    accounts: _Accounts = 3,
    ltv: _Ltv = LTV_BANDS,
    unified: _Unified = "250000",
    settle_ms: _SettleMs = 200,
    interest_hour_s: _HourS = 3600.0,
    rate_limits: _Limits = True,
    fault_seed: _FaultSeed = 0,
    fault_rate: _FaultRate = 0.0,
    fault_delay_ms: _FaultDelay = 1500,
    bootstrap: _Bootstrap = None,
    registry: _Registry = None,
    registry_wait_s: _Wait = REGISTRY_WAIT_S,
    topic: _Topic = TOPIC,
    prices: _Prices = None,
    rows: _Rows = 1440,
    fills: _Fills = 3000,
    rate: _Rate = 125.0,
    seed: _Seed = 1,
    duplicates: _Duplicates = 0.0,
    feed: _Feed = Writer.hedger,
    hold: _Hold = False,
) -> None:
    """Serve the sandbox venue until it is stopped; prints one JSON line when it answers."""
    try:
        paths = price_paths(prices, rows, seed)
        opening = Opening(
            accounts=accounts,
            bands=tuple(ltv.split(",")),
            unified=unified,
            settle_ms=settle_ms,
            interest_hour_s=interest_hour_s,
            rate_limits=rate_limits,
            fault_seed=fault_seed,
            fault_rate=fault_rate,
            fault_delay_ms=fault_delay_ms,
        )
    except (OSError, ValueError) as error:
        raise typer.BadParameter(str(error)) from error
    venue, run = make_venue(opening, paths), None
    kafka = None
    if bootstrap is not None and registry is not None and feed is Writer.hedger:
        kafka = Kafka(bootstrap, registry, registry_wait_s, topic)
    if kafka is not None or feed is Writer.venue:
        day = Day(kafka, fills, rate, seed, duplicates)
        run = make_run(venue, paths, day)
        if not hold:
            run.start()
    elif bootstrap is not None or registry is not None:
        raise typer.BadParameter("the hedger needs both --bootstrap and --registry")
    beside = run.run() if run else None
    server = Server(
        build_app(venue),
        listen(host, port),
        port_file=port_file,
        beside=beside,
        stream=venue.stream,
    )
    server.serve_forever()


if __name__ == "__main__":
    app()
