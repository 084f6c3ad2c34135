"""The lint of a policy: each finding on both sides of its boundary, and what ships."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from schemas.policy import Policy, from_yaml
from streams.lint import RULES, lint
from streams.lint.finding import Surroundings
from tests.streams.lint.rows import ROWS, Row

SHIPPED = Path(__file__).parents[3] / "deploy" / "policy.yaml"
AROUND = Surroundings(2_000, 10_000, 3_600_000, "USDT", frozenset({"bybit", "bank"}))


def found(text: str) -> set[tuple[str, str]]:
    return {(one.code, one.severity) for one in lint(from_yaml(text), AROUND)}


@pytest.mark.req("003-52")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.code)
def test_each_finding_on_both_sides_of_its_boundary(row: Row) -> None:
    assert (row.code, row.severity) in found(row.wrong)
    assert (row.code, row.severity) not in found(row.fine)


def test_every_rule_has_a_row() -> None:
    policies = [from_yaml(row.wrong) for row in ROWS]
    silent = [rule.__name__ for rule in RULES if not any(any(rule(p, AROUND)) for p in policies)]
    assert silent == []
    codes = {code for row in ROWS for code, _ in found(row.wrong)}
    assert codes == {row.code for row in ROWS}


def test_a_finding_names_fields_that_exist_and_their_values() -> None:
    for row in ROWS:
        policy = from_yaml(row.wrong)
        for one in lint(policy, AROUND):
            assert one.values, one.code
            for field, value in one.values.items():
                plain = _plain(policy, field)
                assert plain is None or plain == value, f"{one.code}: {field}={value}"


def _plain(policy: Policy, field: str) -> Any:
    """The value a dotted name of sections has; None where a list or a map comes in between."""
    at: Any = policy.model_dump(mode="json")
    for name in field.split("."):
        at = at.get(name) if isinstance(at, dict) else None
    return at if isinstance(at, str) else None


@pytest.mark.req("003-57")
def test_what_ships_has_no_error_and_says_what_it_does() -> None:
    """What the source documents ask for literally is shipped, and its weak sides are told."""
    findings = lint(from_yaml(SHIPPED.read_text()), AROUND)
    assert {one.severity for one in findings} == {"warning"}
    assert {one.code for one in findings} == {
        "weaker_way",  # B-05: above the high band it pledges
        "nobody_named",
        "waits_end_early",
        "breach_takes_all",  # B-48: on a breach of the risk limit nothing is kept
        "float_runs_dry",  # B-59: 30 % of the outflow, and nothing comes back
        "no_account",
    }


def test_what_cannot_happen_is_not_told() -> None:
    """A policy for bank accounts alone hears nothing of profit, one for a venue nothing of cash."""
    both = {code for code, _ in found("accounts: []")}
    bank = {code for code, _ in found("accounts: [{account_id: 'bank:1', kind: bank}]")}
    venue = {code for code, _ in found("accounts: [{account_id: 'bybit:1'}]")}
    assert both - bank == {"weaker_way", "no_account"}
    assert both - venue == {"breach_takes_all", "float_runs_dry", "no_account"}


def test_ages_are_held_against_what_the_workers_are_told() -> None:
    policy = from_yaml("guards: {loan_age_max_s: 120, mark_age_max_s: 200}")
    found = [
        one for one in lint(policy, AROUND._replace(poll_ms=120_000)) if one.severity == "error"
    ]
    assert [one.code for one in found] == ["stale_between_polls"]
    assert found[0].values == {"guards.loan_age_max_s": "120", "WEIR_POLL_S": "120"}
    codes = {one.code for one in lint(policy, AROUND._replace(poll_ms=119_500))}
    assert "stale_between_polls" not in codes


def test_an_account_of_a_venue_without_a_connector_is_an_error() -> None:
    policy = from_yaml("accounts: [{account_id: 'kraken:1'}]")
    assert "nobody_carries_out" in {one.code for one in lint(policy, AROUND)}
    wider = AROUND._replace(venues=AROUND.venues | {"kraken"})
    assert "nobody_carries_out" not in {one.code for one in lint(policy, wider)}
