"""A whole Weir for tests: an own broker, registry, workers and venue on free ports, in a home of
its own.

Programs are started as a person starts them and are killed by the kernel when the test run ends,
however it ends. Nothing here waits for a while: `until` polls for a fact, with a deadline.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import httpx
from confluent_kafka import Producer

from schemas import policy
from schemas.wire import SchemaIds, Wire
from weir.consume import consume
from weir.home import Home
from weir.kafka import Broker
from weir.ports import HOST, free_port, listens
from weir.processes import Slot, spawn
from weir.registry import LOCK_FILE

PARTITIONS = 4
PATIENCE_S = 120.0
WIRE = Wire(SchemaIds.from_lock())
POLICY = Path(__file__).parents[2] / "deploy" / "policy.yaml"

T = TypeVar("T")


def until(
    look: Callable[[], T], what: str | Callable[[], str], patience_s: float = PATIENCE_S
) -> T:
    """Polls until a look gives something; that."""
    deadline = time.monotonic() + patience_s
    while not (found := look()):
        if time.monotonic() > deadline:
            said = what if isinstance(what, str) else what()
            raise AssertionError(f"not within {patience_s:g} s: {said}")
        time.sleep(0.05)
    return found


class Rig:
    """One home, its broker and registry, and what was started in it."""

    def __init__(self, home: Home, bootstrap: str, registry: str) -> None:
        self.home, self.bootstrap, self.registry = home, bootstrap, registry
        self._started: dict[str, subprocess.Popen[bytes]] = {}

    # -- as a person

    def weir(
        self,
        *words: str,
        stdin: str | None = None,
        patience_s: float = PATIENCE_S,
        **environment: str,
    ) -> subprocess.CompletedProcess[str]:
        """Runs one command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "weir.cli", *words],
            env=self._environment() | environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=patience_s,
        )

    def send(self, topic: str, lines: Iterable[dict[str, Any]]) -> None:
        """`weir produce`, which must succeed."""
        done = self.weir("produce", topic, stdin="\n".join(map(json.dumps, lines)))
        assert done.returncode == 0, done.stderr

    def put(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None,
        partition: int | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, int]:
        """One record as a foreign program writes it, unchecked; its partition and offset."""
        placed: list[Any] = []
        producer = Producer(
            {"bootstrap.servers": self.bootstrap, "partitioner": "murmur2_random", "log_level": 0}
        )
        where: dict[str, Any] = {} if partition is None else {"partition": partition}
        where |= {"headers": headers, "on_delivery": lambda *done: placed.append(done)}
        producer.produce(topic, value, key, **where)
        assert producer.flush(PATIENCE_S) == 0
        error, message = placed[0]
        assert error is None, error
        return message.partition(), message.offset()

    def start(self, name: str, *argv: str, **environment: str) -> int:
        """Starts a program that stays; its output is in the home's logs under its name. Its process
        number.
        """
        environment = self._environment() | environment
        self._started[name] = spawn(Slot(self.home, name), argv, env=environment, attached=True)
        return self._started[name].pid

    def run(self, worker: str, **environment: str) -> None:
        """`weir run` of one worker; `await_ready` waits for it."""
        argv = (sys.executable, "-m", "weir.cli", "run", worker)
        self.start(f"run-{worker}", *argv, **environment)

    def await_ready(self, worker: str, besides: int = 0) -> None:
        """Waits until a worker (of another process than `besides`) has its partitions."""
        until(
            lambda: self.is_ready(worker, besides),
            lambda: f"{worker} is ready\n{self.log(f'run-{worker}')}\n{self.log(f'{worker}-0')}",
        )

    def stop(self, name: str) -> int:
        """Asks a program to end; its exit status."""
        process = self._started.pop(name)
        process.terminate()
        return process.wait(30)

    def close(self) -> None:
        """Ends all that was started."""
        for name in list(self._started):
            self._started.pop(name).kill()

    # -- looking

    def is_ready(self, worker: str, besides: int = 0) -> bool:
        """Whether a worker (of another process than `besides`) has its partitions."""
        path = self.home.run / "status" / f"weir-{worker}-0.json"
        try:
            told = json.loads(path.read_text())
        except FileNotFoundError:
            return False
        return bool(told["ready"]) and told["pid"] == self.pid(worker) != besides

    def pid(self, worker: str) -> int:
        """The process of a worker now."""
        return int(Slot(self.home, f"{worker}-0").read().get("pid", 0))

    def kill(self, worker: str) -> int:
        """SIGKILL to a worker; its process number. The supervisor starts the next one."""
        pid = self.pid(worker)
        os.kill(pid, signal.SIGKILL)
        return pid

    def log(self, name: str, lines: int = 20) -> str:
        """The end of a program's log."""
        return Slot(self.home, name).last_lines(lines)

    def lines(self, topic: str, **options: Any) -> list[dict[str, Any]]:
        """What is committed on a topic now."""
        return list(consume(self.bootstrap, topic, WIRE, timeout_s=PATIENCE_S, **options))

    def values(self, topic: str) -> list[dict[str, Any]]:
        """The values of a topic."""
        return [line["value"] for line in self.lines(topic)]

    def _environment(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("WEIR")}
        return clean | {"WEIR_HOME": str(self.home.root), "WEIR_PARTITIONS": str(PARTITIONS)}


