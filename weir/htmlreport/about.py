"""What a report says besides the comparison itself."""

from __future__ import annotations

from typing import NamedTuple

from schemas.policy import Policy, canonical, policy_hash

BANK = "bank"


class About(NamedTuple):
    """Where the records came from, the command that makes the same file again, and both policies;
    None: the recorded ones, one after the other, of which `last` is the last.
    """

    source: str
    command: str
    left: Policy | None
    right: Policy | None
    last: Policy = Policy()

    @property
    def policies(self) -> tuple[Policy, Policy]:
        """Both; their levels stand in the plots."""
        return self.left or self.last, self.right or self.last

    @property
    def hashes(self) -> tuple[str, str]:
        """Of both, as they are on the log or in a file."""
        left, right = (
            "as recorded" if one is None else policy_hash(canonical(one))
            for one in (self.left, self.right)
        )
        return left, right

    def ccy(self, account_id: str) -> str:
        """What an account's amounts are counted in."""
        return "USD" if self.is_bank(account_id) else self.policies[1].allocation.settle_ccy

    def is_bank(self, account_id: str) -> bool:
        """Whether cash is placed from it, rather than profit used."""
        found = (one.account(account_id) for one in self.policies)
        return any(account is not None and account.kind == BANK for account in found)
