"""`weir policy lint`: the lint, told what this machine's workers are told, as a person reads it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from agents.policies.seen import surroundings
from agents.settings import Readings
from schemas.policy import Policy
from streams import lint
from streams.lint.finding import Finding

WIDTH = 100


def look(policy: Policy) -> list[Finding]:
    """All findings, errors first."""
    return lint.lint(policy, surroundings(Readings()))


def lines(findings: Sequence[Finding]) -> Iterator[str]:
    """What a person reads: each finding with its fields, and how many there are."""
    for one in findings:
        yield f"{one.severity}: {one.code}"
        yield from (f"    {line}" for line in wrap(one.sentence, WIDTH - 4))
        yield from (f"      {field} = {value}" for field, value in one.values.items())
    wrong = len(lint.errors(findings))
    yield f"{_counted(wrong, 'error')}, {_counted(len(findings) - wrong, 'warning')}"


def _counted(count: int, what: str) -> str:
    return f"{count or 'no'} {what}{'' if count == 1 else 's'}"
