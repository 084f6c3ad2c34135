"""What a replay found that is not as it was recorded: the first place, with both sides of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Difference:
    """`recorded` is what lies on the log, `replayed` what the steps give now; None: nothing."""

    what: str
    """One of `value`, `key`, `timestamp`, `missing`, `surplus`, `order`, `table`."""
    where: str
    """Node, partition and the input (or transaction) it comes from."""
    recorded: dict[str, Any] | None
    replayed: dict[str, Any] | None
    more: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "what": self.what,
            "where": self.where,
            "recorded": self.recorded,
            "replayed": self.replayed,
            **self.more,
        }

    def __str__(self) -> str:
        lines = [
            f"different: {_SENTENCES[self.what]}",
            f"at        {self.where}",
            f"recorded  {_shown(self.recorded)}",
            f"replayed  {_shown(self.replayed)}",
            *(f"{name:<9} {_shown(value)}" for name, value in self.more.items()),
        ]
        return "\n".join(lines)


_SENTENCES = {
    "value": "an output has another value",
    "key": "an output has another key",
    "timestamp": "an output has another timestamp",
    "missing": "the replay gives an output that the log does not hold",
    "surplus": "the log holds an output that the replay does not give",
    "order": "two outputs lie in another order",
    "table": "the table's hash differs after a transaction",
}


def _shown(value: Any) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)
