"""What is decided on an imported log is not live: nobody signs it and nobody carries it out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from agents.exact.harness import Harness, Sent
from agents.signatures import HEADER, MODE
from agents.standing import Standing
from schemas.records import BalanceEvent, BankBalance, CashInput, ControlCopy, DeskInput
from streams.step import IMPORTED
from streams.topology import GATE
from tables.spec import PARTITION_KEY
from tests.agents.test_observe import ACCOUNT, NOW_MS, PROPOSALS, WIRE, Desk, found
from tests.agents.test_standing import OPERATE, cause, control, policy, standing


async def played(folder: Path, *copies: Any) -> list[Sent]:
    """All that a desk says when a balance becomes an order, after these copies came first."""
    desk = Desk(folder)
    async with Harness(desk.app) as h:
        for copy in copies:
            await desk.tell(h, CashInput(body=copy), PARTITION_KEY)
            await h.feed(GATE.inbox, DeskInput(body=copy), key=PARTITION_KEY, timestamp_ms=1)
        await desk.open(h)
        balance = BankBalance("ITAV", 10**10, "USD", NOW_MS)
        await desk.balance(h, BalanceEvent(ACCOUNT, "camt052", "M1", (balance,), (), NOW_MS))
        (sent,) = found(h.outputs, PROPOSALS)
        proposal = WIRE.decode(PROPOSALS, sent.value)
        await h.feed(PROPOSALS, proposal, key="desk", timestamp_ms=NOW_MS, at_ms=NOW_MS)
        return list(h.outputs)


@pytest.mark.req("000-72", "000-73")
async def test_what_is_decided_on_an_imported_log_is_not_live(tmp_path: Path) -> None:
    marker = ControlCopy(IMPORTED, "PAUSED", 0, "test", 1)
    live, imported = await played(tmp_path / "a"), await played(tmp_path / "b", marker)
    assert [(one.topic, one.value) for one in live] == [(one.topic, one.value) for one in imported]
    for outputs, mode, signed in ((live, "live", True), (imported, "replay", False)):
        headers = {one.topic: dict(one.headers) for one in outputs}
        assert {one[MODE] for one in headers.values()} == {mode}
        assert (HEADER in headers["sweep_intent"]) is signed
        assert (HEADER in headers["treasury.intents.v1"]) is signed


def test_that_a_log_was_imported_is_nobodys_word_and_cannot_be_taken_back() -> None:
    marker = replace(control("PAUSED", 0), scope=IMPORTED)
    found = standing(policy(1, OPERATE), marker, control("ACTIVE", 1, "ann", "bob"))
    assert found.imported
    assert (found.epoch, found.mode("all")) == (1, "ACTIVE")
    back = control("ACTIVE", 2, "ann", "bob", scope=IMPORTED)
    assert cause(found, back) == "scope"
    assert cause(Standing(), replace(marker, epoch=9)) == "scope"
    assert cause(standing(control("PAUSED", 1)), marker) == "scope"  # a log that lives
    assert not Standing().imported
