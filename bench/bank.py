"""A campaign on the bank: workers and the bank itself killed at random moments, answers that are
lost or late, payments rejected or returned, while money is placed and brought back; then every cent
is accounted for.

    python -m bench.bank [--orders 200] [--kills 20] [--seed 1] [--accounts 8] [--slots 2]
                         [--fault-rate 0.3] [--odd-rate 0.03] [--lost 0]

Customers bring money to each account, which is placed, and later draw more than is there above the
floor, so that placed money comes back: each flow is one order. `--fault-rate` spoils payments by
seed (lost before or after the effect, late, half an answer, a 500), `--lost` the answers of the
first ones; `--odd-rate` are payments rejected late, and as many returned. A kill is SIGKILL of an
executor, of a pipeline, of the bank, of several; workers are started again by their supervisor, the
bank on the books it had. In the end the bank's books, treasury.intent-states.v1, the executor's and
cash's tables, cash_positions and the gate's limits must agree to the cent, the log replay to the
same bytes, and the audit's chains hold.

Prints a JSON line for each kill and one for the whole. The exit status is 0 only if nothing is
double, lost, guessed or off by a cent.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from bench.bank_desk import EXECUTION, FLOOR_USD, FUND, BankDesk, bank_desk
from bench.bank_reckoning import BankEvidence, reckon
from bench.campaign import (
    HELD,
    Stages,
    carry_out,
    changelog,
    end,
    entries,
    judge,
    of_the_log,
    pause,
    table,
)
from bench.witness import AT_REST, Witness
from schemas import policy
from schemas.jsonform import parse_time
from tests.weir.rig import POLICY, until

KILLS = ("executor", "bank", "pipeline", "bank+executor", "both", "all")
STILL_S = 25.0
"""After a flow without an order (a wait after a refusal): the next flow comes all the same."""
SPACE_S = 4.0
LIMIT_S = 1_500.0
REST_S = 400.0
QUIET_S = 4.0


def main() -> None:
    """One campaign."""
    given = _arguments()
    watch = Stages()
    slots = tuple(range(given.slots))
    with bank_desk(
        seed=given.seed,
        fault_rate=given.fault_rate,
        odd_rate=given.odd_rate,
        accounts=given.accounts,
        slots=slots,
    ) as running:
        result = carry_out(running, watch, lambda: Campaign(running, given), "orders")
    end(result)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    counts = {"orders": 200, "kills": 20, "seed": 1, "accounts": 8, "slots": 2, "lost": 0}
    for name, count in counts.items():
        parser.add_argument(f"--{name}", type=int, default=count)
    parser.add_argument("--fault-rate", type=float, default=0.3)
    parser.add_argument("--odd-rate", type=float, default=0.03)
    return parser.parse_args()


class Campaign:
    """The flows and kills, and the end."""

    def __init__(self, running: BankDesk, given: argparse.Namespace) -> None:
        self._desk, self._given = running, given
        self._chance = random.Random(given.seed)
        self._witness = Witness(running.rig.bootstrap)
        self._flows: dict[str, int] = defaultdict(int)
        self._asked: dict[str, tuple[int, float]] = {}
        self._done: Counter[str] = Counter()
        self._flown = 0
        self._bank_back_s = self._began_s = 0.0
        self._restarts: dict[str, int] = {}

    def close(self) -> None:
        """Ends what reads along."""
        self._witness.close()

    # -- orders and kills

    def harm(self) -> None:
        """Flows until there are as many orders as asked for, and every kill has struck."""
        kinds = list(itertools.islice(itertools.cycle(KILLS), self._given.kills))
        share = self._given.orders / (len(kinds) + 1)
        at = [share * (n + self._chance.uniform(0.6, 1.4)) for n in range(len(kinds))]
        if self._given.lost:
            self._desk.bank.spoil("drop_after", self._given.lost)
        self._began_s = self._struck_s = time.monotonic()
        while True:
            told = self._witness.lanes()
            if self._desk.bank.pid:
                self._drive(told)
            elif time.monotonic() > self._bank_back_s:
                self._desk.bank.begin()
            if kinds and len(told) >= at[0] and self._may_strike():
                self._strike(kinds.pop(0), len(told))
                at.pop(0)
            if len(told) >= self._given.orders and not kinds and self._desk.bank.pid:
                return
            if time.monotonic() - self._began_s > LIMIT_S:
                raise RuntimeError(f"{len(told)} orders in {LIMIT_S:g} s")
            time.sleep(0.1)

    def _drive(self, told: dict[str, tuple[str, str]]) -> None:
        """The next flow of each account that is at rest."""
        states: dict[str, list[str]] = defaultdict(list)
        for lane, state in told.values():
            states[lane.split("|")[1].removeprefix("bank:")].append(state)
        ready = [number for number in self._desk.bank.numbers if self._is_ready(number, states)]
        books = self._desk.bank.books() if ready else None
        for number in ready if books else ():
            self._flow(number, len(states[number]), books["accounts"][number])

    def _is_ready(self, number: str, states: dict[str, list[str]]) -> bool:
        if any(state not in AT_REST for state in states[number]):
            return False
        count, since_s = self._asked.get(number, (-1, 0.0))
        return len(states[number]) > count or time.monotonic() - since_s > STILL_S

    def _flow(self, number: str, orders: int, account: dict[str, Any]) -> None:
        """Money in for the first half of its orders, then a draw below the floor."""
        each = self._given.orders / len(self._desk.bank.numbers)
        cents = self._chance.randint(1_600_000, 3_500_000)
        if orders >= each / 2:
            above = Decimal(account["available"]) - FLOOR_USD
            cents = -int(100 * above) - self._chance.randint(700_000, 1_200_000)
        reference = f"FLOW-{number}-{self._flows[number]}"
        if self._desk.bank.flow(number, cents, reference):
            self._flows[number] += 1
            self._asked[number] = orders, time.monotonic()

    def _may_strike(self) -> bool:
        """Not before the last one is over; while a call is under way, or soon in any case."""
        waited_s = time.monotonic() - self._struck_s
        if waited_s < SPACE_S or not self._desk.bank.pid or not self._desk.is_whole():
            return False
        return bool(self._witness.flying()) or waited_s > 2 * SPACE_S

    def _strike(self, kind: str, orders: int) -> None:
        slot, flying = self._chance.choice(self._desk.slots), len(self._witness.flying())
        time.sleep(self._chance.uniform(0, 0.4))
        victims = VICTIMS[kind](slot)
        for victim in victims:
            if victim == "bank":
                self._desk.bank.kill()
                self._desk.bank.pid = 0
                self._bank_back_s = time.monotonic() + self._chance.uniform(0, 3)
            elif self._desk.lives(victim):
                self._desk.kill(victim)
        self._done[kind] += 1
        self._flown += flying > 0
        self._struck_s = time.monotonic()
        line = {"s": round(self._struck_s - self._began_s), "orders": orders, "killed": victims}
        print(json.dumps(line | {"flying": flying}), flush=True)

    # -- the end

    def rest(self) -> Any:
        """What is under way ends, and the workers stop; the bank's books then."""
        books, self._restarts = pause(self._desk, self._witness, self._at_rest)
        return books

    def _at_rest(self) -> Any:
        """The bank's books once every intent has ended, nothing has moved for a while, and all that
        the bank said of it has been read.
        """
        still_s, still_ms, before = time.monotonic(), 0, None

        def look() -> Any:
            nonlocal still_s, still_ms, before
            states, books = self._witness.states(), self._desk.bank.books()
            now = states, books["movements"], [one["state"] for one in books["payments"]]
            moving = set(self._witness.open().values()) - {HELD}
            held = any(one["pending"] for one in books["accounts"].values())
            if now != before or moving or held:
                before, still_s, still_ms = now, time.monotonic(), books["now_ms"]
            still = time.monotonic() - still_s > QUIET_S
            return books if still and self._has_read(still_ms) else None

        def open_() -> str:
            return f"every intent has ended: {Counter(self._witness.states().values())}"

        return until(look, open_, REST_S)

    def _has_read(self, since_ms: int) -> bool:
        """Whether the position of each account was told by the bank since then."""
        told = {one["account_id"]: one for one in self._desk.rig.values("cash_positions")}
        ours = [told.get(f"bank:{number}") for number in self._desk.bank.numbers]
        return all(one and parse_time(one["as_of"]) >= since_ms for one in ours)

    def account_for(self, books: dict[str, Any]) -> dict[str, Any]:
        """Everything compared."""
        running = self._desk
        evidence = self._evidence(books)
        judged = judge(running, evidence, reckon)
        running.bank.fired.update(books["faults"]["fired"])
        orders = len(evidence.states and {value["intent_id"] for value in evidence.states})
        complete = orders >= self._given.orders and self._done.total() == self._given.kills
        return {
            "ok": complete and judged.ok and not judged.found.parked,
            "seed": self._given.seed,
            "orders": orders,
            "kills": dict(self._done),
            "in_flight": self._flown,
            **judged.told(),
            "bank_faults": dict(sorted(running.bank.fired.items())),
            "bank_lives": running.bank.lives,
            "restarts": self._restarts,
            "replay": judged.replay[:1],
            "audit": judged.audit,
        }

    def _evidence(self, books: dict[str, Any]) -> BankEvidence:
        rig = self._desk.rig
        content = policy.from_yaml(POLICY.read_text())
        return BankEvidence(
            **of_the_log(rig),
            books=books,
            pnl=[],
            book={},
            daily_usd=Decimal(content.limits.sweep.daily_usd_e18) / 10**18,
            absence_s=EXECUTION["absence_s"],
            cash=table(entries(rig, changelog("cash"))),
            positions={one["account_id"]: one for one in rig.values("cash_positions")},
            fund=FUND,
        )


VICTIMS: dict[str, Callable[[int], list[str]]] = {
    "executor": lambda slot: [f"executor-{slot}"],
    "pipeline": lambda slot: [f"pipeline-{slot}"],
    "bank": lambda _: ["bank"],
    "bank+executor": lambda slot: ["bank", f"executor-{slot}"],
    "both": lambda slot: [f"executor-{slot}", f"pipeline-{slot}"],
    "all": lambda slot: [f"executor-{slot}", f"pipeline-{slot}", "bank"],
}


if __name__ == "__main__":
    main()
