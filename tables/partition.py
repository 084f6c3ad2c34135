"""What each partition of each node knows besides its keys: policy, controls and calendars in force
there.
"""

from __future__ import annotations

from tables.spec import PARTITION_KEY
from tables.state import State


class ControlEntry(State, frozen=True):
    """One scope's mode as it was last copied here."""

    scope: str
    mode: str
    epoch: int
    reason: str


class CalendarYear(State, frozen=True):
    """The closed days of one calendar (FED, SIFMA) in one year, as days since 1970-01-01."""

    calendar: str
    year: int
    closed: tuple[int, ...] = ()


class PartitionEntry(State, frozen=True):
    """Policy (canonical JSON in `body`), controls and calendars in force from this place in the
    partition's order on.
    """

    policy_name: str = ""
    policy_version: int = 0
    policy_hash: str = ""
    policy_body: str = ""
    controls: tuple[ControlEntry, ...] = ()
    calendars: tuple[CalendarYear, ...] = ()


PARTITION_PART = {PARTITION_KEY: PartitionEntry}
