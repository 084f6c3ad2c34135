"""A whole Weir with one bank account, for tests: real workers, a watched file, a Consul agent, a
folder for camt files, the web process, and a bank that notes who calls it.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import yaml

from schemas.jsonform import from_json, iso_date
from schemas.records import Control
from streams.calendar import calendar
from streams.holidays import FED, closed
from streams.newyork import day_of, year_of
from tables.partition import CalendarYear
from tests.agents.policies.consul import Store, serving
from tests.weir.rig import PARTITIONS, WIRE, Rig, control_line, rig, until
from tests.weir.sandbox.conftest import run_in_thread
from weir.home import Home
from weir.ports import free_port
from weir.topics import ensure

ACCOUNT, FUND = "bank:0123456789", "026009593/987654321"
DECISIONS, POSITIONS = "treasury.decisions.v1", "cash_positions"
SCOPES = ("read", "balances", "payments", "policy")
TOKENS = {scope: f"token-of-{scope}-0001" for scope in SCOPES}


@dataclass
class Counting:
    """A bank that is never to be called: it notes each request and answers none."""

    calls: list[str] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            self.calls.append(scope["path"])
            await send({"type": "http.response.start", "status": 503, "headers": []})
            await send({"type": "http.response.body", "body": b""})


def policy(**changes: Any) -> dict[str, Any]:
    """A policy file's content; changes by section."""
    clocks = [f"{datetime.now(UTC) + timedelta(hours=hours):%H:%M}" for hours in (6, 12)]
    found: dict[str, Any] = {
        "name": "cash",
        "accounts": [{"account_id": ACCOUNT, "kind": "bank"}],
        "screening": {"allow": [FUND]},
        "sweep": {
            "cutoffs_utc": sorted(clocks),
            "products": [
                {"product": "FED_RRP", "instrument": "GOVT_FUND", "calendar": "FED",
                 "closes": "13:15", "matures": "next_day", "beneficiary": FUND},
            ],
        },
    }  # fmt: skip
    for section, said in changes.items():
        known = found.get(section)
        found[section] = {**known, **said} if isinstance(known, dict) else said
    return found


@dataclass
class Live:
    """What a test works with."""

    rig: Rig
    url: str
    file: Path
    folder: Path
    consul: Store
    bank: Counting
    _cents: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def ask(self, method: str, path: str, scope: str, **more: Any) -> httpx.Response:
        """One request with the token of a scope."""
        headers = {"Authorization": f"Bearer {TOKENS[scope]}", **more.pop("headers", {})}
        return httpx.request(method, f"{self.url}{path}", headers=headers, timeout=30, **more)

    def put(self, content: Any, query: str = "", **headers: str) -> httpx.Response:
        """PUT /policy as JSON."""
        return self.ask("PUT", f"/policy{query}", "policy", json=content, headers=headers)

    def say(self, content: dict[str, Any]) -> None:
        """Writes the watched file."""
        self.file.write_text(yaml.safe_dump(content))

    def tell(self, msg_id: str, avail_usd: str | None = None, **more: Any) -> None:
        """What the bank says now, by POST /balances."""
        body = {"account_id": ACCOUNT, "msg_id": msg_id, "as_of": now(), **more}
        body |= {} if avail_usd is None else {"avail_usd": avail_usd}
        answer = self.ask("POST", "/balances", "balances", json=body)
        assert answer.status_code == 202, answer.text

    def decided(self, dollars: int = 1000, **more: Any) -> dict[str, Any]:
        """Tells a balance that none was before; the decision it leads to, with its body read."""
        amount = f"{dollars}.{next(self._cents):02d}"
        self.tell(f"R-{amount}", amount, **more)
        wanted = amount.rstrip("0").rstrip(".")

        def look() -> dict[str, Any] | None:
            for found in self.decisions():
                known = found["body"]["inputs"]["available"]
                if known is not None and known["amount"] == wanted:
                    return found
            return None

        return until(look, lambda: f"a decision on {amount}\n{self.rig.log('pipeline-0')}") or {}

    def decisions(self) -> list[dict[str, Any]]:
        """The decisions of cash, their bodies read."""
        found = [one for one in self.rig.values(DECISIONS) if one["node"] == "cash"]
        return [{**one, "body": json.loads(one["body"])} for one in found]

    def decides_by(self, version: str) -> dict[str, Any]:
        """Waits until a decision is made under a version."""
        until(lambda: self.in_force() == version, lambda: f"{version}, not {self.in_force()}")

        def look() -> dict[str, Any] | None:
            found = self.decided()
            return found if found["body"]["policy"] == version else None

        return until(look, f"a decision under {version}") or {}

    def in_force(self) -> str:
        """The version that GET /policy shows."""
        answer = self.ask("GET", "/policy", "read")
        return str(answer.json().get("version", answer.json().get("error")))

    def trouble(self) -> str:
        """What keeps the watched sources from being in force."""
        alerts = [one for one in self.rig.values("treasury.alerts.v1") if one["key"] == "policy"]
        return str(alerts[-1]["text"]) if alerts and alerts[-1]["state"] == "firing" else ""

    def resume(self) -> None:
        """Lets money move."""
        control = from_json(Control, control_line("ACTIVE", 1)["value"])
        self.rig.put("treasury.controls.v1", WIRE.encode("treasury.controls.v1", control), b"all")


def now() -> str:
    """This moment."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:23] + "Z"


def past_days(count: int) -> list[str]:
    """The last business days before today, oldest first."""
    today = day_of(int(datetime.now(UTC).timestamp() * 1000))
    years = (year_of(today) - 1, year_of(today))
    fed = calendar(FED, tuple(CalendarYear(FED, year, closed(FED, year)) for year in years))
    open_days = [day for day in range(today - 3 * count, today) if fed.is_open(day)]
    return [str(iso_date(day)) for day in open_days[-count:]]


@contextmanager
def living(home: Home) -> Iterator[Live]:
    """All of it, started."""
    folder, file, port = home.root / "camt", home.root / "policy.yaml", free_port()
    folder.mkdir(parents=True)
    file.write_text(yaml.safe_dump(policy()))
    bank = Counting()
    server, thread = run_in_thread(bank)
    access = {
        "account_id": ACCOUNT,
        "endpoint": server.url,
        "client_id": "c",
        "client_secret": "s",
        "intraday": "none",
        "prior_day": "none",
        "agent": "021000021",
    }
    tokens = [{"name": scope, "token": TOKENS[scope], "scopes": [scope]} for scope in SCOPES]
    try:
        with serving() as consul, rig(home) as running:
            consul.put("weir/policy/", None)
            ensure(running.bootstrap, PARTITIONS, 1)
            running.run("pipeline")
            running.run(
                "executor",
                WEIR_POLICY_FILE=str(file),
                WEIR_CONSUL=consul.url,
                WEIR_CAMT_FOLDER=str(folder),
                WEIR_BANKS=json.dumps([access]),
            )
            web = (sys.executable, "-m", "weir.cli", "web", "--port", str(port))
            running.start("web", *web, WEIR_WEB_TOKENS=json.dumps(tokens))
            found = Live(running, f"http://127.0.0.1:{port}", file, folder, consul, bank)
            running.await_ready("pipeline")
            running.await_ready("executor")
            until(lambda: _answers(found.url), lambda: running.log("web"))
            yield found
    finally:
        server.should_exit = True
        thread.join(timeout=20)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False
