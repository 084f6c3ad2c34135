"""Ten thousand days of cash, judged by the bank's books: money is back before the last cut-off.

    python -m bench.cash_days [--days 10000] [--run 500] [--variant safe]

A day is in breach when it ends below the floor although, at its last cut-off, the bank held money
that could still have been brought back that day and was not asked for. Days that end below it by a
later flow, or with nothing left to bring back, are counted and shown, under the seed's rule too. An
order to place money is uncovered when the bank, as it is let out, holds less than it and the floor.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

from bench.cash_sim import E14, Day, Sim
from tables.cash import Order

SEED, SAFE = "sweep-seed-v1", "sweep-safe-v1"
VARIANTS: dict[str, dict[str, Any]] = {
    "seed": {"rule": SEED},
    "safe": {"rule": SAFE},
    "safe, bills": {"rule": SAFE, "var_limit_bps": "10000"},
    "safe, ladder": {"rule": SAFE, "var_limit_bps": "10000", "ladder": "ladder-v1"},
    "safe, floor": {"rule": SAFE, "floors": 2},
    "safe, faults": {"rule": SAFE, "faults": 0.1},
    "safe, waits": {"rule": SAFE, "waits": 0.7},
    "seed, waits": {"rule": SEED, "waits": 0.7},
    "safe, ladder, waits": {
        "rule": SAFE,
        "var_limit_bps": "10000",
        "ladder": "ladder-v1",
        "waits": 0.7,
    },
}
"""At 10 basis points the days' flows always break the limit, so all is overnight."""


def main() -> int:
    """Prints a line for each variant; exit status 1 when a safe one has a breach, or an order is
    uncovered.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--days", type=int, default=10_000)
    parser.add_argument("--run", type=int, default=500, help="business days of one life")
    parser.add_argument("--variant", choices=VARIANTS, help="one of them alone")
    given = parser.parse_args()
    wrong = 0
    for name in [given.variant] if given.variant else VARIANTS:
        started = time.monotonic()
        found = judge(name, given.days, given.run)
        seconds = round(time.monotonic() - started, 1)
        print(json.dumps({"variant": name, **found, "seconds": seconds}), flush=True)
        wrong += found["differs"] + found["uncovered"]
        wrong += found["breaches"] if VARIANTS[name]["rule"] == SAFE else 0
    return 1 if wrong else 0


def judge(name: str, days: int, run: int) -> dict[str, Any]:
    """Days of several lives under one variant, counted."""
    total = {"days": 0, "below": 0, "breaches": 0, "later_flow": 0, "nothing_left": 0, "faulty": 0}
    worst = orders = back = differs = uncovered = withdrawn = 0
    for seed in range(-(-days // run)):
        sim = Sim(seed=seed, **VARIANTS[name])
        sim.run(min(run, days - seed * run))
        for day in sim.days:
            total["days"] += 1
            for word in verdict(day, sim.floor):
                total[word] += 1
            worst = min(worst, day.end - sim.floor)
        orders += len(sim.bank.payments)
        back += sum(one.direction == "BACK" for one in sim.bank.payments.values())
        differs += len(differences(sim))
        uncovered += sim.uncovered
        withdrawn += sim.withdrawn
    return {
        **total,
        "worst_usd": -(-worst // 10_000),
        "payments": orders,
        "brought_back": back,
        "withdrawn": withdrawn,
        "uncovered": uncovered,
        "differs": differs,
    }


def verdict(day: Day, floor: int) -> list[str]:
    """What a day was: nothing to say of one that ends at the floor or above."""
    if day.end >= floor:
        return []
    if day.faulty:
        return ["below", "faulty"]
    if day.at_cutoff is None or day.at_cutoff >= floor:
        return ["below", "later_flow"]
    return ["below", "breaches" if day.recallable > 0 else "nothing_left"]


def differences(sim: Sim) -> list[str]:
    """Where the node's orders and the bank's books do not agree about money that has moved."""
    found = []
    known: dict[str, Order] = {
        key.rpartition("|")[2]: value
        for key, value in sim.store.entries.items()
        if key.startswith("orders|")
    }
    booked: dict[str, int] = {}
    for key, payment in sim.bank.payments.items():
        order = known.get(key)
        if order is None or order.amount_e18 // E14 not in (payment.amount, 0):
            found.append(f"{key}: the node does not know this payment")
        elif payment.executed and order.state == "REJECTED":
            found.append(f"{key}: paid, but the node has it as rejected")
    for key, order in known.items():
        if order.state == "CONFIRMED" and key not in sim.bank.payments:
            found.append(f"{key}: confirmed, but the bank never had it")
        if order.kind == "SWEEP" and order.seen_ms and not order.back_ms:
            booked[order.product] = booked.get(order.product, 0) + order.left_e18 // E14
    for product in ("FED_RRP", "TBILL_4W"):
        theirs = sum(
            sim.bank.placed.get(one.key, 0)
            for one in sim.bank.payments.values()
            if one.product == product and one.direction == "OUT"
        )
        open_back = sum(
            take.amount_e18 // E14
            for one in sim.bank.payments.values()
            if one.product == product and one.direction == "BACK" and not one.executed
            for take in (known[one.key].takes if one.key in known else ())
            if known[take.placement].seen_ms  # else neither side counts the placement yet
        )
        if booked.get(product, 0) != theirs - open_back:
            found.append(f"{product}: placed {booked.get(product, 0)}, at the bank {theirs}")
    return found


if __name__ == "__main__":
    sys.exit(main())
