"""Copies of policy and controls that come to a node: an old one that was signed once and is written
again changes nothing that holds money back.
"""

from __future__ import annotations

from typing import Any

import pytest

from schemas.policy import canonical, from_content, policy_hash
from schemas.records import ControlCopy, DeskInput, PolicyCopy, UsdRate
from schemas.signing import PrivateKey
from streams.node import fold, in_force
from streams.step import Event, Refused
from streams.topology import GATE
from tables.memory import MemoryStore
from tests.table import Row, run

NOW_MS = 1_749_600_000_000
KEY = PrivateKey.new("ann").public
ROLES = {"nobody": [], "operators": ["operate"], "admins": ["admin", "operate"]}


class World:
    """A gate that takes copies; a row that must be refused names the field."""

    def __init__(self) -> None:
        self.store, self.offset = MemoryStore(), 0
        self.refused = ""

    def policy(self, row: Row) -> None:
        """`policy 2 admins retry_s=120`: version, who is named, a figure."""
        version, named = row.words
        people = [{"id": "ann", "roles": ROLES[named], "public_key": KEY}] if ROLES[named] else []
        figures = {name: int(figure) for name, figure in row.fields.items()}
        body = canonical(from_content({"allocation": figures, "people": people}))
        self._feed(PolicyCopy("test", int(version), policy_hash(body), body))

    def control(self, row: Row) -> None:
        """`control PAUSED 3`: mode and epoch."""
        mode, epoch = row.words
        self._feed(ControlCopy(row.fields.get("scope", "all"), mode, int(epoch), "test", NOW_MS))

    def rate(self, row: Row) -> None:
        """`rate 1.01 +90s`"""
        self._feed(UsdRate("USDT", 10**18, NOW_MS + 1000 * int(row.words[0])))

    def refused_for(self, row: Row) -> None:
        assert self.refused == row.words[0]
        self.refused = ""

    def holds(self, row: Row) -> None:
        """`holds ACTIVE retry_s=120`: the mode of a loan, and a figure."""
        assert not self.refused, self.refused
        found = in_force(self.store)
        assert found.mode("loan", "bybit:1") == row.words[0]
        for name, figure in row.fields.items():
            assert found.policy is not None
            assert str(getattr(found.policy.allocation, name)) == figure

    def _feed(self, body: Any) -> None:
        assert not self.refused, self.refused
        self.offset += 1
        event = Event(str(GATE.inbox), 0, self.offset, "desk", DeskInput(body=body), NOW_MS, NOW_MS)
        before = dict(self.store.range(""))
        try:
            assert fold(GATE, self.store, event) == []
        except Refused as why:
            self.refused = why.field
            assert dict(self.store.range("")) == before, "what is refused leaves nothing"


@pytest.mark.req("000-59", "000-73")
@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(
            """
            policy 1 admins retry_s=60
            policy 2 admins retry_s=120
            policy 1 admins retry_s=60
            refused_for version
            policy 2 admins retry_s=60
            refused_for version
            policy 2 admins retry_s=120
            policy 3 admins retry_s=180
            control ACTIVE 1
            holds ACTIVE retry_s=180
            """,
            id="an old policy",
        ),
        pytest.param(
            """
            policy 1 operators retry_s=120
            control ACTIVE 1
            control PAUSED 2
            control ACTIVE 1
            refused_for epoch
            control ACTIVE 2
            refused_for epoch
            holds PAUSED
            control ACTIVE 3
            control PAUSED 2
            holds PAUSED
            control ACTIVE 3
            refused_for epoch
            control PAUSED 4 scope=class:loan
            control ACTIVE 3 scope=class:loan
            refused_for epoch
            control ACTIVE 5
            holds PAUSED
            control ACTIVE 6 scope=class:loan
            holds ACTIVE
            """,
            id="an old control, unless it is stricter",
        ),
        pytest.param(
            """
            policy 2 nobody retry_s=120
            control PAUSED 2
            policy 1 nobody retry_s=180
            control ACTIVE 1
            holds ACTIVE retry_s=180
            """,
            id="nobody is named: nothing orders them",
        ),
        pytest.param(
            """
            policy 5 operators retry_s=120
            control ACTIVE 1
            policy 1 operators retry_s=60
            holds ACTIVE retry_s=60
            """,
            id="no admin is named: the relay lets a policy of another name begin anew",
        ),
        pytest.param(
            """
            control PAUSED 0 scope=import
            control ACTIVE 1
            control PAUSED 0 scope=import
            holds ACTIVE
            """,
            id="a log that was imported says so first",
        ),
        pytest.param(
            """
            control ACTIVE 1
            control PAUSED 0 scope=import
            refused_for scope
            control PAUSED 2 scope=import
            refused_for scope
            policy 1 operators retry_s=120
            control PAUSED 0 scope=import
            refused_for scope
            """,
            id="a log that lives is not made one that was imported: nothing on it were checked",
        ),
        pytest.param(
            """
            rate 0
            rate 60
            rate 61
            refused_for as_of
            """,
            id="a rate of the future would shut out the true ones",
        ),
    ],
)
def test_what_was_signed_once_and_is_written_again(rows: str) -> None:
    run(World(), rows)
