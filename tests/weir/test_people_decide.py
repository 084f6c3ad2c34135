"""What people do when the machine must not: resolve an intent, redrive a letter, check the record.

One desk whose venue swallows the answer of a transfer, and whose policy gives up looking at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.weir.rig import Rig, Sandbox, control_line, policy_line, rig, until
from weir.home import Home

EXECUTION = {"absence_s": 1, "park_s": 1, "call_start_s": 5}
STATES = "treasury.intent-states.v1"
TRANSFER = "/v5/asset/transfer/inter-transfer"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with rig(Home(tmp_path_factory.mktemp("desk") / "home")) as running:
        sandbox = Sandbox(running, "--fills", "300", "--rate", "100")
        assert running.weir("topics", "create").returncode == 0
        running.run("pipeline", WEIR_CHECKPOINT_S="1")
        running.run("executor", WEIR_VENUES=sandbox.venues, WEIR_POLL_S="1")
        policy = policy_line(1, sandbox.accounts, execution=EXECUTION)
        running.send("orch_config_updates", [policy])
        running.send("treasury.controls.v1", [control_line("ACTIVE", 1)])
        running.await_ready("pipeline")
        running.await_ready("executor")
        sandbox.spoil("drop_after", 1, TRANSFER)
        sandbox.trade()
        yield running


def state(desk: Rig, intent_id: str) -> dict[str, Any]:
    return [one for one in desk.values(STATES) if one["intent_id"] == intent_id][-1]


@pytest.fixture(scope="module")
def parked(desk: Rig) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found = [one for one in desk.values(STATES) if one["state"] == "PARKED"]
        return found[0] if found else None

    found = until(look, "an intent is parked")
    assert found is not None
    return found


@pytest.mark.req("002-23", "002-43", "002-55", "003-63")
def test_a_wish_for_leverage_reaches_the_venue_or_is_refused(
    desk: Rig, parked: dict[str, Any]
) -> None:
    """A request in the book's inbox: proposed, admitted, signed, called, confirmed, recorded."""
    url = f"http://127.0.0.1:{(desk.home.root / 'sandbox.port').read_text().strip()}"
    account = "100002"

    def ask(request_id: str, leverage: str) -> None:
        params = {"symbol": "BTCUSDT", "leverage": leverage}
        body = {"request_id": request_id, "verb": "SET_LEVERAGE", "params": params}
        wish = {"Request": body | {"actors": ["ann"], "reason": "calmer"}}
        line = {"key": f"bybit:{account}", "value": {"meta": None, "body": wish}}
        desk.send("treasury.book-inputs.v1", [line])

    def outcomes() -> list[str]:
        rows = desk.values("treasury.decisions.v1")
        wishes = [row for row in rows if json.loads(row["body"]).get("request_id") in ("w1", "w2")]
        return [row["outcome"] for row in wishes]

    ask("w1", "3")
    ask("w1", "3")
    ask("w2", "5.01")
    wanted = {"SET_LEVERAGE", "leverage_changed", "over_max_leverage"}
    until(lambda: set(outcomes()) == wanted, lambda: f"{outcomes()} of a wish")
    assert len(outcomes()) == len(wanted)
    book = httpx.get(f"{url}/sandbox/books", params={"account": account}).json()
    assert book["accounts"][account]["leverage"] == {"BTCUSDT": "3"}
    assert book["accounts"][account]["counts"]["settings"] == 1
    (made,) = {one["intent_id"] for one in desk.values(STATES) if one["kind"] == "SET_LEVERAGE"}
    assert (state(desk, made)["state"], state(desk, made)["legs"][0]["leg"]) == (
        "CONFIRMED",
        "only",
    )
    wish = next(row for row in desk.values("treasury.decisions.v1") if row["actor"] == "ann")
    unexplained = desk.weir("explain", wish["decision_id"])
    assert unexplained.returncode == 1
    assert "a wish of people" in unexplained.stderr


