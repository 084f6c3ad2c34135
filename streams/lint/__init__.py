"""The lint of a policy: what collides in one whose every field is valid by itself.

Each rule looks at what the steps do with the fields, and says in one sentence what will happen. A
new rule is a function that yields findings and a line in the RULES of its file. Whoever puts a
policy in force asks it first: an error keeps it out, a warning is told.
"""

from __future__ import annotations

from collections.abc import Sequence

from schemas.policy import Policy
from streams.lint import bands, clocks, holders, limits, sweeps
from streams.lint.finding import Finding, Rule, Surroundings

RULES: tuple[Rule, ...] = (
    *bands.RULES,
    *limits.RULES,
    *clocks.RULES,
    *sweeps.RULES,
    *holders.RULES,
)
OF_KIND = {"exchange": bands.RULES, "bank": sweeps.RULES}


def lint(policy: Policy, around: Surroundings) -> list[Finding]:
    """All findings, errors first. Of profit or cash nothing is said to a policy that lists
    accounts, and none of that kind.
    """
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
