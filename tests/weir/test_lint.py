"""`weir policy lint`: what a person reads, and what this machine's workers are told."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from agents.policies.seen import surroundings
from agents.settings import Readings, WorkerSettings
from weir import policy_show
from weir.cli import app
from weir.lint import lines
from weir.policy_show import Shown

SHIPPED = Path(__file__).parents[2] / "deploy" / "policy.yaml"


def test_a_worker_and_the_command_ask_the_same() -> None:
    """Both read `WEIR_POLL_S` and its like; a worker has more settings."""
    worker = WorkerSettings(bootstrap="none:1", poll_s=0.5, bank_poll_s=1, settle_coin="USDC")
    told = surroundings(worker)
    assert told == surroundings(Readings(poll_s=0.5, bank_poll_s=1, settle_coin="USDC"))
    assert (told.poll_ms, told.bank_poll_ms, told.balance_limit_ms) == (500, 1_000, 3_600_000)
    assert told.venues == {"bybit", "bank"}


def test_what_the_lint_warned_of_is_shown_with_the_policy_in_force() -> None:
    shown = Shown(
        version="ours@1",
        hash="ab12",
        source="file",
        author="file policy.yaml",
        at="2026-01-05T00:00:00.000Z",
        signed=0,
        nodes={},
        findings=("warning: nobody_named", "warning: no_account"),
        trouble="",
    )
    assert list(policy_show.lines(shown))[2:] == [
        "lint       warning: nobody_named, warning: no_account"
    ]


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
