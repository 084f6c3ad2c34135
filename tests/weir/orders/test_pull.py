"""Nothing is skipped and nothing is missed: orders that commit late, on a real broker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from confluent_kafka import Producer
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from streams.sweep_order import TOPIC
from tests.weir.orders.writer import SIGNATURE, WIRE, P, Writer, order
from tests.weir.rig import until
from weir.orders.cursor import BadCursor, Cursor
from weir.orders.pull import Gone, Orders, Page, Unreadable
from weir.topics import ensure


@pytest.fixture(scope="module")
def topics(broker: str) -> str:
    ensure(broker, P, 1)
    return broker


@pytest.fixture
def writers(topics: str) -> Callable[[], Writer]:
    return lambda: Writer.on(topics)


@pytest.fixture
def orders(topics: str) -> Iterator[Orders]:
    found = Orders(topics, WIRE)
    yield found
    found.close()


def ids(page: Page) -> list[str]:
    return sorted(one.order.order_id for one in page.orders)


def shows(orders: Orders, after: Cursor, wanted: list[str]) -> Page:
    """The page after a cursor once it shows so many; a commit is seen a moment after its answer."""
    return until(
        lambda: page if len((page := orders.page(after, 1000)).orders) >= len(wanted) else None,
        "the orders are shown",
        10,
    )


def end(orders: Orders, writer: Writer) -> Cursor:
    """The cursor after all that is committed now, and after an order of each partition."""
    last = writer.begin().write(*(order(place) for place in range(P)))
    writer.commit()
    after, left = None, set(last)
    for _ in range(500):
        page = orders.page(after, 1000)
        after, left = page.following, left - set(ids(page))
        if not left and not page.more:
            return after
    raise AssertionError(f"not shown: {left}")


@pytest.mark.req("004-39")
def test_an_order_that_commits_late_is_never_skipped(writers: Any, orders: Orders) -> None:
    """A's transaction is open; B commits behind it in partition 3 and elsewhere in partition 5."""
    a, b = writers(), writers()
    begin = end(orders, a)
    late = a.begin().write(order(3))
    behind, elsewhere = b.begin().write(order(3), order(5))
    b.commit()
    seen = shows(orders, begin, [elsewhere])
    assert ids(seen) == [elsewhere]  # what lies behind an open transaction is not shown yet
    a.commit()
    then = shows(orders, seen.following, [*late, behind])
    assert ids(then) == sorted([*late, behind])
    assert ids(orders.page(begin, 100)) == sorted([*late, behind, elsewhere])
    assert ids(orders.page(then.following, 100)) == []


@pytest.mark.req("004-39")
def test_an_aborted_order_is_never_shown_and_hides_nothing(writers: Any, orders: Orders) -> None:
    a, b = writers(), writers()
    begin = end(orders, a)
    a.begin().write(order(2), order(4))
    (kept,) = b.begin().write(order(2))
    b.commit()
    first = orders.page(begin, 100)
    assert ids(first) == []
    a.abort()
    second = shows(orders, first.following, [kept])
    assert ids(second) == [kept]
    assert ids(orders.page(second.following, 100)) == []


def test_an_order_of_an_imported_log_is_for_nobody(writers: Any, orders: Orders) -> None:
    writer = writers()
    begin = end(orders, writer)
    writer.begin().write(order(2), mode="replay")
    live = writer.write(order(2))
    writer.commit()
    assert ids(shows(orders, begin, live)) == live


@pytest.mark.req("004-39")
def test_the_same_cursor_gives_the_same_orders_and_later_ones(writers: Any, orders: Orders) -> None:
    writer = writers()
    begin = end(orders, writer)
    first = writer.begin().write(*(order(place) for place in (0, 0, 1)))
    writer.commit()
    page = shows(orders, begin, first)
    assert orders.page(begin, 100) == orders.page(begin, 100) == page
    assert ids(page) == sorted(first)
    second = writer.begin().write(order(1))
    writer.commit()
    assert ids(shows(orders, begin, [*first, *second])) == sorted([*first, *second])


