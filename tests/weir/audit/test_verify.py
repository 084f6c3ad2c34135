"""Whatever is done to a recorded audit is found, and the first bad record is named."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from msgspec.structs import replace

from schemas.records import AuditRecord
from schemas.signing import PrivateKey
from tests.weir.audit.recorded import (
    AT_MS,
    KEYS,
    Lain,
    again,
    chain,
    checkpointed,
    exported,
    judged,
    lying,
    signed,
    text,
)
from weir.audit import check, from_export, verify
from weir.audit.source import AUDIT, CHECKPOINTS

TWO, FIVE = chain(2, 12), chain(5, 9)
SEALS = [signed([TWO[3], FIVE[3]]), signed([TWO[-1], FIVE[-1]], AT_MS + 3_600_000)]
CHANGES = 1000

pytestmark = pytest.mark.req("000-44", "000-62", "000-77")


def found(links: list[AuditRecord]) -> list[tuple[str, int, str]]:
    report = judged(lying(links), checkpointed(SEALS))
    assert not report.whole
    return [(fault.chain_id, fault.seq, fault.what) for fault in report.faults]


def changed(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    other = chance.choice([byte for byte in range(256) if byte != data[at]])
    return data[:at] + bytes([other]) + data[at + 1 :]


def test_a_whole_record_is_called_whole() -> None:
    report = judged(lying([*TWO, *FIVE]), checkpointed(SEALS))
    assert report.whole, str(report)
    assert report.heads == {"audit-2": 12, "audit-5": 9}
    assert str(report).startswith("whole: 21 records in 2 chains, 2 checkpoints")


def test_every_change_of_one_byte_is_found_and_located() -> None:
    chance = random.Random(14)
    laid, seals = lying([*TWO, *FIVE]), checkpointed(SEALS)
    for _ in range(CHANGES):
        place = chance.randrange(len(laid))
        bad = laid[place]._replace(data=changed(laid[place].data, chance))
        report = judged([*laid[:place], bad, *laid[place + 1 :]], seals)
        assert [(fault.chain_id, fault.seq, fault.place) for fault in report.faults] == [
            (bad.name, bad.at + 1, f"{AUDIT}[{bad.number}]@{bad.at}")
        ], bad.data


def test_every_change_of_one_byte_of_a_checkpoint_is_found() -> None:
    chance = random.Random(15)
    laid, seals = lying([*TWO, *FIVE]), checkpointed(SEALS)
    for _ in range(CHANGES // 2):
        place = chance.randrange(len(seals))
        bad = seals[place]._replace(data=changed(seals[place].data, chance))
        report = judged(laid, [*seals[:place], bad, *seals[place + 1 :]])
        assert not report.faults
        places = [where for where, _ in report.checkpoints.faults]
        assert places == [f"{CHECKPOINTS}[0]@{place}"], bad.data


@pytest.mark.req("000-67")
def test_every_change_of_one_byte_of_an_export_is_found(tmp_path: Path) -> None:
    chance = random.Random(16)
    lines = [text(one) for one in exported([*lying([*TWO, *FIVE]), *checkpointed(SEALS)])]

    def report(written: list[bytes]) -> tuple[bool, str]:
        file = tmp_path / "audit.jsonl"
        file.write_bytes(b"\n".join(written) + b"\n")
        result = verify(from_export(file, AUDIT), check(from_export(file, CHECKPOINTS), KEYS))
        return result.whole, str(result)

    raw = [line.encode() for line in lines]
    assert report(raw)[0]
    for _ in range(CHANGES // 5):
        place = chance.randrange(len(raw))
        begin = raw[place].index(b'"value": ') + len(b'"value": ')
        bad = raw[place][:begin] + changed(raw[place][begin:-1], chance) + raw[place][-1:]
        whole, said = report([*raw[:place], bad, *raw[place + 1 :]])
        if b"\n" in bad:
            assert not whole
        elif json.loads(raw[place]) == _parsed(bad):
            continue  # a space between two values became another one: the same record
        else:
            assert not whole, bad
            assert f"line {place + 1})" in said, said


def _parsed(line: bytes) -> object:
    try:
        return json.loads(line)
    except ValueError:
        return None


def test_a_record_taken_from_the_end_is_missed_by_the_checkpoint() -> None:
    assert found([*TWO[:-1], *FIVE]) == [
        (
            "audit-2",
            12,
            "the chain ends at 11, had 12 records at the checkpoint of 2025-12-01T10:30:00.250Z",
        )
    ]


def test_a_chain_taken_away_whole_is_missed() -> None:
    assert [fault[:2] for fault in found(TWO)] == [("audit-5", 1)]


def test_a_record_taken_from_the_middle() -> None:
    what = "missing: record 6 follows 4"
    assert found([*TWO[:4], *TWO[5:], *FIVE]) == [("audit-2", 5, what)]


def test_two_records_with_one_seq() -> None:
    other = again([*TWO[:6], replace(TWO[6], body='{"facts":"others"}')])[-1]
    assert found([*TWO[:7], other, *TWO[7:], *FIVE]) == [("audit-2", 8, "a second record 7: fork")]


def test_a_fork_after_a_restored_disk() -> None:
    forked = again([*TWO[:6], *(replace(link, body="{}") for link in TWO[6:])])
    what = "the checkpoint of 2025-12-01T10:30:00.250Z saw another record here: written anew"
    assert found([*forked, *FIVE]) == [("audit-2", 12, what)]
    mixed = [*TWO[:8], *forked[8:]]
    what = "prev_hash is not the hash of record 8: fork"
    assert found([*mixed, *FIVE]) == [("audit-2", 9, what)]


def test_two_records_in_each_others_place() -> None:
    swapped = [*TWO[:4], TWO[5], TWO[4], *TWO[6:]]
    assert found([*swapped, *FIVE])[0][:2] == ("audit-2", 5)


def test_a_checkpoint_of_another_key_proves_nothing() -> None:
    stranger = signed([TWO[-1], FIVE[-1]], AT_MS, PrivateKey.new("worker"))
    report = judged(lying([*TWO, *FIVE]), checkpointed([stranger]))
    assert report.checkpoints.faults[0][1] == "the signature of 'worker' fits none of 1 keys"
    assert report.checkpoints.marks == {}


def test_a_checkpoint_that_takes_back_an_earlier_one() -> None:
    shorter = signed([TWO[5], FIVE[-1]], AT_MS + 7_200_000)
    report = judged(lying([*TWO, *FIVE]), checkpointed([*SEALS, shorter]))
    assert [what for _, what in report.checkpoints.faults] == [
        "audit-2 ends at 6, had 12 records at 2025-12-01T10:30:00.250Z"
    ]


def test_key_and_time_belong_to_the_record() -> None:
    laid = lying(TWO)

    def what(bad: Lain) -> str:
        return judged([*laid[:2], bad, *laid[3:]], []).faults[0].what

    assert "key 'audit-3'" in what(laid[2]._replace(name="audit-3"))
    assert "is not the record's" in what(laid[2]._replace(time_ms=AT_MS + 1))
