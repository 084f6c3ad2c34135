"""A whole Weir and a bank to do harm to: a broker, workers under their supervisors, and a sandbox
bank that is killed like any of them. Its books are a file, because a bank does not lose its books.

    with bank_desk(seed=1, fault_rate=0.3, accounts=8, slots=(0, 1)) as running: ...
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from bench.desk import Workers, in_folder
from schemas import policy
from tests.weir.rig import Rig, policy_line, until
from weir.ports import free_port
from weir.processes import Slot

FUND, FUND_BANK = "987654321", "026009593"
OPENING_USD, FLOOR_USD = 52_000, 50_000
EXECUTION = {"absence_s": 14, "backoff_s": 1, "park_s": 600}
"""Absence may be proven soon: what this bank has taken, it knows at once."""
DELAY_MS = 11_000
"""An answer that comes when nobody waits for it any more."""
CUTOFF_EVERY = timedelta(minutes=2)
LEAD_S = 20


class Bank:
    """The bank's process; `number_of` its accounts, half of them read as camt, half in JSON."""

    def __init__(self, rig: Rig, accounts: int, words: list[str], seed: int) -> None:
        self._rig, self._port, self._words, self._seed = rig, free_port(), words, seed
        self.numbers = [f"{4_000_000_001 + number}" for number in range(accounts)]
        self.url = f"http://127.0.0.1:{self._port}"
        self.books_file = rig.home.root / "bank.books"
        self.lives = 0
        self.fired: Counter[str] = Counter()
        self.pid = 0

    def begin(self) -> None:
        """Starts it, on the books and the port of its earlier life; returns when it answers."""
        words = [word for number in self.numbers for word in ("--account", number)]
        words += ["--fund", FUND, "--port", str(self._port), "--books", str(self.books_file)]
        words += ["--opening", str(OPENING_USD), "--history-days", "20", "--at-once"]
        words += ["--rate-limit", "0", "--report-ms", "2500", "--settle-ms", "1500"]
        words += ["--seed", str(self._seed + self.lives), *self._words]
        self.lives += 1
        argv = (sys.executable, "-m", "weir.sandbox.bank", *words)
        self.pid = self._rig.start("bank", *argv)
        until(self.answers, lambda: f"the bank answers\n{self._rig.log('bank')}", 60)

    def kill(self) -> None:
        """SIGKILL; returns when it is gone."""
        shown = self.books()
        self.fired.update(shown["faults"]["fired"] if shown else {})
        os.kill(self.pid, signal.SIGKILL)
        until(lambda: not Slot(self._rig.home, "bank").is_held(), "the bank's end")

    def answers(self) -> bool:
        """Whether it does."""
        return self.books() is not None

    def books(self) -> Any:
        """What it says of itself; None while it is away."""
        try:
            return httpx.get(f"{self.url}/sandbox/books", timeout=10).raise_for_status().json()
        except httpx.TransportError:
            return None

    def flow(self, number: str, cents: int, reference: str) -> bool:
        """A customer's money comes or goes, once for each reference; whether it is booked."""
        sign, whole = "-" if cents < 0 else "", abs(cents)
        amount = f"{sign}{whole // 100}.{whole % 100:02d}"
        order = {"account": number, "amount": amount, "end_to_end_id": reference}
        try:
            answer = httpx.post(f"{self.url}/sandbox/entries", json=order, timeout=10)
        except httpx.TransportError:
            return False
        answer.raise_for_status()
        return True

    def spoil(self, kind: str, times: int) -> None:
        """Lets the next payments go wrong."""
        order = {"path": "*", "kind": kind, "times": times}
        httpx.post(f"{self.url}/sandbox/faults", json=order, timeout=10).raise_for_status()

    def environment(self) -> dict[str, str]:
        """How workers reach it."""
        banks = [
            {
                "account_id": f"bank:{number}",
                "endpoint": self.url,
                "client_id": "sandbox-client",
                "client_secret": "sandbox-secret",
                "agent": "021000021",
                "paced": False,
                "intraday": way,
                "prior_day": "camt",
            }
            for number, way in zip(self.numbers, ("camt", "api") * len(self.numbers), strict=False)
        ]
        return {"WEIR_BANKS": json.dumps(banks), "WEIR_BANK_POLL_S": "1"}


def bank_policy(numbers: list[str]) -> dict[str, Any]:
    """A line for orch_config_updates: small amounts, a cut-off every few minutes."""
    line = policy_line(1, [], execution=EXECUTION)
    content = json.loads(line["value"]["body"])
    day = datetime(2026, 1, 1, tzinfo=UTC)
    cutoffs = [f"{day + CUTOFF_EVERY * n:%H:%M}" for n in range(timedelta(days=1) // CUTOFF_EVERY)]
    sweep = content["sweep"]
    sweep |= {"rule": "sweep-safe-v1", "floor_usd": str(FLOOR_USD)}
    sweep |= {"cutoffs_utc": cutoffs, "lead_s": LEAD_S}
    (fund,) = [one for one in sweep["products"] if one["product"] == "FED_RRP"]
    fund |= {"opens": "00:00", "closes": "18:45", "beneficiary": f"{FUND_BANK}/{FUND}"}
    content["screening"]["allow"] = [fund["beneficiary"]]
    content["accounts"] = [{"account_id": f"bank:{number}", "kind": "bank"} for number in numbers]
    body = policy.canonical(policy.parse(json.dumps(content)))
    return {"value": {**line["value"], "body": body, "hash": policy.policy_hash(body)}}


class BankDesk(Workers):
    """Workers and their bank."""

    def __init__(self, rig: Rig, bank: Bank, folder: Path, slots: tuple[int, ...]) -> None:
        super().__init__(rig, folder, slots, bank.environment)
        self.bank = bank

    def open(self) -> None:
        self.bank.begin()
        self.start(bank_policy(self.bank.numbers))


@contextmanager
def bank_desk(
    *, seed: int, fault_rate: float, odd_rate: float, accounts: int, slots: tuple[int, ...]
) -> Iterator[BankDesk]:
    """A desk in a folder of its own, which is kept if the block raises or asks for it. `odd_rate`:
    the share of payments that are rejected late, and of those that are returned.
    """
    words = ["--customers", "6", "--typical-usd", "1000", "--fault-rate", str(fault_rate)]
    words += ["--fault-delay-ms", str(DELAY_MS)]
    words += ["--reject-rate", str(odd_rate), "--return-rate", str(odd_rate)]
    with in_folder(
        "bank-",
        lambda running, folder: BankDesk(
            running, Bank(running, accounts, words, seed), folder, slots
        ),
    ) as made:
        yield made
