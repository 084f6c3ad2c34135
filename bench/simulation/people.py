"""The people of the desk: they sign what waits for a signature and end what was parked.

They look at the venue for themselves, after everything that was on its way must have arrived; so
what they say is true. Their keys are made from their names, so that a life is the same everywhere.
"""

from __future__ import annotations

import base64
import json
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec.structs import replace

from bench.simulation.books import STOPPED, SUCCESS, UNIFIED, Moved
from bench.simulation.judge import FINAL
from schemas.ids import leg_id
from schemas.records import Approval, AttemptRecord, IntentState
from schemas.signing import PrivateKey
from streams.statements import approval_bytes, resolution_bytes
from streams.testimony import ACTORS, SIGNATURE

if TYPE_CHECKING:
    from bench.simulation.world import World

CHECKERS, OPERATORS = ("ann", "bob"), ("olaf", "pia")
PEOPLE_WAIT_MS = 600_000
SIGN_MS = 300_000
VALID_MS = (4 * 3_600_000, 60_000, 30_000)


@lru_cache
def key(name: str) -> PrivateKey:
    """Somebody's key: not secret, and of no use outside a simulation."""
    secret = sha256(f"simulated {name}".encode()).digest()
    public = Ed25519PrivateKey.from_private_bytes(secret).public_key()
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    jwk = {"kty": "OKP", "crv": "Ed25519", "d": _text(secret), "x": _text(raw)}
    return PrivateKey.from_jwk(name, json.dumps(jwk))


def rows() -> list[dict[str, Any]]:
    """people[] of a policy."""
    checkers = [
        {"id": name, "public_key": key(name).public, "roles": ["approve"], "classes": ["loan"]}
        | {"max_usd": "1000000"}
        for name in CHECKERS
    ]
    operators = [
        {"id": name, "public_key": key(name).public, "roles": ["operate"]} for name in OPERATORS
    ]
    return [*checkers, *operators]


class People:
    """`by_hand` are the intents for which they moved money themselves."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._asked: set[tuple[str, str, int]] = set()
        self.by_hand: set[str] = set()

    def told(self, state: IntentState) -> None:
        """They read what becomes of intents."""
        if state.state == "AWAITING" and not state.reason:
            self._world.act_after(self._world.draw_ms(SIGN_MS), self._sign, state)
        elif state.state == "PARKED" and self._world.swarm.answering:
            leg = state.legs[-1]
            if (state.intent_id, leg.leg, leg.n) not in self._asked:
                self._asked.add((state.intent_id, leg.leg, leg.n))
                wait_ms = self._world.swarm.promise_ms + self._world.draw_ms(PEOPLE_WAIT_MS)
                self._world.act_after(wait_ms, self._resolve, state)

    def halted(self, intent_id: str) -> None:
        """A lane stands still: they look, and let it go on."""
        if self._world.swarm.answering:
            wait_ms = self._world.draw_ms(PEOPLE_WAIT_MS)
            self._world.act_after(wait_ms, self._let_go_on, intent_id)

    def _let_go_on(self, intent_id: str) -> None:
        state = self._world.judge.states[intent_id]
        if state.state not in FINAL:
            return  # then it is parked, and they answer for that
        ended = "done" if state.legs[-1].state == "CONFIRMED" else "refused"
        self._vouch(state, ended, None)

    def _sign(self, state: IntentState) -> None:
        draw = self._world.chance.random()
        if draw < 0.15:
            return  # nobody answers: it ends by itself
        verdict = "deny" if draw < 0.3 else "approve"
        self._say(state, "ann", verdict)
        if verdict == "approve" and self._world.swarm.dual:
            self._say(state, "ann", "approve")  # who signs twice is not two people
            self._world.act_after(self._world.draw_ms(SIGN_MS), self._say, state, "bob", verdict)
        if draw > 0.85:
            self._world.act_after(self._world.draw_ms(20_000), self._say, state, "ann", "revoke")

    def _say(self, state: IntentState, name: str, verdict: str) -> None:
        now_ms = self._world.agenda.now_ms
        word = Approval(
            intent_id=state.intent_id,
            body_hash=state.body_hash,
            verdict=verdict,
            approver=name,
            role="approve",
            jws="",
            expires_ms=now_ms + self._world.chance.choice(VALID_MS),
            at_ms=now_ms,
        )
        signed = replace(word, jws=key(name).sign(approval_bytes(word)))
        self._world.log.write("treasury.approvals.v1", signed, "desk")

    def _resolve(self, state: IntentState) -> None:
        """What the venue knows of the leg; what it does not know of has not been."""
        world, leg = self._world, state.legs[-1]
        books = world.venue.books(state.account_id)
        if world.flying or any(row.steps[-1][1] == 2 for row in books.rows["REPAY"]):
            world.act_after(60_000, self._resolve, state)
            return
        if leg.leg == "return":
            self._bring_back(state)
        causes = {one.cause[:2] for one in books.effects if one.cause is not None}
        row = books.row_of(state.intent_id, leg.leg)
        again = leg.leg == "return" or world.chance.random() < 0.5
        without = "not_sent" if again else "refused"
        class_ = "done" if (state.intent_id, leg.leg) in causes else without
        self._vouch(state, class_, row.id if row is not None and class_ == "done" else None)

    def _vouch(self, state: IntentState, class_: str, row_id: int | None) -> None:
        """Two of them say how an attempt ended, and sign it where the policy knows them."""
        world, leg = self._world, state.legs[-1]
        word = AttemptRecord(
            attempt_id=f"human-{state.intent_id}-{leg.leg}-{leg.n}-{world.agenda.now_ms}",
            intent_id=state.intent_id,
            leg=leg.leg,
            n=leg.n,
            kind="HUMAN",
            at_ms=world.agenda.now_ms,
            class_=class_,
            venue_ref=None if row_id is None else str(row_id),
            facts={ACTORS: ",".join(OPERATORS)},
            message="looked at the venue's own books",
        )
        if world.swarm.people:
            payload, facts = resolution_bytes(word), dict(word.facts or {})
            facts |= {f"{SIGNATURE}{name}": key(name).sign(payload) for name in OPERATORS}
            word = replace(word, facts=facts)
        world.log.write("treasury.attempts.v1", word, state.lane)

    def _bring_back(self, state: IntentState) -> None:
        """A transfer that failed has used up its id: people bring the money back themselves."""
        books, now_ms = self._world.venue.books(state.account_id), self._world.agenda.now_ms
        failed = books.transfers.get(leg_id(state.intent_id, "return"))
        if failed is None or failed.steps[-1][1] != STOPPED:
            return
        cause = (state.intent_id, "return", state.legs[-1].n)
        moved = Moved(failed.amount_e18, UNIFIED, cause, now_ms, [])
        books.settle_transfer(now_ms, moved, SUCCESS)
        self.by_hand.add(state.intent_id)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
