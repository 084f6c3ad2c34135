"""Ids that follow from what caused them: the same cause gives the same id, today and in a replay.

An id is 6 bytes of the trigger's event time in ms, then the first 10 bytes of a sha256 over what
caused it, laid out as a UUIDv7. So ids sort by time, and a record restored at another offset still
has the same one.
"""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID, uuid5

_VARIANT = {f"{digit:x}": f"{digit & 3 | 8:x}" for digit in range(16)}
"""The digit of a UUID that begins with the bits 10: the lower two are kept."""
_LEGS = UUID("6ba7b812-9dad-11d1-80b4-00c04fd430c8")


def derive(kind: str, account_id: str, trigger: str, ordinal: int, policy: str, at_ms: int) -> str:
    """The id of `kind` that `trigger` caused on `account_id` at `at_ms` under `policy`
    (name@version).

    `trigger` is natural, not an offset: `exec:<exec_id>#<revision>`, `tick:<time>`, `as_of:<time>`,
    `outcome:<intent_id>#<state>`. `ordinal` tells apart several of one kind from one cause.
    """
    cause = f"weir|{kind}|{account_id}|{trigger}|{ordinal}|{policy}"
    time, drawn = at_ms.to_bytes(6, "big").hex(), sha256(cause.encode()).hexdigest()
    variant = _VARIANT[drawn[4]]
    return f"{time[:8]}-{time[8:]}-7{drawn[1:4]}-{variant}{drawn[5:8]}-{drawn[8:20]}"


def leg_id(intent_id: str, leg: str) -> str:
    """The id a venue gets for one leg of an intent (a transferId): always the same for the same
    leg.
    """
    return str(uuid5(_LEGS, f"weir|{intent_id}|{leg}"))


def order_link_id(intent_id: str) -> str:
    """The id a venue gets for the order of an intent, whatever the attempt: the same 32 digits."""
    return intent_id.replace("-", "")
