"""A campaign on money: workers killed, frozen and lost, the broker broken, and a venue whose
answers fail, while a hedger trades; then every unit is accounted for.

    python -m bench.money [--rounds 30] [--brokers 3] [--freezes 5] [--parked 0] [--seed 1]
                          [--fault-rate 0.3]

A round is one fault at a moment when a call is under way. Its kind: SIGKILL of an executor, of a
pipeline, of both; of a whole slot with its supervisor (the other slot takes over); a burst on any
workers within two seconds. `--brokers` are kills of the broker, `--freezes` stops of a worker past
its session; `--parked` are calls whose answer is lost and that the venue never lists, so that they
must be left to people. In the end the venue's books, treasury.intent-states.v1, the gate's limits
and the book's profit must agree to the last unit, the log replay to the same bytes, and the audit's
chains hold.

Resumed is measured from the fault to the first commit of each partition that the victim served.

Prints a JSON line for each round and one for the whole. The exit status is 0 only if nothing is
double, lost, guessed or off by a unit, and work was resumed in time.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

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
from bench.desk import APPS, EXECUTION, SLOTS, WORKERS, At, Desk, desk
from bench.reckoning import Evidence, reckon
from bench.witness import Witness
from schemas import policy
from tests.weir.rig import POLICY, until

KILLS = ("executor", "pipeline", "both", "lost", "executor", "pipeline", "both", "burst")
SESSION_S = 6.0
GOALS_S = {"restart": 10.0, "takeover": 20.0, "broker": 30.0}
"""The p99 of each kind of return: the same slot again, another one, all once the broker is back."""
ROUND_S = 14.0
REST_S = 300.0
QUIET_S = 4.0
FLIGHT_S = 8.0
BUSY_S = 6.0
PATHS = ("/v5/crypto-loan-common/adjust-ltv", "/v5/crypto-loan-flexible/repay")


def main() -> None:
    """One campaign."""
    given = _arguments()
    watch = Stages()
    rounds = given.rounds + given.brokers + given.freezes
    fills = int(given.rate * (ROUND_S * rounds + 30))
    with desk(
        seed=given.seed,
        fault_rate=given.fault_rate,
        accounts=given.accounts,
        fills=fills,
        rate=given.rate,
    ) as running:
        result = carry_out(running, watch, lambda: Campaign(running, given), "rounds")
    end(result)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, count in (("rounds", 30), ("brokers", 3), ("freezes", 5), ("parked", 0), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=count)
    parser.add_argument("--accounts", type=int, default=10)
    parser.add_argument("--rate", type=float, default=40)
    parser.add_argument("--fault-rate", type=float, default=0.3)
    return parser.parse_args()


class Campaign:
    """The rounds, what they took, and the end."""

    def __init__(self, running: Desk, given: argparse.Namespace) -> None:
        self._desk, self._given = running, given
        self._chance = random.Random(given.seed)
        self._witness = Witness(running.rig.bootstrap)
        self._took_s: dict[str, list[float]] = defaultdict(list)
        self._done: Counter[str] = Counter()
        self._flown = 0
        self._restarts: dict[str, int] = {}

    def close(self) -> None:
        """Ends what reads along."""
        self._witness.close()

    def harm(self) -> None:
        """All rounds, each when the one before is over and everything works again."""
        self._desk.sandbox.trade()
        until(self._witness.flying, "a first call")
        for number in range(self._given.parked):
            self._desk.sandbox.spoil("drop_after", 1, PATHS[number % len(PATHS)], odd="late_row")
        kinds = [KILLS[number % len(KILLS)] for number in range(self._given.rounds)]
        kinds += ["broker"] * self._given.brokers + ["freeze"] * self._given.freezes
        self._chance.shuffle(kinds)
        for number, kind in enumerate(kinds, 1):
            self._desk.await_whole()
            time.sleep(self._chance.uniform(0, 2))
            slot, flying = self._moment()
            began = time.monotonic()
            line = FAULTS[kind](self, slot)
            self._done[kind] += 1
            self._flown += flying > 0
            more = {"round": number, "fault": kind, "flying": flying}
            print(json.dumps(more | line | {"s": round(time.monotonic() - began, 1)}), flush=True)
        self._desk.await_whole()

    def _moment(self) -> tuple[int, int]:
        """A slot in whose hands calls are, and how many partitions have one; soon, in any case."""
        deadline = time.monotonic() + FLIGHT_S
        while True:
            flying = self._witness.flying()
            hands = {
                slot: sum(("intents", p) in self._desk.served(f"executor-{slot}") for p in flying)
                for slot in SLOTS
            }
            if any(hands.values()) or time.monotonic() > deadline:
                time.sleep(self._chance.uniform(0, 0.4))
                best = max(hands.values())
                slot = self._chance.choice([slot for slot in SLOTS if hands[slot] == best])
                return slot, hands[slot]
            time.sleep(0.02)

    # -- faults

    def kill(self, *workers: str) -> dict[str, Any]:
        """The supervisor starts the same slot again."""
        places = self._places(workers)
        self._desk.kill(*workers)
        return self._await("restart", places, self._witness.strike(), "+".join(workers))

    def burst(self) -> dict[str, Any]:
        """One after the other within two seconds, some of them while they come back."""
        victims = [self._chance.choice(WORKERS) for _ in range(5)]
        places = self._places(victims)
        for worker in victims:
            if worker is not victims[0]:
                time.sleep(self._chance.uniform(0.1, 0.5))
            until(lambda name=worker: self._desk.lives(name), f"{worker} is started again")
            self._desk.kill(worker)
        return self._await("restart", places, self._witness.strike(), "+".join(victims))

    def lose(self, slot: int) -> dict[str, Any]:
        """The other slot takes over; the lost one comes back when it has."""
        workers = [f"{app}-{slot}" for app in APPS]
        places = self._places(workers)
        self._desk.lose(slot)
        line = self._await("takeover", places, self._witness.strike(), f"slot {slot}")
        self._desk.begin(slot)
        return line

    def freeze(self, worker: str) -> dict[str, Any]:
        """Past its session, so that the other slot takes over; then it goes on where it was."""
        places = self._places([worker])
        pid = self._desk.freeze(worker)
        struck_ms, began = self._witness.strike(), time.monotonic()
        line = self._await("takeover", places, struck_ms, worker)
        rest_s = SESSION_S + self._chance.uniform(1, 4) - (time.monotonic() - began)
        time.sleep(max(0.0, rest_s))
        self._desk.thaw(pid)
        return line

    def broker(self) -> dict[str, Any]:
        """Everybody waits for it; what they take is counted from its return. No partition need
        change hands, so one without input commits nothing.
        """
        places, began = self._witness.busy(self._places(WORKERS), BUSY_S), time.monotonic()
        self._desk.break_broker(self._chance.uniform(0, 3))
        away_s = round(time.monotonic() - began, 1)
        return self._await("broker", places, self._witness.strike(), "broker") | {"away_s": away_s}

    def _places(self, workers: Iterable[str]) -> set[At]:
        return set().union(*(self._desk.served(worker) for worker in workers))

    def _await(self, kind: str, places: set[At], struck_ms: int, who: str) -> dict[str, Any]:
        took_s = until(
            lambda: self._witness.resumed_s(places),
            lambda: f"{who}: {sorted(places)} go on after {struck_ms}",
            120,
        )
        self._took_s[kind] += took_s.values()
        seconds = sorted(took_s.values())
        return {"who": who, "resumed_s": [round(seconds[0], 1), round(seconds[-1], 1)]}

    # -- the end

    def rest(self) -> Any:
        """Trading ends, what is under way ends, and the workers stop; the venue's books then."""
        self._desk.sandbox.rest()
        self._at_rest()
        books, self._restarts = pause(self._desk, self._witness, lambda: self._at_rest(HELD))
        return books

    def account_for(self, books: dict[str, Any]) -> dict[str, Any]:
        """Everything compared."""
        judged = judge(self._desk, self._evidence(books), reckon)
        resumed = {kind: _quantiles(sorted(took)) for kind, took in self._took_s.items()}
        late = [k for k, told in resumed.items() if told["p99"] > GOALS_S[k]]
        return {
            "ok": judged.ok and not late,
            "seed": self._given.seed,
            "rounds": dict(self._done),
            "in_flight": self._flown,
            **judged.told(),
            "resumed_s": resumed,
            "late": late,
            "venue_faults": books["faults"]["fired"],
            "restarts": self._restarts,
            "replay": judged.replay,
            "audit": judged.audit,
        }

    def _at_rest(self, *besides: str) -> Any:
        """The venue's books once every intent has ended, is parked or is in a state of `besides`,
        and nothing has moved for a while.
        """
        running, still_s, before = self._desk, time.monotonic(), None

        def look() -> Any:
            nonlocal still_s, before
            states, books = self._witness.states(), running.sandbox.books()
            now = states, {n: a["counts"] for n, a in books["accounts"].items()}
            moving = set(self._witness.open().values()) - {*besides}
            if now != before or not states or moving:
                before, still_s = now, time.monotonic()
            return books if time.monotonic() - still_s > QUIET_S else None

        def open_() -> str:
            states = Counter(self._witness.states().values())
            return f"every intent has ended: {dict(states)}"

        return until(look, open_, REST_S)

    def _evidence(self, books: dict[str, Any]) -> Evidence:
        rig = self._desk.rig
        content = policy.from_yaml(POLICY.read_text())
        return Evidence(
            **of_the_log(rig),
            books=books,
            pnl=rig.values("treasury.pnl.v1"),
            book=table(entries(rig, changelog("book"))),
            daily_usd=Decimal(content.limits.loan.daily_usd_e18) / 10**18,
            absence_s=EXECUTION["absence_s"],
        )


FAULTS: dict[str, Callable[[Campaign, int], dict[str, Any]]] = {
    "executor": lambda one, slot: one.kill(f"executor-{slot}"),
    "pipeline": lambda one, slot: one.kill(f"pipeline-{slot}"),
    "both": lambda one, slot: one.kill(f"executor-{slot}", f"pipeline-{slot}"),
    "burst": lambda one, slot: one.burst(),
    "lost": lambda one, slot: one.lose(slot),
    "broker": lambda one, slot: one.broker(),
    "freeze": lambda one, slot: one.freeze(f"{APPS[one._done['freeze'] % 2]}-{slot}"),
}


def _quantiles(seconds: list[float]) -> dict[str, float]:
    last = len(seconds) - 1
    return {
        "n": len(seconds),
        "p50": round(seconds[last // 2], 2),
        "p99": round(seconds[min(last, int(len(seconds) * 0.99))], 2),
        "max": round(seconds[-1], 2),
    }


if __name__ == "__main__":
    main()
