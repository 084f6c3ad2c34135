"""A campaign on the book: 20 kills while every class of row comes in; then every total is exact.

    python -m bench.profit [--seconds 150] [--kills 20] [--wipes 5] [--rate 300] [--cuts 50]
        [--seed 1]

Two slots of `weir run pipeline` fold the rows of `bench.market` (linear, inverse, spot, hedge mode,
fees in any coin, funding, forced closes, settlements, repeats, late and corrected rows, openings,
adjustments, rows that cannot be used), loans, snapshots and rates, under policies that change;
`bench.answers` answers what the gate lets out. Each kill is a SIGKILL at a random moment; `--wipes`
of them take the whole slot with its supervisor, and it comes back with an empty folder.

Judged are every profit record, position, trade and lot, the totals and the tables, by one pass in
exact fractions (`bench.tally`), and the log by its replay, whole and from `--cuts` places in it
(`bench.cuts`): the same bytes, the same hashes.

Prints one JSON line. The exit status is 0 only if nothing is off by a unit and all was carried out.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.answers import Answers
from bench.cuts import prove, whole
from bench.kept import LOTS, PNL, TRADES, read, verdict
from bench.market import INBOX, ROWS, Market
from bench.pen import WIRE, Pen
from bench.polls import loan, rate, snapshot
from streams.topology import PIPELINE
from tests.weir.rig import Rig, control_line, policy_line, rig, until
from weir.home import Home
from weir.processes import Slot
from weir.replay import KafkaLog, check
from weir.status.workers import workers

SLOTS = (0, 1)
POLL_S = 2.0
DAY_SHARE = 0.75
"""Of the seconds; then corrections and last fills are sent, while workers are still killed."""
REST_S = 180.0
QUIET_S = 4.0
LIMITS = {"loan": {"min_usd": "10", "single_usd": "10000", "daily_usd": "5000000", "over": "clip"}}
POLICIES: tuple[dict[str, Any], ...] = (
    {},
    {"allocation": {"rule": "opt-v1"}},
    {"allocation": {"f_high": "0.93", "lot_method": "FIFO", "retry_s": 5}},
    {"allocation": {"rule": "seed-v1-narrative", "min_keep_pct": "0.08", "f_high": "0.92"}},
    {},
)


def main() -> None:
    """One campaign."""
    given = _arguments()
    with home() as here, rig(here) as running:
        campaign = Campaign(running, given)
        result = campaign.run()
    print(json.dumps(result), flush=True)
    sys.exit(0 if result["ok"] else 1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, count in (("seconds", 150), ("rate", 300)):
        parser.add_argument(f"--{name}", type=float, default=count)
    for name, count in (("kills", 20), ("wipes", 5), ("accounts", 18), ("seed", 1), ("cuts", 50)):
        parser.add_argument(f"--{name}", type=int, default=count)
    return parser.parse_args()


@contextmanager
def home() -> Iterator[Home]:
    """A folder of its own, which is kept if the block raises."""
    folder = Path(tempfile.mkdtemp(prefix="profit-"))
    try:
        yield Home(folder / "home")
    except BaseException:
        print(f"logs are in {folder}/home/logs", file=sys.stderr)
        raise
    shutil.rmtree(folder)


class Campaign:
    """The workers, what is sent to them, and the kills."""

    def __init__(self, running: Rig, given: argparse.Namespace) -> None:
        self._rig, self._given = running, given
        self._chance = random.Random(given.seed)
        self._market = Market(given.seed, given.accounts)
        self._pen = Pen(running.bootstrap)
        self._supervisors: dict[int, int] = {}
        self._done: Counter[str] = Counter()
        self._rows = 0
        self._failure: BaseException | None = None

    def run(self) -> dict[str, Any]:
        """Everything, from the topics to the verdict."""
        began = time.monotonic()
        self._rig.weir("topics", "create")
        for slot in SLOTS:
            self._begin(slot)
        self._policy(1)
        self._rig.send("treasury.controls.v1", [control_line("ACTIVE", 1)])
        until(lambda: len(self._living()) == len(SLOTS), "both slots work", 90)
        answers = Answers(self._rig.bootstrap, self._pen, self._rig.home.root)
        day = threading.Thread(target=self._guard, name="day", daemon=True)
        day.start()
        self._kill_at_random(day)
        day.join()
        if self._failure is not None:
            raise RuntimeError("the day broke") from self._failure
        self._rest(answers)
        answers.close()
        sent_s = time.monotonic() - began
        kept = read(self._rig.bootstrap, self._market, answers.claims)
        found = verdict(kept)
        log = KafkaLog(self._rig.bootstrap)
        report = check(log, WIRE)
        taken_up = prove(whole(log), self._given.cuts, more=5, seed=self._given.seed)
        all_done = self._done.total() == self._given.kills
        wrong = sum(map(len, found.values()))
        return {
            "ok": report.identical and taken_up["ok"] and all_done and not wrong,
            "seed": self._given.seed,
            "kills": dict(self._done),
            "sent": {
                "rows": self._rows,
                "repeats": self._market.repeats.total(),
                "dead_letters": self._market.dead.total(),
                "all": self._pen.written,
            },
            "judged": {
                "positions": len(kept.tallies),
                "restated": sum(one.revision > 0 for one in kept.records[PNL]),
                "allocated": sum(map(len, answers.claims.values())),
                **{topic: len(kept.records[topic]) for topic in (PNL, TRADES, LOTS)},
            },
            "wrong": {name: len(sentences) for name, sentences in found.items()},
            "why": [sentence for sentences in found.values() for sentence in sentences[:3]],
            "replay": str(report).splitlines()[:6],
            "taken_up": taken_up,
            "seconds": [round(sent_s), round(time.monotonic() - began)],
        }

    # -- what is sent

    def _guard(self) -> None:
        try:
            self._day()
        except BaseException as error:  # noqa: BLE001 - `run` raises it where it is heard
            self._failure = error

    def _day(self) -> None:
        """Rows at a steady rate with polls and policies between them; then the last words."""
        market, given = self._market, self._given
        for said in market.openings():
            self._pen.write(said.topic, said.record, said.key)
        self._read(INBOX)
        began = time.monotonic()
        ends = began + given.seconds * DAY_SHARE
        polled, version = 0.0, 1
        while (now := time.monotonic()) < ends:
            if now - polled > POLL_S:
                polled = now
                self._poll()
            if version < len(POLICIES) and now - began > version * (ends - began) / len(POLICIES):
                version += 1
                self._policy(version)
            while self._rows < (time.monotonic() - began) * given.rate:
                for said in market.rows(_now_ms()):
                    self._pen.write(said.topic, said.record, said.key)
                    self._rows += 1
            time.sleep(0.01)
        self._read(ROWS)
        for said in market.corrections():
            self._pen.write(said.topic, said.record, said.key)
        self._read(INBOX)
        for said in market.closing(_now_ms()):
            self._pen.write(said.topic, said.record, said.key)
        self._read(ROWS)

    def _poll(self) -> None:
        now_ms = _now_ms()
        self._pen.write("treasury.desk-inputs.v1", rate(now_ms), "desk")
        for account in self._market.accounts:
            ltv_pct = self._chance.choice((30, 40, 50, 60))
            self._pen.write("treasury.loan-states.v1", loan(account, ltv_pct, now_ms))
            places = [place for place in self._market.places if place.account == account]
            self._pen.write("treasury.account-snapshots.v1", snapshot(account, places, now_ms))

    def _policy(self, version: int) -> None:
        numbers = [account.partition(":")[2] for account in self._market.accounts]
        changes = POLICIES[version - 1] | {"limits": LIMITS}
        self._rig.send("orch_config_updates", [policy_line(version, numbers, **changes)])

    def _read(self, topic: str) -> None:
        until(lambda: self._pen.is_read(PIPELINE, topic), f"{topic} is read", 120)

    # -- kills

    def _begin(self, slot: int) -> None:
        argv = (sys.executable, "-m", "weir.cli", "run", "pipeline", "--slot", str(slot))
        self._supervisors[slot] = self._rig.start(f"run-{slot}", *argv)

    def _living(self) -> list[int]:
        """The slots whose worker works now."""
        told = {one.name: one for one in workers(self._rig.home) if one.state == "ready"}
        ready = {slot: told.get(f"pipeline-{slot}") for slot in SLOTS}
        return [slot for slot, one in ready.items() if one and _lives(one.record)]

    def _kill_at_random(self, day: threading.Thread) -> None:
        """All kills, spread over the seconds, whatever the day is doing."""
        kinds = ["wipe"] * self._given.wipes + ["kill"] * (self._given.kills - self._given.wipes)
        self._chance.shuffle(kinds)
        gap_s = self._given.seconds / (len(kinds) + 1)
        for kind in kinds:
            time.sleep(gap_s * self._chance.uniform(0.3, 1.0))
            slot = self._chance.choice(until(self._living, "a slot that works", 90))
            self._kill(kind, slot)
            self._done[f"{kind}{'' if day.is_alive() else ' at rest'}"] += 1

    def _kill(self, kind: str, slot: int) -> None:
        """SIGKILL to a worker, or to its supervisor, and with it, by the kernel, to the worker."""
        name = f"pipeline-{slot}"
        pid = int(Slot(self._rig.home, name).read()["pid"])
        if kind == "kill":
            os.kill(pid, signal.SIGKILL)
            return
        os.kill(self._supervisors[slot], signal.SIGKILL)
        until(lambda: not Path(f"/proc/{pid}").exists(), f"{name} is gone")
        shutil.rmtree(self._rig.home.state / f"weir-{name}")
        self._begin(slot)

    def _rest(self, answers: Answers) -> None:
        """Waits until all is folded and answered; then the workers stop."""
        until(lambda: len(self._living()) == len(SLOTS), "both slots work", 90)

        def look() -> bool:
            topics = (ROWS, INBOX, "treasury.desk-inputs.v1")
            read_ = all(self._pen.is_read(PIPELINE, topic) for topic in topics)
            return read_ and time.monotonic() - answers.moved_ms > QUIET_S

        until(look, "nothing moves", REST_S)
        self._rig.send("treasury.controls.v1", [control_line("PAUSED", 2)])
        until(look, "nothing moves under the pause", REST_S)
        for slot in SLOTS:
            self._rig.stop(f"run-{slot}")


def _lives(record: dict[str, Any]) -> bool:
    """The record of a worker that was just killed still looks well."""
    return Path(f"/proc/{record.get('pid', 0)}").exists()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    main()
