"""The sandbox bank as a process: `python -m weir.sandbox.bank` or `weir sandbox bank`.

Accounts and clients are given on the command line; with --books the books are a file that a killed
bank reads again when it is started anew. Without customers nothing moves by itself.
"""

import asyncio
import time
from pathlib import Path
from typing import Annotated

import typer

from weir.sandbox.bank.assembly import ACCOUNTS, CLIENT, FUNDS, Opening, make_bank
from weir.sandbox.bank.bank import MONEY_PATHS, Bank
from weir.sandbox.bank.books import Books
from weir.sandbox.bank.endpoints import build_app
from weir.sandbox.bank.flows import Customers
from weir.sandbox.bank.payments import Terms
from weir.sandbox.bank.statements import PAGE, Writer
from weir.sandbox.faults import Faults
from weir.sandbox.server import Server, listen

__all__ = ["app", "serve"]

TICK_S = 0.05
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)

_Host = Annotated[str, typer.Option(help="Address to listen on.")]
_Port = Annotated[int, typer.Option(help="0 takes a free port.")]
_PortFile = Annotated[Path | None, typer.Option(help="Write the port here when ready.")]
_File = Annotated[Path | None, typer.Option(help="Keep the books in this file, across kills.")]
_Accounts = Annotated[list[str] | None, typer.Option(help="A customer's account: NUMBER.")]
_Funds = Annotated[
    list[str] | None, typer.Option(help="A fund: NUMBER or NUMBER:OPEN_DAYS until it gives back.")
]
_Opening = Annotated[str, typer.Option(help="What each account holds at the start.")]
_Client = Annotated[str, typer.Option(help="Who may log in: CLIENT:SECRET.")]
_Token = Annotated[int, typer.Option(min=1, help="How long a token lives, in seconds.")]
_Limit = Annotated[int, typer.Option(min=0, help="Requests per second and client; 0: any.")]
_Clock = Annotated[bool, typer.Option("--round-the-clock", help="Every day is open, no cut-off.")]
_Cutoff = Annotated[str, typer.Option(help="Payments for today until then, New York: HH:MM.")]
_Settle = Annotated[int, typer.Option(min=0, help="How long a payment is settled, ms.")]
_AtOnce = Annotated[
    bool, typer.Option("--at-once", help="Book payments for a day to come now, valued then.")
]
_Return = Annotated[int, typer.Option(min=0, help="How long until a payment is returned, ms.")]
_Rate = Annotated[float, typer.Option(min=0, max=1, help="Share of payments, drawn by the seed.")]
_Seed = Annotated[int, typer.Option(help="Seed of customers, faults and drawn outcomes.")]
_Customers = Annotated[int, typer.Option(min=0, help="Customers' flows a day; 0: none.")]
_Typical = Annotated[int, typer.Option(min=1, help="The middle flow, in dollars.")]
_Flow = Annotated[int, typer.Option(min=0, help="A flow every so many ms; 0: at its time of day.")]
_History = Annotated[int, typer.Option(min=0, max=2000, help="Days of flows before the start.")]
_Report = Annotated[int, typer.Option(min=0, help="Between two camt.052 of an account, ms; 0: no.")]
_Version = Annotated[int, typer.Option(min=2, max=14, help="Version of camt.052 and camt.053.")]
_Page = Annotated[int, typer.Option(min=1, help="Entries on a page of a statement.")]
_Delay = Annotated[int, typer.Option(min=0, help="How late a delayed answer is, ms.")]


def wall_ms() -> int:
    """The machine's clock."""
    return time.time_ns() // 1_000_000


@app.command()
def serve(
    host: _Host = "127.0.0.1",
    port: _Port = 0,
    port_file: _PortFile = None,
    books: _File = None,
    account: _Accounts = None,
    fund: _Funds = None,
    opening: _Opening = "2500000",
    client: _Client = CLIENT,
    token_s: _Token = 300,
    rate_limit: _Limit = 50,
    round_the_clock: _Clock = False,
    cutoff: _Cutoff = "18:45",
    at_once: _AtOnce = False,
    settle_ms: _Settle = 200,
    return_ms: _Return = 1000,
    reject_rate: _Rate = 0.0,
    return_rate: _Rate = 0.0,
    seed: _Seed = 1,
    customers: _Customers = 0,
    typical_usd: _Typical = 20_000,
    flow_ms: _Flow = 0,
    history_days: _History = 0,
    report_ms: _Report = 60_000,
    camt_version: _Version = 8,
    page: _Page = PAGE,
    fault_rate: _Rate = 0.0,
    fault_delay_ms: _Delay = 1500,
) -> None:
    """Serve the sandbox bank until it is stopped; prints one JSON line when it answers."""
    opened = Opening(
        accounts=tuple(account or ACCOUNTS),
        funds=tuple(fund or FUNDS),
        opening=opening,
        client=client,
        cutoff=cutoff,
        round_the_clock=round_the_clock,
        customers=Customers(seed, customers, typical_usd) if customers or flow_ms else None,
        history_days=history_days,
    )
    terms = Terms(settle_ms, return_ms, reject_rate, return_rate, seed, at_once=at_once)
    try:
        bank = make_bank(opened, terms, Books(books), wall_ms)
        bank.gate.life_s, bank.gate.limit_per_s = token_s, rate_limit
        bank.mailbox.writer = Writer(bank.books, camt_version, page=page)
    except (OSError, ValueError) as error:
        raise typer.BadParameter(str(error)) from error
    bank.mailbox.report_ms, bank.flow_ms = report_ms, flow_ms
    bank.faults = Faults(seed, fault_rate, fault_delay_ms, money_paths=MONEY_PATHS)
    bank.advance()
    bound = listen(host, port)
    Server(build_app(bank), bound, port_file=port_file, beside=_tick(bank)).serve_forever()


async def _tick(bank: Bank) -> None:
    """Time passes also while nobody asks."""
    while True:
        bank.advance()
        await asyncio.sleep(TICK_S)


if __name__ == "__main__":
    app()