@pytest.mark.req("000-44", "000-55")
def test_two_people_end_what_the_venue_did_not_tell(desk: Rig, parked: dict[str, Any]) -> None:
    name = parked["intent_id"]
    words = ("resolve", name, "--outcome", "CONFIRMED", "--note", "the venue's statement shows it")
    alone = desk.weir(*words, "--as", "ann", "--as", "ann")
    assert alone.returncode == 1
    assert "two different people" in alone.stderr
    unknown = desk.weir("resolve", "nobody", *words[2:], "--as", "ann", "--as", "bob")
    assert "no intent nobody" in unknown.stderr
    done = desk.weir(*words, "--as", "ann", "--as", "bob")
    assert done.returncode == 0, done.stderr
    assert f"{name}: PARKED -> " in done.stdout, done.stdout
    until(lambda: state(desk, name)["state"] == "CONFIRMED", lambda: str(state(desk, name)))
    late = desk.weir(*words, "--as", "ann", "--as", "bob")
    assert late.returncode == 1
    assert f"intent {name} is CONFIRMED: people resolve what is PARKED" in late.stderr

    def told() -> Any:
        answer = desk.weir("audit", parked["decision_id"], "--json")
        found = json.loads(answer.stdout) if answer.returncode == 0 else {}
        ends = found.get("execution_result", {})
        return found if ends.get(name, {}).get("to") == "CONFIRMED" else None

    story = until(told, "the audit tells the end")
    for part in ("timestamp", "decision_type", "inputs", "logic", "output_action", "approvals"):
        assert story[part], part
    notes = [one["body"]["facts"].get("reason", "") for one in story["records"]]
    assert "ann and bob: the venue's statement shows it" in notes


@pytest.mark.req("000-58")
def test_a_letter_that_is_refused_again_is_a_second_letter(desk: Rig) -> None:
    partition, offset = desk.put("hedge-executions", b"poison", b"bybit:1")
    dead = "hedge-executions.dlq"
    until(lambda: len(desk.lines(dead)) == 1, "the poison is a dead letter")
    listed = json.loads(desk.weir("dlq", "list", "--json").stdout)
    assert [(one["topic"], one["waiting"]) for one in listed] == [(dead, 1)]
    dry = desk.weir("dlq", "redrive", "hedge-executions", "--dry-run")
    assert "1 would be redriven" in dry.stdout
    done = desk.weir("dlq", "redrive", "hedge-executions")
    assert "1 redriven, 0 were before" in done.stdout, done.stderr
    until(lambda: len(desk.lines(dead)) == 3, "letter, mark, and letter again")
    (first, again) = [one for one in desk.lines(dead) if one["value"] is not None]
    assert first["headers"]["__streams.errors.offset"] == str(offset)
    assert again["headers"]["treasury.attempt"] == "2"
    assert again["headers"]["treasury.redrive_of"] == f"{dead}:{partition}:{first['offset']}"
    one = json.loads(desk.weir("dlq", "show", f"{dead}:{partition}:0", "--json").stdout)
    assert (one["redriven"], one["value"]["text"]) == (True, "poison")


@pytest.mark.req("000-62", "000-67")
def test_the_record_is_whole_and_signed(desk: Rig, tmp_path: Path) -> None:
    until(lambda: len(desk.values("treasury.audit-checkpoints.v1")) > 1, "two checkpoints")
    verified = desk.weir("verify-audit")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert verified.stdout.startswith("whole: ")
    export = tmp_path / "audit.jsonl"
    topics = ("treasury.audit-checkpoints.v1", "treasury.audit.v1")
    export.write_text("".join(desk.weir("consume", one, "--json").stdout for one in topics))
    key = desk.home.root / "keys" / "pipeline.pub"
    words = ("verify-audit", "--from-export", str(export), "--public-key", str(key))
    assert desk.weir(*words).returncode == 0
    *lines, last = export.read_text().splitlines()
    export.write_text("\n".join([*lines, last.replace('"outcome', '"outcame')]))
    spoiled = desk.weir(*words)
    assert spoiled.returncode == 1
    assert f"(line {len(lines) + 1}): hash does not fit the record" in spoiled.stdout
