"""A policy that fires more than was agreed to is taken back; one that does not stays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from agents import keys
from agents.keys import KeyFault
from agents.policies.counting import Orders
from agents.policies.returning import ALERT, AUTHOR, Agreed, ReturnWatch, agreed
from agents.policies.update import next_version
from agents.standing import POLICIES, Standing, Told
from schemas.policy import from_content, parse
from schemas.records import Alert, PolicyUpdate
from schemas.signing import PrivateKey
from streams.canonical import canonical

T0_MS = 1_767_225_600_000
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
DAYS = 30


def seen(orders: int, allowed: int = 10) -> str:
    """What the record of an activation says: so many orders in thirty days."""
    counts = {"in_force": 5, "proposed": orders, "extra": max(0, orders - 5), "allowed": allowed}
    simulation = {"from": "2025-12-01T00:00:00.000Z", "to": "2025-12-31T00:00:00.000Z"}
    return canonical({"objections": [], "simulation": {**simulation, "orders": counts}})


class World:
    """A log of policies in memory, the orders that went out, and a clock."""

    def __init__(self, signer: PrivateKey | None = None, broken: str = "") -> None:
        self.now_ms = T0_MS
        self.updates: list[PolicyUpdate] = []
        self.alerts: list[Alert] = []
        self.orders: list[int] = []
        self.signer, self.broken = signer, broken
        self.watch = ReturnWatch(self, self.standing, self, self.keys, lambda: self.now_ms)

    async def write(
        self, topic: str, record: Any, *, key: str | None = None, headers: Any = None
    ) -> int:
        (self.updates if topic == POLICIES else self.alerts).append(record)
        return 0

    async def since(self, at_ms: int) -> int:
        return sum(one >= at_ms for one in self.orders)

    def standing(self) -> Standing:
        told = [Told(POLICIES, n, one.at_ms, one) for n, one in enumerate(self.updates)]
        return Standing.of(told)

    def keys(self) -> list[PrivateKey]:
        if self.broken:
            raise KeyFault(self.broken)
        return [] if self.signer is None else [self.signer]

    def set(self, name: str, simulation: str | None = None, **more: Any) -> None:
        policy = from_content({"name": name, **more})
        signers = [] if self.signer is None else [self.signer]
        said = self.standing(), policy, "rest", "ann", signers, self.now_ms, simulation
        self.updates.append(next_version(*said))

    def fire(self, orders: int) -> None:
        self.orders += [self.now_ms] * orders

    @property
    def stands(self) -> str:
        update = self.standing().update
        assert update is not None
        return f"{update.name}@{update.version}"


@pytest.mark.req("E-5")
@pytest.mark.parametrize(
    ("hours", "orders", "fine"),
    [
        (1, 11, True),  # an hour of 30 orders in 30 days is a part of one; and ten are allowed
        (1, 12, False),
        (23, 11, True),
        (24, 11, True),
        (24, 12, False),
        (25, 400, True),  # nobody looks any more
    ],
)
async def test_more_orders_than_agreed_to_bring_the_last_policy_back(
    hours: int, orders: int, fine: bool
) -> None:
    world = World()
    world.set("calm")
    world.set("busy", seen(orders=30))
    world.fire(orders)
    world.now_ms += hours * HOUR_MS
    back = await world.watch.look()
    assert (back is None) == fine
    assert world.stands == ("busy@2" if fine else "calm@3")


@pytest.mark.req("E-5")
async def test_what_comes_back_is_told_recorded_and_not_watched_itself() -> None:
    world = World()
    world.set("calm", seen(orders=0, allowed=0))
    world.set("busy", seen(orders=0, allowed=2))
    world.now_ms += HOUR_MS
    world.fire(3)
    assert await world.watch.look() is not None
    last = world.updates[-1]
    assert (last.name, last.version, last.author, last.source) == ("calm", 3, AUTHOR, "rest")
    assert parse(last.body) == parse(world.updates[0].body)
    said = "busy@2 fired 3 orders in 3600 s, agreed to were 2"
    assert json.loads(last.simulation or "") == {
        "follows": world.updates[1].hash,
        "returned": said,
    }
    (alert,) = world.alerts
    assert (alert.key, alert.state, alert.severity) == (ALERT, "firing", "critical")
    assert alert.text == f"{said}: calm@1 stands again as calm@3"
    world.fire(100)
    assert await world.watch.look() is None
    world.now_ms += 1
    world.set("wise", seen(orders=3000))
    assert await world.watch.look() is None
    assert [(one.state, one.text) for one in world.alerts[1:]] == [
        ("resolved", "wise@4 stands, set by ann")
    ]


@pytest.mark.req("E-5")
async def test_once_an_admin_is_named_the_key_of_one_signs_or_people_are_told(
    tmp_path: Path,
) -> None:
    public = keys.create(tmp_path, "olaf").public
    people = [{"id": "olaf", "public_key": public, "roles": ["admin"]}]
    for broken, stands in (("", "calm@3"), ("no key of olaf here", "busy@2")):
        world = World(keys.load(tmp_path, "olaf"))
        world.set("calm", people=people)
        world.set("busy", seen(orders=0, allowed=0), people=people)
        world.fire(1)
        world.broken = broken
        await world.watch.look()
        await world.watch.look()
        assert world.stands == stands
        (alert,) = world.alerts
        assert ("cannot be taken back: no key of olaf here" in alert.text) == bool(broken)


async def test_nothing_agreed_to_is_nothing_taken_back() -> None:
    world = World()
    assert await world.watch.look() is None
    world.set("first", seen(orders=0, allowed=0))
    world.fire(1)
    assert await world.watch.look() is None
    assert "none stood before it" in world.alerts[-1].text
    world.set("unseen")
    world.set("off", seen(orders=0, allowed=0), activation={"watch_s": 0})
    world.now_ms += 1
    world.fire(50)
    assert await world.watch.look() is None
    assert world.stands == "off@3"


@pytest.mark.parametrize("text", ["{", "[]", '{"simulation":{"from":"x"}}', '{"simulation":null}'])
def test_a_record_that_says_nothing_usable_agrees_to_nothing(text: str) -> None:
    world = World()
    world.set("one", text)
    assert agreed(world.updates[0]) is None


def test_a_part_of_an_order_counts_as_one() -> None:
    promise = Agreed(orders=30, span_ms=DAYS * DAY_MS, allowed=0)
    assert [promise.limit(ms) for ms in (0, 1, DAY_MS, DAY_MS + 1)] == [0, 1, 1, 2]


async def test_orders_are_counted_as_they_lie_on_kafka(
    broker: str, fresh_topic_suffix: str
) -> None:
    topic = f"orders-{fresh_topic_suffix}"
    admin = AdminClient({"bootstrap.servers": broker})
    admin.create_topics([NewTopic(topic, 2, 1)])[topic].result(10)
    producer = Producer({"bootstrap.servers": broker})

    def fire(count: int, at_ms: int) -> None:
        for number in range(count):
            producer.produce(topic, b"x", b"k", partition=number % 2, timestamp=at_ms)
        assert producer.flush(10) == 0

    orders = Orders(broker, 2, topic)
    fire(5, T0_MS)
    fire(7, T0_MS + HOUR_MS)
    assert await _settled(orders, T0_MS, 12) == 12
    assert await _settled(orders, T0_MS + 1, 7) == 7
    fire(3, T0_MS + 2 * HOUR_MS)
    assert await _settled(orders, T0_MS + 1, 10) == 10


async def _settled(orders: Orders, at_ms: int, wanted: int) -> int:
    found = -1
    for _ in range(20):
        found = await orders.since(at_ms)
        if found == wanted:
            break
    return found
