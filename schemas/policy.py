"""The policy: every number a rule may use, with its default and what it is allowed to be.

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

import yaml
from pydantic import (
    BeforeValidator,
    Field,
    ValidationError,
    model_validator,
)

from schemas import signing
from schemas.money import E18, parse_e18, text_e18
from schemas.policy_anomaly import Anomaly
from schemas.policy_cash import Forecasting, Sweep, VarRule
from schemas.same import Same
from schemas.section import Money, Places, Ratio, Seconds, Section


class Allocation(Section):
    """How available profit is used: bands of loan to value, and the factor of each."""

    rule: Literal["seed-v1", "seed-v1-narrative", "opt-v1"] = "seed-v1"
    ltv_high_e18: Ratio = parse_e18("0.45")
    ltv_low_e18: Ratio = parse_e18("0.35")
    spread_min_e18: Money = parse_e18("0.02")
    f_high_e18: Ratio = parse_e18("0.95")
    f_low_e18: Ratio = parse_e18("0.90")
    f_mid_repay_e18: Ratio = parse_e18("0.45")
    f_mid_collateral_e18: Ratio = parse_e18("0.45")
    min_keep_pct_e18: Ratio = parse_e18("0.05")
    ltv_target_e18: Ratio = parse_e18("0.40")
    overshoot_max_e18: Ratio = parse_e18("0.05")
    settle_ccy: str = "USDT"
    retry_s: Annotated[int, Field(ge=1)] = 60
    collateral_yield: Mapping[str, Money] = {}
    tax_rate_e18: Ratio = 0
    lot_method: Literal["FIFO", "LIFO", "HIFO", "ACB"] = "ACB"

    @model_validator(mode="after")
    def _consistent(self) -> Allocation:
        low, high = self.ltv_low_e18, self.ltv_high_e18
        if not 0 < low < high < E18:
            raise ValueError(
                f"ltv_low={text_e18(low)} and ltv_high={text_e18(high)}:"
                " 0 < ltv_low < ltv_high < 1 must hold"
            )
        target, over = self.ltv_target_e18, self.overshoot_max_e18
        if not 0 < target < E18 or over > target:
            raise ValueError(
                f"ltv_target={text_e18(target)} and overshoot_max={text_e18(over)}:"
                " 0 < ltv_target < 1 and overshoot_max <= ltv_target must hold"
            )
        most = E18 - self.min_keep_pct_e18
        middle = self.f_mid_repay_e18 + self.f_mid_collateral_e18
        for name, factor in (
            ("f_high", self.f_high_e18),
            ("f_low", self.f_low_e18),
            ("f_mid_repay + f_mid_collateral", middle),
        ):
            if factor > most:
                raise ValueError(
                    f"{name}={text_e18(factor)}: at most 1 - min_keep_pct = {text_e18(most)}"
                )
        return self


class Pnl(Section):
    """Which profit may be allocated, and how long an execution may still be put in its place."""

    available_rule: Literal["hwm-v1", "per-trade-v1"] = "hwm-v1"
    late_horizon_s: Annotated[int, Field(ge=1)] = 691_200
    journal_max: Annotated[int, Field(ge=1)] = 10_000


class Tier(Section):
    """A marginal step of a haircut: this ratio counts up to that value before the haircut, in USD;
    null: without end.
    """

    up_to_usd_e18: Money | None = None
    ratio_e18: Ratio


class Loan(Section):
    """Where the venue calls for margin and where it liquidates, and how it counts collateral.

    `haircut` names the tiers per coin. For a coin it leaves out, the ratio the venue publishes
    counts, else the average of what it counts now.
    """

    ltv_margin_call_e18: Ratio = parse_e18("0.87")
    ltv_liquidation_e18: Ratio = parse_e18("0.95")
    haircut: Mapping[str, tuple[Tier, ...]] = {}

    @model_validator(mode="after")
    def _consistent(self) -> Loan:
        call, end = self.ltv_margin_call_e18, self.ltv_liquidation_e18
        if not 0 < call <= end:
            raise ValueError(
                f"ltv_margin_call={text_e18(call)} and ltv_liquidation={text_e18(end)}:"
                " 0 < ltv_margin_call <= ltv_liquidation must hold"
            )
        for coin, tiers in self.haircut.items():
            bounds = [tier.up_to_usd_e18 for tier in tiers]
            known = [bound for bound in bounds[:-1] if bound is not None]
            ratios = [tier.ratio_e18 for tier in tiers]
            ended = bool(bounds) and bounds[-1] is None and len(known) == len(bounds) - 1
            if not ended or known != sorted(set(known)) or ratios != sorted(ratios, reverse=True):
                raise ValueError(
                    f"haircut.{coin}: bounds must rise, the last up_to_usd be null,"
                    " and no ratio be above the one before"
                )
        return self


class Limit(Section):
    """Limits of one class of operation, in USD; `over` says what becomes of a larger amount."""

    min_usd_e18: Money
    single_usd_e18: Money
    daily_usd_e18: Money
    over: Literal["clip", "refuse"]

    @model_validator(mode="after")
    def _ordered(self) -> Limit:
        least, single, daily = self.min_usd_e18, self.single_usd_e18, self.daily_usd_e18
        if not least <= single <= daily:
            raise ValueError(
                f"min_usd={text_e18(least)}, single_usd={text_e18(single)},"
                f" daily_usd={text_e18(daily)}: min_usd <= single_usd <= daily_usd must hold"
            )
        return self


def _limit(least: str, single: str, daily: str, over: Literal["clip", "refuse"]) -> Limit:
    return Limit.model_validate(
        {"min_usd": least, "single_usd": single, "daily_usd": daily, "over": over}
    )


class Limits(Section):
    """Limits by class, and the window of the daily one."""

    loan: Limit = _limit("10", "10000", "50000", "clip")
    transfer: Limit = _limit("100", "250000", "1000000", "refuse")
    deleverage: Limit = _limit("0", "10000", "50000", "clip")
    sweep: Limit = _limit("10000", "5000000", "20000000", "clip")
    window: Literal["utc_day", "rolling_24h"] = "utc_day"


class Approvals(Section):
    """Above which amounts a second person is asked, and how long an answer is waited for. 0 =
    always. Above `dual_usd` two are asked (null: never). Lowering risk is never made to wait.
    """

    loan_usd_e18: Money = parse_e18("5000")
    transfer_usd_e18: Money = parse_e18("100000")
    sweep_usd_e18: Money = parse_e18("1000000")
    dual_usd_e18: Money | None = None
    ttl_s: Annotated[int, Field(ge=1)] = 14_400


class Guards(Section):
    """How old an input may be, and how far a stable coin may be from one dollar."""

    loan_age_max_s: Seconds = 120
    mark_age_max_s: Seconds = 30
    balance_age_max_s: Seconds = 3_600
    yield_age_max_s: Seconds = 86_400
    peg_max_dev_e18: Ratio = parse_e18("0.01")
    control_age_max_s: Seconds = 5


class Execution(Section):
    """How an operation is carried out: retries, deadlines, and what is done with a lost answer."""

    compensate: Literal["return", "keep"] = "return"
    backoff_s: Seconds = 2
    factor: Annotated[int, Field(ge=1)] = 2
    cap_s: Seconds = 60
    max_retries: Annotated[int, Field(ge=0)] = 3
    intent_ttl_s: Annotated[int, Field(ge=1)] = 3_600
    call_start_s: Annotated[int, Field(ge=1)] = 2
    unknown_alert_s: Seconds = 30
    absence_s: Annotated[int, Field(ge=1)] = 900
    park_s: Annotated[int, Field(ge=1)] = 1_800

    @model_validator(mode="after")
    def _ordered(self) -> Execution:
        if self.backoff_s > self.cap_s:
            raise ValueError(f"backoff_s={self.backoff_s}: at most cap_s={self.cap_s}")
        if self.absence_s > self.park_s:
            raise ValueError(f"absence_s={self.absence_s}: at most park_s={self.park_s}")
        return self


LEVERAGE_MAX_E18: int = 5 * E18
"""No policy and no approval lets a setting of leverage above it."""


class Risk(Section):
    """How far positions may be leveraged: the largest setting of a contract."""

    max_leverage_e18: Money = LEVERAGE_MAX_E18

    @model_validator(mode="after")
    def _bounded(self) -> Risk:
        if not 0 < self.max_leverage_e18 <= LEVERAGE_MAX_E18:
            raise ValueError(
                f"max_leverage={text_e18(self.max_leverage_e18)}: above 0 and at most"
                f" {text_e18(LEVERAGE_MAX_E18)}"
            )
        return self


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


class Screening(Section):
    """Who may receive money besides our own accounts."""

    mode: Literal["allowlist"] = "allowlist"
    allow: tuple[str, ...] = ()


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


def read_yaml(text: str) -> Any:
    """The content of a YAML text; its numbers are decimals, never binary floats. ValueError for
    what is none, and for a name that stands twice, of which YAML would take the last.
    """
    try:
        return yaml.load(text, Loader=_ExactLoader)
    except yaml.YAMLError as why:
        raise ValueError(f"is no YAML: {' '.join(str(why).split())}") from None


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


class _ExactLoader(yaml.SafeLoader):
    """A SafeLoader whose numbers with a point are exact."""


def _decimal(loader: yaml.SafeLoader, node: Any) -> Decimal:
    return Decimal(str(loader.construct_scalar(node)).replace("_", ""))


def _mapping(loader: yaml.SafeLoader, node: Any) -> Any:
    names = [loader.construct_object(name) for name, _ in node.value]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"{twice}: stands there twice (line {node.start_mark.line + 1})")
    return loader.construct_mapping(node, deep=True)


_ExactLoader.add_constructor("tag:yaml.org,2002:float", _decimal)
_ExactLoader.add_constructor("tag:yaml.org,2002:map", _mapping)
