"""People at the desk, on a real broker: what waits, who signs, what a foreigner writes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
import yaml

from agents.signatures import INTENTS
from tests.weir.desk import (
    APPROVALS,
    ATTEMPTS,
    DECISIONS,
    DESK_INPUTS,
    STATES,
    Desk,
    answer,
    foreign,
    opened,
    outcome,
    signed_as,
    word,
)
from tests.weir.rig import until
from weir.home import Home


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with opened(Home(tmp_path_factory.mktemp("desk") / "home")) as found:
        yield found


@pytest.mark.req("000-54", "000-59", "000-73")
def test_from_a_hold_to_the_venue_by_a_signature(desk: Desk) -> None:
    assert "takes 2 people" in desk.fails("resume", "--as", "ann")
    assert "no role operate" in desk.fails("pause", "--as", "olaf")
    draft = str(desk.rig.home.root / "resume.json")
    said = desk.must("resume", "--as", "ann", "--draft", draft, "--reason", "the day begins")
    assert "is signed by ann" in said
    assert "all ACTIVE, epoch 1, by ann, bob" in desk.must(
        "resume", "--as", "bob", "--draft", draft
    )
    desk.sandbox.trade()
    until(lambda: desk.sandbox.books()["hedger"]["done"], "the hedger is done")
    (first, *_) = until(lambda: desk.waiting(), "something waits")
    assert desk.moved() == 0
    assert first["may_sign"] == ["ann", "bob"]
    intent_id = first["intent_id"]
    shown = desk.must("holds")
    assert first["body"] in shown
    assert first["body_hash"] in shown
    assert "does not count: role" in desk.fails("approve", intent_id, "--as", "olaf")
    assert "no key of eve" in desk.fails("approve", intent_id, "--as", "eve")
    assert "counts: the intent is READY" in desk.must("approve", intent_id, "--as", "bob")
    until(lambda: desk.state(intent_id) == "CONFIRMED", "the venue has confirmed")
    assert desk.moved() == 2
    assert "does not wait" in desk.fails("approve", intent_id, "--as", "bob")


@pytest.mark.req("000-59")
def test_a_pause_holds_what_was_approved_until_two_resume(desk: Desk) -> None:
    (waits, *_) = until(lambda: desk.waiting(), "something waits")
    before = desk.moved()
    assert "all PAUSED, epoch 2, by ann" in desk.must("pause", "--as", "ann", "--reason", "drill")
    until(lambda: _epoch(desk) == 2, "the gate knows of the pause")
    said = desk.must("approve", waits["intent_id"], "--as", "ann")
    assert "the intent is AWAITING" in said
    held = next(one for one in desk.waiting() if one["intent_id"] == waits["intent_id"])
    assert (held["held_by_pause"], held["signed"]) == (True, ["ann"])
    assert desk.moved() == before
    assert "epoch 3" in desk.must("resume", "--as", "ann", "--as", "bob")
    until(lambda: desk.state(waits["intent_id"]) == "CONFIRMED", "it has gone out")
    assert desk.moved() == before + 2


@pytest.mark.req("000-59", "000-73")
def test_an_unsigned_control_is_a_dead_letter(desk: Desk) -> None:
    line = {"scope": "all", "mode": "PAUSED", "epoch": 9, "reason": "x", "actors": ["ann"]}
    line |= {"jws": [], "at": "2026-01-05T08:00:00.000Z"}
    desk.rig.send("treasury.controls.v1", [{"value": line}])
    letters = "treasury.controls.v1.dlq"
    (letter,) = until(lambda: desk.rig.lines(letters), "it is refused")
    assert letter["headers"]["treasury.outcome"] == "signature"


@pytest.mark.req("000-72", "000-73")
@pytest.mark.parametrize("fault", ["unsigned", "altered", "above the hold", "stranger"])
def test_a_foreign_intent_is_a_dead_letter_and_no_call_is_made(desk: Desk, fault: str) -> None:
    """A producer with access to the topic repeats a real intent under another id."""
    before, letters = desk.moved(), len(desk.rig.lines(f"{INTENTS}.dlq"))
    foreign(desk, fault)
    found = until(lambda: desk.rig.lines(f"{INTENTS}.dlq")[letters:], "it is refused")
    assert [one["headers"]["treasury.outcome"] for one in found] == ["signature"]
    assert not desk.state(f"foreign-{fault}")
    assert desk.moved() == before


class Bad(NamedTuple):
    """What a foreigner writes of an intent that waits and of one that is done, and the refusal."""

    name: str
    topic: str
    cause: str
    value: Callable[[Desk, dict[str, Any], dict[str, Any]], bytes]
    signed: str = ""
    """By whose key."""


BAD = [
    Bad("malformed approval", APPROVALS, "decode", lambda *_: b"approve everything"),
    Bad("unknown intent", APPROVALS, "unknown_intent",
        lambda desk, waits, _: word(desk, waits, intent_id="nobody")),
    Bad("other bytes", APPROVALS, "wrong_bytes",
        lambda desk, waits, _: word(desk, waits, body_hash="0" * 64)),
    Bad("no approver of ours", APPROVALS, "unknown_person",
        lambda desk, waits, _: word(desk, waits, approver="eve")),
    Bad("somebody else's key", APPROVALS, "signature",
        lambda desk, waits, _: word(desk, waits, key="olaf")),
    Bad("more than the hold", DESK_INPUTS, "signature", lambda _, __, done: outcome(done)),
    Bad("an end of what waits", DESK_INPUTS, "signature",
        lambda _, waits, __: outcome(waits, state="REJECTED", amount_done_e18=0)),
    Bad("an answer that nobody gave", ATTEMPTS, "signature",
        lambda _, __, done: answer(done["intent_id"], 1, "refused")),
    Bad("an answer that the pipeline gives", ATTEMPTS, "signature",
        lambda _, __, done: answer(done["intent_id"], 1, "refused"), "pipeline"),
    Bad("an answer for nobody", ATTEMPTS, "unknown_intent",
        lambda *_: answer("nobody", 1), "executor"),
    Bad("an answer nobody asked for", ATTEMPTS, "unknown_attempt",
        lambda _, __, done: answer(done["intent_id"], 99), "executor"),
    Bad("no intent at all", INTENTS, "decode", lambda *_: b"{}"),
]  # fmt: skip


@pytest.mark.req("000-58", "000-72", "000-73")
def test_what_is_bad_is_refused_recorded_and_alerted_and_no_call_is_made(desk: Desk) -> None:
    (waits, *_) = until(desk.waiting, "something waits")
    states = {one["intent_id"]: one for one in desk.rig.values(STATES)}
    waits = states[waits["intent_id"]]
    done = next(one for one in states.values() if one["state"] == "CONFIRMED")
    before = desk.moved()
    placed = [_put(desk, bad, waits, done) for bad in BAD]
    for bad, place in zip(BAD, placed, strict=True):
        letter = _letter(desk, bad.topic, place)
        assert letter["headers"]["treasury.outcome"] == bad.cause, bad.name
    for topic in {bad.topic for bad in BAD}:
        alert = _told(desk, topic, len(desk.letters(topic)))
        assert any(f", {bad.cause}: " in alert["text"] for bad in BAD if bad.topic == topic), alert
    assert desk.moved() == before
    assert desk.state(waits["intent_id"]) == "AWAITING"
    assert desk.state(done["intent_id"]) == "CONFIRMED"
    refused = [bad.cause for bad in BAD if bad.topic == APPROVALS and bad.cause != "decode"]
    words = [one["outcome"] for one in desk.rig.values(DECISIONS) if one["kind"] == "APPROVAL"]
    assert words[-len(refused) :] == refused


def _put(desk: Desk, bad: Bad, waits: dict[str, Any], done: dict[str, Any]) -> tuple[int, int]:
    key, value = _key(bad, done), bad.value(desk, waits, done)
    headers = signed_as(desk, bad.signed, key, value) if bad.signed else {}
    return desk.rig.put(bad.topic, value, key, headers=headers)


def _key(bad: Bad, done: dict[str, Any]) -> bytes:
    at_the_desk = bad.topic in (APPROVALS, DESK_INPUTS)
    return b"desk" if at_the_desk else str(done["lane"]).encode()


def _letter(desk: Desk, topic: str, place: tuple[int, int]) -> Any:
    """The dead letter of the record at a place."""

    def look() -> Any:
        for one in desk.letters(topic):
            offset = one["headers"]["__streams.errors.offset"]
            if (one["partition"], offset) == (place[0], str(place[1])):
                return one
        return None

    return until(look, f"{topic}{place} is a dead letter")


def _told(desk: Desk, topic: str, count: int) -> Any:
    """The alert that so many letters wait in a topic."""

    def look() -> Any:
        found = desk.alerts(f"dead-letters|{topic}")
        return next((one for one in found if one["labels"]["letters"] == str(count)), None)

    alert = until(look, f"{count} letters of {topic} are told")
    assert alert["state"] == "firing"
    return alert


@pytest.mark.req("000-72", "000-73")
def test_forged_intents_are_told_at_once(desk: Desk) -> None:
    forged = desk.alerts(f"dead-letters|{INTENTS}")
    assert {one["severity"] for one in forged} == {"critical"}
    assert any("the intent is not signed" in one["text"] for one in forged)


@pytest.mark.req("000-74")
def test_an_unusual_pace_is_told(desk: Desk) -> None:
    (alert,) = desk.alerts("anomaly|ops_per_hour|desk")
    assert alert["state"] == "firing"
    assert alert["text"].startswith("more than 1 operations were granted within an hour, the last:")


@pytest.mark.req("000-45", "000-73")
def test_a_policy_is_set_by_an_admin_or_not_at_all(desk: Desk) -> None:
    file = desk.rig.home.root / "next.yaml"
    content = yaml.safe_load((desk.rig.home.root / "policy.yaml").read_text())
    file.write_text(yaml.safe_dump(content | {"name": "next"}))
    assert "an admin must sign" in desk.fails("policy", "set", str(file))
    assert "no role admin" in desk.fails("policy", "set", str(file), "--as", "ann")
    assert "next@2" in desk.must("policy", "set", str(file), "--as", "olaf")
    assert "in force already" in desk.must("policy", "set", str(file), "--as", "olaf")
    seen = json.loads(desk.rig.values("orch_config_updates")[-1]["simulation"])
    assert seen["simulation"]["orders"]["extra"] == 0
    assert seen["simulation"]["in_force"]["policy_hash"] == seen["follows"]
    file.write_text(yaml.safe_dump(content | {"guards": {"peg_max_dev": 0}}))
    refused = desk.fails("policy", "set", str(file), "--as", "olaf")
    assert "peg_guard_always: a stablecoin is hardly ever at 1" in refused
    assert "--despite REASON" in refused
    file.write_text("limits: {loan: {min_usd: -1}}")
    assert "limits.loan.min_usd=-1: must not be negative" in desk.fails("policy", "set", str(file))


def test_a_replay_passes_over_what_was_refused_and_says_that_nobody_decided_it(desk: Desk) -> None:
    """Every transaction comes out as recorded; only then the foreign intents are left over."""
    done = desk.rig.weir("replay", "--check", "--json")
    found = json.loads(done.stdout)["difference"]
    assert found["what"] == "surplus", found
    assert found["recorded"]["value"]["intent_id"].startswith("foreign-")
    assert found["replayed"] is None


def _epoch(desk: Desk) -> int:
    bodies = [value["body"] for value in desk.rig.values("treasury.desk-inputs.v1")]
    copies = [body["ControlCopy"] for body in bodies if "ControlCopy" in body]
    return max((copy["epoch"] for copy in copies), default=0)
