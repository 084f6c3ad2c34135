"""What a replay came to: how far it is, what it replayed, and whether it is as it was recorded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from agents.wiring import CODE_VERSION, ORDER_TOPIC
from schemas.jsonform import iso
from weir.replay.difference import Difference
from weir.replay.survey import Place, Survey

EMPTY, FOLDED = "empty", "folded from the beginning"


@dataclass
class Progress:
    """How far a replay is; `expected` is how many records the range holds."""

    transactions: int = 0
    events: int = 0
    outputs: int = 0
    refused: int = 0
    compacted: int = 0
    seconds: float = 0.0
    expected: int = 0

    def __str__(self) -> str:
        rate = self.events / self.seconds if self.seconds else 0.0
        gone = f", {self.compacted:,} more compacted since" if self.compacted else ""
        return (
            f"{self.transactions:,} transactions, {self.events:,} events, {self.outputs:,} outputs"
            f"{gone} ({rate:,.0f} events/s)"
        )


@dataclass
class Scope:
    """What was replayed: the exact range, the versions in it, and the states it began from."""

    survey: Survey
    begun: dict[Place, str] = field(default_factory=dict)
    """Per node and partition: EMPTY, FOLDED, or the hash of the state it began from."""

    def as_json(self) -> dict[str, Any]:
        """For programs. Offsets are [first, after the last]."""
        found = self.survey
        first_ms, last_ms = found.time
        inputs: dict[str, dict[str, list[int]]] = {}
        for (topic, partition), bounds in sorted(found.inputs.items()):
            inputs.setdefault(topic, {})[str(partition)] = list(bounds)
        return {
            "from": iso(first_ms),
            "to": iso(last_ms),
            "order": {str(p): [one.first, one.last + 1] for p, one in sorted(found.order.items())},
            "inputs": inputs,
            "policies": found.policies,
            "code": {"recorded": list(found.codes), "replayed": CODE_VERSION},
            "begun": {f"{node}[{p}]": how for (node, p), how in sorted(self.begun.items())},
        }

    def __str__(self) -> str:
        said = self.as_json()
        lines = [f"time      {said['from']} to {said['to']}"]
        lines += [f"order     {_offsets(ORDER_TOPIC, said['order'])}"]
        lines += [f"input     {_offsets(topic, each)}" for topic, each in said["inputs"].items()]
        lines += [f"policy    {name} {hash_}".rstrip() for name, hash_ in said["policies"].items()]
        lines += [f"code      {', '.join(said['code']['recorded'])}, replayed by {CODE_VERSION}"]
        lines += [f"begun     {how}: {', '.join(w)}" for how, w in _by_kind(said["begun"]).items()]
        return "\n".join(lines)


class Report(NamedTuple):
    """What a check came to."""

    progress: Progress
    difference: Difference | None
    scope: Scope

    @property
    def identical(self) -> bool:
        return self.difference is None

    def __str__(self) -> str:
        if self.difference is None:
            return f"identical: {self.progress}\n{self.scope}"
        return f"{self.difference}\nafter     {self.progress}\n{self.scope}"

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        done = self.progress
        return {
            "identical": self.identical,
            "transactions": done.transactions,
            "events": done.events,
            "outputs": done.outputs,
            "refused": done.refused,
            "compacted": done.compacted,
            "seconds": round(done.seconds, 3),
            "difference": self.difference.as_json() if self.difference else None,
            "range": self.scope.as_json(),
        }


def _offsets(topic: str, by_partition: dict[str, list[int]]) -> str:
    parts = [f"[{p}]@{first}..{stop - 1}" for p, (first, stop) in by_partition.items()]
    return f"{topic}{' '.join(parts)}"


def _by_kind(begun: dict[str, str]) -> dict[str, list[str]]:
    kinds: dict[str, list[str]] = {}
    for place, how in begun.items():
        named = how in (EMPTY, FOLDED)
        kinds.setdefault(how if named else "from the state that was recorded", []).append(place)
    return kinds
