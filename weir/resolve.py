"""`weir resolve`: two people say how a parked intent ended, and that goes on the log.

Nothing is decided here: the row is written to treasury.attempts.v1 and the intents node folds it.
What can be seen to be wrong beforehand (the intent is not parked, a name is nobody's, no key) is
refused with a sentence, and nothing is written.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Literal, NamedTuple

from msgspec.structs import replace

from agents import keys
from agents.outside import NotWritten, Outside
from schemas.ids import derive
from schemas.policy import Policy, parse
from schemas.records import AttemptRecord, IntentState
from schemas.wire import Wire
from streams.saga import PARKED
from streams.statements import resolution_bytes
from streams.step import Refused
from streams.testimony import ACTORS, SIGNATURE, people_of
from weir.errors import WeirError
from weir.home import Home
from weir.reading import whole
from weir.topics import partition_counts

STATES, ATTEMPTS = "treasury.intent-states.v1", "treasury.attempts.v1"
POLICIES, LANES = "orch_config_updates", "weir-executor-intents-changelog"
POLL_S = 0.2
CLASS: dict[str, Literal["done", "refused", "not_sent"]] = {
    "CONFIRMED": "done",
    "REJECTED": "refused",
    "READY": "not_sent",
}


SAYS = {"VOID": "REJECTED", "EXPIRED": "REJECTED", "REVERSED": "CONFIRMED", "HELD": "READY"}
"""What people say of an intent that is as it is, where the state itself is none of `CLASS`."""


class Word(NamedTuple):
    """What people say: who, which end, why, and the venue's reference if there is one."""

    people: Sequence[str]
    outcome: str
    note: str
    venue_ref: str | None = None


def resolve(
    bootstrap: str, home: Home, wire: Wire, intent_id: str, word: Word, wait_s: float
) -> str:
    """Writes the row, waits until the intents node has folded it, and says what became of it."""
    before = _state(bootstrap, wire, intent_id)
    halted = _halted(bootstrap, before.lane)
    _check_open(before, halted, word)
    row = _row(before, word)
    policy = _policy(bootstrap, wire)
    if policy is not None and policy.people:
        row = _signed(row, home, word.people)
    try:
        people_of(row, policy)
    except Refused as why:
        raise WeirError(str(why)) from why
    partitions = partition_counts(bootstrap)[ATTEMPTS]
    asyncio.run(_write(bootstrap, wire, partitions, before.lane, row))
    if before.state != PARKED:
        return f"the lane {before.lane} goes on"
    return _after(bootstrap, wire, before, wait_s)


def _check_open(state: IntentState, halted: str, word: Word) -> None:
    if word.outcome not in CLASS:
        raise WeirError(f"--outcome {word.outcome}: must be one of {', '.join(CLASS)}")
    if len(set(word.people)) < 2:
        raise WeirError("two different people resolve: --as ANN --as BOB")
    if not word.note.strip():
        raise WeirError("--note: the evidence in words")
    if state.state == PARKED:
        return
    if not any(line.startswith(f"{state.intent_id}:") for line in halted.splitlines()):
        raise WeirError(f"intent {state.intent_id} is {state.state}: people resolve what is PARKED")
    said = SAYS.get(state.state, state.state)
    if said not in CLASS:
        raise WeirError(
            f"intent {state.intent_id} is {state.state} and its lane is halted ({halted}): the"
            " venue's records are read on; resolve it when it has ended or is PARKED"
        )
    if word.outcome != said:
        raise WeirError(
            f"intent {state.intent_id} is {state.state} and its lane is halted ({halted}):"
            f" --outcome {said} lets the lane go on; another end is a correction of books"
        )


def _row(state: IntentState, word: Word) -> AttemptRecord:
    at_ms = time.time_ns() // 1_000_000
    leg = state.legs[-1]
    people = sorted(set(word.people))
    cause = f"human:{state.intent_id}#{leg.leg}#{leg.n}#{word.outcome}#{','.join(people)}"
    return AttemptRecord(
        attempt_id=derive("human", state.lane, cause, 0, "none", at_ms),
        intent_id=state.intent_id,
        leg=leg.leg,
        n=leg.n,
        kind="HUMAN",
        at_ms=at_ms,
        class_=CLASS[word.outcome],
        venue_ref=word.venue_ref,
        facts={ACTORS: ",".join(people)},
        message=word.note,
    )


def _signed(row: AttemptRecord, home: Home, people: Sequence[str]) -> AttemptRecord:
    payload, facts = resolution_bytes(row), dict(row.facts or {})
    for name in people:
        try:
            facts[f"{SIGNATURE}{name}"] = keys.load(home.root, name).sign(payload)
        except keys.KeyFault as why:
            raise WeirError(str(why)) from why
    return replace(row, facts=facts)


async def _write(
    bootstrap: str, wire: Wire, partitions: int, lane: str, row: AttemptRecord
) -> None:
    outside = Outside(bootstrap, wire, partitions)
    try:
        await outside.write(ATTEMPTS, row, key=lane)
        await outside.close()
    except NotWritten as why:
        raise WeirError(f"{ATTEMPTS}: {why}") from why


def _state(bootstrap: str, wire: Wire, intent_id: str) -> IntentState:
    """The newest state of an intent. A topic is in order within one partition, and an intent's
    lies in one.
    """
    found: IntentState | None = None
    for message in whole(bootstrap, [STATES]):
        if message.key() == intent_id.encode() and message.value():
            found = wire.decode(STATES, message.value() or b"")
    if found is None:
        raise WeirError(f"no intent {intent_id}: `weir consume {STATES}` shows those there are")
    if not found.legs:
        raise WeirError(f"intent {intent_id} is {found.state} and was never handed over")
    return found


def _halted(bootstrap: str, lane: str) -> str:
    """Why a lane stands still; empty if it does not."""
    halted = ""
    for message in whole(bootstrap, [LANES]):
        if message.key() == f"lanes|{lane}".encode():
            halted = str(json.loads(message.value() or b"{}").get("halted", ""))
    return halted


def _policy(bootstrap: str, wire: Wire) -> Policy | None:
    """The newest policy that can be read; the node judges by the one in force."""
    found: Policy | None = None
    for message in whole(bootstrap, [POLICIES]):
        try:
            found = parse(wire.decode(POLICIES, message.value() or b"").body)
        except ValueError:
            continue  # a dead letter of the relay: never in force
    return found


def _after(bootstrap: str, wire: Wire, before: IntentState, wait_s: float) -> str:
    until_s = time.monotonic() + wait_s
    while time.monotonic() < until_s:
        now = _state(bootstrap, wire, before.intent_id)
        if now.updated_ms >= before.updated_ms and now != before:
            leg = now.legs[-1]
            return f"{before.intent_id}: PARKED -> {now.state} (leg {leg.leg} {leg.state})"
        time.sleep(POLL_S)
    return f"written, not folded within {wait_s:g} s: see `weir status` and `weir dlq list`"
