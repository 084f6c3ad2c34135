"""From a bank to the log, with a real broker: records where they belong, refusals among the dead
letters, the web process as people start it.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from agents.feeds.alerts import Alerts
from agents.feeds.bank.refusals import Refusals
from agents.feeds.bank.taking import Taker
from agents.outside import Outside
from schemas.wire import SchemaIds, Wire
from tests.agents.bank_files import balance, camt053, statement
from weir.dlq import Letter, letters
from weir.reading import whole
from weir.topics import ensure

TOPIC = "balance_events"
TOKEN = "token-of-a-bank-0001"
WIRE = Wire(SchemaIds.from_lock())


@pytest.fixture(scope="module")
def kafka(broker: str) -> str:
    ensure(broker, 8, 1)
    return broker


def mine(kafka: str, account_id: str) -> list[Any]:
    found = [one for one in whole(kafka, [TOPIC]) if one.key() == account_id.encode()]
    return [WIRE.decode(TOPIC, one.value()) for one in found]


def of(kafka: str, origin: str) -> list[Letter]:
    return [one for one in letters(kafka, [f"{TOPIC}.dlq"]) if one.origin.topic == origin]


async def test_camt_is_a_record_and_what_is_none_a_dead_letter(
    kafka: str, fresh_topic_suffix: str
) -> None:
    account = fresh_topic_suffix.replace("-", "")
    outside = Outside(kafka, WIRE, 8)
    taker = Taker(outside, Refusals("test", outside, Alerts(outside)))
    good = camt053(statement(balance("CLBD", "5"), account=account))
    await taker.take(f"mailbox-{account}/1", good)
    await taker.take(f"mailbox-{account}/2", b"<a>")
    await taker.take(f"mailbox-{account}/3", b"<" + b"a" * 5_000_000)
    await outside.close()
    (event,) = await asyncio.to_thread(mine, kafka, f"bank:{account}")
    assert event.raw == good
    (bad,) = await asyncio.to_thread(of, kafka, f"mailbox-{account}/2")
    assert (bad.value, bad.origin.cause, bad.step) == (b"<a>", "malformed", "bank feed")
    assert f"comes from mailbox-{account}/2" in bad.obstacle(), "it is never sent back as a record"
    (large,) = await asyncio.to_thread(of, kafka, f"mailbox-{account}/3")
    assert (large.origin.cause, len(large.value or b"")) == ("too_large", 512 * 1024)


@pytest.mark.req("004-40")
def test_the_web_process_writes_what_is_pushed(
    kafka: str, tmp_path: Path, fresh_topic_suffix: str
) -> None:
    account_id = f"bank:{fresh_topic_suffix.replace('-', '')}"
    tokens = [{"name": "bank", "token": TOKEN, "scopes": ["balances"]}]
    env = {**os.environ, "WEIR_KAFKA": kafka, "WEIR_HOME": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, "-m", "weir.cli", "web", "--port", "0"],
        env={**env, "WEIR_WEB_TOKENS": json.dumps(tokens)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        said = json.loads(process.stdout.readline() if process.stdout else "")
        assert said["event"] == "web_ready"
        body = {"account_id": account_id, "msg_id": "P1", "as_of": "2026-01-05T17:30:00Z"}
        for _ in range(2):
            answer = httpx.post(
                f"{said['url']}/balances",
                json={**body, "avail_usd": "1,234.56"},
                headers={"Authorization": f"Bearer {TOKEN}"},
            )
            assert answer.status_code == 202, answer.text
    finally:
        process.terminate()
        process.communicate(timeout=20)
    (event,) = mine(kafka, account_id)
    assert event.avail_usd_e4 == 12_345_600
