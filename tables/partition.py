"""What each partition of each node knows besides its keys: the policy and the controls in force
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


class PartitionEntry(State, frozen=True):
    """Policy (canonical JSON in `body`) and controls in force from this place in the partition's
    order on.
    """

    policy_name: str = ""
    policy_version: int = 0
    policy_hash: str = ""
    policy_body: str = ""
    controls: tuple[ControlEntry, ...] = ()


PARTITION_PART = {PARTITION_KEY: PartitionEntry}
