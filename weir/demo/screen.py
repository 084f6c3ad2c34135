"""What the demo shows while it runs: two tables, redrawn, with Weir's view of each account beside
the venue's, and beside the bank's.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from schemas.money import parse_e18, text_e18
from weir.demo.bank import ACCOUNT_ID, NUMBER
from weir.demo.judge import Line
from weir.demo.watch import BACK, OUT, Seen

WORDS = {
    "repay_principal": "repay",
    "add_collateral": "pledge",
    "split": "split",
    "hold": "hold",
    OUT: "sweep",
    BACK: "return",
}
E4_TO_E18 = 10**14


def picture(
    accounts: dict[str, Seen],
    books: dict[str, Any],
    bank: dict[str, Any],
    seconds: float,
    chapter: str,
) -> Group:
    """The whole screen, 80 columns wide: under each account Weir's row and the other side's."""
    hedger = books["hedger"]
    traded = f"the hedger has traded {hedger['fills']} of {hedger.get('planned', '?')} fills"
    told = Text(f"{seconds:5.1f} s  {traded}\n         at the bank, {chapter}")
    return Group(_venue_table(accounts, books), _bank_table(accounts, bank), told)


def _venue_table(accounts: dict[str, Seen], books: dict[str, Any]) -> Table:
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
    return table


def _bank_table(accounts: dict[str, Seen], bank: dict[str, Any]) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0))
    table.add_column("account")
    table.add_column("")
    for name in ("days", "available", "swept", "returned", "VaR bps"):
        table.add_column(name, justify="right")
    table.add_column("last")
    for name in ("done", "open"):
        table.add_column(name, justify="right")
    account, seen = bank["accounts"][NUMBER], accounts.get(ACCOUNT_ID, Seen())
    table.add_row(NUMBER, "Weir", *_weir_bank(seen))
    table.add_row("", "bank", *_bank(account, bank["payments"]), style="dim")
    return table


def _weir_bank(seen: Seen) -> list[str]:
    position, risk = seen.position, seen.risk
    moved = [sum(one.amount_done_e18 for one in seen.done(kind)) for kind in (OUT, BACK)]
    kinds = [one.kind for one in seen.intents.values()]
    return [
        str(len(seen.days)),
        dollars(position.avail_usd_e4 * E4_TO_E18) if position is not None else "?",
        *(dollars(one) for one in moved),
        f"{risk.var_bps_e18 / 10**18:.0f}" if risk is not None and risk.var_bps_e18 else "?",
        WORDS[kinds[-1]] if kinds else "",
        str(seen.confirmed),
        str(seen.open_intents),
    ]


def _bank(account: dict[str, Any], payments: list[dict[str, Any]]) -> list[str]:
    settled = [one for one in payments if one["state"] == "ACSC"]
    moved = [
        sum(parse_e18(one["amount"]) for one in settled if (one["debtor"] == NUMBER) == out)
        for out in (True, False)
    ]
    return [
        str(account["statements"]),
        dollars(parse_e18(account["available"])),
        *(dollars(one) for one in moved),
        "",
        "",
        str(len(settled)),
        "",
    ]


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


def verdict(lines: list[Line], side: str) -> Group:
    """The reconciliation with one side: a row for each comparison, accounts side by side."""
    title = Text(f"Weir's numbers against the {side}'s own books", style="italic")
    accounts = sorted({line.account_id for line in lines})
    table = Table()
    table.add_column("")
    for account_id in accounts:
        table.add_column(account_id, justify="right")
    for what in dict.fromkeys(line.what for line in lines):
        cells = {line.account_id: line for line in lines if line.what == what}
        table.add_row(what, *(_cell(cells.get(account_id)) for account_id in accounts))
    return Group(title, table)


def _cell(line: Line | None) -> Text:
    if line is None:
        return Text("")
    if line.equal:
        return Text(f"{line.weir} =", style="green")
    return Text(f"{line.weir} ≠ {line.theirs}: {line.difference}", style="bold red")


def dollars(value_e18: int) -> str:
    """Whole dollars for the eye; the judge compares cents."""
    return f"{round(Decimal(text_e18(value_e18))):,}"


def money(value_e18: int) -> str:
    """Two decimals for the eye; the judge compares eight."""
    whole, _, part = text_e18(value_e18).partition(".")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    return f"{sign}{int(digits):,}.{(part + '00')[:2]}"
