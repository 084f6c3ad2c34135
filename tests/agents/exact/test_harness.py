"""How an agent's author tests an agent: no broker, the engine's own code."""

import json
from pathlib import Path

import pytest

from agents import exact
from agents.exact.harness import Harness
from tests.agents.exact import sums


@pytest.fixture
def app(tmp_path: Path) -> exact.App:
    return sums.build("t", "127.0.0.1:1", tmp_path)


def sent(h: Harness, stem: str) -> list:
    return [json.loads(one.value) for one in h.records if one.topic == f"{stem}-t"]


async def test_outputs_and_table(app):
    async with Harness(app) as h:
        await h.feed("deposits-t", {"id": 1, "amount": 5}, key="ann", timestamp_ms=1_000)
        await h.feed("rates-t", {"rate": 3}, key="ann")
        await h.feed("deposits-t", {"id": 2, "amount": 7}, key="ann", timestamp_ms=2_000)
        assert sent(h, "sums") == [
            {"id": 1, "total": 5, "count": 1},
            {"id": 2, "total": 12, "count": 2},
        ]
        assert h.table("accounts") == {"ann": sums.Account(total=12, count=2, rate=3)}
        assert [(one.key, one.timestamp_ms) for one in h.outputs] == [("ann", 1000), ("ann", 2000)]


async def test_a_topic_of_the_author_decodes_its_own_values(tmp_path):
    config = exact.Config(bootstrap="127.0.0.1:1", datadir=tmp_path)
    app = exact.App("echo", config=config)
    words = app.topic("words", value_serializer=sums.Json())
    loud = app.topic("loud", value_serializer=sums.Json())

    @app.agent(words, sink=[loud])
    async def shout(stream):
        async for word in stream:
            yield word.upper()

    async with Harness(app) as h:
        await h.feed(words, "hello")
        assert h.values(loud) == ["HELLO"]


async def test_a_refused_event_leaves_its_record_and_nothing_else(app):
    async with Harness(app) as h:
        await h.feed("deposits-t", {"id": 1, "amount": 5}, key="ann")
        refused = {"id": 2, "amount": -2}
        await h.feed("deposits-t", refused, key="ann", timestamp_ms=9, headers=[("h", b"v")])
        assert h.table("accounts")["ann"].total == 5
        assert len(sent(h, "sums")) == 1
        (letter,) = h.dead_letters
        assert (letter.topic, letter.key, letter.timestamp_ms) == ("deposits-t.dlq", b"ann", 9)
        assert json.loads(letter.value) == refused
        assert letter.headers == [
            ("h", b"v"),
            ("__streams.errors.exception", b"amount"),
            ("__streams.errors.message", b"amount=-2 is not a deposit"),
            ("__streams.errors.topic", b"deposits-t"),
            ("__streams.errors.partition", b"0"),
            ("__streams.errors.offset", b"1"),
            ("exact.step", b"process"),
            ("exact.outcome", b"amount"),
        ]


async def test_what_does_not_decode_is_a_dead_letter_of_limited_length(app):
    async with Harness(app) as h:
        await h.feed("deposits-t", b"{" + b"x" * 5000, key="ann")
        await h.feed("deposits-t", None, key="ann")
        await h.feed("deposits-t", {"id": 1}, key=b"\xff\xfe")
        assert [one.key for one in h.dead_letters] == [b"ann", b"ann", b"\xff\xfe"]
        for letter in h.dead_letters:
            assert dict(letter.headers)["exact.step"] == b"decode"
            assert len(dict(letter.headers)["__streams.errors.message"]) <= 1000
        assert h.table("accounts") == {}


async def test_wake_ups_and_a_take_over(app):
    async with Harness(app) as h:
        deposit = {"id": 1, "amount": 5, "wake_in_ms": 100}
        await h.feed("deposits-t", deposit, key="ann", at_ms=1_000)
        assert h.due("accounts") == {"ann": 1_100}
        await h.tick(1_099)
        assert len(sent(h, "sums")) == 1
        await h.take_over()
        assert sent(h, "sums")[1:] == [{"started": "ann"}]
        await h.tick(1_100)
        await h.tick(1_200)
        assert sent(h, "sums")[2:] == [{"woken": "ann", "at": 1_100}]
        assert h.due("accounts") == {}


async def test_effects_come_after_their_commit(app):
    async with Harness(app) as h:
        await h.feed("deposits-t", {"id": 1, "amount": 5, "effect": True}, key="ann")
        refused = {"id": 2, "amount": -2, "effect": True}
        await h.feed("deposits-t", refused, key="ann")
        assert h.effects == [1]


async def test_two_stages_and_partitions(app):
    """The harness does not carry an output back in: each agent is fed by its test."""
    async with Harness(app, partitions=4) as h:
        for i, key in enumerate(("ann", "bob", "cid", "dan")):
            await h.feed("deposits-t", {"id": i, "amount": 1000}, key=key)
        assert {one.partition for one in h.outputs if one.topic == "sums-t"} == {1, 2}
        large = [json.loads(one.value) for one in h.outputs if one.topic == "large-t"]
        for value in large:
            await h.feed("large-t", value, key="desk")
        assert [value["number"] for value in sent(h, "numbered")] == [1, 2, 3, 4]
        assert h.table("desks") == {"desk": sums.Desk(total=4000, count=4)}


