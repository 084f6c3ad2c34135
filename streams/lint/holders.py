"""Collisions in the list of accounts: who carries out what is decided for them."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.policy import Account, Policy
from streams.lint.finding import Finding, Surroundings, error, text, values, warning

BANK = "bank"


def no_account(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """A policy that lists no account decides nothing."""
    if not policy.accounts:
        yield warning(
            "no_account",
            values(policy, "accounts"),
            "nothing is decided for an account that is not listed: every profit holds with"
            " no_policy, every bank statement is a dead letter",
        )


def wrong_kind(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """Statements are taken for accounts of kind bank, and the bank's connector serves bank:…"""
    for account in policy.accounts:
        is_bank = account.account_id.partition(":")[0] == BANK
        if is_bank and account.kind != BANK:
            yield error(
                "wrong_kind",
                _of(account, "kind"),
                "its statements are refused as those of no bank account: each is a dead letter",
            )
        if account.kind == BANK and not is_bank:
            yield error(
                "wrong_kind",
                _of(account, "kind"),
                "a bank's connector serves accounts named bank:…: what is placed from this one is"
                " carried out by nobody",
            )


def nobody_carries_out(policy: Policy, around: Surroundings) -> Iterator[Finding]:
    """A venue for which no connector exists."""
    for account in policy.accounts:
        venue = account.account_id.partition(":")[0]
        if venue not in around.venues and account.kind == "exchange":
            yield error(
                "nobody_carries_out",
                {**_of(account, "kind"), "connectors": ", ".join(sorted(around.venues))},
                f"there is no connector for {venue}: what is decided for this account waits and"
                " expires",
            )


def same_account(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """One account under two spellings would be decided for twice."""
    seen: dict[str, str] = {}
    for account in policy.accounts:
        venue, number = account.account_id.split(":", 1)
        spelled = f"{venue}:{number.strip().lstrip('0').casefold()}"
        if spelled in seen:
            other = seen[spelled]
            yield error(
                "same_account",
                {"accounts": text([other, account.account_id])},
                f"{other} and {account.account_id} look like one account: each has its own profit"
                " and its own orders, and one balance pays both",
            )
        seen[spelled] = account.account_id


def places_of_another_coin(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """Amounts are cut to the places of the settlement currency."""
    coin = policy.allocation.settle_ccy
    for account in policy.accounts:
        for name in ("loan_precision", "collateral_precision"):
            places = getattr(account, name)
            if places and coin not in places:
                yield warning(
                    "places_of_another_coin",
                    {
                        f"accounts.{account.account_id}.{name}": text([*places]),
                        **values(policy, "allocation.settle_ccy"),
                    },
                    f"it says nothing of {coin}, in which profit is used: four places are taken",
                )


def _of(account: Account, name: str) -> dict[str, str]:
    return {f"accounts.{account.account_id}.{name}": text(getattr(account, name))}


RULES = (no_account, wrong_kind, nobody_carries_out, same_account, places_of_another_coin)
