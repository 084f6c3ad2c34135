"""Days in JSON that differ from what was told of them, or that cannot be used; and a balance whose
as-of stays.
"""

# ruff: noqa: F811 - fixtures of the sandbox bank are imported by name

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from agents.connectors.bank.client import Client
from agents.feeds.bank.accounts import AccountFeed
from tests.agents.bank_rig import Rig, runs
from tests.connectors.conftest import Recorded, recorded  # noqa: F401
from tests.weir.sandbox.bank_served import ServedBank
from tests.weir.sandbox.conftest import bank, bank_server, serve_bank  # noqa: F401

LOGIN = [b'{"token_endpoint": "/token"}', b'{"access_token": "t", "expires_in": 300}']
DAYS = frozenset({"prior_day"})
YESTERDAY = (date(2026, 7, 6) - date(1970, 1, 1)).days


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def listed(*refs: str, kind: str = "DEBIT") -> bytes:
    row = {"currency": "USD", "amount": "-5.00", "transactionType": kind}
    items = [{**row, "backOfficeReference": ref} for ref in refs]
    return json.dumps({"items": items, "_meta": {"itemCount": len(items)}}).encode()


def reads(rig: Rig, bank: ServedBank, recorded: Recorded, **more: Any) -> AccountFeed:
    feed = rig.account(bank, **more)
    feed.client = Client(replace(bank.access(), endpoint=recorded.endpoint, paced=False))
    return feed


@pytest.mark.req("004-01")
async def test_a_day_that_is_told_as_it_was_at_first_is_news_again(
    rig: Rig, bank: ServedBank, recorded: Recorded
) -> None:
    """Under the first id it would be a repeat, and what was told in between would stay."""
    none = listed()
    polls = [listed("A"), none, none, listed("A", "B"), none, none, listed("A")]
    recorded.first, recorded.body = [*LOGIN, *polls], listed("A")
    feed = reads(rig, bank, recorded, parts=DAYS)
    await runs(feed, lambda: feed.polls >= 4)
    told = [one for one in rig.log.events if one.statement_date == YESTERDAY]
    assert [[row.ref for row in one.entries] for one in told] == [["A"], ["A", "B"], ["A"]]
    assert len({one.msg_id for one in told}) == 3
    count = len(rig.log.events)
    again = reads(rig, bank, recorded, parts=DAYS)
    await runs(again, lambda: again.polls >= 2)
    assert len(rig.log.events) == count, "what is told is remembered across a restart"


async def test_a_day_that_cannot_be_used_holds_up_no_other(
    rig: Rig, bank: ServedBank, recorded: Recorded
) -> None:
    bad = listed("A", kind="CREDIT")
    recorded.first, recorded.body = [*LOGIN, listed("A"), bad, listed("C")], bad
    since = date(1970, 1, 1) + timedelta(YESTERDAY - 2)
    feed = reads(rig, bank, recorded, parts=DAYS, since=since)
    await runs(feed, lambda: len(rig.log.events) >= 2 or feed.polls >= 5)
    days = [one.statement_date for one in rig.log.events]
    assert days == [YESTERDAY - 2, YESTERDAY]
    _, said, headers = rig.log.letters[0]
    assert headers["__streams.errors.topic"].endswith("/prior_day/2026-07-05")
    assert said.startswith(b"prior_day/2026-07-05: sign")
    assert len({said for _, said, _ in rig.log.letters}) == len(rig.log.letters), "told once"


@pytest.mark.req("004-01")
async def test_new_entries_are_told_though_the_as_of_of_the_balance_stays(
    rig: Rig, bank: ServedBank, recorded: Recorded
) -> None:
    """A bank that counts once a day still lists what it books meanwhile."""
    balance = {"currency": "USD", "availableBalance": "5.00", "balanceAsOn": "2026-07-05"}
    shown = json.dumps(balance).encode()
    recorded.first = [*LOGIN, listed("A"), shown, listed("A", "B"), shown, listed("A", "B")]
    recorded.body = shown
    feed = reads(rig, bank, recorded, parts=frozenset({"intraday"}))
    await runs(feed, lambda: len(rig.log.events) >= 2)
    first, second = rig.log.events
    assert first.balances == second.balances
    assert [row.ref for row in second.entries] == ["A", "B"]
    assert first.msg_id != second.msg_id
