"""Dead letters are read in three dialects and go back once, whoever is killed in between."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from confluent_kafka import Producer

from schemas.wire import SchemaIds, Wire
from tests.schemas.examples import EXECUTION
from tests.weir.rig import until
from weir.dlq import Letter, letters, origin_of, place_of, redrive, summary
from weir.dlq.text import described, shown, table, told
from weir.errors import WeirError
from weir.reading import whole
from weir.topics import ensure

WIRE = Wire(SchemaIds.from_lock())
SOURCE = "hedge-executions"
DEAD = f"{SOURCE}.dlq"
INBOX = "treasury.book-inputs.v1"
STREAMS = "__streams.errors."

pytestmark = pytest.mark.req("000-58")


@pytest.fixture(scope="module")
def kafka(broker: str) -> str:
    ensure(broker, 8, 1)
    return broker


def reasons(offset: int = 7, cause: str = "scale", topic: str = SOURCE) -> dict[str, bytes]:
    told = {"exception": cause, "message": "qty=1", "topic": topic, "partition": "3"}
    told["offset"] = str(offset)
    found = {STREAMS + name: text.encode() for name, text in told.items()}
    return found | {"treasury.step": b"decode", "treasury.outcome": cause.encode()}


def post(kafka: str, key: str, headers: dict[str, bytes], value: bytes | None = b"junk") -> Letter:
    """A dead letter as a worker writes it, found again by its key."""
    producer = Producer({"bootstrap.servers": kafka, "log_level": 0})
    more = {"traceparent": b"00-1", **headers}
    producer.produce(DEAD, value, key, 3, headers=list(more.items()), timestamp=1_764_581_400_250)
    assert producer.flush(30) == 0
    return mine(kafka, key)[-1]


def mine(kafka: str, key: str) -> list[Letter]:
    return [one for one in letters(kafka, [DEAD]) if one.key == key.encode()]


def copies(kafka: str, key: str) -> list[Any]:
    return [one for one in whole(kafka, [SOURCE]) if one.key() == key.encode()]


@pytest.mark.parametrize(
    "headers",
    [
        reasons(),
        {
            "__connect.errors.topic": b"hedge-executions",
            "__connect.errors.partition": b"3",
            "__connect.errors.offset": b"7",
            "__connect.errors.stage": b"VALUE_CONVERTER",
            "__connect.errors.exception.class.name": b"scale",
            "__connect.errors.exception.message": b"qty=1",
        },
        {
            "kafka_dlt-original-topic": b"hedge-executions",
            "kafka_dlt-original-partition": (3).to_bytes(4, "big"),
            "kafka_dlt-original-offset": (7).to_bytes(8, "big"),
            "kafka_dlt-exception-fqcn": b"scale",
            "kafka_dlt-exception-message": b"qty=1",
        },
    ],
    ids=["streams", "connect", "spring"],
)
def test_three_dialects_say_the_same(headers: dict[str, bytes]) -> None:
    assert origin_of(tuple(headers.items())) == (SOURCE, 3, 7, "scale", "qty=1")
    letter = Letter(DEAD, 3, 0, b"k", b"v", 0, (("traceparent", b"00-1"), *headers.items()))
    assert letter.original_headers() == [("traceparent", b"00-1")]
    assert letter.obstacle() == ""


def test_a_letter_goes_back_once_as_it_was(kafka: str, fresh_topic_suffix: str) -> None:
    letter = post(kafka, fresh_topic_suffix, reasons())
    place = place_of(letter.place)
    assert redrive(kafka, place, dry_run=True).redriven == [letter]
    assert copies(kafka, fresh_topic_suffix) == []
    assert redrive(kafka, place).redriven == [letter]
    until(lambda: copies(kafka, fresh_topic_suffix), "what is committed can be read")
    (copy,) = copies(kafka, fresh_topic_suffix)
    assert (copy.partition(), copy.value(), copy.timestamp()[1]) == (3, b"junk", 1_764_581_400_250)
    assert copy.headers() == [
        ("traceparent", b"00-1"),
        ("treasury.attempt", b"2"),
        ("treasury.redrive_of", letter.place.encode()),
    ]
    again = redrive(kafka, place)
    assert (again.redriven, [one.place for one in again.already]) == ([], [letter.place])
    assert len(copies(kafka, fresh_topic_suffix)) == 1
    assert [one.redriven for one in mine(kafka, fresh_topic_suffix)] == [True]


def test_refused_again_it_counts_its_attempts(kafka: str, fresh_topic_suffix: str) -> None:
    headers = {"treasury.attempt": b"2", "treasury.redrive_of": b"x:1:1", **reasons()}
    letter = post(kafka, fresh_topic_suffix, headers)
    assert letter.attempt == 2
    redrive(kafka, place_of(letter.place))
    (copy,) = copies(kafka, fresh_topic_suffix)
    assert dict(copy.headers())["treasury.attempt"] == b"3"
    assert len(copy.headers()) == 3


def test_killed_between_copy_and_mark_neither_happened(kafka: str, fresh_topic_suffix: str) -> None:
    letter = post(kafka, fresh_topic_suffix, reasons())
    program = (
        "import os, signal, sys\n"
        "from weir.dlq import place_of, redrive\n"
        "def kill(): print('copied', flush=True); os.kill(os.getpid(), signal.SIGKILL)\n"
        "redrive(sys.argv[1], place_of(sys.argv[2]), written=kill)\n"
    )
    argv = [sys.executable, "-c", program, kafka, letter.place]
    died = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    assert (died.returncode, died.stdout) == (-9, "copied\n"), died.stderr
    assert redrive(kafka, place_of(letter.place)).redriven == [letter]
    assert len(copies(kafka, fresh_topic_suffix)) == 1
    assert redrive(kafka, place_of(letter.place)).redriven == []
    assert len(copies(kafka, fresh_topic_suffix)) == 1


def test_whoever_is_overtaken_writes_nothing(kafka: str, fresh_topic_suffix: str) -> None:
    letter = post(kafka, fresh_topic_suffix, reasons())
    place = place_of(letter.place)

    def overtake() -> None:
        assert len(redrive(kafka, place).redriven) == 1

    with pytest.raises(WeirError, match=r"somebody else redrives hedge-executions\.dlq"):
        redrive(kafka, place, written=overtake)
    assert len(copies(kafka, fresh_topic_suffix)) == 1


def test_only_one_cause(kafka: str, fresh_topic_suffix: str) -> None:
    key = fresh_topic_suffix
    cause = f"cause-{key}"
    post(kafka, key, reasons(cause="other"))
    letter = post(kafka, key, reasons(cause=cause))
    assert redrive(kafka, place_of(f"{SOURCE}:3"), cause).redriven == [letter]
    assert len(copies(kafka, key)) == 1


@pytest.mark.parametrize(
    ("key", "headers", "why"),
    [
        ("a", reasons(topic="treasury.intents.v1"), "comes from treasury.intents.v1, but"),
        ("@partition", reasons(), "an old copy of a policy or control would undo a newer one"),
        ("b", reasons() | {f"{STREAMS}partition": b"99"}, "hedge-executions has no partition 99"),
    ],
)
def test_what_must_not_go_back_stays(
    kafka: str, key: str, headers: dict[str, bytes], why: str
) -> None:
    letter = post(kafka, key, headers)
    outcome = redrive(kafka, place_of(letter.place))
    assert outcome.redriven == []
    assert why in outcome.obstacles[0][1]
    assert "1 stay" in "\n".join(told(outcome, dry_run=False))


def test_a_letter_that_looks_like_a_mark_is_a_letter(kafka: str, fresh_topic_suffix: str) -> None:
    letter = post(kafka, fresh_topic_suffix, {"treasury.redriven": b"3:0"})
    other = post(kafka, fresh_topic_suffix, {"treasury.redriven": b"3:0", **reasons()}, None)
    assert mine(kafka, fresh_topic_suffix) == [letter, other]


def test_lists_and_shows(kafka: str, fresh_topic_suffix: str) -> None:
    record = WIRE.encode(SOURCE, EXECUTION)
    letter = post(kafka, fresh_topic_suffix, reasons(cause="late"), record)
    (of_topic,) = summary([letter])
    assert (of_topic.count, of_topic.causes, of_topic.first) == (1, {"late": 1}, [letter.place])
    assert "late 1" in "\n".join(table([of_topic]))
    told = described(letter, WIRE)
    assert told["value"]["exec_id"] == EXECUTION.exec_id
    assert told["headers"] == {"traceparent": "00-1"}
    assert told["from"] == {"topic": SOURCE, "partition": 3, "offset": 7}
    assert "why        qty=1" in shown(told)
    junk = described(post(kafka, fresh_topic_suffix, reasons(), b"\xffjunk"), WIRE)
    assert junk["value"]["text"] == "\\xffjunk"
    assert junk["value"]["bytes"] == 5


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("hedge", "did you mean hedge-executions.dlq"),
        ("treasury.pnl.v1", "has no dead letters"),
        ("hedge-executions:x", "must be TOPIC"),
        ("hedge-executions:1:2:3", "must be TOPIC"),
    ],
)
def test_a_place_that_is_none(text: str, why: str) -> None:
    with pytest.raises(WeirError, match=why):
        place_of(text)


def test_a_letter_that_is_not_there(kafka: str) -> None:
    with pytest.raises(WeirError, match=r"no dead letter at hedge-executions\.dlq:3:99999"):
        redrive(kafka, place_of("hedge-executions:3:99999"))


def test_a_late_execution_goes_back_as_a_correction(kafka: str) -> None:
    value = WIRE.encode(SOURCE, EXECUTION)
    post(kafka, "late-1", reasons(cause="late"), value)
    letter = mine(kafka, "late-1")[-1]
    redrive(kafka, place_of(letter.place))
    found = [one for one in whole(kafka, [INBOX]) if one.key() == b"late-1"]
    (body,) = [WIRE.decode(INBOX, one.value()).body for one in found]
    assert (body.kind, body.row, body.correction_id) == ("LATE", value, f"redrive:{letter.place}")
    assert found[0].partition() == 3
    assert copies(kafka, "late-1") == []
