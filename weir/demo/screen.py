"""What the demo shows while it runs: one table, redrawn, with Weir's view of each account beside
the venue's.
"""

from __future__ import annotations

from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from schemas.money import parse_e18, text_e18
from weir.demo.judge import Line
from weir.demo.watch import Seen

WORDS = {
    "repay_principal": "repay",
    "add_collateral": "pledge",
    "split": "split",
    "hold": "hold",
}


def picture(accounts: dict[str, Seen], books: dict[str, Any], seconds: float) -> Group:
    """The whole screen, 80 columns wide: under each account Weir's row and the venue's."""
    symbols = sorted({name for book in books["accounts"].values() for name in book["positions"]})
    table = Table(box=None, padding=(0, 1, 0, 0))
    table.add_column("account")
    table.add_column("")
    for name in ("fills", *(symbol.removesuffix("USDT") for symbol in symbols)):
        table.add_column(name, justify="right")
    for name in ("realised", "available", "LTV"):
        table.add_column(name, justify="right")
    table.add_column("last")
    for name in ("done", "open"):
        table.add_column(name, justify="right")
    for number, book in books["accounts"].items():
        seen = accounts.get(f"bybit:{number}", Seen())
        table.add_row(number, "Weir", *_weir(seen, symbols))
        table.add_row("", "venue", *_venue(book, symbols), style="dim")
    hedger = books["hedger"]
    traded = f"the hedger has traded {hedger['fills']} of {hedger.get('planned', '?')} fills"
    return Group(table, Text(f"{seconds:5.1f} s  {traded}"))


def _weir(seen: Seen, symbols: list[str]) -> list[str]:
    decision = seen.decision.action if seen.decision is not None else ""
    return [
        str(sum(seen.exec_ids.values())),
        *(text_e18(seen.sizes_e18.get(symbol, 0)) for symbol in symbols),
        money(seen.realised_e18),
        money(seen.available_e18),
        text_e18(seen.loan.ltv_ratio_e18) if seen.loan is not None else "?",
        WORDS.get(decision, decision),
        str(seen.confirmed),
        str(seen.open_intents),
    ]


def _venue(book: dict[str, Any], symbols: list[str]) -> list[str]:
    counts, positions = book["counts"], book["positions"]
    return [
        str(counts["executions"]),
        *(positions[symbol]["size"] if symbol in positions else "0" for symbol in symbols),
        money(parse_e18(book["pnl"]["realised"])),
        "",
        book["loan"]["ltv"],
        "",
        str(counts["repays"] + counts["adjusts"]),
        "",
    ]


def verdict(lines: list[Line]) -> Table:
    """The reconciliation: one row for each comparison, accounts side by side."""
    accounts = sorted({line.account_id for line in lines})
    table = Table(title="Weir's numbers against the venue's own books", title_justify="left")
    table.add_column("")
    for account_id in accounts:
        table.add_column(account_id, justify="right")
    for what in dict.fromkeys(line.what for line in lines):
        cells = {line.account_id: line for line in lines if line.what == what}
        table.add_row(what, *(_cell(cells.get(account_id)) for account_id in accounts))
    return table


def _cell(line: Line | None) -> Text:
    if line is None:
        return Text("")
    if line.equal:
        return Text(f"{line.weir} =", style="green")
    return Text(f"{line.weir} ≠ {line.venue}: {line.difference}", style="bold red")


def money(value_e18: int) -> str:
    """Two decimals for the eye; the judge compares eight."""
    whole, _, part = text_e18(value_e18).partition(".")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    return f"{sign}{int(digits):,}.{(part + '00')[:2]}"
