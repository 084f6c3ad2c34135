"""The pages of a list of entries: one list, or none of it."""

# ruff: noqa: F811 - fixtures of the sandbox bank are imported by name

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from agents.connectors.bank.client import Client
from tests.agents.bank_rig import Rig, runs
from tests.connectors.conftest import Recorded, recorded  # noqa: F401
from tests.weir.sandbox.bank_served import ServedBank
from tests.weir.sandbox.conftest import bank, bank_server, serve_bank  # noqa: F401


async def test_a_list_that_grows_while_it_is_read_is_read_again(
    tmp_path: Path, bank: ServedBank, recorded: Recorded
) -> None:
    """Newest first: what came meanwhile moves an entry to the next page, where it would be told as
    a second one, and the new one not at all.
    """

    def listed(count: int, *refs: str) -> bytes:
        row = {"currency": "USD", "amount": "5.00", "transactionType": "DEBIT"}
        items = [{**row, "backOfficeReference": ref} for ref in refs]
        return json.dumps({"items": items, "_meta": {"itemCount": count}}).encode()

    recorded.first = [
        b'{"token_endpoint": "/token"}',
        b'{"access_token": "t", "expires_in": 300}',
        listed(2, "A"),
        listed(3, "A", "B"),
        listed(3, "C", "A", "B"),
    ]
    recorded.answer({"currency": "USD", "availableBalance": "5.00"})
    rig = Rig(tmp_path)
    feed = rig.account(bank, parts=frozenset({"intraday"}))
    feed.client = Client(replace(bank.access(), endpoint=recorded.endpoint, paced=False))
    await runs(feed, lambda: bool(rig.log.events))
    assert [one.ref for one in rig.log.events[0].entries] == ["C", "A", "B"]
