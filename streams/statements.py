"""What a signature is made over: the exact bytes of an approval, a control and a policy.

Each is canonical JSON that names its kind, so that a signature given for one thing never counts for
another. All that a reader acts on is in it; what it is verified with (who, which key) is not taken
from it but from the policy.
"""

from __future__ import annotations

from typing import Any

from schemas.records import Approval, AttemptRecord, Control, PolicyUpdate
from streams.canonical import canonical


def approval_bytes(approval: Approval) -> bytes:
    """What a checker signs: the verdict on one body, by its hash, and until when it counts."""
    return _bytes(
        "approval",
        intent_id=approval.intent_id,
        body_hash=approval.body_hash,
        verdict=approval.verdict,
        approver=approval.approver,
        role=approval.role,
        expires_ms=approval.expires_ms,
    )


def control_bytes(control: Control) -> bytes:
    """What each actor of a control signs: the same bytes, so that one draft goes round."""
    return _bytes(
        "control",
        scope=control.scope,
        mode=control.mode,
        epoch=control.epoch,
        reason=control.reason,
        at_ms=control.at_ms,
    )


def policy_bytes(update: PolicyUpdate) -> bytes:
    """What an admin signs: the hash of the body, the version and hash that it follows, and what its
    simulation came to, if there is one.
    """
    seen = {} if update.simulation is None else {"simulation": update.simulation}
    return _bytes(
        "policy",
        name=update.name,
        version=update.version,
        hash=update.hash,
        previous_hash=update.previous_hash,
        **seen,
    )


def resolution_bytes(record: AttemptRecord) -> bytes:
    """What each of the people signs who say how an attempt ended: one attempt, its end, and why."""
    return _bytes(
        "resolution",
        attempt_id=record.attempt_id,
        intent_id=record.intent_id,
        leg=record.leg,
        n=record.n,
        outcome=record.class_,
        venue_ref=record.venue_ref,
        note=record.message,
        at_ms=record.at_ms,
    )


def _bytes(kind: str, **said: Any) -> bytes:
    return canonical({"kind": kind, **said}).encode()
