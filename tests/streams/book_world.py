"""The verbs of corrections, marks and snapshots, for scenarios that are about the book alone."""

from __future__ import annotations

from schemas.money import parse_e18
from schemas.records import (
    AccountSnapshot,
    BookInput,
    BreakAccept,
    Correction,
    Freeze,
    Request,
    SnapshotPosition,
    WalletBalance,
)
from tests.streams.desk_world import ACCOUNT, World, units
from tests.table import Row

INBOX = "treasury.book-inputs.v1"


class BookWorld(World):
    """A world whose policy lists the account, so that only the book's own reasons hold."""

    def closed(self, row: Row) -> None:
        """`closed ID sell 0.4 from 6000 to 5000 fee=2.42`: a trade that the source has closed."""
        exec_id, side, size, _, entry, _, exit_ = row.words
        fields = {
            **row.fields,
            "kind": "CLOSED_TRADE",
            "size": size,
            "entry_price": entry,
            "exit_price": exit_,
        }
        words = (exec_id, side, size, "at", exit_)
        self.execute(Row(row.line, row.verb, words, fields), "Trade")

    def opening(self, row: Row) -> None:
        """`opening c1 BTCUSDT 2 at 100`: an account that was not flat."""
        self.correct(row, "OPENING")

    def adjust(self, row: Row) -> None:
        """`adjust c1 BTCUSDT 2 at 100 break_id=b1 settle_ccy=USDT`: the venue's own position."""
        self.correct(row, "RECON_ADJUST")

    def correct(self, row: Row, kind: str) -> None:
        correction_id, symbol, size, _, entry = row.words
        fields = row.fields
        body = Correction(
            correction_id=correction_id,
            kind=kind,
            break_id=fields.get("break_id"),
            symbol=symbol if symbol != "-" else None,
            position_idx=int(fields["idx"]) if "idx" in fields else None,
            size_e18=parse_e18(size) if size != "-" else None,
            entry_price_e18=parse_e18(entry) if entry != "-" else None,
            category=fields.get("category"),
            settle_ccy=fields.get("settle_ccy"),
            multiplier_e18=units(fields, "multiplier"),
        )
        self.to_book(INBOX, BookInput(body=body))

    def accept(self, row: Row) -> None:
        self.to_book(INBOX, BookInput(body=BreakAccept(row.words[0], ("ann",), "seen")))

    def freeze(self, row: Row) -> None:
        """`freeze b1 on`, `freeze b1 off`."""
        break_id, state = row.words
        self.to_book(INBOX, BookInput(body=Freeze(break_id, state == "on", "test")))

    def request(self, row: Row) -> None:
        """`request r1 UNFREEZE mark=...`."""
        request_id, verb = row.words
        body = Request(request_id, verb, row.fields, ("ann",), "seen")
        self.to_book(INBOX, BookInput(body=body))

    def snapshot(self, row: Row) -> None:
        """`snapshot BTCUSDT|0=2 as_of=+1s`: what the venue holds, nothing else."""
        as_of_ms = self.time(row, "as_of")
        held = {name: size for name, size in row.fields.items() if name != "as_of"}
        positions = []
        for name, size in held.items():
            symbol, _, idx = name.partition("|")
            positions.append(
                SnapshotPosition(symbol, int(idx or 0), parse_e18(size), 0, 0, 0, 0, 0)
            )
        rich = parse_e18("1000000")
        wallets = (WalletBalance("UNIFIED", "USDT", rich, rich),)
        taken = AccountSnapshot(
            ACCOUNT, wallets, tuple(positions), (), "REGULAR_MARGIN", 0, as_of_ms
        )
        self.to_book("treasury.account-snapshots.v1", taken)
