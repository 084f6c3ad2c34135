"""The demo's bank: how it is opened, what the policy says of it, and what happens there.

The day works at any hour of any day. The demo's policy has one cut-off, two hours from now, and
its product trades until wires close, so no order comes near either; where the cut-off lies on a
closed day or after the wires, orders are for the next business day, as they would be. The bank
books such a payment when it comes and values it on its day, as banks with real-time accounts do.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import httpx

from weir.demo.watch import BACK, OUT, Seen
from weir.home import Home

NUMBER, FUND, FUND_BANK = "0123456789", "987654321", "026009593"
ACCOUNT_ID = f"bank:{NUMBER}"
OPENING_USD, FLOOR_USD = 2_500_000, 500_000
DRAWN_USD = 300_000
"""What a customer draws once money is placed: more than is kept above the floor."""
HISTORY_DAYS = 380
"""Enough for 250 business days."""
CUTOFF_AHEAD = timedelta(hours=2)


def words(here: Home, seed: int) -> list[str]:
    """How the sandbox bank is started: with a year of customers behind it."""
    said = ["--account", NUMBER, "--fund", f"{FUND}:1", "--opening", str(OPENING_USD)]
    said += ["--customers", "6", "--typical-usd", "20000", "--history-days", str(HISTORY_DAYS)]
    said += ["--at-once", "--settle-ms", "800", "--report-ms", "500", "--rate-limit", "0"]
    said += ["--books", str(here.root / "bank.books"), "--seed", str(seed)]
    return said


def worker_env(url: str) -> dict[str, str]:
    """How the executor reads the account's statements and sends its payments."""
    account = {
        "account_id": ACCOUNT_ID,
        "endpoint": url,
        "client_id": "sandbox-client",
        "client_secret": "sandbox-secret",
        "agent": "021000021",
        "paced": False,
    }
    return {"WEIR_BANKS": json.dumps([account]), "WEIR_BANK_POLL_S": "0.5"}


def rules(content: dict[str, Any], now: datetime) -> None:
    """Lets the policy's content know the account: its floor, one product, and a cut-off that is
    ahead whatever the hour.
    """
    sweep = content["sweep"]
    sweep |= {"rule": "sweep-safe-v1", "floor_usd": FLOOR_USD}
    sweep["cutoffs_utc"] = [(now + CUTOFF_AHEAD).strftime("%H:%M")]
    (fund,) = [one for one in sweep["products"] if one["product"] == "FED_RRP"]
    fund |= {"opens": "00:00", "closes": "18:45"}
    fund |= {"beneficiary": f"{FUND_BANK}/{FUND}", "beneficiary_name": "GOVT FUND"}
    content["screening"]["allow"] = [fund["beneficiary"]]
    content["approvals"]["sweep_usd"] = content["limits"]["sweep"]["single_usd"]
    content["accounts"].append({"account_id": ACCOUNT_ID, "kind": "bank"})


class BankDay:
    """What happens at the bank: once idle cash is placed, a customer draws more than is left above
    the floor, and placed money comes back. `chapter` tells how far it is.
    """

    def __init__(self, url: str) -> None:
        self.url, self.chapter = url, "statements are read"
        self._drawn = False

    def books(self) -> dict[str, Any]:
        """What the bank says of itself."""
        shown: dict[str, Any] = httpx.get(f"{self.url}/sandbox/books", timeout=10).json()
        return shown

    def flows(self) -> dict[str, str]:
        """What customers moved on each day that is stated."""
        found: dict[str, str] = httpx.get(f"{self.url}/sandbox/flows/{NUMBER}", timeout=10).json()
        return found

    def goes_on(self, seen: Seen, books: dict[str, Any]) -> bool:
        """Takes the next step if it is time; whether the day is over and the account at rest."""
        if seen.days and not self._drawn:
            self.chapter = "idle cash is placed"
        if not self._drawn and seen.done(OUT) and _rests(seen, books):
            order = {"account": NUMBER, "amount": f"-{DRAWN_USD}", "text": "a customer draws"}
            httpx.post(f"{self.url}/sandbox/entries", json=order, timeout=10).raise_for_status()
            self._drawn = True
            self.chapter = f"a customer drew {DRAWN_USD:,}"
            return False
        over = self._drawn and bool(seen.done(BACK)) and _rests(seen, books)
        if over:
            self.chapter = f"a customer drew {DRAWN_USD:,}, money came back"
        return over


def _rests(seen: Seen, books: dict[str, Any]) -> bool:
    """No order is open, and the bank has shown all entries of ours."""
    position, account = seen.position, books["accounts"][NUMBER]
    if seen.open_intents or account["pending"] or position is None:
        return False
    settled: int = sum(one["state"] == "ACSC" for one in books["payments"])
    quiet = position.pending_out_e4 == position.pending_in_e4 == 0
    return quiet and settled == len(seen.done(OUT)) + len(seen.done(BACK))
