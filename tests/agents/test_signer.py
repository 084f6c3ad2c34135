"""The signer on a real broker: it signs what lies at the ends, and not what takes back."""

from __future__ import annotations

from typing import Any

import pytest
from confluent_kafka import Producer

from agents.outside import Outside
from agents.signer import AUDIT, CHECKPOINTS, Signer
from schemas.records import AuditRecord, Checkpoint
from schemas.signing import verify
from streams.chain import payload
from tests.weir.audit.recorded import KEY, WIRE, chain
from weir.reading import whole

HERE = 6


def lay(broker: str, link: AuditRecord) -> None:
    """One link in a transaction, so that a marker lies behind it; then one that is aborted."""
    client: dict[str, Any] = {"bootstrap.servers": broker, "log_level": 0}
    producer = Producer({**client, "transactional.id": f"signer-test-{link.chain_id}"})
    producer.init_transactions(30)
    data = WIRE.encode(AUDIT, link)
    for end in (producer.commit_transaction, producer.abort_transaction):
        producer.begin_transaction()
        producer.produce(AUDIT, data, link.chain_id, HERE)
        data = b"never committed"
        producer.flush(30)
        end(30)


def checkpoints(broker: str) -> list[Checkpoint]:
    return [WIRE.decode(CHECKPOINTS, one.value() or b"") for one in whole(broker, [CHECKPOINTS])]


def accusations(broker: str) -> list[Any]:
    topic = "treasury.alerts.v1"
    found = [WIRE.decode(topic, one.value() or b"") for one in whole(broker, [topic])]
    return [one for one in found if one.key == "audit"]


@pytest.mark.req("000-67")
async def test_heads_are_signed_and_never_taken_back(broker: str, outside: Outside) -> None:
    links = chain(HERE, 4)
    hourly = Signer(broker, WIRE, 8, KEY, outside, every_s=3600)
    at_once = Signer(broker, WIRE, 8, KEY, outside, every_s=0)
    lay(broker, links[2])
    await at_once.turn()
    (first,) = checkpoints(broker)
    assert [(one.chain_id, one.seq, one.hash) for one in first.heads] == [
        (f"audit-{HERE}", 3, links[2].hash)
    ]
    assert verify(first.jws, payload(first), KEY.public)
    await hourly.turn()
    assert len(checkpoints(broker)) == 1, "the hour is not over, whoever signed"
    lay(broker, links[3])
    await at_once.turn()
    assert [head.seq for head in checkpoints(broker)[-1].heads] == [4]
    lay(broker, links[1])
    for _ in range(2):
        await at_once.turn()
    assert len(checkpoints(broker)) == 2
    (accusation,) = accusations(broker)
    assert (accusation.state, accusation.severity) == ("firing", "critical")
    assert accusation.text.startswith(f"audit-{HERE} ends at 2, had 4 records at ")
