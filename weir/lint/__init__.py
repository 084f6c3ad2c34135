"""`weir policy lint`: what collides in a policy whose every field is valid by itself.

Each rule looks at what the steps do with the fields, and says in one sentence what will happen. A
new rule is a function that yields findings and a line in the RULES of its file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from schemas.policy import Policy
from weir.lint import bands, clocks, holders, limits, sweeps
from weir.lint.finding import Finding, Rule, Surroundings

RULES: tuple[Rule, ...] = (
    *bands.RULES,
    *limits.RULES,
    *clocks.RULES,
    *sweeps.RULES,
    *holders.RULES,
)
OF_KIND = {"exchange": bands.RULES, "bank": sweeps.RULES}
WIDTH = 100


def lint(policy: Policy, around: Surroundings | None = None) -> list[Finding]:
    """All findings, errors first; `around` is what this machine's workers are told. Of profit or
    cash nothing is said to a policy that lists accounts, and none of that kind.
    """
    around = around or Surroundings()
    kinds = {account.kind for account in policy.accounts}
    silent = {
        rule for kind, rules in OF_KIND.items() if kinds and kind not in kinds for rule in rules
    }
    asked = [rule for rule in RULES if rule not in silent]
    found = [finding for rule in asked for finding in rule(policy, around)]
    return sorted(found, key=lambda finding: finding.severity)


def errors(findings: Sequence[Finding]) -> list[Finding]:
    """Those that nobody can mean."""
    return [one for one in findings if one.severity == "error"]


def lines(findings: Sequence[Finding]) -> Iterator[str]:
    """What a person reads: each finding with its fields, and how many there are."""
    for one in findings:
        yield f"{one.severity}: {one.code}"
        yield from (f"    {line}" for line in wrap(one.sentence, WIDTH - 4))
        yield from (f"      {field} = {value}" for field, value in one.values.items())
    wrong = len(errors(findings))
    yield f"{_counted(wrong, 'error')}, {_counted(len(findings) - wrong, 'warning')}"


def _counted(count: int, what: str) -> str:
    return f"{count or 'no'} {what}{'' if count == 1 else 's'}"
