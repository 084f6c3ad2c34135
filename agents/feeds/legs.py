"""Which symbols of an account are in hedge mode: execution rows do not say.

The venue's position list tells it for any symbol, open or flat (leg 0, or legs 1 and 2); it is
asked once for each symbol, and position pushes keep the knowledge current.
"""

from __future__ import annotations

import asyncio
from typing import Any

from agents.connectors.bybit.client import Client
from agents.connectors.bybit.payloads import PositionRow, many
from agents.connectors.port import Rejected


class Legs:
    """The position mode of each symbol seen."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._hedged: dict[tuple[str, str], bool | None] = {}

    async def hedged(self, category: str, symbol: str) -> bool | None:
        """Whether a symbol is in hedge mode; None: spot, or the venue does not say.

        Raises ConnectorError.
        """
        if category == "spot":
            return None
        place = category, symbol
        if place not in self._hedged:
            self._hedged[place] = await asyncio.to_thread(self._asked, category, symbol)
        return self._hedged[place]

    def learn(self, rows: Any) -> None:
        """Takes the rows of a position push; what cannot be read teaches nothing."""
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, dict) and row.get("positionIdx") in (0, 1, 2):
                place = str(row.get("category")), str(row.get("symbol"))
                self._hedged[place] = row["positionIdx"] != 0

    def _asked(self, category: str, symbol: str) -> bool | None:
        try:
            answer = self._client.read(
                self._client.reads, "get_positions", category=category, symbol=symbol
            )
        except Rejected:  # a symbol that is no longer listed
            return None
        legs = {row.position_idx for row in many(PositionRow, answer)}
        return bool(legs - {0}) if legs else None
