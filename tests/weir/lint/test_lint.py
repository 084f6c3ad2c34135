"""The lint of a policy: each finding on both sides of its boundary, and what ships."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from schemas.policy import Policy, from_yaml
from tests.weir.lint.rows import ROWS, Row
from weir.cli import app
from weir.lint import RULES, lines, lint
from weir.lint.finding import Surroundings

SHIPPED = Path(__file__).parents[3] / "deploy" / "policy.yaml"
AROUND = Surroundings()


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


def test_the_surroundings_are_those_of_this_machine() -> None:
    policy = from_yaml("guards: {loan_age_max_s: 120, mark_age_max_s: 200}")
    codes = {one.code for one in lint(policy, Surroundings(poll_s=120))}
    assert "stale_between_polls" in codes
    codes = {one.code for one in lint(policy, Surroundings(poll_s=119))}
    assert "stale_between_polls" not in codes


def test_the_command_tells_and_its_status_says_whether_there_is_an_error(tmp_path: Path) -> None:
    fine = CliRunner().invoke(app, ["policy", "lint", str(SHIPPED)])
    assert fine.exit_code == 0, fine.output
    assert fine.stdout.endswith("no errors, 6 warnings\n")
    file = tmp_path / "policy.yaml"
    file.write_text("allocation: {spread_min: 2}")
    wrong = CliRunner().invoke(app, ["policy", "lint", str(file)])
    assert wrong.exit_code == 1
    assert wrong.stdout.startswith("error: rate_in_percent\n    a loan would have to cost 200 %")
    assert "      allocation.spread_min = 2\n" in wrong.stdout
    told = CliRunner().invoke(app, ["policy", "lint", str(file), "--json"])
    assert told.exit_code == 1
    first = json.loads(told.stdout)[0]
    assert (first["code"], first["severity"]) == ("rate_in_percent", "error")
    assert first["fields"] == ["allocation.spread_min"]
    assert first["values"] == {"allocation.spread_min": "2"}


def test_a_file_that_is_no_policy_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("allocation: {ltv_high: 45}")
    wrong = CliRunner().invoke(app, ["policy", "lint", str(file)])
    assert wrong.exit_code == 1
    assert "allocation.ltv_high=45" in str(wrong.exception)


def test_nothing_to_say_is_said() -> None:
    assert list(lines([])) == ["no errors, no warnings"]
