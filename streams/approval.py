"""A checker's word on an intent that waits: counted, or refused with its reason and recorded.

The word is a signature over the hash of the body and the verdict. People, keys, roles and scopes
come from the policy in force at this place of the log, and verifying is pure; so a replay comes to
the same answer. What is refused becomes a dead letter and a decision for the audit, and has no
other effect.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec.structs import replace

from schemas.policy import Person, Policy
from schemas.records import Approval, IntentInput, Meta, Revoke
from schemas.signing import verify
from streams import anomaly, waiting
from streams.canonical import hash_of
from streams.handover import decision
from streams.statements import approval_bytes
from streams.step import DeadLetter, Emit, Entries, Event, InForce, Refused, meta
from tables.gate import Awaiting, Hold, Signed

ROLE = "approve"
_NO_POLICY = Policy()


class Word(msgspec.Struct):
    """One approval with all that is known about its intent and its author."""

    approval: Approval
    at_ms: int
    hold: Hold | None
    waits: Awaiting | None
    person: Person | None
    proven: bool = False


Check = Callable[[Word], DeadLetter | None]


def step(entries: Entries, event: Event, in_force: InForce) -> list[Any]:
    """Folds one record of treasury.approvals.v1."""
    approval: Approval = event.value
    policy = in_force.policy or _NO_POLICY
    waits = _waiting(entries, event)
    hold: Hold | None = entries.get("holds", approval.intent_id)
    word = Word(
        approval=approval,
        at_ms=event.at_ms,
        hold=hold,
        waits=waits,
        person=policy.person(approval.approver),
    )
    stamp = meta(event, in_force, f"approval:{approval.intent_id}#{_hash(approval)}")
    for check in CHECKS:
        letter = check(word)
        if letter is not None:
            return [_decided(word, letter.cause, event, stamp, in_force), letter]
    if hold is not None:
        spent = replace(hold, spent=(*hold.spent, _hash(approval)))
        entries.put("holds", spent, approval.intent_id)
    outputs = _TAKE[approval.verdict](entries, event, in_force, word, stamp)
    return [_decided(word, approval.verdict, event, stamp, in_force), *outputs]


def _waiting(entries: Entries, event: Event) -> Awaiting | None:
    """The intent as it waits now, without the words whose time is over."""
    hold: Hold | None = entries.get("holds", event.value.intent_id)
    if hold is None or hold.state != "AWAITING":
        return None
    found = waiting.find(entries, event.value.intent_id)
    return None if found is None else waiting.lapse(entries, found, event.at_ms)


def unknown_intent(word: Word) -> DeadLetter | None:
    """The gate must have seen the intent."""
    if word.hold is not None:
        return None
    return DeadLetter("unknown_intent", "intent_id", word.approval.intent_id, "never proposed")


def wrong_bytes(word: Word) -> DeadLetter | None:
    """It must speak of the very body that waits."""
    given = word.approval.body_hash
    if word.hold is not None and word.hold.body_hash == given:
        return None
    return DeadLetter("wrong_bytes", "body_hash", given, "is not the hash of the intent's body")


def unknown_person(word: Word) -> DeadLetter | None:
    """The policy must know who speaks."""
    if word.person is not None:
        return None
    return DeadLetter("unknown_person", "approver", word.approval.approver, "is not in the policy")


def signature(word: Word) -> DeadLetter | None:
    """Their key must have signed exactly this word."""
    approval, person = word.approval, word.person
    word.proven = person is not None and verify(
        approval.jws, approval_bytes(approval), person.public_key
    )
    if word.proven:
        return None
    return DeadLetter("signature", "jws", approval.jws[:40], f"does not verify by {_who(word)}")


def role(word: Word) -> DeadLetter | None:
    """They must speak as a checker, and be one."""
    roles = word.person.roles if word.person is not None else ()
    if word.approval.role == ROLE and ROLE in roles:
        return None
    return DeadLetter("role", "role", word.approval.role, f"{_who(word)} is not {ROLE} here")


def expired(word: Word) -> DeadLetter | None:
    """A word counts until the time it names."""
    if word.at_ms <= word.approval.expires_ms:
        return None
    return DeadLetter("expired", "expires", str(word.approval.expires_ms), f"it is {word.at_ms}")


def replayed(word: Word) -> DeadLetter | None:
    """A word is taken once, and a person's approval of one intent counts once."""
    hold, name = word.hold, word.approval.approver
    if hold is None:
        return None
    again = word.approval.verdict == "approve" and name in hold.approvals
    if not again and _hash(word.approval) not in hold.spent:
        return None
    return DeadLetter("replayed", "approver", name, "has said this of the intent already")


