"""What can go wrong between a record and its bytes.

    ValueError
    ├── Undecodable    these bytes are not a record of this topic: a dead letter, never a guess
    └── Unencodable    this value does not fit the contract: a mistake of the writer
    RuntimeError
    └── NewerSchema    an inbox record written by a newer version of Weir: this worker must stop

`cause` is a short word for tables and alerts: `schema` (unknown id), `decode` (missing or trailing
bytes, bad UTF-8), `scale` (more digits than the type holds), `enum` (a symbol this version does
not know).
"""

from __future__ import annotations


class Undecodable(ValueError):
    """These bytes are not a record of this topic."""

    def __init__(self, cause: str, field: str = "", value: object = "", why: str = "") -> None:
        place = f" {field}={value!r}" if field else ""
        super().__init__(f"{cause}:{place} {why}".rstrip())
        self.cause, self.field, self.value, self.why = cause, field, value, why


class Unencodable(ValueError):
    """A value does not fit its field."""

    def __init__(self, field: str, value: object, why: str) -> None:
        super().__init__(f"{field}={value!r}: {why}")
        self.field, self.value, self.why = field, value, why


class NewerSchema(RuntimeError):
    """The record was written with a newer schema of this topic than this version knows."""

    def __init__(self, topic: str, schema_id: int, version: int) -> None:
        super().__init__(
            f"{topic}: schema id {schema_id} is version {version} of its subject, newer than this"
            " version of Weir knows; an older version is running: upgrade it"
        )
        self.topic, self.schema_id, self.version = topic, schema_id, version
