"""Which policy a course is run under: a file, a recorded version, the shipped or recorded one with
another rule of allocation, or what was recorded, version by version.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple, get_args

from agents.standing import Standing
from schemas.errors import Undecodable
from schemas.policy import Account, Policy, canonical, from_yaml, parse, policy_hash
from schemas.policy_profit import Allocation
from schemas.records import PolicyCopy, PolicyUpdate
from schemas.wire import Wire
from streams.step import Refused
from weir.backtest.sources import BALANCES, EXECUTIONS, LOANS, POLICIES, Sources
from weir.errors import WeirError
from weir.replay.log import Log

RULES: tuple[str, ...] = get_args(Allocation.model_fields["rule"].annotation)
RECORDED = "recorded"


class Ruling(NamedTuple):
    """A policy under test. `shown` is its name in a report; its version stands in every id."""

    shown: str
    version: int
    policy: Policy

    def copy(self) -> PolicyCopy:
        """As the nodes get it."""
        body = canonical(self.policy)
        return PolicyCopy(self.policy.name, self.version, policy_hash(body), body)

    @property
    def alone(self) -> Ruling:
        """The same where no operation waits for people or is left to another side, because nobody
        would answer.
        """
        policy = self.policy
        most = {
            "loan_usd_e18": policy.limits.loan.single_usd_e18,
            "transfer_usd_e18": policy.limits.transfer.single_usd_e18,
            "sweep_usd_e18": policy.limits.sweep.single_usd_e18,
            "dual_usd_e18": None,
        }
        changes = {
            "approvals": policy.approvals.model_copy(update=most),
            "sweep": policy.sweep.model_copy(update={"executed_by": "weir"}),
        }
        return self._replace(policy=policy.model_copy(update=changes))


def find(said: str, log: Log, wire: Wire) -> Ruling | None:
    """The policy that a word names: `seed-v1`, `seed-v1-narrative` or `opt-v1`, `name@version`, or
    a YAML file; None for `recorded`, the recorded ones one after the other. WeirError when there is
    none.
    """
    if said == RECORDED:
        return None
    if said in RULES:
        base = _newest(log, wire) or Ruling("", 1, _shipped(log, wire))
        return base._replace(shown=said, policy=_with_rule(base.policy, said))
    name, at, version = said.partition("@")
    if at and version.isdigit() and not Path(said).exists():
        return _version(name, int(version), log, wire)
    file = Path(said)
    if not file.is_file():
        raise WeirError(
            f"{said!r} is no policy: a YAML file, name@version, {RECORDED},"
            f" or one of {', '.join(RULES)}"
        )
    try:
        policy = from_yaml(file.read_text("utf-8"))
    except (OSError, ValueError) as why:
        raise WeirError(f"{file}: {why}") from why
    return Ruling(file.name, 1, policy)


def updates(log: Log, wire: Wire) -> Iterator[PolicyUpdate]:
    """Every recorded version that counts, in order."""
    if not Sources(log, wire).count(POLICIES):
        return
    standing = Standing()
    with closing(log.read([POLICIES])) as reader:
        for number in range(log.partitions(POLICIES)):
            while (record := reader.next(POLICIES, number)) is not None:
                try:
                    update = wire.decode(POLICIES, record.value or b"")
                    standing.judge(update)
                except (Undecodable, Refused):
                    continue
                standing.take(update)
                yield update


def of(update: PolicyUpdate) -> Ruling:
    """A recorded version as it stands."""
    return Ruling(f"{update.name}@{update.version}", update.version, parse(update.body))


def _newest(log: Log, wire: Wire) -> Ruling | None:
    last = deque(updates(log, wire), maxlen=1)
    return of(last[0]) if last else None


def _version(name: str, version: int, log: Log, wire: Wire) -> Ruling:
    known = list(updates(log, wire))
    found = next((one for one in known if (one.name, one.version) == (name, version)), None)
    if found is None:
        there = ", ".join(f"{one.name}@{one.version}" for one in known) or "none"
        raise WeirError(f"{name}@{version} is not on {POLICIES}; there are: {there}")
    return of(found)


def _with_rule(policy: Policy, rule: str) -> Policy:
    allocation = policy.allocation.model_copy(update={"rule": rule})
    return policy.model_copy(update={"allocation": allocation})


def _shipped(log: Log, wire: Wire) -> Policy:
    """The shipped policy with the accounts that the log speaks of."""
    sources = Sources(log, wire)
    exchange, bank = sources.keys((EXECUTIONS, LOANS)), sources.keys((BALANCES,))
    return Policy(accounts=(*_accounts(exchange, "exchange"), *_accounts(bank, "bank")))


def _accounts(names: Iterable[str], kind: str) -> Iterator[Account]:
    return (Account.model_validate({"account_id": name, "kind": kind}) for name in names)
