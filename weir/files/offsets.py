"""Where partitions begin and end on a cluster, asked for all of them at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from confluent_kafka import IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from agents.wiring import ORDER_TOPIC
from weir.replay.log import At
from weir.topics import PATIENCE_S, no_answer

_WRITTEN, _COMMITTED = IsolationLevel.READ_UNCOMMITTED, IsolationLevel.READ_COMMITTED


def ends(bootstrap: str, counts: Iterable[tuple[str, int]]) -> dict[At, int]:
    """The offset after the last record that was ever written, of each partition of topics with so
    many.
    """
    places = [(topic, number) for topic, count in counts for number in range(count)]
    try:
        return _offsets(_admin(bootstrap), places, OffsetSpec.latest(), _WRITTEN)
    except KafkaException as error:
        raise no_answer(bootstrap) from error


def one_moment(bootstrap: str, places: Sequence[At]) -> dict[At, tuple[int, int]]:
    """First offset and end of each partition, so that they fit together: the merge order's end is
    asked for before the others, and is the end of what is committed; the others' ends are those of
    what is written, committed or not.
    """
    admin = _admin(bootstrap)
    order = [at for at in places if at[0] == ORDER_TOPIC]
    others = [at for at in places if at[0] != ORDER_TOPIC]
    try:
        starts = _offsets(admin, places, OffsetSpec.earliest(), _WRITTEN)
        found = _offsets(admin, order, OffsetSpec.latest(), _COMMITTED)
        found |= _offsets(admin, others, OffsetSpec.latest(), _WRITTEN)
    except KafkaException as error:
        raise no_answer(bootstrap) from error
    return {at: (starts[at], found[at]) for at in places}


def _admin(bootstrap: str) -> AdminClient:
    return AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})


def _offsets(
    admin: AdminClient, places: Sequence[At], spec: OffsetSpec, isolation: IsolationLevel
) -> dict[At, int]:
    if not places:
        return {}
    asked = admin.list_offsets(
        {TopicPartition(*at): spec for at in places},
        isolation_level=isolation,
        request_timeout=PATIENCE_S,
    )
    return {
        (place.topic, place.partition): int(answer.result().offset)
        for place, answer in asked.items()
    }
