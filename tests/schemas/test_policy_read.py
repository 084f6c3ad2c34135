"""Fields of the policy and who reads them: a named rule has a step for each of its names, and a
field that went is no fault in a policy from before.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, get_args

import pytest

from schemas.policy import Policy, canonical, from_content, parse
from schemas.policy_cash import Forecasting, Reverse, VarRule
from schemas.policy_gate import Screening
from schemas.section import Section
from streams.forecast import LIKE
from streams.limits import SCREENS
from streams.reverse import is_dead_time
from streams.var import RANKS, held_against_e18


@pytest.mark.parametrize(
    ("section", "field", "read_by"),
    [
        (Screening, "mode", SCREENS),
        (VarRule, "method", RANKS),
        (Forecasting, "method", LIKE),
    ],
)
def test_every_name_of_a_rule_has_its_step(
    section: type[Section], field: str, read_by: Mapping[str, Any]
) -> None:
    names = get_args(section.model_fields[field].annotation)
    assert set(names) == read_by.keys()


def test_every_base_and_every_dead_time_is_read() -> None:
    for base in get_args(VarRule.model_fields["base"].annotation):
        assert held_against_e18(VarRule(base=base), 7) == 7
    assert get_args(Reverse.model_fields["dead_time"].annotation) == ("same_business_day",)
    assert is_dead_time(Policy())


def test_a_recorded_policy_with_a_field_that_went_is_read_as_one_without_it() -> None:
    account: dict[str, Any] = {"account_id": "bybit:1", "loan_precision": {"USDT": 4}}
    now = from_content({"accounts": [account]})
    for said in (False, True):
        before = json.loads(canonical(now))
        before["accounts"][0]["live"] = said
        assert parse(json.dumps(before)) == now
        assert from_content({"accounts": [{**account, "live": said}]}) == now
    assert "live" not in canonical(now)


@pytest.mark.parametrize(
    "content", [{"live": True}, {"accounts": [{"account_id": "a:1", "liv": 1}]}]
)
def test_what_never_was_a_field_there_is_none(content: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="Extra inputs are not permitted"):
        from_content(content)
