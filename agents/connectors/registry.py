"""Which connector serves a venue: the one place to add a line for a new one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from agents.connectors.bank import Bank, BankConnector
from agents.connectors.bybit import Bybit, Venue
from agents.connectors.port import Connector

VENUES: Mapping[str, Callable[[Any], Connector]] = {"bybit": Bybit, "bank": BankConnector}


def connectors(venues: Iterable[Venue | Bank]) -> dict[str, Connector]:
    """A connector for each account. Raises ValueError for a venue nobody wrote one for."""
    made: dict[str, Connector] = {}
    for venue in venues:
        name = venue.account_id.partition(":")[0]
        if name not in VENUES:
            raise ValueError(f"account_id {venue.account_id}: no connector for venue {name!r}")
        made[venue.account_id] = VENUES[name](venue)
    return made
