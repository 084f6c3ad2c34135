"""A desk on a real broker whose policy names people, and what a foreigner could write to it.

Everything above one dollar waits for one of the people.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, cast

import yaml
from confluent_kafka import Producer
from msgspec.structs import replace

from agents import keys
from agents.signatures import INTENTS, answering, signing
from schemas import policy
from schemas.money import parse_e18
from schemas.records import Approval, AttemptRecord, DeskInput, Intent, IntentOutcome, Proposal
from schemas.signing import PrivateKey
from streams.canonical import hash_of
from streams.handover import body_of
from streams.statements import approval_bytes
from tests.weir.rig import PATIENCE_S, POLICY, WIRE, Rig, Sandbox, rig
from weir.home import Home
from weir.replay.log import KafkaLog

STATES, ALERTS = "treasury.intent-states.v1", "treasury.alerts.v1"
APPROVALS, ATTEMPTS = "treasury.approvals.v1", "treasury.attempts.v1"
DESK_INPUTS, DECISIONS = "treasury.desk-inputs.v1", "treasury.decisions.v1"
FAR_MS = 4_000_000_000_000
PEOPLE = {
    "ann": {"roles": ["operate", "approve"], "classes": ["loan"], "max_usd": "100000"},
    "bob": {"roles": ["operate", "approve"], "classes": ["loan"], "max_usd": "100000"},
    "olaf": {"roles": ["admin"]},
}


@dataclass
class Desk:
    """The rig, its venue, and what is seen of both."""

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

    def waiting(self) -> list[dict[str, Any]]:
        """What waits for a signature."""
        return [json.loads(line) for line in self.must("holds", "--json").splitlines()]

    def letters(self, topic: str) -> list[dict[str, Any]]:
        """The dead letters of a topic."""
        return self.rig.lines(f"{topic}.dlq")

    def alerts(self, key: str) -> list[dict[str, Any]]:
        """The alerts of one key."""
        return [one for one in self.rig.values(ALERTS) if one["key"] == key]


@contextmanager
def opened(home: Home) -> Iterator[Desk]:
    """A desk whose workers run; nobody has resumed it and nothing has been traded."""
    with rig(home) as running:
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
    content["anomaly"]["ops_per_hour"] = 1
    content["accounts"] = [
        {
            "account_id": f"bybit:{number}",
            "loan_precision": {"USDT": 4},
            "collateral_precision": {"USDT": 4},
        }
        for number in sandbox.accounts
    ]
    return yaml.safe_dump(content)


def word(desk: Desk, state: dict[str, Any], key: str = "ann", **changes: Any) -> bytes:
    """An approval of what waits, signed by somebody's key."""
    bare = Approval(
        intent_id=state["intent_id"],
        body_hash=state["body_hash"],
        verdict="approve",
        approver="ann",
        role="approve",
        jws="",
        expires_ms=FAR_MS,
        at_ms=1_760_000_000_000,
    )
    bare = replace(bare, **changes)
    signed = keys.load(desk.rig.home.root, key).sign(approval_bytes(bare))
    return WIRE.encode(APPROVALS, replace(bare, jws=signed))


def outcome(of: dict[str, Any], **changes: Any) -> bytes:
    """An outcome for the gate that the executor never wrote: confirmed for a coin more."""
    granted = parse_e18(of["amount"])
    body = IntentOutcome(
        intent_id=of["intent_id"],
        decision_id=of["decision_id"],
        kind=of["kind"],
        class_="loan",
        origin="book",
        account_id=of["account_id"],
        lane=of["lane"],
        state="CONFIRMED",
        asked_e18=granted,
        granted_e18=granted,
        amount_done_e18=granted + 10**18,
        ccy=of["ccy"],
        venue_refs=(),
        facts={},
        final=True,
        at_ms=1_760_000_000_000,
    )
    return WIRE.encode(DESK_INPUTS, DeskInput(body=replace(body, **changes)))


def answer(intent_id: str, n: int, class_: str = "done") -> bytes:
    """A result that the runner never wrote."""
    record = AttemptRecord("a", intent_id, "main", n, "RESULT", 1_760_000_000_000, class_=class_)
    return WIRE.encode(ATTEMPTS, record)


def signed_as(desk: Desk, name: str, lane: bytes, value: bytes) -> dict[str, str]:
    """The headers of an answer by a key of this home."""
    return answering(keys.load(desk.rig.home.root, name))[ATTEMPTS](lane.decode(), None, value)


def foreign(desk: Desk, fault: str) -> None:
    """Writes what a producer with access to the topic could: all right but the header."""
    model = desk.rig.lines(INTENTS)[0]
    log = KafkaLog(desk.rig.bootstrap)
    with closing(log.read([INTENTS])) as reader:
        record = reader.next(INTENTS, model["partition"], PATIENCE_S)
    assert record is not None
    intent: Intent = WIRE.decode(INTENTS, record.value or b"")
    intent = _changed(intent, f"foreign-{fault}", 2 if fault == "above the hold" else 1)
    value = WIRE.encode(INTENTS, intent)
    headers = dict(record.headers)
    if fault == "unsigned":
        del headers["jws"]
    elif fault == "stranger":
        signed = signing(PrivateKey.new("pipeline"))[INTENTS]("", None, value)
        headers["jws"] = signed["jws"].encode()
    producer = Producer({"bootstrap.servers": desk.rig.bootstrap, "log_level": 0})
    placed = record.partition
    producer.produce(INTENTS, value, record.key, placed, headers=list(headers.items()))
    assert producer.flush(PATIENCE_S) == 0


def _changed(intent: Intent, intent_id: str, times: int) -> Intent:
    """Another intent, whole and with the right hash of its body."""
    other = replace(intent, intent_id=intent_id, amount_e18=times * intent.amount_e18)
    body = body_of(cast(Proposal, other), other.amount_e18)
    return replace(other, body_hash=hash_of(body))
