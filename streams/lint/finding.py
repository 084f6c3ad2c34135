"""What a rule of the lint is and says: a code, how grave it is, the fields that collide with their
values, and in one sentence what will happen.

An error is what nobody can mean: money that can never move again, a guard that can never act, a
limit that is not what it says. A warning is allowed, and worth a second look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from schemas.money import text_e18
from schemas.policy import Policy

Severity = Literal["error", "warning"]


class Finding(NamedTuple):
    """One collision; `values` are the fields that collide, as a policy file writes them."""

    code: str
    severity: Severity
    values: Mapping[str, str]
    sentence: str

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "code": self.code,
            "severity": self.severity,
            "fields": list(self.values),
            "values": dict(self.values),
            "sentence": self.sentence,
        }


class Surroundings(NamedTuple):
    """What the workers are told besides the policy (`WEIR_…`), and whom they can call."""

    poll_ms: int
    bank_poll_ms: int
    balance_limit_ms: int
    settle_coin: str
    venues: frozenset[str]


Rule = Callable[[Policy, Surroundings], Iterator[Finding]]


def error(code: str, values: Mapping[str, str], sentence: str) -> Finding:
    """A finding that nobody can mean."""
    return Finding(code, "error", values, sentence)


def warning(code: str, values: Mapping[str, str], sentence: str) -> Finding:
    """A finding worth a second look."""
    return Finding(code, "warning", values, sentence)


def values(policy: Policy, *paths: str) -> dict[str, str]:
    """The values of fields by their dotted names, as text."""
    content = policy.model_dump(mode="json")
    found = {}
    for path in paths:
        value: Any = content
        for name in path.split("."):
            value = value[name]
        found[path] = text(value)
    return found


def text(value: Any) -> str:
    """A value as a policy file writes it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list | tuple):
        return f"[{', '.join(text(one) for one in value)}]"
    return str(value)


def seconds_text(span_ms: int) -> str:
    """A time in seconds, as a setting writes it."""
    return text_e18(span_ms * 10**15)


def usd(amount_e18: int) -> str:
    """An amount as people read it: 12,500 or 0.5."""
    whole, point, rest = text_e18(amount_e18).partition(".")
    return f"{int(whole):,}{point}{rest}"


def percent(ratio_e18: int) -> str:
    """A ratio as a percentage, cut to two places."""
    return f"{text_e18(ratio_e18 * 100 // 10**16 * 10**16)} %"
