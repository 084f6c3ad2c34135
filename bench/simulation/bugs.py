"""Faults planted on purpose, by name: mistakes that somebody might make. The judge finds each."""

from __future__ import annotations

from bench.simulation import desk_bugs, lane_bugs, runner_bugs
from bench.simulation.planting import BUGS
from bench.simulation.world import Build

__all__ = ["BUGS", "PLACES", "planted"]

PLACES = (runner_bugs, lane_bugs, desk_bugs)
"""Where they are made; importing a place enters its bugs into the table."""


def planted(name: str) -> Build:
    """The build with one bug. Raises KeyError for one that nobody has written."""
    return BUGS[name].plant(Build())
