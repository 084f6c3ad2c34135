"""Collisions in time: ages against the polls that renew them, retries and alerts against deadlines,
and guards that can never or always act.

Feeds are read every `WEIR_POLL_S`, banks every `WEIR_BANK_POLL_S`; what is done with the deadlines
is `streams.attempt` and the executor.
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.money import E18
from schemas.policy import Policy
from streams.lint.finding import Finding, Surroundings, error, seconds_text, values, warning


def stale_between_polls(policy: Policy, around: Surroundings) -> Iterator[Finding]:
    """What is read every few seconds may not be too old before it is read again."""
    for name, reason in (
        ("loan_age_max_s", "stale_loan"),
        ("mark_age_max_s", "stale_mark"),
        ("balance_age_max_s", "stale_balance"),
    ):
        if getattr(policy.guards, name) * 1000 <= around.poll_ms:
            yield error(
                "stale_between_polls",
                {**values(policy, f"guards.{name}"), "WEIR_POLL_S": seconds_text(around.poll_ms)},
                f"what is read is too old before it is read again: whether money moves or"
                f" {reason} is told depends on milliseconds",
            )
    banks = any(account.kind == "bank" for account in policy.accounts)
    most_ms = policy.guards.balance_age_max_s * 1000
    if banks and around.poll_ms < most_ms <= around.bank_poll_ms:
        yield error(
            "stale_between_polls",
            {
                **values(policy, "guards.balance_age_max_s"),
                "WEIR_BANK_POLL_S": seconds_text(around.bank_poll_ms),
            },
            "a bank's balance is too old before the bank is asked again: nothing is placed",
        )


def held_before_told(policy: Policy, around: Surroundings) -> Iterator[Finding]:
    """People should hear that a bank is silent before its account stands still."""
    banks = any(account.kind == "bank" for account in policy.accounts)
    if banks and policy.guards.balance_age_max_s * 1000 < around.balance_limit_ms:
        yield warning(
            "held_before_told",
            {
                **values(policy, "guards.balance_age_max_s"),
                "WEIR_BALANCE_LIMIT_S": seconds_text(around.balance_limit_ms),
            },
            "an account stands still with stale_balance before the alert that its bank is silent",
        )


def nothing_is_sent(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """The pause is read about twice a second; its age is never 0."""
    if policy.guards.control_age_max_s == 0:
        yield error(
            "nothing_is_sent",
            values(policy, "guards.control_age_max_s"),
            "the pause is never known to be that fresh: every call is given up before it is sent",
        )


def peg_guard(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """A guard of the peg must be able to act, and not always act."""
    deviation = policy.guards.peg_max_dev_e18
    if deviation == 0:
        yield error(
            "peg_guard_always",
            values(policy, "guards.peg_max_dev"),
            "a stablecoin is hardly ever at 1 to the last place: nearly everything is refused as"
            " peg_break",
        )
    if deviation == E18:
        yield error(
            "peg_guard_never",
            values(policy, "guards.peg_max_dev"),
            "a coin that falls to nothing has not left its peg: limits count it until the end",
        )


def alert_never_fires(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """An open outcome is told before people must end it, or never."""
    rule = policy.execution
    if rule.unknown_alert_s >= rule.park_s:
        yield warning(
            "alert_never_fires",
            values(policy, "execution.unknown_alert_s", "execution.park_s"),
            f"after {rule.park_s} s an open outcome is parked: the alert that it is open comes too"
            " late to say anything",
        )


def retries_past_deadline(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """All retries must fit into the life of an intent."""
    rule = policy.execution
    tries, took_s, pause_s = 0, 0, rule.backoff_s
    while pause_s and tries < rule.max_retries and took_s < rule.intent_ttl_s:
        tries, took_s = tries + 1, took_s + pause_s
        pause_s = min(pause_s * rule.factor, rule.cap_s)
    if took_s >= rule.intent_ttl_s:
        yield warning(
            "retries_past_deadline",
            values(
                policy,
                *(f"execution.{name}" for name in ("backoff_s", "factor", "cap_s", "max_retries")),
                "execution.intent_ttl_s",
            ),
            f"{tries} of {rule.max_retries} retries take {took_s} s, an intent lives"
            f" {rule.intent_ttl_s} s: it expires before that",
        )


def yield_never_counts(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """A reported yield that is always too old."""
    if policy.guards.yield_age_max_s == 0:
        yield warning(
            "yield_never_counts",
            values(policy, "guards.yield_age_max_s"),
            "a reported yield is too old the moment after: only allocation.collateral_yield counts",
        )


def every_amount_unusual(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """A deviation of 0 is exceeded by every amount above the mean."""
    if policy.anomaly.sigma_e18 == 0:
        yield warning(
            "every_amount_unusual",
            values(policy, "anomaly.sigma"),
            "every amount above the mean is an alert, and soon nobody reads them",
        )


RULES = (
    stale_between_polls,
    held_before_told,
    nothing_is_sent,
    peg_guard,
    alert_never_fires,
    retries_past_deadline,
    yield_never_counts,
    every_amount_unusual,
)