def not_awaiting(word: Word) -> DeadLetter | None:
    """It must still wait; what has gone out can only be revoked, by one who let it."""
    hold, name = word.hold, word.approval.approver
    if hold is None:
        return None
    if word.approval.verdict == "revoke":
        if name in hold.approvals and not hold.final:
            return None
        return DeadLetter("not_signed", "approver", name, "has no approval there to take back")
    if word.waits is not None and word.at_ms < word.waits.ends_ms:
        return None
    return DeadLetter("not_awaiting", "intent_id", word.approval.intent_id, f"is {hold.state}")


def self_approved(word: Word) -> DeadLetter | None:
    """Who asked for it does not approve it."""
    if word.approval.verdict != "approve" or word.waits is None:
        return None
    if msgspec.json.decode(word.waits.body)["maker"] != word.approval.approver:
        return None
    return DeadLetter("self_approved", "approver", word.approval.approver, "is the maker")


def scope(word: Word) -> DeadLetter | None:
    """The class must be theirs, and to approve, the amount too: anyone of the class may say no."""
    hold, person = word.hold, word.person
    if hold is None or person is None:
        return None
    usd_e18 = hold.held_usd_e18 if word.approval.verdict == "approve" else 0
    if waiting.in_scope(person, hold.class_, usd_e18):
        return None
    return DeadLetter("scope", "approver", person.id, "may not decide on this class and amount")


CHECKS: tuple[Check, ...] = (
    unknown_intent,
    wrong_bytes,
    unknown_person,
    signature,
    role,
    expired,
    replayed,
    not_awaiting,
    self_approved,
    scope,
)


def _approve(
    entries: Entries, event: Event, in_force: InForce, word: Word, stamp: Meta
) -> list[Any]:
    waits, person = _waits(word), word.person
    key = person.public_key if person is not None else ""
    one = Signed(word.approval.approver, key, word.approval.expires_ms)
    waits = replace(waits, signed=(*waits.signed, one))
    told = waiting.signed(entries, event, in_force, waits, stamp)
    return told + anomaly.approved(event, in_force, word.approval)


def _deny(entries: Entries, event: Event, in_force: InForce, word: Word, stamp: Meta) -> list[Any]:
    _, told = waiting.void(entries, event, _waits(word), "VOID", "denied", stamp)
    return told + waiting.wake(entries, event.at_ms)


def _revoke(
    entries: Entries, event: Event, in_force: InForce, word: Word, stamp: Meta
) -> list[Any]:
    """Before it went out the signature is taken off; afterwards the intents node is asked."""
    name, hold = word.approval.approver, word.hold
    if word.waits is not None:
        left = tuple(one for one in word.waits.signed if one.approver != name)
        return waiting.signed(entries, event, in_force, replace(word.waits, signed=left), stamp)
    body = Revoke(intent_id=word.approval.intent_id, approver=name, reason="approval taken back")
    lane = hold.lane if hold is not None else ""
    return [Emit("treasury.intent-inputs.v1", IntentInput(body=body, meta=stamp), key=lane)]


_TAKE = {"approve": _approve, "deny": _deny, "revoke": _revoke}


def _waits(word: Word) -> Awaiting:
    if word.waits is None:
        raise Refused("not_awaiting", "intent_id", word.approval.intent_id)
    return word.waits


def _hash(approval: Approval) -> str:
    """Of what was signed, not of the signature, whose text has more than one spelling."""
    return hash_of(approval_bytes(approval).decode())[:32]


def _who(word: Word) -> str:
    return word.approval.approver


def _decided(word: Word, outcome: str, event: Event, stamp: Meta, in_force: InForce) -> Emit:
    approval, hold = word.approval, word.hold
    said = {
        "intent_id": approval.intent_id,
        "body_hash": approval.body_hash,
        "verdict": approval.verdict,
        "approver": approval.approver,
        "role": approval.role,
        "expires_ms": approval.expires_ms,
        "given_ms": approval.at_ms,
        "jws": approval.jws,
        "public_key": word.person.public_key if word.person is not None else None,
        "proven": word.proven,
        "state": hold.state if hold is not None else None,
    }
    actor = approval.approver if word.proven else f"unproven:{approval.approver}"
    decision_id = hold.decision_id if hold is not None else approval.intent_id
    return decision(decision_id, outcome, said, event, stamp, in_force, approver=actor)
