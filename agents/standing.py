"""What holds now, as two topics tell it: the policy with its people, and the mode of each scope.

Who may change what is decided here, where the relay and the executor's own reading of the pause
meet.

While the policy names nobody, a control needs no signature, as before there were people. From then
on a control counts only if every actor it names is a person who operates and has signed it; making
a mode stricter takes one of them, making it looser two. Its epoch must rise, so a control that was
good once cannot be written again. Once an admin is named, a policy must follow the one in force and
be signed by one of them.

That a log was imported needs no signature and cannot be taken back, because it only keeps money in;
it counts as the first control alone, so nobody can stop a log that lives with it.

Records of the two topics are taken by their own times, each topic in its order. Whoever may write
to the topics can put an unsigned record in front of the first people by an old time; that would
raise the epoch the executor waits for, so money stays in until the next control.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from heapq import merge
from itertools import accumulate
from typing import Any, Final, NamedTuple

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

from schemas.policy import Person, Policy, parse, policy_hash
from schemas.records import Control, PolicyUpdate
from schemas.signing import signer, verify
from schemas.wire import Undecodable, Wire
from streams.statements import control_bytes, policy_bytes
from streams.step import IMPORTED, STRICTNESS, Refused

POLICIES, CONTROLS = "orch_config_updates", "treasury.controls.v1"
BY_PERSON: Final = "rest"
"""The source of a policy that a person set, by REST or from the command line."""
PATIENCE_POLLS = 60


class Told(NamedTuple):
    """One record of either topic."""

    topic: str
    offset: int
    at_ms: int
    value: PolicyUpdate | Control


@dataclass
class Standing:
    """Folds what was told; `judge` says whether the next record counts."""

    update: PolicyUpdate | None = None
    policy: Policy | None = None
    before: PolicyUpdate | None = None
    """The last that stood with other content than the one that stands."""
    controls: dict[str, Control] = field(default_factory=dict)

    @classmethod
    def of(cls, told: Iterable[Told]) -> Standing:
        """The standing after these records; what does not count is passed over."""
        standing = cls()
        for one in _in_time(told):
            try:
                standing.judge(one.value)
            except Refused:
                continue
            standing.take(one.value)
        return standing

    @property
    def people(self) -> tuple[Person, ...]:
        """Everyone the policy in force names."""
        return self.policy.people if self.policy is not None else ()

    @property
    def epoch(self) -> int:
        """The pause epoch: 0 without any control."""
        return max((control.epoch for control in self.controls.values()), default=0)

    @property
    def imported(self) -> bool:
        """Whether the log was brought in from files."""
        return IMPORTED in self.controls

    def mode(self, scope: str) -> str:
        """The mode of a scope by itself: all is paused until it is said otherwise."""
        known = self.controls.get(scope)
        return known.mode if known is not None else "PAUSED" if scope == "all" else "ACTIVE"

    def signatures_needed(self, scope: str, mode: str) -> int:
        """How many people must sign a change of mode."""
        if not self.people:
            return 0
        looser = STRICTNESS.index(mode) < STRICTNESS.index(self.mode(scope))
        return 2 if looser else 1

    def take(self, value: PolicyUpdate | Control) -> None:
        """Puts a record that counts in force."""
        if isinstance(value, Control):
            self.controls[value.scope] = value
            return
        if self.update is not None and self.update.hash != value.hash:
            self.before = self.update
        self.update, self.policy = value, parse(value.body)

    def judge(self, value: PolicyUpdate | Control) -> None:
        """Raises Refused, naming cause and field, for a record that does not count."""
        if isinstance(value, Control):
            self._control(value)
        else:
            self._policy(value)

    def _control(self, control: Control) -> None:
        if control.mode not in STRICTNESS:
            raise Refused("mode", "mode", control.mode, f"is none of {', '.join(STRICTNESS)}")
        if control.scope == IMPORTED:
            if self.controls or (control.mode, control.epoch) != ("PAUSED", 0):
                why = "only the first control of a log can say it, and nothing takes it back"
                raise Refused("scope", "scope", control.scope, why)
            return
        if not self.people:
            return
        if control.epoch <= self.epoch:
            raise Refused("epoch", "epoch", control.epoch, f"must be above {self.epoch}")
        if len(set(control.actors)) != len(control.actors):
            raise Refused("actors", "actors", control.actors, "somebody stands there twice")
        if len(control.jws) != len(control.actors):
            raise Refused("signature", "jws", len(control.jws), "one signature of each actor")
        signed = control_bytes(control)
        for name, jws in zip(control.actors, control.jws, strict=True):
            self._person(name, "operate", jws, signed)
        needed = self.signatures_needed(control.scope, control.mode)
        if len(control.actors) < needed:
            change = f"{self.mode(control.scope)} to {control.mode}"
            raise Refused("approval", "actors", control.actors, f"{change} takes {needed} people")

    def _policy(self, update: PolicyUpdate) -> None:
        try:
            parse(update.body)
        except ValueError as why:
            raise Refused("policy", "body", update.name, str(why)) from why
        if policy_hash(update.body) != update.hash:
            raise Refused("policy", "hash", update.hash, "is not the hash of the body")
        if self.update is None or not any("admin" in person.roles for person in self.people):
            return
        if update.previous_hash != self.update.hash or update.version <= self.update.version:
            last = f"{self.update.name}@{self.update.version} of {self.update.hash}"
            raise Refused("policy", "previous_hash", update.previous_hash, f"must follow {last}")
        if not update.signatures:
            raise Refused("signature", "signatures", "", "an admin must sign a policy")
        for jws in update.signatures:
            self._person(signer(jws), "admin", jws, policy_bytes(update))
        if self._is_unseen(update):
            asks = "by activation.required a person's policy is simulated before it counts"
            raise Refused("simulation", "simulation", update.simulation, asks)

    def _is_unseen(self, update: PolicyUpdate) -> bool:
        """Whether a person sets another policy without a word of what it would have done. A body
        from before there was an activation asks for none: what counted then counts for ever.
        """
        if self.update is None or self.policy is None or update.hash == self.update.hash:
            return False
        asks = "activation" in json.loads(self.update.body) and self.policy.activation.required
        return asks and update.source == BY_PERSON and not update.simulation

    def _person(self, name: str, role: str, jws: str, signed: bytes) -> None:
        person = next((one for one in self.people if one.id == name), None)
        if person is None:
            raise Refused("unknown_person", "actors", name, "is not in the policy")
        if role not in person.roles:
            raise Refused("role", "actors", name, f"has no role {role}")
        if not verify(jws, signed, person.public_key):
            raise Refused("signature", "jws", jws[:40], f"does not verify by {name}")


Reading = Callable[[Mapping[str, int]], list[Told]]


def read(
    bootstrap: str, wire: Wire, before: Mapping[str, int], patience_polls: int = PATIENCE_POLLS
) -> list[Told]:
    """All that is committed on both topics, of a topic named in `before` up to that offset.

    Raises RuntimeError when the broker does not answer within so many half seconds.
    """
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "weir-standing",  # asked for by the client; no offset is committed
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "fetch.wait.max.ms": 50,
            "log_level": 3,
        }
    )
    told: list[Told] = []
    open_ = {POLICIES, CONTROLS}
    try:
        consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING) for topic in sorted(open_)])
        for _ in range(patience_polls):
            while open_ and (message := consumer.poll(0.5)) is not None:
                error, topic = message.error(), str(message.topic())
                if error is None:
                    if topic in open_ and (message.offset() or 0) < before.get(topic, 1 << 62):
                        told += decoded(wire, message)
                elif error.code() == KafkaError._PARTITION_EOF:
                    open_.discard(topic)
            if not open_:
                return told
    finally:
        consumer.close()
    raise RuntimeError(f"{', '.join(sorted(open_))} cannot be read at {bootstrap}")


def decoded(wire: Wire, message: Any) -> list[Told]:
    """The record of a message; nothing of bytes that are none, which are dead letters instead."""
    topic = str(message.topic())
    try:
        value = wire.decode(topic, message.value() or b"")
    except Undecodable:
        return []
    return [Told(topic, message.offset() or 0, message.timestamp()[1], value)]


def _in_time(told: Iterable[Told]) -> Iterable[Told]:
    """Both topics by time; within a topic its own order holds, whatever time a record claims."""
    by_topic: dict[str, dict[int, Told]] = {POLICIES: {}, CONTROLS: {}}
    for one in told:
        by_topic[one.topic][one.offset] = one
    return merge(
        *(_never_back(records) for records in by_topic.values()), key=lambda one: one.at_ms
    )


def _never_back(records: Mapping[int, Told]) -> Iterable[Told]:
    ordered = (records[offset] for offset in sorted(records))
    return accumulate(ordered, lambda last, one: one._replace(at_ms=max(last.at_ms, one.at_ms)))