@contextmanager
def rig(home: Home) -> Iterator[Rig]:
    """A broker and a registry of their own; all that was started on them ends with the block."""
    broker, port = Broker(home), free_port()
    running = Rig(home, broker.up(attached=True), f"http://{HOST}:{port}")
    try:
        home.run.mkdir(parents=True, exist_ok=True)
        (home.run / "registry.port").write_text(str(port))
        argv = (sys.executable, "-m", "weir.registry", str(port), str(LOCK_FILE))
        running.start("registry", *argv)
        until(lambda: listens(f"{HOST}:{port}"), lambda: running.log("registry"))
        yield running
    finally:
        running.close()
        broker.down(wipe=True)


class Sandbox:
    """A venue of its own, its books, and a hedger that trades when it is told to."""

    def __init__(self, rig: Rig, *options: str) -> None:
        self._rig, self._port = rig, rig.home.root / "sandbox.port"
        argv = ("-m", "weir.sandbox.bybit", "--port-file", str(self._port), "--hold")
        kafka = ("--bootstrap", rig.bootstrap, "--registry", rig.registry)
        rig.start("sandbox", sys.executable, *argv, *kafka, *options)

    @cached_property
    def url(self) -> str:
        """Where it answers, once it does."""
        until(self._port.exists, lambda: f"the sandbox answers\n{self._rig.log('sandbox')}")
        return f"http://127.0.0.1:{self._port.read_text().strip()}"

    @cached_property
    def accounts(self) -> list[str]:
        """The numbers of its accounts."""
        return sorted(self.books()["accounts"])

    def books(self) -> Any:
        """What the venue says about itself."""
        return httpx.get(f"{self.url}/sandbox/books", timeout=30).json()

    def spoil(
        self, kind: str, times: int, path: str = "*", delay_ms: int = 0, odd: str = ""
    ) -> None:
        """Lets the next requests that move money go wrong."""
        order = {"path": path, "kind": kind, "times": times, "delay_ms": delay_ms, "odd": odd}
        httpx.post(f"{self.url}/sandbox/faults", json=order).raise_for_status()

    def trade(self) -> None:
        """Lets the hedger begin its day."""
        httpx.post(f"{self.url}/sandbox/hedger/start").raise_for_status()

    def rest(self) -> None:
        """Lets the hedger end its day now."""
        httpx.post(f"{self.url}/sandbox/hedger/stop").raise_for_status()

    @property
    def venues(self) -> str:
        """`WEIR_VENUES` for all accounts of this venue."""
        return json.dumps(
            [
                {
                    "account_id": f"bybit:{number}",
                    "api_key": f"sandbox-{number}",
                    "api_secret": f"secret-{number}",
                    "endpoint": self.url,
                }
                for number in self.accounts
            ]
        )


def policy_line(version: int, accounts: Iterable[str], **changes: Any) -> dict[str, Any]:
    """A line for orch_config_updates: the shipped policy with changes by section."""
    content = json.loads(policy.canonical(policy.from_yaml(POLICY.read_text())))
    content["name"] = "test"
    content["approvals"]["loan_usd"] = "10000"  # no second person takes part
    content["accounts"] = [
        {
            "account_id": f"bybit:{number}",
            "loan_precision": {"USDT": 4},
            "collateral_precision": {"USDT": 4},
        }
        for number in accounts
    ]
    for section, fields in changes.items():
        content[section] |= fields
    body = policy.canonical(policy.parse(json.dumps(content)))
    return {
        "value": {
            "name": "test",
            "version": version,
            "hash": policy.policy_hash(body),
            "body": body,
            "source": "file",
            "author": "test",
            "signatures": [],
            "previous_hash": "",
            "at": "2026-01-05T08:00:00.000Z",
        }
    }


def control_line(mode: str, epoch: int, scope: str = "all") -> dict[str, Any]:
    """A line for treasury.controls.v1."""
    return {
        "value": {
            "scope": scope,
            "mode": mode,
            "epoch": epoch,
            "reason": "test",
            "actors": ["test"],
            "jws": [],
            "at": "2026-01-05T08:00:00.000Z",
        }
    }


def fill_line(
    account: str, exec_id: str, side: str, qty: str, price: str, fee: str, **more: Any
) -> dict[str, Any]:
    """A line for hedge-executions, executed now."""
    return {
        "value": {
            "exec_id": exec_id,
            "account_id": account,
            "venue": "bybit",
            "kind": "FILL",
            "category": "linear",
            "symbol": "ETHUSDT",
            "side": side,
            "exec_type": "Trade",
            "qty": qty,
            "price": price,
            "fee": fee,
            "fee_ccy": "USDT",
            "settle_ccy": "USDT",
            "exec_time": datetime.now(UTC).isoformat(timespec="milliseconds")[:23] + "Z",
            "source": "manual",
            **more,
        }
    }