async def test_the_merge_order_records_every_run(app):
    async with Harness(app) as h:
        await h.feed("deposits-t", {"id": 1, "amount": 5, "wake_in_ms": 10}, key="ann", at_ms=100)
        await h.feed("rates-t", {"rate": 1}, key="ann", at_ms=200)
        await h.feed("rates-t", b"garbage", key="ann", at_ms=150)
        orders = [order for order in sent(h, "order") if order["table"] == "accounts"]
        assert [(order["at_ms"], order["runs"]) for order in orders] == [
            (100, [["@started", 1, 1], ["deposits-t", 0, 1]]),
            (200, [["@tick", 200, 200], ["rates-t", 0, 1]]),
            (200, [["rates-t", 1, 2]]),
        ]
        assert int(orders[-1]["table_hash"], 16) == h.part("accounts").hash


async def test_an_agents_error_comes_out_of_the_feed(app):
    async with Harness(app) as h:
        with pytest.raises(RuntimeError, match="breaks the agent"):
            await h.feed("deposits-t", {"id": 1, "amount": -1}, key="ann")


async def test_a_decoders_bug_is_no_dead_letter(app):
    async with Harness(app) as h:
        with pytest.raises(KeyError, match="a decoder with a bug"):
            await h.feed("deposits-t", b"bug", key="ann")
        assert h.dead_letters == []


@pytest.fixture
def bare(tmp_path: Path) -> exact.App:
    config = exact.Config(bootstrap="127.0.0.1:1", datadir=tmp_path, value_bytes_max=100)
    return exact.App("bare", config=config)


def counted(app: exact.App, name: str = "counts", topic: str = "words"):
    source = app.topic(topic, value_serializer=sums.Json())
    codec = {"dumps": lambda _, v: v.encode(), "loads": lambda _, raw: raw.decode()}
    return source, app.Table(name, source=source, **codec)


async def test_sending_and_tables_belong_to_an_event(bare):
    source, table = counted(bare)
    with pytest.raises(RuntimeError, match="outside an event"):
        await source.send(value=1)
    with pytest.raises(RuntimeError, match="outside an event"):
        table.get("k")


async def test_a_table_belongs_to_its_own_agent(bare):
    _, counts = counted(bare)
    other = bare.topic("others", value_serializer=sums.Json())

    @bare.agent(other)
    async def meddle(stream):
        async for value in stream:
            counts["k"] = value

    async with Harness(bare) as h:
        with pytest.raises(RuntimeError, match="counts belongs to another agent"):
            await h.feed(other, "x")


@pytest.mark.parametrize("word", ["effect", "refuse"])
async def test_an_event_that_is_over_takes_no_part(bare, word):
    source, _ = counted(bare)
    kept = []

    @bare.agent(source)
    async def keep(stream):
        async for event in stream.events():
            kept.append(event)
            if event.value == "effect":
                kept[0].effect("late")
            if event.value == "refuse":
                kept[0].refuse("late", "too late")

    async with Harness(bare) as h:
        await h.feed(source, "first")
        with pytest.raises(RuntimeError, match=r"words\[0\]@0 .*is over"):
            await h.feed(source, word)


async def test_an_oversized_value_never_reaches_the_transaction(bare):
    source, counts = counted(bare)
    out = bare.topic("out", value_serializer=sums.Json())
    refusals = []

    @bare.agent(source)
    async def grow(stream):
        async for event in stream.events():
            counts["k"] = event.value
            try:
                await out.send(value=event.value * 2)
            except exact.TooLarge as why:
                refusals.append(str(why))
                event.refuse("too_large", str(why))

    async with Harness(bare) as h:
        await h.feed(source, "x" * 60)
        assert refusals == ["out: value of 122 bytes"]
        assert (h.outputs, h.table("counts")) == ([], {})
        assert len(h.dead_letters) == 1


async def test_an_oversized_entry_is_named(bare):
    source, counts = counted(bare)

    @bare.agent(source)
    async def grow(stream):
        async for value in stream:
            counts["k"] = value

    async with Harness(bare) as h:
        with pytest.raises(exact.TooLarge, match=r"bare-counts-changelog\[0\].*'k' has 101 bytes"):
            await h.feed(source, "x" * 101)


def test_one_table_and_one_agent_for_a_topic(bare):
    source, _ = counted(bare)
    with pytest.raises(ValueError, match=r"'words'.* already lead to table counts"):
        counted(bare, "again")
    bare.agent(source)(lambda stream: None)
    with pytest.raises(ValueError, match="topics of its own"):
        bare.agent(source)
    with pytest.raises(ValueError, match="one ordered writer"):
        bare.agent(bare.topic("more"), concurrency=2)


async def test_what_would_bypass_the_transaction_raises(bare):
    source, _ = counted(bare)

    @bare.agent(source)
    async def take(stream):
        async for values in stream.take(10, within=1):
            raise AssertionError(values)

    with pytest.raises(NotImplementedError, match="bypass the transaction"):
        async with Harness(bare):
            pass
