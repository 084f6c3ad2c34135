"""One day that many tests look at, lived through once per run: kills, lost answers, a new policy.

Morning: the pipeline alone, five fills by `weir produce`, SIGKILL between them. Noon: a venue, a
hedger and the executor; when the first answer is lost both workers are killed, and the policy
changes. What is not proven at once (a request that never arrived) ends a while later: `settled`
waits for it.
"""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from dataclasses import dataclass
from typing import Any

from tests.weir.rig import Rig, Sandbox, control_line, fill_line, policy_line, until
from weir.ports import free_port

WORKED = "bybit:worked"
"""The account of the worked example of the profit fold."""
EXECUTION = {"absence_s": 2, "backoff_s": 1, "call_start_s": 5}
FINAL = {"CONFIRMED", "REJECTED", "REFUSED", "VOID", "EXPIRED"}
TRANSFER = "/v5/asset/transfer/inter-transfer"

Done = subprocess.CompletedProcess[str]


@dataclass
class Day:
    """The rig as the day left it, workers still running, and what commands said meanwhile."""

    rig: Rig
    sandbox: Sandbox
    said: dict[str, Done]
    metrics: dict[str, int]
    """Where each worker answers Prometheus."""

    def intents(self) -> dict[str, dict[str, Any]]:
        """The last state of every intent."""
        return {value["intent_id"]: value for value in self.rig.values("treasury.intent-states.v1")}

    def settled(self) -> Any:
        """Waits until nothing is open and every execution is booked; the venue's books then."""

        def look() -> Any:
            states = Counter(intent["state"] for intent in self.intents().values())
            books = self.sandbox.books()
            rows = sum(len(one["executions"]["ids"]) for one in books["accounts"].values())
            booked = {value["exec_id"] for value in self.rig.values("treasury.pnl.v1")}
            known = {row for one in books["accounts"].values() for row in one["executions"]["ids"]}
            ours = {f"w{n}" for n in range(1, 7)}
            done = books["hedger"]["done"] and known | ours <= booked and rows == len(known)
            return books if done and states and not states.keys() - FINAL else None

        return until(look, "the day is settled", patience_s=120)


def worked_example() -> list[dict[str, Any]]:
    """Five rows: long, longer, half closed, turned over, and funding paid."""
    rows = [
        ("Buy", "2", "100", "0.12", "Trade"),
        ("Buy", "1", "130", "0.078", "Trade"),
        ("Sell", "1.5", "140", "0.126", "Trade"),
        ("Sell", "2.5", "90", "0.135", "Trade"),
        ("Buy", "1", "90", "0.05", "Funding"),
    ]
    return [
        fill_line(WORKED, f"w{n}", side, qty, price, fee, exec_type=kind)
        for n, (side, qty, price, fee, kind) in enumerate(rows, 1)
    ]


def live_through(rig: Rig) -> Day:
    """The whole day on an empty rig."""
    sandbox = Sandbox(rig, "--fills", "600", "--rate", "60", "--duplicates", "0.05")
    said = {"topics": rig.weir("topics", "create")}
    ports = {"pipeline": free_port(), "executor": free_port()}
    rig.run("pipeline", WEIR_METRICS_PORT=str(ports["pipeline"]))
    rig.await_ready("pipeline")
    beside = {"WEIR_METRICS_PORT": str(ports["executor"] - 1)}
    rig.run("executor", WEIR_VENUES=sandbox.venues, WEIR_POLL_S="1", **beside)
    _morning(rig, said)
    rig.send("orch_config_updates", [policy_line(1, sandbox.accounts, execution=EXECUTION)])
    rig.send("treasury.controls.v1", [control_line("ACTIVE", 1)])
    rig.await_ready("executor")
    sandbox.spoil("drop_before", 1, TRANSFER)
    sandbox.spoil("drop_after", 3)
    sandbox.spoil("delay", 1, delay_ms=800)
    sandbox.trade()
    until(lambda: sandbox.books()["faults"]["fired"].get("drop_after"), "an answer is lost")
    executor, pipeline = rig.kill("executor"), rig.kill("pipeline")
    changed = {"execution": EXECUTION, "allocation": {"f_high": "0.93", "retry_s": 5}}
    rig.send("orch_config_updates", [policy_line(2, sandbox.accounts, **changed)])
    rig.await_ready("pipeline", besides=pipeline)
    rig.await_ready("executor", besides=executor)
    until(lambda: "test@2" in _policies(rig), "the new policy is in force everywhere")
    rig.send("hedge-executions", [fill_line(WORKED, "w6", "Buy", "1", "80", "0.04")])
    return Day(rig, sandbox, said, ports)


def _morning(rig: Rig, said: dict[str, Done]) -> None:
    rows = worked_example()
    for name, part in (("first", rows[:2]), ("rest", rows[2:])):
        file = rig.home.root / f"{name}.jsonl"
        file.write_text("\n".join(map(json.dumps, part)))
        said[name] = rig.weir("produce", "hedge-executions", str(file))
        if name == "first":
            former = rig.kill("pipeline")
    rig.await_ready("pipeline", besides=former)
    for name, count in (("pnl", "5"), ("positions", "4")):
        words = ("consume", f"treasury.{name}.v1", "--from", "earliest", "--until", count, "--json")
        said[name] = rig.weir(*words, "--timeout-s", "30")


def _policies(rig: Rig) -> set[str]:
    """What the book's partitions went by last, when it is the same in all of them."""
    last = {
        value["partition"]: value["policy"]
        for value in rig.values("treasury.merge-order.v1")
        if value["node"] == "book"
    }
    return set(last.values()) if len(set(last.values())) == 1 else set()