def test_pages_of_any_size_give_every_order_once(writers: Any, orders: Orders) -> None:
    writer = writers()
    begin = end(orders, writer)
    places = [0] * 20 + [1] * 3 + [7] * 9
    for number, place in enumerate(places):
        writer.begin().write(order(place, 1_749_600_000_000 - number))
        writer.abort() if number % 5 == 4 else writer.commit()
    wanted = ids(shows(orders, begin, [""] * 26))
    assert len(wanted) == 26
    for limit in (1, 3, 8, 9, 24, 1000):
        page, got = orders.page(begin, limit), list[str]()
        while True:
            assert len(page.orders) <= limit
            times = [one.order.created_ts_ms for one in page.orders]
            assert times == sorted(times)
            got += ids(page)
            if not page.more:
                break
            page = orders.page(page.following, limit)
        assert sorted(got) == wanted, limit
        assert page.following == orders.page(begin, 1000).following


@pytest.mark.req("004-39")
def test_who_takes_one_at_a_time_gets_the_oldest_and_skips_none_that_is_late(
    writers: Any, orders: Orders
) -> None:
    """Of eight partitions the oldest order comes first, whatever commits in the others meanwhile;
    and behind a younger one of its own partition an old one still comes.
    """
    a, b = writers(), writers()
    begin, at_ms = end(orders, a), 1_749_700_000_000
    young, old = a.begin().write(order(0, at_ms + 9), order(5, at_ms + 1))
    a.commit()
    page = shows(orders, begin, [young, old])
    assert [one.order.order_id for one in page.orders] == [old, young]
    page = orders.page(begin, 1)
    assert (ids(page), page.more) == ([old], True)
    behind, elsewhere = b.begin().write(order(0, at_ms), order(3, at_ms + 2))
    b.commit()
    shows(orders, begin, [young, old, behind, elsewhere])
    got = list[str]()
    while page.more:
        page = orders.page(page.following, 1)
        got += ids(page)
    assert got == [elsewhere, young, behind]
    assert ids(orders.page(page.following, 1)) == []


def test_what_is_no_order_holds_nobody_up(topics: str, writers: Any, orders: Orders) -> None:
    writer = writers()
    begin = end(orders, writer)
    producer = Producer({"bootstrap.servers": topics, "log_level": 0})
    producer.produce(TOPIC, b"garbage", b"x", 6)
    assert producer.flush(10) == 0
    kept = writer.begin().write(order(6))
    writer.commit()
    page = shows(orders, begin, kept)
    assert (ids(page), page.orders[0].signature) == (kept, SIGNATURE)


def test_an_order_is_found_by_its_id(writers: Any, orders: Orders) -> None:
    writer = writers()
    wanted, other = order(1, 1_749_600_777_000), order(1, 1_749_600_778_000)
    writer.begin().write(other, wanted)
    writer.commit()
    until(lambda: orders.find(wanted.order_id, wanted.created_ts_ms) == wanted, "it is found", 10)
    assert orders.find(wanted.order_id, wanted.created_ts_ms + 10**12) is None
    assert orders.find(order(1).order_id, 1_749_600_777_000) is None


def test_a_cursor_of_another_log_or_beyond_the_end_is_gone(writers: Any, orders: Orders) -> None:
    here = end(orders, writers())
    with pytest.raises(Gone, match="of another log"):
        orders.page(replace(here, topic="AAAA"), 100)
    with pytest.raises(Gone, match="nothing is kept"):
        orders.page(replace(here, offsets=tuple(one + 5 for one in here.offsets)), 100)
    assert orders.page(replace(here, offsets=here.offsets[:0]), 1000).orders


def test_without_kafka_nothing_is_said() -> None:
    away = Orders("127.0.0.1:9", WIRE, answer_s=0.3)
    with pytest.raises(Unreadable):
        away.page(None, 10)


@given(st.text(max_size=12), st.lists(st.integers(0, 2**63 - 1), max_size=16))
def test_a_cursor_reads_back(topic: str, offsets: list[int]) -> None:
    cursor = Cursor(topic, tuple(offsets))
    assert Cursor.of(cursor.text()) == cursor


@pytest.mark.parametrize("text", ["x", "e30", "%%%", "eyJ0IjoidCIsIm8iOlstMV19", "ä"])
def test_a_text_that_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(BadCursor, match="is no cursor of ours"):
        Cursor.of(text)
