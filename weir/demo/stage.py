"""What a demo needs around it: an empty home, Kafka, the sandbox venue, a policy, an open gate."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import yaml

from agents.outside import Outside
from schemas.policy import Policy, canonical, from_yaml, policy_hash
from schemas.records import Control, PolicyUpdate
from schemas.wire import SchemaIds, Wire
from weir import lifecycle
from weir.demo import bank
from weir.demo.sandbox import sandbox
from weir.errors import WeirError
from weir.home import Home, home, settings
from weir.registry import Registry

MARK = "demo"
POLICY = Path(__file__).parents[2] / "deploy" / "policy.yaml"


@dataclass(frozen=True)
class Day:
    """What the hedger of the sandbox trades."""

    accounts: int = 3
    fills: int = 3000
    rate: float = 125.0
    seed: int = 1
    duplicates: float = 0.01
    prices: Path | None = None
    feed: Literal["ws", "hedger"] = "hedger"
    """Who writes executions: the executor reads the venue's stream, or the hedger itself."""

    @property
    def account_ids(self) -> list[str]:
        return [f"bybit:{100_001 + number}" for number in range(self.accounts)]


def empty_home() -> Home:
    """This home, emptied; refused when it holds anything but an earlier demo."""
    here = home()
    mark = here.root / MARK
    if settings().kafka:
        return here
    if here.root.exists() and not mark.exists() and any(here.root.iterdir()):
        raise WeirError(
            f"{here.root} holds something that is not a demo; WEIR_HOME=FOLDER names another"
        )
    if here.root.exists():
        lifecycle.down(wipe=True)
        shutil.rmtree(here.root, ignore_errors=True)
    here.root.mkdir(parents=True, exist_ok=True)
    mark.write_text("an earlier demo; the next one wipes it\n")
    return here


@contextmanager
def sandboxes(here: Home, bootstrap: str, day: Day) -> Iterator[tuple[str, str]]:
    """Venue and bank as processes of their own, the hedger waiting; yields their URLs."""
    with (
        sandbox(here, "weir.sandbox.bybit", _venue_words(here, bootstrap, day)) as venue_url,
        sandbox(here, "weir.sandbox.bank", bank.words(here, day.seed)) as bank_url,
    ):
        yield venue_url(), bank_url()


def _venue_words(here: Home, bootstrap: str, day: Day) -> list[str]:
    registry = settings().registry or Registry(here).url
    words = ["--hold", "--bootstrap", bootstrap]
    words += ["--registry", str(registry), "--accounts", str(day.accounts)]
    words += ["--fills", str(day.fills), "--rate", str(day.rate), "--seed", str(day.seed)]
    words += ["--duplicates", str(day.duplicates)]
    words += ["--feed", "venue" if day.feed == "ws" else "hedger"]
    if day.prices is not None:
        words += ["--prices", str(day.prices.absolute())]
    return words


def worker_env(url: str, bank_url: str, day: Day) -> dict[str, str]:
    """How the executor reaches the accounts at the sandbox venue and the sandbox bank."""
    venues = [
        {
            "account_id": account_id,
            "api_key": f"sandbox-{account_id.partition(':')[2]}",
            "api_secret": f"secret-{account_id.partition(':')[2]}",
            "endpoint": url,
            "feed": "ws" if day.feed == "ws" else "none",
            "since": datetime.now(UTC).isoformat(),
        }
        for account_id in day.account_ids
    ]
    return {"WEIR_VENUES": json.dumps(venues), "WEIR_POLL_S": "1", **bank.worker_env(bank_url)}


async def open_desk(bootstrap: str, day: Day) -> Policy:
    """Puts the demo's policy in force and sets the mode to ACTIVE."""
    wire = Wire(SchemaIds.from_lock())
    outside = Outside(bootstrap, wire, settings().partitions)
    policy = demo_policy(day, datetime.now(UTC))
    body, now_ms = canonical(policy), time.time_ns() // 1_000_000
    await outside.write(
        "orch_config_updates",
        PolicyUpdate(
            name=policy.name,
            version=1,
            hash=policy_hash(body),
            body=body,
            source="file",
            author="demo",
            signatures=(),
            previous_hash="",
            at_ms=now_ms,
        ),
    )
    await outside.write(
        "treasury.controls.v1",
        Control(
            scope="all",
            mode="ACTIVE",
            epoch=1,
            reason="the demo opens its desk",
            actors=(os.environ.get("USER", "demo"),),
            jws=(),
            at_ms=now_ms,
        ),
    )
    await outside.close()
    return policy


def demo_policy(day: Day, now: datetime) -> Policy:
    """The shipped policy with the sandboxes' accounts, and no approvals below the single limit."""
    content: dict[str, Any] = yaml.safe_load(POLICY.read_text())
    content["name"] = "demo"
    content["approvals"]["loan_usd"] = content["limits"]["loan"]["single_usd"]
    content["accounts"] = [
        {
            "account_id": account_id,
            "loan_precision": {"USDT": 4},
            "collateral_precision": {"USDT": 4},
        }
        for account_id in day.account_ids
    ]
    bank.rules(content, now)
    return from_yaml(yaml.safe_dump(_texts(content)))


def _texts(value: Any) -> Any:
    """YAML's floats back to the decimal text they were written as."""
    if isinstance(value, dict):
        return {key: _texts(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_texts(item) for item in value]
    return str(Decimal(str(value))) if isinstance(value, float) else value
