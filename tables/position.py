"""What is held in one instrument, in units of 10^-18: size, cost, and what it has earned."""

from __future__ import annotations

from tables.state import State


class Position(State, frozen=True):
    """One position, key `category|symbol|idx`: signed size, total entry value, fees paid to open
    what is open, what it ever realised; then the open trade, from the row that opened it.

    `entered` counts all entries of that trade, `gross`, `fees` and `funding` all of its rows.
    """

    qty_e18: int = 0
    cost_e18: int = 0
    open_fees_e18: int = 0
    realised_e18: int = 0
    changed_ms: int = 0
    opened_by: str = ""
    opened_ms: int = 0
    entered_qty_e18: int = 0
    entered_e18: int = 0
    gross_e18: int = 0
    fees_e18: int = 0
    funding_e18: int = 0
