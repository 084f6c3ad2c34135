"""What every state value is: a frozen struct, read back only by code that knows all its fields.

An older program that met a newer entry and dropped a field would write it back without it; so a
field that is not known is an error, and the worker stops.
"""

from __future__ import annotations

import msgspec


class State(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """Base of the values a table holds, and of their parts."""
