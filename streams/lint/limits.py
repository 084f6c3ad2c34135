"""Collisions of limits and approvals: what is granted, who is asked, and who can answer.

What is granted is at most the single limit of its class (`streams.limits`); above the threshold of
the class it waits for people of the policy (`streams.waiting`), and ends without effect if nobody
can answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from schemas.policy import Person, Policy
from schemas.policy_cash import seconds
from schemas.policy_gate import Limit
from streams.lint.finding import Finding, Surroundings, error, usd, values, warning

ASKED = ("loan", "transfer", "sweep")
"""The classes whose larger operations wait for people."""
PROPOSED_FOR = {"loan": "exchange", "sweep": "bank"}
"""The classes that a node proposes, and the kind of account it proposes them for."""
DAY_S = 86_400


class Class(NamedTuple):
    """A class of operations with its limits and the threshold above which people are asked."""

    name: str
    limit: Limit
    threshold_e18: int
    approvers: tuple[Person, ...]

    @property
    def asks(self) -> bool:
        """Whether any operation of it waits."""
        return self.limit.single_usd_e18 > self.threshold_e18

    @property
    def paths(self) -> tuple[str, str]:
        """Its two fields that meet."""
        return f"approvals.{self.name}_usd", f"limits.{self.name}.single_usd"


def never_asks(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """A threshold that no single operation can exceed."""
    for one in _classes(policy):
        if not one.asks and one.limit.single_usd_e18:
            yield warning(
                "never_asks",
                values(policy, *one.paths),
                f"no {one.name} operation is ever above the threshold: no second person is asked",
            )


def never_asks_two(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """A second checker whom no single operation needs."""
    dual = policy.approvals.dual_usd_e18
    asking = [one for one in _classes(policy) if one.asks]
    if dual is None or not asking or any(one.limit.single_usd_e18 > dual for one in asking):
        return
    yield warning(
        "never_asks_two",
        values(policy, "approvals.dual_usd", *(one.paths[1] for one in asking)),
        "no operation for which people are asked is ever that large: two are never asked",
    )


def two_asked_of_none(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """Between `dual_usd` and a higher threshold nobody is asked at all."""
    dual = policy.approvals.dual_usd_e18
    for one in _classes(policy):
        if dual is not None and dual < min(one.threshold_e18, one.limit.single_usd_e18):
            yield warning(
                "two_asked_of_none",
                values(policy, "approvals.dual_usd", one.paths[0]),
                f"{one.name} operations from {usd(dual)} to {usd(one.threshold_e18)} USD go out"
                " without any signature, although two are asked above the lower amount",
            )


def nobody_named(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """While the policy names nobody, what waits ends without effect."""
    asking = [one for one in _classes(policy) if one.asks]
    if policy.people or not asking:
        return
    what = ", ".join(f"{one.name} above {usd(one.threshold_e18)} USD" for one in asking)
    yield warning(
        "nobody_named",
        values(policy, "people", *(one.paths[0] for one in asking)),
        f"nobody can approve: {what} waits and ends without effect, again and again",
    )


def nobody_may_approve(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """The largest operation that waits must be within the scope of somebody."""
    for one in _proposed(policy):
        if not policy.people or not one.asks:
            continue
        most = max((person.max_usd_e18 for person in one.approvers), default=0)
        since = max(most, one.threshold_e18)
        if since < one.limit.single_usd_e18:
            yield error(
                "nobody_may_approve",
                values(policy, *one.paths) | _scopes(one.approvers),
                f"{one.name} operations above {usd(since)} USD wait for a person who may approve"
                f" so much, and nobody may: each ends without effect and comes again",
            )


def quorum_cannot_be_met(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """Above `dual_usd` two people must each have the whole amount within their scope."""
    dual = policy.approvals.dual_usd_e18
    for one in _proposed(policy):
        scopes = sorted((person.max_usd_e18 for person in one.approvers), reverse=True)
        if dual is None or not scopes or not one.asks:
            continue
        second = scopes[1] if len(scopes) > 1 else 0
        since = max(second, dual, one.threshold_e18)
        most = min(scopes[0], one.limit.single_usd_e18)  # above it nobody_may_approve tells
        if since < most:
            yield error(
                "quorum_cannot_be_met",
                values(policy, "approvals.dual_usd", one.paths[1]) | _scopes(one.approvers),
                f"{one.name} operations above {usd(since)} USD ask for two people who may approve"
                " so much, and there is one: each ends without effect and comes again",
            )


def one_approver(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """With one approver alone nobody stands in, and what that person asks for nobody approves."""
    for one in _proposed(policy):
        if one.asks and len(one.approvers) == 1:
            name = one.approvers[0].id
            yield warning(
                "one_approver",
                values(policy, one.paths[0]) | _scopes(one.approvers),
                f"only {name} may approve {one.name} operations: what {name} asks for, and all of"
                f" them while {name} is away, end without effect",
            )


def cannot_resume(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """A pause takes one person who operates, its end and an open outcome two."""
    operators = [person.id for person in policy.people if "operate" in person.roles]
    if not policy.people or len(operators) > 1:
        return
    who = f"only {operators[0]} operates" if operators else "nobody operates"
    then = "nobody can pause, either" if not operators else "a pause never ends"
    yield error(
        "cannot_resume",
        {f"people.{person.id}.roles": ", ".join(person.roles) for person in policy.people},
        f"{who}, and two must sign to resume and to say how an open operation ended: {then}",
    )


def no_admin(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """Without an admin a policy needs no signature."""
    if policy.people and not any("admin" in person.roles for person in policy.people):
        yield warning(
            "no_admin",
            {f"people.{person.id}.roles": ", ".join(person.roles) for person in policy.people},
            "whoever can write to Kafka may set the next policy, with other people in it: a policy"
            " is signed only once an admin is named",
        )


def approver_without_scope(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """An approver of no class, or of no amount."""
    for person in policy.people:
        if "approve" in person.roles and not (person.classes and person.max_usd_e18):
            may = "may only deny" if person.classes else "may neither approve nor deny anything"
            fields = _scopes((person,)) | {f"people.{person.id}.classes": str([*person.classes])}
            yield warning("approver_without_scope", fields, f"{person.id} {may}")


def stuck_when_largest(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """`over: refuse` refuses the whole amount, and the whole of the profit is asked."""
    loan, sweep = policy.limits.loan, policy.limits.sweep
    if loan.over == "refuse":
        yield error(
            "stuck_when_largest",
            values(policy, "limits.loan.over", "limits.loan.single_usd"),
            f"all available profit is asked for at once: as soon as it is above"
            f" {usd(loan.single_usd_e18)} USD every operation is refused, and profit only grows",
        )
    if sweep.over == "refuse":
        yield warning(
            "stuck_when_largest",
            values(policy, "limits.sweep.over", "limits.sweep.single_usd"),
            f"the whole excess is ordered at once: above {usd(sweep.single_usd_e18)} USD nothing"
            " of it is placed, on the days with most cash",
        )


def class_closed(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """A single limit of 0 lets nothing of a class out."""
    for name in (*ASKED, "deleverage"):
        limit: Limit = getattr(policy.limits, name)
        if limit.single_usd_e18 == 0:
            yield warning(
                "class_closed",
                values(policy, f"limits.{name}.single_usd"),
                f"no {name} operation goes out at all; a pause of class:{name} does the same and"
                " says so",
            )


def waits_end_early(policy: Policy, _: Surroundings) -> Iterator[Finding]:
    """An operation waits for people until its own deadline at most."""
    loan = _class(policy, "loan")
    ttl_s, deadline_s = policy.approvals.ttl_s, policy.execution.intent_ttl_s
    if loan.asks and ttl_s > deadline_s:
        yield warning(
            "waits_end_early",
            values(policy, "approvals.ttl_s", "execution.intent_ttl_s"),
            f"people have {deadline_s} s to sign a loan operation, not {ttl_s} s: its deadline"
            " comes first",
        )
    sweep, clocks = _class(policy, "sweep"), sorted(map(seconds, policy.sweep.cutoffs_utc))
    gap_s = max(
        (after - before) % DAY_S or DAY_S
        for before, after in zip(clocks, [*clocks[1:], clocks[0]], strict=True)
    )
    if sweep.asks and ttl_s > gap_s:
        yield warning(
            "waits_end_early",
            values(policy, "approvals.ttl_s", "sweep.cutoffs_utc"),
            f"people have at most {gap_s} s to sign a sweep, not {ttl_s} s: its cut-off comes"
            " first",
        )


def _classes(policy: Policy) -> Iterator[Class]:
    return (_class(policy, name) for name in ASKED)


def _proposed(policy: Policy) -> Iterator[Class]:
    """The classes that will be proposed for an account of this policy."""
    kinds = {account.kind for account in policy.accounts}
    return (_class(policy, name) for name, kind in PROPOSED_FOR.items() if kind in kinds)


def _class(policy: Policy, name: str) -> Class:
    return Class(
        name=name,
        limit=getattr(policy.limits, name),
        threshold_e18=getattr(policy.approvals, f"{name}_usd_e18"),
        approvers=tuple(
            person
            for person in policy.people
            if "approve" in person.roles and name in person.classes
        ),
    )


def _scopes(people: tuple[Person, ...]) -> dict[str, str]:
    return {f"people.{one.id}.max_usd": usd(one.max_usd_e18) for one in people}


RULES = (
    never_asks,
    never_asks_two,
    two_asked_of_none,
    nobody_named,
    nobody_may_approve,
    quorum_cannot_be_met,
    one_approver,
    cannot_resume,
    no_admin,
    approver_without_scope,
    stuck_when_largest,
    class_closed,
    waits_end_early,
)
