"""What cannot be used becomes a dead letter with its coordinates; the stream goes on and nothing
else changes.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import fastavro
import pytest
from msgspec.structs import replace

from agents.wiring import partition_of
from schemas.contracts import SUBJECTS, resolved
from schemas.jsonform import from_json
from schemas.money import E18
from schemas.records import Control, HedgeExecution, LoanState
from schemas.topics import BY_NAME
from tests.weir.day import Day
from tests.weir.rig import PARTITIONS, WIRE, control_line, fill_line, policy_line, until
from weir.examples import example_line

FILLS, LOANS, POLICIES = "hedge-executions", "treasury.loan-states.v1", "orch_config_updates"
CONTROLS = "treasury.controls.v1"
ACCOUNT = "bybit:bad"
HOME = partition_of(ACCOUNT, PARTITIONS)
ERRORS = "__streams.errors."


def fill(exec_id: str, **changes: Any) -> HedgeExecution:
    line = fill_line(ACCOUNT, exec_id, "Buy", "1", "100", "0.1")
    return replace(from_json(HedgeExecution, line["value"]), **changes)


def loan(**changes: Any) -> LoanState:
    value: LoanState = from_json(LoanState, example_line(BY_NAME[LOANS])["value"])
    return replace(value, account_id=ACCOUNT, **changes)


def foreign(topic: str, record: Any, **fields: Any) -> bytes:
    """A record with fields that our own writer refuses, as a plain Avro client writes it."""
    data = WIRE.encode(topic, record)
    schema = fastavro.parse_schema(resolved(SUBJECTS[topic]), named_schemas={})
    content = fastavro.schemaless_reader(io.BytesIO(data[5:]), schema, None)
    out = io.BytesIO(data[:5])
    out.seek(5)
    fastavro.schemaless_writer(out, schema, content | fields)
    return out.getvalue()


@dataclass(frozen=True)
class Bad:
    """A record as a foreign program may write it, and what it is refused for."""

    name: str
    value: Callable[[], bytes | None]
    cause: str
    says: str
    topic: str = FILLS
    key: bytes | None = ACCOUNT.encode()
    partition: int | None = None
    step: str = "process"


BAD = [
    Bad("garbage", lambda: b"not avro at all", "decode", "wire format", step="decode"),
    Bad("null", lambda: None, "decode", "no value", step="decode"),
    Bad("empty", lambda: b"", "decode", "wire format", step="decode"),
    Bad("unknown schema", lambda: b"\0\0\0\xff\xff--", "schema", "id=65535", step="decode"),
    Bad("cut short", lambda: WIRE.encode(FILLS, fill("b1"))[:40], "decode", "", step="decode"),
    Bad(
        "bytes left over",
        lambda: WIRE.encode(FILLS, fill("b2")) + b"!",
        "decode",
        "",
        step="decode",
    ),
    Bad("key is no text", lambda: WIRE.encode(FILLS, fill("b3")), "decode", "utf-8",
        key=b"\xff\xfe", partition=HOME, step="decode"),
    Bad("negative qty", lambda: WIRE.encode(FILLS, fill("b4", qty_e18=-E18)), "range", "qty"),
    Bad("unknown side", lambda: foreign(FILLS, fill("b5"), side="UNKNOWN"), "enum", "side",
        step="decode"),
    Bad("unknown type", lambda: WIRE.encode(FILLS, fill("b6", exec_type="Gift")), "exec_type",
        "Gift"),
    Bad("another account", lambda: WIRE.encode(FILLS, fill("b7", account_id="bybit:other")), "key",
        "'bybit:other'"),
    Bad("no key", lambda: WIRE.encode(FILLS, fill("b8")), "", "", key=None, partition=HOME),
    Bad("foreign partitioner", lambda: WIRE.encode(FILLS, fill("b9")), "partition", "murmur2",
        partition=(HOME + 1) % PARTITIONS),
    Bad("loan in percent", lambda: WIRE.encode(LOANS, loan(ltv_ratio_e18=45 * E18)), "percent",
        "ltv", topic=LOANS),
]  # fmt: skip


def letters(day: Day, topic: str) -> dict[tuple[str, str], dict[str, Any]]:
    """The dead letters of a topic as `weir consume --json` shows them, by their coordinates."""
    done = day.rig.weir("consume", f"{topic}.dlq", "--json")
    assert done.returncode == 0, done.stderr
    found = map(json.loads, done.stdout.splitlines())
    return {
        (one["headers"][f"{ERRORS}partition"], one["headers"][f"{ERRORS}offset"]): one
        for one in found
    }


def awaited(day: Day, topic: str, place: tuple[int, int]) -> dict[str, Any]:
    """The dead letter of the record at (partition, offset)."""
    at = str(place[0]), str(place[1])
    return until(lambda: letters(day, topic).get(at), f"{topic}{place} is a dead letter")


def booked(day: Day, account: str) -> list[str]:
    """The executions of an account that are in the profit."""
    rows = day.rig.values("treasury.pnl.v1")
    return [row["exec_id"] for row in rows if row["account_id"] == account]


@pytest.mark.req("000-58")
@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_it_is_a_dead_letter_and_the_next_record_is_folded(day: Day, bad: Bad) -> None:
    pid = day.rig.pid("pipeline")
    value = bad.value()
    place = day.rig.put(bad.topic, value, bad.key, bad.partition)
    after = f"after-{bad.name}"
    next_in_line = WIRE.encode(FILLS, fill(after))
    day.rig.put(FILLS, next_in_line, ACCOUNT.encode())

    letter = awaited(day, bad.topic, place)
    headers = letter["headers"]
    assert letter["partition"] == place[0]
    assert headers[f"{ERRORS}topic"] == bad.topic
    assert headers["treasury.step"] == bad.step
    assert headers[f"{ERRORS}exception"] == headers["treasury.outcome"]
    assert bad.cause in headers["treasury.outcome"]
    assert bad.says in headers[f"{ERRORS}message"]
    assert original(day, bad.topic, letter) == value

    until(lambda: after in booked(day, ACCOUNT), "the next record is folded")
    assert all(name.startswith("after-") for name in booked(day, ACCOUNT))
    assert booked(day, "bybit:other") == []
    assert day.rig.pid("pipeline") == pid


def original(day: Day, topic: str, letter: dict[str, Any]) -> bytes | None:
    """The bytes of a dead letter, from what `weir consume` shows of them."""
    shown = letter["value"]
    if shown is None or isinstance(shown, str):
        return None if shown is None else shown.encode()
    if set(shown) == {"base64"}:
        return base64.b64decode(shown["base64"])
    return WIRE.encode(topic, from_json(BY_NAME[topic].record, shown))


@pytest.mark.req("000-45", "003-89")
@pytest.mark.parametrize(
    ("name", "says"), [("field", "allocation.ltv_hihg"), ("hash", "is not the hash of the body")]
)
def test_a_policy_that_does_not_hold_is_refused_and_the_old_one_stays(
    day: Day, name: str, says: str
) -> None:
    until(lambda: in_force(day) == "test@2", "the day's policy")
    line = policy_line(3, day.sandbox.accounts)
    body = json.loads(line["value"]["body"])
    if name == "field":
        body["allocation"]["ltv_hihg"] = "0.45"
        line["value"]["body"] = json.dumps(body)
    else:
        line["value"]["hash"] = "0" * 64
    day.rig.send(POLICIES, [line])
    offset = day.rig.lines(POLICIES)[-1]["offset"]
    letter = awaited(day, POLICIES, (0, offset))
    assert says in letter["headers"][f"{ERRORS}message"]
    assert letter["headers"]["treasury.outcome"] == "policy"
    status = json.loads(day.rig.weir("status", "--json").stdout)["cluster"]
    assert status["policy"]["version"] == "test@2"
    assert says in status["refused_policies"][-1]["why"]
    assert "REFUSED test@3: " in day.rig.weir("status").stdout
    day.rig.put(FILLS, WIRE.encode(FILLS, fill(f"under-{name}")), ACCOUNT.encode())
    until(lambda: f"under-{name}" in booked(day, ACCOUNT), "the fill is folded")
    assert policy_of(day, f"under-{name}") == "test@2"


def test_a_control_of_an_unknown_mode_changes_nothing(day: Day) -> None:
    control = from_json(Control, control_line("PAUSED", 9)["value"])
    place = day.rig.put(CONTROLS, foreign(CONTROLS, control, mode="UNKNOWN"), b"all")
    letter = awaited(day, CONTROLS, place)
    assert letter["headers"]["treasury.outcome"] == "enum"
    modes = json.loads(day.rig.weir("status", "--json").stdout)["cluster"]["modes"]
    assert [(mode["mode"], mode["epoch"]) for mode in modes if mode["scope"] == "all"] == [
        ("ACTIVE", 1)
    ]


def in_force(day: Day) -> str:
    seen = json.loads(day.rig.weir("status", "--json").stdout)
    return str(seen["cluster"]["policy"]["version"])


def policy_of(day: Day, exec_id: str) -> str:
    rows = day.rig.values("treasury.pnl.v1")
    (found,) = [row["meta"]["policy"] for row in rows if row["exec_id"] == exec_id]
    return str(found)
