"""File, environment and Consul as one policy, field by field."""

from __future__ import annotations

import re
from typing import Any

import pytest

from agents.policies.consul import content
from agents.policies.layers import Layer, document, environment, fields, merged
from schemas.money import parse_e18
from schemas.policy import Policy

E18 = 10**18


def layer(source: str, content: dict[str, Any]) -> Layer:
    return Layer(source, f"the {source}", content)


@pytest.mark.req("004-24")
def test_the_stronger_source_wins_field_by_field() -> None:
    policy = merged(
        [
            layer("consul", {"guards": {"loan_age_max_s": "30"}}),
            layer("file", {"name": "ours", "guards": {"loan_age_max_s": 60, "mark_age_max_s": 5}}),
            layer("env", {"guards": {"loan_age_max_s": "45", "balance_age_max_s": "600"}}),
        ]
    )
    assert policy.name == "ours"
    assert policy.guards.loan_age_max_s == 30
    assert policy.guards.mark_age_max_s == 5
    assert policy.guards.balance_age_max_s == 600
    assert policy.guards.peg_max_dev_e18 == Policy().guards.peg_max_dev_e18


def test_a_list_is_replaced_and_not_merged() -> None:
    below = layer("file", {"screening": {"allow": ["a", "b"]}})
    policy = merged([below, layer("env", {"screening": {"allow": ["c"]}})])
    assert policy.screening.allow == ("c",)


@pytest.mark.req("002-17")
def test_variables_name_fields_and_numbers_stay_exact() -> None:
    said = environment(
        {
            "PATH": "/bin",
            "WEIR_POLICY__APPROVALS__LOAN_USD": "0.123456789012345678",
            "WEIR_POLICY__APPROVALS__DUAL_USD": "null",
            "WEIR_POLICY__SCREENING__ALLOW": "['x', 'y']",
            "WEIR_POLICY__NAME": "from-env",
        }
    )
    policy = merged([layer("env", said)])
    assert policy.approvals.loan_usd_e18 == parse_e18("0.123456789012345678")
    assert policy.approvals.dual_usd_e18 is None
    assert policy.screening.allow == ("x", "y")
    assert policy.name == "from-env"
    assert environment({"PATH": "/bin"}) == {}


@pytest.mark.req("004-20", "004-21", "004-22", "004-23")
def test_the_names_of_the_source_document_mean_the_fields_they_always_meant() -> None:
    said = environment(
        {
            "LIQ_BUFFER_PCT": "0.25",
            "VAR_LIMIT_BPS": "12",
            "SWEEP_CUTOFFS_UTC": "['00:30','15:30']",
            "TARGET_LADDER_DAYS": "28",
            "MIN_SWEEP_USD": "25000",
        }
    )
    assert said == {
        "sweep": {
            "liq_buffer_pct": "0.25",
            "var_limit_bps": "12",
            "cutoffs_utc": ["00:30", "15:30"],
            "target_ladder_days": "28",
            "min_sweep_usd": "25000",
        }
    }


@pytest.mark.parametrize(
    ("layers", "why"),
    [
        (
            [layer("file", {"limits": {"window": "utc_day"}}),
             layer("consul", {"allocation": {"ltv_high": "45"}})],
            "the consul: allocation.ltv_high=45: must lie between 0 and 1",
        ),
        (
            [layer("file", {"guards": {"loan_age_max_s": -1}}), layer("env", {"guards": {}})],
            "the file: guards.loan_age_max_s=-1: Input should be greater than or equal to 0",
        ),
        (
            [layer("env", {"guards": {"loan_age": "5"}})],
            "the env: guards.loan_age=5: Extra inputs are not permitted",
        ),
        (
            [layer("file", {"execution": {"backoff_s": 50}}),
             layer("env", {"execution": {"cap_s": "40"}})],
            "the file, the env: execution: backoff_s=50: at most cap_s=40",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_source_and_field(layers: list[Layer], why: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(why)}$"):
        merged(layers)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is empty"),
        ("# only a comment\n", "is empty"),
        ("- a\n- b\n", "must be a mapping"),
        ("name: x\nname: y\n", "name: stands there twice"),
        ("guards: {peg_max_dev: 1, peg_max_dev: 2}", "peg_max_dev: stands there twice (line 1)"),
        ("name: [x", "is no YAML"),
        ("a: &a [*a]\nname: {", "is no YAML"),
        ("name: !!python/object:os.system x", "is no YAML"),
    ],
)
@pytest.mark.req("003-89")
def test_a_document_that_is_none_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        document(text)


@pytest.mark.req("003-51")
def test_a_document_may_be_json() -> None:
    assert document('{"name": "x", "guards": {"peg_max_dev": 0.1}}')["name"] == "x"


def test_a_field_is_said_once() -> None:
    with pytest.raises(ValueError, match=r"sweep\.var_limit_bps: is set twice"):
        fields([("VAR_LIMIT_BPS", "1"), ("sweep.var_limit_bps", "2")])
    with pytest.raises(ValueError, match="sweep is set as a whole and in part"):
        fields([("sweep", "x"), ("sweep.var_limit_bps", "2")])
    with pytest.raises(ValueError, match=r"screening\.allow: is no YAML"):
        fields([("screening.allow", "['x'")])


def test_in_consul_a_field_wins_over_the_document_and_foreign_keys_say_nothing() -> None:
    rows = {
        "weir/policy": "name: kv\nguards: {loan_age_max_s: 10, mark_age_max_s: 20}\n",
        "weir/policy/guards/loan_age_max_s": "15",
        "weir/policy/VAR_LIMIT_BPS": "9",
        "weir/policy-of-others": "name: not ours",
    }
    assert content(rows, "weir/policy") == {
        "name": "kv",
        "guards": {"loan_age_max_s": "15", "mark_age_max_s": 20},
        "sweep": {"var_limit_bps": "9"},
    }
    assert content({}, "weir/policy") == {}
