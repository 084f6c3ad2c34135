"""The policy: its defaults, its one text, and what it refuses."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pytest

from schemas.money import E18
from schemas.policy import Policy, canonical, from_yaml, parse, policy_hash
from schemas.section import Section
from streams.limits import CLASS_OF

SHIPPED = Path(__file__).parents[2] / "deploy" / "policy.yaml"


def _limit(least: str, single: str, daily: str) -> dict[str, str]:
    return {"min_usd": least, "single_usd": single, "daily_usd": daily, "over": "clip"}


def _person(name: str, key: int = 1, **more: Any) -> dict[str, Any]:
    text = base64.urlsafe_b64encode(bytes([key] * 32)).decode()
    return {"id": name, "public_key": text, "roles": ["approve"], **more}


def _product(**more: Any) -> dict[str, Any]:
    row = {"product": "FED_RRP", "calendar": "FED", "closes": "13:15", "matures": "next_day"}
    return {**row, **more}


@pytest.mark.req("000-73")
def test_people() -> None:
    policy = parse(json.dumps({"people": [_person("ann", classes=["loan"], max_usd="5000")]}))
    ann = policy.person("ann")
    assert ann is not None
    assert (ann.roles, ann.classes, ann.max_usd_e18) == (("approve",), ("loan",), 5000 * E18)
    assert policy.person("bob") is None
    assert parse(canonical(policy)) == policy


@pytest.mark.req("000-45", "003-57")
def test_the_shipped_file_is_the_default() -> None:
    shipped = from_yaml(SHIPPED.read_text())
    assert shipped == Policy()
    assert shipped.name == "weir-default"


def test_the_shipped_file_leaves_nothing_out() -> None:
    text = SHIPPED.read_text()
    for key in _keys(canonical(Policy())):
        assert f"{key}:" in text, key


@pytest.mark.req("000-52", "000-53")
def test_numbers_are_exact() -> None:
    policy = Policy()
    assert policy.allocation.ltv_high_e18 == 45 * E18 // 100
    assert policy.limits.loan.single_usd_e18 == 10_000 * E18
    assert policy.limits.loan.daily_usd_e18 == 50_000 * E18
    assert policy.guards.peg_max_dev_e18 == E18 // 100
    assert policy.approvals.ttl_s == 14_400


@pytest.mark.req("002-43", "002-94")
@pytest.mark.parametrize(
    ("leverage", "fine"), [("5.0", True), ("0.5", True), ("5.01", False), ("0", False)]
)
def test_leverage_has_a_maximum_that_no_policy_raises(leverage: str, fine: bool) -> None:
    assert Policy().risk.max_leverage_e18 == 5 * E18
    text = json.dumps({"risk": {"max_leverage": leverage}})
    if fine:
        assert parse(text).risk.max_leverage_e18 == int(Decimal(leverage) * E18)
    else:
        with pytest.raises(ValueError, match=f"max_leverage={leverage.removesuffix('.0')}"):
            parse(text)


def test_one_text_whatever_the_spelling() -> None:
    spelled = from_yaml("allocation: {ltv_high: 0.450, f_low: '0.90', collateral_yield: {B: 5e-2}}")
    again = parse(canonical(spelled))
    assert again == spelled
    assert canonical(again) == canonical(spelled)
    assert '"B":"0.05"' in canonical(spelled)
    assert parse('{"allocation":{"ltv_high":0.45}}') == Policy()
    assert policy_hash(canonical(Policy())) == policy_hash(canonical(parse("{}")))


@pytest.mark.req("000-45", "003-52")
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"allocation": {"ltv_low": "0.5"}}, "allocation: ltv_low=0.5 and ltv_high=0.45"),
        ({"allocation": {"ltv_high": "45"}}, "allocation.ltv_high=45: must lie between 0 and 1"),
        ({"allocation": {"f_high": "0.96"}}, "f_high=0.96: at most 1 - min_keep_pct = 0.95"),
        ({"allocation": {"f_mid_repay": "0.6"}}, r"f_mid_repay \+ f_mid_collateral=1.05"),
        ({"allocation": {"rule": "seed-v9"}}, "allocation.rule=seed-v9"),
        ({"allocation": {"ltv": "0.4"}}, "allocation.ltv=0.4: Extra inputs are not permitted"),
        ({"limits": {"loan": {"min_usd": "x"}}}, "limits.loan.min_usd=x: 'x' is not a decimal"),
        (
            {"limits": {"loan": _limit("20", "10", "30")}},
            "limits.loan: min_usd=20, single_usd=10",
        ),
        ({"execution": {"backoff_s": 61}}, "backoff_s=61: at most cap_s=60"),
        ({"accounts": [{"account_id": "bybit"}]}, "accounts.0.account_id=bybit"),
        ({"people": [_person("ann"), _person("ann", 2)]}, "people: id='ann' stands there twice"),
        ({"people": [_person("ann"), _person("bob")]}, "people: public_key=.* stands there twice"),
        ({"people": [_person("weir:p@1")]}, "people.0.id=weir:p@1"),
        ({"people": [_person("ann", roles=[])]}, "people.0.roles=.*at least 1"),
        (
            {"people": [_person("ann", public_key="AA")]},
            "people.0.public_key=AA: is not the base64",
        ),
        ({"accounts": [{"account_id": "b:1"}] * 2}, "account_id='b:1' stands there twice"),
        ({"accounts": [{"account_id": "b:1", "loan_precision": {"X": 19}}]}, "loan_precision.X=19"),
    ],
)
def test_what_is_refused_names_field_and_value(wrong: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(json.dumps(wrong))


@pytest.mark.req("003-51")
def test_a_file_may_be_json_and_is_the_same_policy() -> None:
    yaml_text = "allocation: {ltv_high: 0.45, collateral_yield: {BTC: 0.02}}\npeople: []"
    json_text = (
        '{"people": [], "allocation": {"collateral_yield": {"BTC": 0.02}, "ltv_high": 0.45}}'
    )
    hashes = {policy_hash(canonical(from_yaml(text))) for text in (yaml_text, json_text)}
    assert len(hashes) == 1


def test_every_field_has_a_reader() -> None:
    """A number nobody reads would be a promise nobody keeps. Limits and thresholds are found by the
    class of an operation.
    """
    root = SHIPPED.parents[1]
    folders = ("streams", "agents", "weir")
    text = "\n".join(file.read_text() for one in folders for file in (root / one).rglob("*.py"))
    by_class = {"limits", "approvals"}
    through = {"products": "product"}  # read by a method of their section
    unread = [
        f"{section}.{name}"
        for section, model in _sections(Policy)
        for name in model.model_fields
        if not re.search(rf"\.{through.get(name, name)}\b", text)
        and not (section in by_class and name.removesuffix("_usd_e18") in CLASS_OF.values())
    ]
    assert unread == []


def _sections(model: type[Section], path: str = "policy") -> Iterator[tuple[str, type[Section]]]:
    yield path, model
    for name, field in model.model_fields.items():
        for one in (field.annotation, *get_args(field.annotation)):
            if isinstance(one, type) and issubclass(one, Section):
                yield from _sections(one, name)


@pytest.mark.req("000-18")
def test_no_binary_floats() -> None:
    assert from_yaml("guards: {peg_max_dev: 0.1}").guards.peg_max_dev_e18 == E18 // 10
    with pytest.raises(ValueError, match="not a decimal number"):
        Policy.model_validate({"guards": {"peg_max_dev": 0.1}})
    assert Policy.model_validate({"guards": {"peg_max_dev": Decimal("0.1")}})


def test_accounts() -> None:
    policy = from_yaml("accounts: [{account_id: 'bybit:1', loan_precision: {USDT: 4}}]")
    account = policy.account("bybit:1")
    assert account is not None
    assert account.loan_precision["USDT"] == 4
    assert policy.account("bybit:2") is None


def _keys(text: str) -> list[str]:
    def walk(value: Any) -> list[str]:
        if not isinstance(value, dict):
            return []
        return [key for k, v in value.items() for key in (k, *walk(v))]

    return walk(json.loads(text))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"cutoffs_utc": []}, "sweep.cutoffs_utc"),
        ({"cutoffs_utc": ["24:00"]}, r"sweep.cutoffs_utc.0=24:00: must be a time of day in quotes"),
        ({"cutoffs_utc": [930]}, r"cutoffs_utc.0=930: must be a time of day"),
        ({"cutoffs_utc": ["1:30"]}, r"cutoffs_utc.0=1:30"),
        ({"cutoffs_utc": ["15:30:60"]}, r"cutoffs_utc.0=15:30:60"),
        ({"rule": "sweep-v2"}, "sweep.rule=sweep-v2"),
        ({"target_ladder_days": 30}, "sweep.target_ladder_days=30"),
        ({"reverse": {"trigger_pct": "1.5"}}, "sweep.reverse.trigger_pct=1.5"),
        ({"products": [{"product": "GOLD"}]}, "sweep.products.0.product=GOLD"),
        ({"products": [_product(opens="13:15")]}, "opens=13:15 and closes=13:15: opens < closes"),
        ({"products": [_product(matures="term")]}, "matures=term and term_days=0 disagree"),
        ({"products": [_product(term_days=28)]}, "matures=next_day and term_days=28 disagree"),
        ({"products": [_product(beneficiary="1/2")]}, "products.0.beneficiary=1/2"),
        ({"products": [_product(), _product()]}, "products: product='FED_RRP' stands there twice"),
    ],
)
def test_a_wrong_sweep_is_refused_with_its_field(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(json.dumps({"sweep": wrong}))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"quantile": "1"}, "var: quantile=1: 0 < quantile < 1 must hold"),
        ({"window": 100}, "var: min_obs=250: at most window=100"),
        ({"method": "linear"}, "var.method=linear"),
    ],
)
def test_a_wrong_measure_of_risk_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(json.dumps({"var": wrong}))


@pytest.mark.req("004-20", "004-21", "004-22", "004-23")
def test_the_defaults_of_the_source_document() -> None:
    sweep = Policy().sweep
    assert sweep.liq_buffer_pct_e18 == 30 * E18 // 100
    assert sweep.var_limit_bps_e18 == 10 * E18
    assert sweep.cutoffs_utc == ("00:30", "15:30")
    assert sweep.target_ladder_days == 28
    assert parse('{"sweep":{"cutoffs_utc":["15:30:00","00:30:01"]}}').sweep.cutoffs_utc == (
        "15:30",
        "00:30:01",
    )
