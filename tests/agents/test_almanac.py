"""The calendars on a real broker: every partition is told each year once, and people win."""

from __future__ import annotations

from datetime import date

import pytest
from confluent_kafka import Producer

from agents.almanac import INBOX, Almanac, Unread
from agents.outside import Outside
from schemas.records import Calendar, CashInput
from schemas.topics import COPY_KEY
from schemas.wire import SchemaIds, Wire
from streams.holidays import FED, closed
from weir.reading import whole

WIRE = Wire(SchemaIds.from_lock())
MOURNING = (date(2041, 1, 9) - date(1970, 1, 1)).days


def told(broker: str) -> list[tuple[int, Calendar]]:
    """The calendars of 2038 and later, with their partitions."""
    found = []
    for one in whole(broker, [INBOX]):
        body = WIRE.decode(INBOX, one.value() or b"").body if one.value() != b"?" else None
        if isinstance(body, Calendar) and body.year >= 2038:
            assert one.key() == COPY_KEY.encode()
            found.append((one.partition() or 0, body))
    return found


@pytest.mark.req("004-22")
async def test_each_partition_is_told_each_year_once(broker: str, outside: Outside) -> None:
    almanac = Almanac(broker, WIRE, 8, outside)
    by_people = CashInput(body=Calendar(FED, 2041, (MOURNING,)))
    await outside.write(INBOX, by_people, key=COPY_KEY, partition=3)
    producer = Producer({"bootstrap.servers": broker})
    producer.produce(INBOX, b"?", COPY_KEY, 5)
    producer.flush(10)
    assert await almanac.turn(2041) == 2 * 6 * 8 - 1
    assert await almanac.turn(2041) == 0
    assert await almanac.turn(2042) == 2 * 8
    found = told(broker)
    assert len(found) == 2 * 7 * 8
    of_people = [(partition, one) for partition, one in found if one.closed == (MOURNING,)]
    assert of_people == [(3, by_people.body)]
    others = [one for partition, one in found if partition != 3]
    assert all(one.closed == closed(one.calendar, one.year) for one in others)
    assert {one.year for one in others} == set(range(2038, 2045))


async def test_no_rule_reaches_back_before_juneteenth(broker: str, outside: Outside) -> None:
    assert await Almanac(broker, WIRE, 1, outside).turn(2023) == 2 * 4


async def test_an_inbox_that_cannot_be_read_is_said(outside: Outside) -> None:
    almanac = Almanac("127.0.0.1:1", WIRE, 1, outside, patience_polls=1)
    with pytest.raises(Unread, match=INBOX):
        await almanac.turn(2041)
