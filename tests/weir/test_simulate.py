"""A proposed policy over the last days of the log, and what may put it in force."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from agents.standing import Standing
from schemas.policy import from_yaml
from streams.canonical import hash_of
from tests.weir import steady
from tests.weir.backtest.lists import WIRE
from weir import activation, simulate
from weir.backtest import Span, rulings, run
from weir.backtest.running import silent
from weir.cli import app
from weir.errors import WeirError
from weir.replay.log import Log
from weir.verbs.inputs import log_of

DAYS = 40
IN_FORCE = steady.policy("270")
"""An order every third day: nine tenths of 300 are 270."""
TYPO = steady.policy("27")
"""A zero is missing: an order a day."""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return steady.folder(tmp_path_factory.mktemp("steady") / "lines", DAYS, IN_FORCE)


def asked(recorded: Path, tmp_path: Path, policy: str, *words: str) -> Result:
    file = tmp_path / "policy.yaml"
    file.write_text(policy)
    command = ["policy", "simulate", str(file), "--input", str(recorded), *words]
    return CliRunner().invoke(app, command)


@pytest.mark.req("E-5")
def test_a_typo_in_a_threshold_is_refused_with_the_count_of_its_orders(
    recorded: Path, tmp_path: Path
) -> None:
    refused = asked(recorded, tmp_path, TYPO)
    assert refused.exit_code == 1
    assert "would have fired 20 orders more than steady@1" in refused.stderr
    assert "(30 against 10): at most 10 more are allowed" in refused.stderr
    assert "activation.extra_orders_max" in refused.stderr
    assert "extra orders: 20, allowed 10\n" in refused.stdout
    assert "difference on bybit:1: " in refused.stdout


@pytest.mark.req("E-5")
@pytest.mark.parametrize(
    ("least", "words", "orders", "extra"),
    [
        ("270", (), 10, 0),
        ("180", (), 15, 5),
        ("90", (), 30, 20),
        ("900", (), 3, 0),  # fewer are never refused
        ("27", ("--days", "15"), 15, 10),  # just as many more as are allowed
        ("27", ("--days", "18"), 18, 12),
        ("27", ("--from", "2026-01-10", "--to", "2026-01-19"), 9, 6),
    ],
)
def test_orders_are_counted_over_the_days_asked_for(
    recorded: Path, tmp_path: Path, least: str, words: tuple[str, ...], orders: int, extra: int
) -> None:
    done = asked(recorded, tmp_path, steady.policy(least), "--json", *words)
    found: dict[str, Any] = json.loads(done.stdout)
    counted = {"in_force": orders - extra, "proposed": orders, "extra": extra, "allowed": 10}
    if extra == 0:
        counted["in_force"] = found["orders"]["in_force"]
    assert found["orders"] == counted
    assert (done.exit_code, found["refused"]) == ((1, True) if extra > 10 else (0, False))


def test_how_many_are_allowed_says_the_policy_in_force(tmp_path: Path) -> None:
    """Not the proposed one, which could allow itself anything."""
    strict = steady.policy("270", "activation: {extra_orders_max: 4}")
    lines = steady.folder(tmp_path / "lines", 30, strict)
    lax = steady.policy("180", "activation: {extra_orders_max: 1000}")
    refused = asked(lines, tmp_path, lax)
    assert "5 orders more" in refused.stderr
    assert "at most 4 more are allowed" in refused.stderr


def test_the_counts_are_those_of_two_separate_runs(recorded: Path) -> None:
    with opened(recorded) as log:
        found = simulate.simulate(log, WIRE, _in_force(), from_yaml(TYPO), Span(None, None))
        alone = run(log, WIRE, _in_force()), run(log, WIRE, found.proposed)
    said = found.as_json()
    for side, course in zip(("in_force", "proposed"), alone, strict=True):
        assert said["orders"][side] == sum(one.orders for one in course.totals)
        assert said[side]["course_hash"] == hash_of(course.text())


def test_a_log_without_anything_has_nothing_to_simulate(tmp_path: Path) -> None:
    lines = steady.folder(tmp_path / "lines", 0, IN_FORCE)
    nothing = asked(lines, tmp_path, TYPO)
    assert nothing.exit_code == 1
    assert "the log holds no record of the outside" in str(nothing.exception)
    (lines / "orch_config_updates.jsonl").unlink()
    assert "names no policy in force" in str(asked(lines, tmp_path, TYPO).exception)


# What may put it in force


@contextmanager
def opened(folder: Path) -> Iterator[Log]:
    with log_of([folder], WIRE) as log:
        yield log


def _in_force(policy: str = IN_FORCE) -> rulings.Ruling:
    return rulings.of(steady.update(policy))


def looked(recorded: Path, proposed: str, in_force: str | None = IN_FORCE) -> activation.Seen:
    standing = Standing()
    if in_force is not None:
        standing.take(steady.update(in_force))
    with opened(recorded) as log:
        return activation.look(log, WIRE, standing, from_yaml(proposed), silent)


@pytest.mark.req("E-5")
def test_an_activation_carries_what_was_seen(recorded: Path) -> None:
    seen = looked(recorded, steady.policy("180"))
    activation.refuse(seen, None)
    record = json.loads(seen.record(None))
    assert record["simulation"]["orders"] == {
        "in_force": 10,
        "proposed": 15,
        "extra": 5,
        "allowed": 10,
    }
    assert record["follows"] == steady.update(IN_FORCE).hash
    assert record["policy_hash"] == steady.update(steady.policy("180")).hash
    assert (record["objections"], record["despite"]) == ([], None)
    assert "warning: weaker_way" in record["findings"]
    assert looked(recorded, steady.policy("180")).record(None) == seen.record(None)


@pytest.mark.req("E-5")
def test_objections_are_answered_in_words_or_nothing_is_set(recorded: Path) -> None:
    seen = looked(recorded, TYPO + "guards: {peg_max_dev: 0}\n")
    for silence in (None, "", "  "):
        with pytest.raises(WeirError, match=r"peg_guard_always: .*\n.*20 orders more") as refused:
            activation.refuse(seen, silence)
        assert "--despite REASON" in str(refused.value)
    activation.refuse(seen, "the venue asked for it")
    record = json.loads(seen.record("the venue asked for it"))
    assert record["despite"] == "the venue asked for it"
    assert len(record["objections"]) == 2


def test_what_is_not_simulated_says_why(recorded: Path, tmp_path: Path) -> None:
    first = looked(recorded, TYPO, in_force=None)
    assert (first.simulation, first.why_not) == (None, "no policy is in force yet")
    off = looked(recorded, TYPO, steady.policy("270", "activation: {required: false}\n"))
    assert "activation.required is false" in off.why_not
    empty = looked(steady.folder(tmp_path / "lines", 0, IN_FORCE), TYPO)
    assert empty.why_not == "the log holds no record of the outside yet"
    for seen in (first, off, empty):
        activation.refuse(seen, None)
        assert json.loads(seen.record(None))["why_not_simulated"] == seen.why_not
        assert f"not simulated: {seen.why_not}" in list(seen.lines())
