"""A campaign: two workers under a supervisor, input at a steady rate, faults at random; then the
judge.

    python -m bench.chaos [--seconds 600] [--seed 1] [--rate 1500] [--kills 20] [--wipes 5]
                          [--freezes 5] [--brokers 3] [--rolls 2] [--windows 1] [--replays 2]

kills: SIGKILL of a worker; wipes: the same, and its disk is empty when it comes back; freezes:
SIGSTOP past the session timeout, then SIGCONT; brokers: kill -9 and restart of the broker; rolls:
SIGTERM to each worker in turn; windows: rounds in which a worker is killed, and one frozen, inside
each crash window of a transaction. Workers dawdle at random inside the windows (--pause-ms), so
that the other faults meet open transactions too.

Prints one JSON line. The exit status is 0 only if nothing is double, missing, wrong, out of order
or different in a replay, and all faults were carried out. Faults are shared out over the seconds: a
campaign of all the defaults needs about ten minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from bench import workload
from bench.check import FAULTS, check
from bench.replay import replay
from bench.rig import Rig

WORKERS = (0, 1)
SESSION_S = 6.0
BACK_OFF_S = (0.3, 5.0)
STEADY_S = 10.0
WINDOWS = ("produced", "offsets", "committed", "stored")
DRAIN_S = 240.0


def main() -> None:
    """One campaign."""
    given = _arguments()
    rig = Rig()
    campaign = Campaign(rig, given)
    try:
        result = campaign.run()
    finally:
        rig.close()
    wrong = {name: result.get(name, 0) for name in (*FAULTS, "replay_mismatch", "not_carried_out")}
    result["ok"] = not any(wrong.values()) and result["drained"]
    print(json.dumps(result), flush=True)
    if not result["ok"]:
        print(f"the workers' logs are in {rig.folder}", file=sys.stderr)
        sys.exit(1)
    shutil.rmtree(rig.folder)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=1500)
    parser.add_argument("--pause-ms", type=float, default=60)
    for name, count in (("kills", 20), ("wipes", 5), ("freezes", 5), ("brokers", 3)):
        parser.add_argument(f"--{name}", type=int, default=count)
    parser.add_argument("--rolls", type=int, default=2)
    parser.add_argument("--windows", type=int, default=1)
    parser.add_argument("--replays", type=int, default=2)
    return parser.parse_args()


class Campaign:
    """The workers, their supervisor, the input, and the faults."""

    def __init__(self, rig: Rig, given: argparse.Namespace) -> None:
        self._rig, self._given = rig, given
        self._chance = random.Random(given.seed)
        self._suffix = f"c{given.seed}"
        self._settings = {
            "suffix": self._suffix,
            "chain": True,
            "pause_s": given.pause_ms / 1000,
            "session_timeout_s": SESSION_S,
        }
        self._lock = threading.RLock()  # held while somebody decides about a worker's life
        self._ending = threading.Event()
        self._closed = False
        self._sent = 0
        self._exits: Counter[str] = Counter()
        self._began_s = dict.fromkeys(WORKERS, 0.0)
        self._back_off_s = dict.fromkeys(WORKERS, BACK_OFF_S[0])
        self._carried_out: Counter[str] = Counter()
        self._failed: list[str] = []
        self._mid_stream = 0

    def run(self) -> dict[str, Any]:
        """Everything, from the first topic to the verdict."""
        started = time.monotonic()
        self._rig.create(workload.topics(self._suffix))
        self._fresh_admin()
        threads = [threading.Thread(target=one) for one in (self._supervise, self._generate)]
        for slot in WORKERS:
            self._start(slot)
        for thread in threads:
            thread.start()
        try:
            self._inject(started + self._given.seconds)
            while time.monotonic() < started + self._given.seconds:
                time.sleep(0.2)
        finally:
            self._ending.set()
            threads[1].join()
        self._fresh_admin()
        drained = self._drain()
        with self._lock:
            self._closed = True
            codes = self._rig.stop()
        threads[0].join()
        result = {
            "seed": self._given.seed,
            "seconds": round(time.monotonic() - started),
            "sent": self._sent,
            "faults": dict(self._carried_out),
            "mid_stream": self._mid_stream,
            "not_carried_out": len(self._failed),
            "why": self._failed,
            "exits": dict(self._exits),
            "last_exits": codes,
            "drained": drained,
        }
        result |= check(self._rig, self._suffix)
        return result | replay(self._rig, self._suffix, self._given.replays)

    def _fresh_admin(self) -> None:
        """One that knows the broker's present leader epochs, and does not report lost ones."""
        settings: dict[str, Any] = {"bootstrap.servers": self._rig.bootstrap, "log_level": 0}
        self._rig.admin = AdminClient(settings)

    # -- the supervisor

    def _start(self, slot: int, **more: Any) -> None:
        self._began_s[slot] = time.monotonic()
        self._rig.start(slot, "bench.workload", **{**self._settings, **more})

    def _supervise(self) -> None:
        """Another worker for each that ends, after a pause that grows while they do not last."""
        ended_s: dict[int, float] = {}
        while not self._closed:
            with self._lock:
                for slot in WORKERS:
                    worker = self._rig.workers[slot]
                    if self._closed or worker.poll() is None:
                        continue
                    now_s = time.monotonic()
                    if slot not in ended_s:
                        ended_s[slot] = now_s
                        self._exits[str(worker.returncode)] += 1
                        steady = now_s - self._began_s[slot] > STEADY_S
                        longer = min(2 * self._back_off_s[slot], BACK_OFF_S[1])
                        self._back_off_s[slot] = BACK_OFF_S[0] if steady else longer
                    if now_s - ended_s[slot] >= self._back_off_s[slot]:
                        del ended_s[slot]
                        self._start(slot)
            time.sleep(0.1)

    # -- the input

    def _generate(self) -> None:
        """Fills and loans at the given rate, in batches of a fiftieth of a second."""
        patient = {"enable.idempotence": True, "message.timeout.ms": 300_000, "log_level": 0}
        producer = self._rig.producer(**patient)
        each_s = 0.02
        while not self._ending.is_set():
            due_s = time.monotonic() + each_s
            count = max(1, round(self._given.rate * each_s))
            for stem, record in workload.generate(count, self._chance.getrandbits(32), self._sent):
                topic = f"{stem}-{self._suffix}"
                producer.produce(topic, workload.DUMPS(record), record.account)
            self._sent += count
            producer.poll(0)
            self._ending.wait(max(0.0, due_s - time.monotonic()))
        left = producer.flush(120)
        if left:
            self._failed.append(f"{left} records of the input were not delivered")

    # -- the faults

    def _inject(self, until_s: float) -> None:
        faults: list[tuple[str, Callable[[], None]]] = []
        given = self._given
        for name, count, fault in (
            ("kill", given.kills, self._kill),
            ("wipe", given.wipes, self._wipe),
            ("freeze", given.freezes, self._freeze),
            ("broker", given.brokers, self._broker),
            ("roll", given.rolls, self._roll),
        ):
            faults += [(name, fault)] * count
        for word in WINDOWS * given.windows:
            for number in (signal.SIGKILL, signal.SIGSTOP):
                faults.append((f"{number.name} in {word}", partial(self._window, word, number)))
        self._chance.shuffle(faults)
        pnl_end = 0
        self._until(lambda: self._pnl_end() > 0, "the first output")
        for left, (name, fault) in zip(range(len(faults), 0, -1), faults, strict=True):
            gap_s = max(0.0, until_s - time.monotonic()) / (left + 1) / 2
            time.sleep(gap_s * self._chance.uniform(0.2, 1.8))
            try:
                now_end = self._pnl_end()
                fault()
            except (KafkaException, RuntimeError, OSError, TimeoutError) as error:
                self._failed.append(f"{name}: {error!r}")
                continue
            self._carried_out[name] += 1
            self._mid_stream += now_end > pnl_end
            pnl_end = now_end

    def _pnl_end(self) -> int:
        try:
            return sum(self._rig.ends(f"pnl-{self._suffix}").values())
        except KafkaException:
            return 0

    def _living(self) -> int:
        """A worker that has been up for a moment; waits for one."""
        found: list[int] = []

        def look() -> bool:
            found[:] = [
                slot
                for slot in WORKERS
                if self._rig.workers[slot].poll() is None
                and time.monotonic() - self._began_s[slot] > 4
            ]
            return bool(found)

        self._until(look, "a living worker")
        return self._chance.choice(found)

    def _kill(self) -> None:
        slot = self._living()
        with self._lock:
            self._rig.workers[slot].kill()
            self._rig.workers[slot].wait()

    def _wipe(self) -> None:
        slot = self._living()
        with self._lock:
            self._rig.workers[slot].kill()
            self._rig.workers[slot].wait()
            shutil.rmtree(self._rig.datadir(slot) / "tables", ignore_errors=True)

    def _freeze(self) -> None:
        worker = self._rig.workers[self._living()]
        worker.send_signal(signal.SIGSTOP)
        time.sleep(SESSION_S + self._chance.uniform(2, 6))
        worker.send_signal(signal.SIGCONT)

    def _broker(self) -> None:
        pid = self._rig.broker.status().pid
        if pid is None:
            raise RuntimeError("the broker does not run")
        os.kill(pid, signal.SIGKILL)
        self._until(lambda: not self._rig.broker.slot.is_held(), "the broker's end")
        time.sleep(self._chance.uniform(0, 3))
        self._rig.broker.up(attached=True)
        self._fresh_admin()

    def _roll(self) -> None:
        for slot in WORKERS:
            worker = self._rig.workers[slot]
            worker.send_signal(signal.SIGTERM)
            self._until(partial(_has_ended, worker), "a worker's end", 45)
            self._until(partial(self._is_succeeded, slot, worker), "its successor")
            time.sleep(4)

    def _is_succeeded(self, slot: int, worker: subprocess.Popen[bytes]) -> bool:
        with self._lock:
            return self._rig.workers[slot] is not worker

    def _window(self, word: str, number: signal.Signals) -> None:
        """A worker that ends, or freezes past its session, in a certain passage of a window."""
        slot = self._living()
        mark = self._rig.datadir(slot) / "stopped"
        mark.unlink(missing_ok=True)
        turn = self._chance.randrange(2, 20)
        with self._lock:
            self._rig.workers[slot].kill()
            self._rig.workers[slot].wait()
            self._start(slot, stop_at={"word": word, "signal": int(number), "turn": turn})
            worker = self._rig.workers[slot]
        self._until(lambda: mark.exists() or worker.poll() is not None, f"the window {word}", 60)
        if not mark.exists():
            raise RuntimeError(f"the worker ended with {worker.returncode} before its window")
        if number is signal.SIGSTOP:
            time.sleep(SESSION_S + self._chance.uniform(2, 6))
            worker.send_signal(signal.SIGCONT)

    # -- the end

    def _drain(self) -> bool:
        """Waits until nothing is left to fold; False if that takes too long."""
        seen: list[tuple[int, int, int]] = []

        def stands_still() -> bool:
            group = f"w-{self._suffix}"
            names = ("executions", "loans", "desk")
            try:
                lags = tuple(self._rig.lag(group, f"{name}-{self._suffix}") for name in names)
            except KafkaException:
                return False
            seen.append(lags)  # type: ignore[arg-type]
            # the desk topic carries markers: its lag does not reach 0, it stands still
            return lags[:2] == (0, 0) and seen[-12:] == [lags] * 12

        try:
            self._until(stands_still, "the end of the input", DRAIN_S, 0.5)
        except TimeoutError:
            return False
        return True

    def _until(
        self, holds: Callable[[], bool], what: str, patience_s: float = 90.0, pause_s: float = 0.1
    ) -> None:
        deadline = time.monotonic() + patience_s
        while not holds():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{patience_s:.0f} s passed without {what}")
            time.sleep(pause_s)


def _has_ended(worker: subprocess.Popen[bytes]) -> bool:
    return worker.poll() is not None


if __name__ == "__main__":
    main()
