"""What the cluster knows: groups, lag, modes, the policy in force, the last decision.

Lag counts records, not offsets: markers of transactions and aborted records occupy offsets too, so
a topic whose last committed record was folded is caught up although its end lies further on. One
consumer reads what lies behind the committed offsets together with the few small topics; what it
does not get through in the time given is said to be a lower bound.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from confluent_kafka import (
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

from schemas.wire import Wire
from streams.topology import NODES, PIPELINE, RELAYED
from weir.errors import WeirError
from weir.status.gather import Found, Place, gather
from weir.status.in_force import Decided, Mode, PolicySeen, decided, modes, policy
from weir.topics import partition_counts

DECISIONS = "treasury.decisions.v1"
POLICIES, CONTROLS = RELAYED
REFUSED_POLICIES = f"{POLICIES}.dlq"
OFFSETS = "__consumer_offsets"
TAIL = 40
"""Offsets of a partition's end among which its last decision is looked for."""
ASK_S = 2.0


@dataclass(frozen=True)
class Lag:
    """What a group has not folded yet of one topic, in records; a lower bound unless `exact`."""

    app: str
    topic: str
    records: int
    exact: bool
    partitions: dict[int, int]


@dataclass(frozen=True)
class Group:
    """The workers of one app as the cluster sees them."""

    app: str
    state: str
    members: int
    partitions: int


@dataclass(frozen=True)
class Cluster:
    """One look at the cluster. `missing` are topics that are not there yet; without `groups` the
    coordinator did not answer, and lag is not known.
    """

    groups: list[Group] | None = None
    lags: list[Lag] = field(default_factory=list)
    modes: list[Mode] = field(default_factory=list)
    policy: PolicySeen | None = None
    refused_policies: list[PolicySeen] = field(default_factory=list)
    decision: Decided | None = None
    missing: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self)


def look(bootstrap: str, wire: Wire) -> Cluster:
    """One look. WeirError when Kafka goes away meanwhile."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    there = partition_counts(bootstrap, admin)
    read = _folded_topics()
    wanted = {topic for topics in read.values() for topic in topics} | {DECISIONS}
    missing = sorted(wanted - there.keys())
    if missing:
        return Cluster(missing=missing)
    places = {app: _places(topics, there) for app, topics in read.items()}
    if OFFSETS in there:
        groups, folded = _groups(admin, list(read)), _folded(admin, places)
    else:  # no worker has ever run here; asking for its group would make the broker create it
        groups = [Group(app, "dead", 0, 0) for app in read]
        folded = {app: dict.fromkeys(where, 0) for app, where in places.items()}
    behind: dict[Place, int] = {}
    for where in folded.values():
        behind |= {place: min(offset, behind.get(place, offset)) for place, offset in where.items()}
    whole = dict.fromkeys(_places([POLICIES, CONTROLS, REFUSED_POLICIES], there), 0)
    tails = _places([DECISIONS], there)
    found = gather(bootstrap, {**behind, **whole}, tails, TAIL)
    lags = [
        _lag(app, topic, folded[app], found) for app, topics in read.items() for topic in topics
    ]
    relayed_to = {place[0]: offset for place, offset in behind.items() if place[0] in RELAYED}
    seen, refused = policy(
        found.of(POLICIES), found.of(REFUSED_POLICIES), relayed_to[POLICIES], wire
    )
    return Cluster(
        groups=groups,
        lags=lags if groups is not None else [],
        modes=modes(found.of(CONTROLS), wire),
        policy=seen,
        refused_policies=refused,
        decision=decided(found.of(DECISIONS), wire),
    )


def _folded_topics() -> dict[str, tuple[str, ...]]:
    """What each app folds."""
    read: dict[str, tuple[str, ...]] = {}
    for node in NODES:
        read[node.app] = read.get(node.app, ()) + node.sources
    read[PIPELINE] += RELAYED
    return {app: tuple(dict.fromkeys(topics)) for app, topics in read.items()}


def _places(topics: Any, there: dict[str, int]) -> list[Place]:
    return [(topic, partition) for topic in topics for partition in range(there[topic])]


def _groups(admin: AdminClient, apps: list[str]) -> list[Group] | None:
    groups = []
    for app, answer in admin.describe_consumer_groups(apps, request_timeout=ASK_S).items():
        told = _answer(answer)
        if told is None:
            return None
        held = [member.assignment.topic_partitions for member in told.members if member.assignment]
        state = str(told.state.name).lower()
        groups.append(Group(app, state, len(told.members), sum(map(len, held))))
    return groups


def _folded(admin: AdminClient, read: dict[str, list[Place]]) -> dict[str, dict[Place, int]]:
    """The next offset that each group will fold; 0 where it has folded nothing yet."""
    asked = {}
    for app, places in read.items():
        request = ConsumerGroupTopicPartitions(app, [TopicPartition(*place) for place in places])
        asked[app] = admin.list_consumer_group_offsets([request], request_timeout=ASK_S)[app]
    told = {app: _answer(answer) for app, answer in asked.items()}
    return {
        app: dict.fromkeys(read[app], 0)
        if answer is None
        else {(x.topic, x.partition): max(0, x.offset) for x in answer.topic_partitions}
        for app, answer in told.items()
    }


def _answer(future: Any) -> Any:
    """What the coordinator said; None when it did not answer in time."""
    try:
        return future.result()
    except KafkaException as error:
        if error.args[0].code() in _NOT_YET or error.args[0].retriable():
            return None
        raise WeirError(f"the group coordinator: {error.args[0].str()}") from error


_NOT_YET = (
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
    KafkaError._TIMED_OUT,
    KafkaError._TRANSPORT,
)


def _lag(app: str, topic: str, folded: dict[Place, int], found: Found) -> Lag:
    counts = {}
    places = [place for place in folded if place[0] == topic]
    for place in places:
        count = sum(seen.offset >= folded[place] for seen in found.records.get(place, ()))
        if count:
            counts[place[1]] = count
    exact = all(place in found.ended for place in places)
    return Lag(app, topic, sum(counts.values()), exact, counts)
