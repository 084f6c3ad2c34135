"""The policy: every number a rule may use, with its default and what it is allowed to be. Its
sections lie beside it: of profit, of cash, of money that goes out (gate), of what is unusual.

A policy is a record on the log, never a setting of a process; its body is canonical JSON and its
version `name@n`. Money and ratios are exact: written as text (`"0.45"`) or as YAML numbers, held
as integers of 10^-18 in attributes that end in `_e18`. Only fields that some step reads are here;
fields arrive with their steps, and one that goes is named in `RETIRED` of its section, because a
policy that was good once is read for ever.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    ValidationError,
    model_validator,
)

from schemas import signing
from schemas.exact_yaml import read_yaml
from schemas.policy_anomaly import Anomaly
from schemas.policy_cash import Forecasting, Sweep, VarRule
from schemas.policy_gate import Approvals, Execution, Guards, Limits, Risk, Screening
from schemas.policy_profit import Allocation, Loan, Pnl
from schemas.same import Same
from schemas.section import Money, Places, Seconds, Section


class Activation(Section):
    """What a person's change of the policy must pass before it is in force.

    `required`: it is first run over the last `days` of the log beside the policy in force, and the
    record of its activation carries what came of it. Firing more than `extra_orders_max` orders
    more than the policy in force is refused. For `watch_s` afterwards it may fire as many as its
    simulation had in an equal time, and so many more; with one more the policy before it returns.
    """

    required: bool = True
    days: Annotated[int, Field(ge=1, le=3_660)] = 30
    extra_orders_max: Annotated[int, Field(ge=0)] = 10
    watch_s: Seconds = 86_400


class Account(Section):
    """An account Weir may act on, with the decimal places its venue accepts per coin."""

    RETIRED = frozenset({"live"})
    account_id: Annotated[str, Field(pattern=r"^[a-z0-9_-]+:.+$")]
    kind: Literal["exchange", "bank", "buffer"] = "exchange"
    loan_precision: Mapping[str, Places] = {}
    collateral_precision: Mapping[str, Places] = {}


def _key(value: Any) -> str:
    return signing.public_key(value)


class Person(Section):
    """Someone who may sign: with which key, in which roles, for which operations up to how much.

    operate pauses and (two of them) resumes, approve signs intents of these classes up to
    `max_usd`, admin signs policies.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
    public_key: Annotated[str, BeforeValidator(_key)]
    roles: Annotated[tuple[Literal["operate", "approve", "admin"], ...], Field(min_length=1)]
    classes: tuple[Literal["loan", "transfer", "conversion", "sweep"], ...] = ()
    max_usd_e18: Money = 0


class Policy(Section):
    """The whole policy. `Policy()` is the shipped default."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")] = "weir-default"
    allocation: Allocation = Allocation()
    pnl: Pnl = Pnl()
    loan: Loan = Loan()
    limits: Limits = Limits()
    approvals: Approvals = Approvals()
    guards: Guards = Guards()
    execution: Execution = Execution()
    risk: Risk = Risk()
    anomaly: Anomaly = Anomaly()
    sweep: Sweep = Sweep()
    var: VarRule = VarRule()
    forecast: Forecasting = Forecasting()
    screening: Screening = Screening()
    activation: Activation = Activation()
    accounts: tuple[Account, ...] = ()
    people: tuple[Person, ...] = ()
    """Empty: nobody can approve, and a control needs no signature."""

    @model_validator(mode="after")
    def _distinct(self) -> Policy:
        """One key under two names would be one person who counts twice."""
        for place, found in (
            ("accounts: account_id", [account.account_id for account in self.accounts]),
            ("people: id", [person.id for person in self.people]),
            ("people: public_key", [person.public_key for person in self.people]),
        ):
            twice = next((name for name, times in Counter(found).items() if times > 1), None)
            if twice is not None:
                raise ValueError(f"{place}={twice!r} stands there twice")
        return self

    def account(self, account_id: str) -> Account | None:
        """The account of that id, or None when the policy does not know it."""
        return _by_id(Same(self.accounts)).get(account_id)

    def person(self, name: str) -> Person | None:
        """The person of that id, or None when the policy does not know them."""
        return next((person for person in self.people if person.id == name), None)


@lru_cache(maxsize=64)
def _by_id(accounts: Same) -> dict[str, Account]:
    return {account.account_id: account for account in accounts.value}


def canonical(policy: Policy) -> str:
    """The one text of a policy: JSON with sorted keys, no spaces, decimals as plain strings."""
    return json.dumps(policy.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))


def policy_hash(text: str) -> str:
    """sha256 of the canonical text, in hex."""
    return sha256(text.encode()).hexdigest()


@lru_cache(maxsize=64)
def parse(body: str) -> Policy:
    """The policy of a record's body (JSON). ValueError says which field is wrong and why."""
    return from_content(json.loads(body, parse_float=Decimal))


def from_yaml(text: str) -> Policy:
    """The policy of a YAML file. ValueError says which field is wrong and why."""
    content = read_yaml(text)
    return from_content({} if content is None else content)


def from_content(content: Any) -> Policy:
    """The policy of a file's content. ValueError says which field is wrong and why."""
    try:
        return Policy.model_validate(content)
    except ValidationError as error:
        faults = [_fault(fault) for fault in error.errors(include_url=False)]
        raise ValueError("; ".join(faults)) from None


def _fault(fault: Any) -> str:
    place = ".".join(str(part) for part in fault["loc"]) or "policy"
    why = fault["msg"].removeprefix("Value error, ")
    given = fault["input"]
    return f"{place}: {why}" if isinstance(given, dict) else f"{place}={given!s}: {why}"
