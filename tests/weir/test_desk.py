"""People at the desk, on a real broker: what waits, who signs, what a foreigner writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, cast

import pytest
import yaml
from confluent_kafka import Producer
from msgspec.structs import replace

from agents.signatures import INTENTS, signing
from schemas import policy
from schemas.records import Intent, Proposal
from schemas.signing import PrivateKey
from streams.canonical import hash_of
from streams.handover import body_of
from tests.weir.rig import PATIENCE_S, POLICY, WIRE, Rig, Sandbox, rig, until
from weir.home import Home
from weir.replay.log import KafkaLog

STATES = "treasury.intent-states.v1"
PEOPLE = {
    "ann": {"roles": ["operate", "approve"], "classes": ["loan"], "max_usd": "100000"},
    "bob": {"roles": ["operate", "approve"], "classes": ["loan"], "max_usd": "100000"},
    "olaf": {"roles": ["admin"]},
}


@dataclass
class Desk:
    """A rig whose policy names people; everything above one dollar waits for one of them."""

    rig: Rig
    sandbox: Sandbox

    def must(self, *words: str) -> str:
        done = self.rig.weir(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def fails(self, *words: str) -> str:
        done = self.rig.weir(*words)
        assert done.returncode == 1, done.stdout
        return done.stderr

    def state(self, intent_id: str) -> str:
        found = [v for v in self.rig.values(STATES) if v["intent_id"] == intent_id]
        return str(found[-1]["state"]) if found else ""

    def moved(self) -> int:
        """How many operations the venue has booked."""
        accounts = self.sandbox.books()["accounts"].values()
        return sum(
            len(one[kind]) for one in accounts for kind in ("transfers", "repays", "adjusts")
        )


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with rig(Home(tmp_path_factory.mktemp("desk") / "home")) as running:
        sandbox = Sandbox(running, "--accounts", "2", "--fills", "600", "--rate", "200")
        found = Desk(running, sandbox)
        found.must("topics", "create")
        people = [
            yaml.safe_load(found.must("keys", "new", name))[0] | facts
            for name, facts in PEOPLE.items()
        ]
        file = running.home.root / "policy.yaml"
        file.write_text(_policy(sandbox, people))
        running.run("pipeline")
        running.await_ready("pipeline")
        running.run("executor", WEIR_VENUES=sandbox.venues, WEIR_POLL_S="1")
        running.await_ready("executor")
        assert found.must("policy", "set", str(file)).startswith("desk@1, hash ")
        yield found


def _policy(sandbox: Sandbox, people: list[dict[str, Any]], **more: Any) -> str:
    content = json.loads(policy.canonical(policy.from_yaml(POLICY.read_text())))
    content |= {"name": "desk", "people": people, **more}
    content["approvals"]["loan_usd"] = "1"
    content["execution"] |= {"absence_s": 2, "backoff_s": 1, "call_start_s": 5}
    content["accounts"] = [
        {
            "account_id": f"bybit:{number}",
            "loan_precision": {"USDT": 4},
            "collateral_precision": {"USDT": 4},
        }
        for number in sandbox.accounts
    ]
    return yaml.safe_dump(content)


def _waiting(desk: Desk) -> list[dict[str, Any]]:
    return [json.loads(line) for line in desk.must("holds", "--json").splitlines()]


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
    (first, *_) = until(lambda: _waiting(desk), "something waits")
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
    (waits, *_) = until(lambda: _waiting(desk), "something waits")
    before = desk.moved()
    assert "all PAUSED, epoch 2, by ann" in desk.must("pause", "--as", "ann", "--reason", "drill")
    until(lambda: _epoch(desk) == 2, "the gate knows of the pause")
    said = desk.must("approve", waits["intent_id"], "--as", "ann")
    assert "the intent is AWAITING" in said
    held = next(one for one in _waiting(desk) if one["intent_id"] == waits["intent_id"])
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
@pytest.mark.parametrize("fault", ["unsigned", "altered", "stranger"])
def test_a_foreign_intent_is_a_dead_letter_and_no_call_is_made(desk: Desk, fault: str) -> None:
    """A producer with access to the topic repeats a real intent under another id."""
    before, letters = desk.moved(), len(desk.rig.lines(f"{INTENTS}.dlq"))
    _foreign(desk, fault)
    found = until(lambda: desk.rig.lines(f"{INTENTS}.dlq")[letters:], "it is refused")
    assert [one["headers"]["treasury.outcome"] for one in found] == ["signature"]
    assert not desk.state(f"foreign-{fault}")
    assert desk.moved() == before


@pytest.mark.req("000-16")
def test_a_policy_is_set_by_an_admin_or_not_at_all(desk: Desk) -> None:
    file = desk.rig.home.root / "next.yaml"
    content = yaml.safe_load((desk.rig.home.root / "policy.yaml").read_text())
    file.write_text(yaml.safe_dump(content | {"name": "next"}))
    assert "an admin must sign" in desk.fails("policy", "set", str(file))
    assert "no role admin" in desk.fails("policy", "set", str(file), "--as", "ann")
    assert "next@2" in desk.must("policy", "set", str(file), "--as", "olaf")
    assert "in force already" in desk.must("policy", "set", str(file), "--as", "olaf")
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


def _foreign(desk: Desk, fault: str) -> None:
    """Writes what a producer with access to the topic could: all right but the header."""
    model = desk.rig.lines(INTENTS)[0]
    log = KafkaLog(desk.rig.bootstrap)
    with closing(log.read([INTENTS])) as reader:
        record = reader.next(INTENTS, model["partition"], PATIENCE_S)
    assert record is not None
    intent: Intent = WIRE.decode(INTENTS, record.value or b"")
    value = WIRE.encode(INTENTS, _renamed(intent, f"foreign-{fault}"))
    headers = dict(record.headers)
    if fault == "unsigned":
        del headers["jws"]
    elif fault == "stranger":
        headers["jws"] = signing(PrivateKey.new("pipeline"))[INTENTS](None, value)["jws"].encode()
    producer = Producer({"bootstrap.servers": desk.rig.bootstrap, "log_level": 0})
    placed = record.partition
    producer.produce(INTENTS, value, record.key, placed, headers=list(headers.items()))
    assert producer.flush(PATIENCE_S) == 0


def _renamed(intent: Intent, intent_id: str) -> Intent:
    """Another intent, whole and with the right hash of its body."""
    other = replace(intent, intent_id=intent_id)
    body = body_of(cast(Proposal, other), other.amount_e18)
    return replace(other, body_hash=hash_of(body))
