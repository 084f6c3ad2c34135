"""`weir holds`, `approve`, `deny` and `revoke`: what waits for a checker, and a checker's word.

What waits is read from the gate's own table, as its changelog holds it: the exact body, its hash,
until when it waits and who has signed. A word is signed over that hash; whether it counts the gate
decides, and says so.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from agents.keys import KeyFault, load
from agents.wiring import partition_of
from schemas.jsonform import iso
from schemas.money import text_e18
from schemas.policy import Policy
from schemas.records import Approval
from schemas.wire import Wire
from streams import waiting
from streams.canonical import hash_of
from streams.statements import approval_bytes
from tables.gate import GATE, Awaiting, Hold
from weir.controls import standing_of, write
from weir.errors import WeirError
from weir.home import home
from weir.replay.log import KafkaLog, Reader

CHANGELOG = "weir-pipeline-gate-changelog"
APPROVALS = "treasury.approvals.v1"
LETTERS = f"{APPROVALS}.dlq"
DESK = "desk"
ANSWER_S = 15.0
Verdict = Literal["approve", "deny", "revoke"]


@dataclass(frozen=True)
class Waiting:
    """One intent that waits, with what its checkers must know."""

    hold: Hold
    waits: Awaiting
    policy: Policy | None

    @property
    def body_hash(self) -> str:
        """What a checker signs, computed here from the body and not taken from anyone's word."""
        return hash_of(self.waits.body)

    @property
    def may_sign(self) -> list[str]:
        """Who may still approve it."""
        if self.policy is None:
            return []
        maker = msgspec.json.decode(self.waits.body)["maker"]
        signed = {one.approver for one in self.waits.signed}
        return [
            person.id
            for person in self.policy.people
            if "approve" in person.roles
            and person.id not in {maker, *signed}
            and waiting.in_scope(person, self.hold.class_, self.hold.held_usd_e18)
        ]

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        asks = waiting.needed(self.policy, self.hold.held_usd_e18) if self.policy else 1
        return {
            "intent_id": self.waits.intent_id,
            "kind": self.hold.kind,
            "account_id": self.hold.account_id,
            "amount": text_e18(self.hold.granted_e18),
            "ccy": self.hold.ccy,
            "usd": text_e18(self.hold.held_usd_e18),
            "until": iso(self.waits.ends_ms),
            "ends_as": self.waits.ends_as,
            "needed": asks,
            "signed": [one.approver for one in self.waits.signed],
            "may_sign": self.may_sign,
            "held_by_pause": self.waits.held,
            "body": self.waits.body,
            "body_hash": self.body_hash,
        }


def lines(found: list[Waiting]) -> Iterator[str]:
    """For people: a paragraph for each."""
    for said in (one.as_json() for one in found):
        signed, may = ", ".join(said["signed"]), ", ".join(said["may_sign"])
        yield f"{said['intent_id']}  {said['kind']} {said['amount']} {said['ccy']}"
        yield f"  account  {said['account_id']}, {said['usd']} USD"
        yield f"  until    {said['until']}, then {said['ends_as']}"
        yield f"  signed   {signed or 'by nobody'}, {said['needed']} needed" + (
            "; held by a pause" if said["held_by_pause"] else ""
        )
        yield f"  may sign {may or 'nobody: see people[] of the policy'}"
        yield f"  body     {said['body']}"
        yield f"  sha256   {said['body_hash']}"
    if not found:
        yield "nothing waits for a signature"


def holds(bootstrap: str, wire: Wire) -> list[Waiting]:
    """All that waits now, what ends first in front."""
    policy = standing_of(bootstrap, wire).policy
    log = KafkaLog(bootstrap)
    entries: dict[str, Any] = {}
    with closing(log.read([CHANGELOG])) as reader:
        for partition in range(log.partitions(CHANGELOG)):
            entries |= _entries(reader, partition)
    awaits = sorted(key for key in entries if key.startswith("awaiting|"))
    found = []
    for key in awaits:
        _, desk, _, intent_id = key.split("|", 3)
        found.append(Waiting(entries[f"holds|{desk}|{intent_id}"], entries[key], policy))
    return found


def say(
    bootstrap: str, wire: Wire, verdict: Verdict, intent_id: str, name: str, valid_s: int
) -> str:
    """Signs and writes a checker's word, and waits for the gate's answer to it. Raises WeirError,
    with the gate's reason, if it does not count.
    """
    try:
        key = load(home().root, name)
    except KeyFault as why:
        raise WeirError(str(why)) from why
    now_ms = time.time_ns() // 1_000_000
    word = Approval(
        intent_id=intent_id,
        body_hash=_body_hash(bootstrap, wire, verdict, intent_id),
        verdict=verdict,
        approver=name,
        role="approve",
        jws="",
        expires_ms=now_ms + valid_s * 1000,
        at_ms=now_ms,
    )
    word = replace(word, jws=key.sign(approval_bytes(word)))
    offset = asyncio.run(write(bootstrap, wire, APPROVALS, word))
    return _answer(bootstrap, word, offset)


def _body_hash(bootstrap: str, wire: Wire, verdict: Verdict, intent_id: str) -> str:
    """The hash to sign: of what waits, or, to take a word back, of what has gone out."""
    known = next((one for one in holds(bootstrap, wire) if one.waits.intent_id == intent_id), None)
    if known is not None:
        return known.body_hash
    log = KafkaLog(bootstrap)
    if verdict == "revoke":
        with closing(log.read([CHANGELOG])) as reader:
            entries = _entries(reader, partition_of(DESK, log.partitions(CHANGELOG)))
        hold: Hold | None = entries.get(f"holds|{DESK}|{intent_id}")
        if hold is not None:
            return hold.body_hash
    raise WeirError(f"{intent_id} does not wait for a signature: see `weir holds`")


def _answer(bootstrap: str, word: Approval, offset: int) -> str:
    """What the gate made of a word: its table tells when it counts, a dead letter when it does
    not.
    """
    log = KafkaLog(bootstrap)
    partition = partition_of(DESK, log.partitions(APPROVALS))
    mark, key = hash_of(approval_bytes(word).decode())[:32], f"holds|{DESK}|{word.intent_id}"
    until_s = time.monotonic() + ANSWER_S
    with closing(log.read([CHANGELOG, LETTERS])) as reader:
        while time.monotonic() < until_s:
            hold: Hold | None = _entries(reader, partition, 0.1).get(key)
            if hold is not None and mark in hold.spent:
                return f"{word.verdict} by {word.approver} counts: the intent is {hold.state}"
            while (letter := reader.next(LETTERS, partition, 0.1)) is not None:
                headers = dict(letter.headers)
                if headers.get("__streams.errors.offset") == str(offset).encode():
                    told = headers["__streams.errors.message"] or b""
                    why = told.decode(errors="replace")
                    raise WeirError(f"{word.verdict} by {word.approver} does not count: {why}")
    return f"{word.verdict} by {word.approver} is written; the gate has not answered yet"


def _entries(reader: Reader, partition: int, wait_s: float = 0.0) -> dict[str, Any]:
    """The table's entries that matter here; what was deleted is gone."""
    found: dict[str, Any] = {}
    while (record := reader.next(CHANGELOG, partition, wait_s)) is not None:
        key = (record.key or b"").decode()
        if not key.startswith(("awaiting|", "holds|")):
            continue
        found.pop(key, None)
        if record.value is not None:
            found[key] = GATE.loads(key, record.value)
    return found
