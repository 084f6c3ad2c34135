"""The judge of the sums app: one pass over its input topics says what must lie in all the others.

It shares no code with the app or the engine.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from hashlib import sha256
from itertools import pairwise

from tests.agents.exact.rig import Rig


def good_deposits(run: Rig) -> Iterator:
    """(message, key, value) of the deposits that must count, as they lie in their topic."""
    for message in run.read("deposits"):
        try:
            key, value = message.key().decode(), json.loads(message.value() or b"")
        except ValueError:
            continue
        if value["amount"] != -2:
            yield message, key, value


def everything(run: Rig) -> None:
    """All of the below."""
    every_deposit_once(run)
    state_is_the_fold(run)
    second_stage_without_a_gap(run)
    order_names_every_offset(run)
    hashes_agree(run)
    effects_at_most_once(run)


def every_deposit_once(run: Rig) -> None:
    """Each deposit came out once, in its account's order, with the running sum and count."""
    expected: dict[str, list] = defaultdict(list)
    totals: dict[str, int] = defaultdict(int)
    for _, key, value in good_deposits(run):
        totals[key] += value["amount"]
        count = len(expected[key]) + 1
        expected[key].append({"id": value["id"], "total": totals[key], "count": count})
    found: dict[str, list] = defaultdict(list)
    for message in run.read("sums"):
        value = json.loads(message.value())
        if "id" in value:
            found[message.key().decode()].append(value)
    assert found == expected


def state_is_the_fold(run: Rig) -> None:
    """What the changelog holds is what the input adds up to."""
    folded: dict[str, dict] = {}
    for _, key, value in good_deposits(run):
        seen = folded.setdefault(key, {"total": 0, "count": 0, "rate": 0})
        seen["total"] += value["amount"]
        seen["count"] += 1
    for message in run.read("rates"):
        if message.value() != b"[":
            key = message.key().decode()
            folded[key]["rate"] = json.loads(message.value())["rate"]
    found = {}
    for rows in run.entries("accounts").values():
        found |= {key: json.loads(value) for key, value in rows.items() if key[0] != "@"}
    assert found == folded


def second_stage_without_a_gap(run: Rig) -> None:
    """Every large deposit got one number, 1..n in order, with the running sum."""
    numbered = run.values("numbered")
    assert [value["number"] for value in numbered] == list(range(1, len(numbered) + 1))
    large = {v["id"]: v["amount"] for _, _, v in good_deposits(run) if v["amount"] > 900}
    assert {value["id"] for value in numbered} == large.keys()
    assert len(numbered) == len(large)
    total = 0
    for value in numbered:
        total += large[value["id"]]
        assert value["total"] == total


def order_names_every_offset(run: Rig) -> None:
    """The merge order holds every committed record once, in order, at times that never go back."""
    ran: dict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
    times: dict[tuple[str, int], list[int]] = defaultdict(list)
    for order in run.orders():
        times[order.table, order.partition].append(order.at_ms)
        for topic, start, stop in order.runs:
            if topic[0] != "@":
                ran[topic, order.partition].append((start, stop))
    for stem in ("deposits", "rates", "large"):
        topic = run.topic(stem)
        for message in run.read(stem):
            runs = ran[topic, message.partition()]
            assert sum(start <= message.offset() < stop for start, stop in runs) == 1
    for runs in ran.values():
        assert all(stop <= start for (_, stop), (start, _) in pairwise(runs))
    assert all(seen == sorted(seen) for seen in times.values())


def hashes_agree(run: Rig) -> None:
    """Merge order and changelog say the same hash after each transaction, and up to which inputs
    it leads; the entries have the hash in the end.
    """
    for table in ("accounts", "desks"):
        said: dict[int, list] = defaultdict(list)
        led: dict[int, list] = defaultdict(lambda: [{}])
        for order in run.orders():
            if order.table == table:
                said[order.partition].append({"at": order.at_ms, "hash": order.table_hash})
                moved = {topic: stop for topic, _, stop in order.runs if topic[0] != "@"}
                led[order.partition].append(led[order.partition][-1] | moved)
        kept: dict[int, list] = defaultdict(list)
        for message in run.read(f"sums-{{}}-{table}-changelog"):
            if message.key() == b"@hash":
                kept[message.partition()].append(json.loads(message.value()))
        for partition, stamps in kept.items():
            for stamp, moved in zip(stamps, led[partition][1:], strict=True):
                assert stamp.pop("next").items() >= moved.items()
        assert kept == said
        for partition, rows in run.entries(table).items():
            rows.pop("@hash")
            assert f"{hash_of(rows):064x}" == kept[partition][-1]["hash"]


def hash_of(entries: dict[str, bytes]) -> int:
    """The hash as its definition says, from nothing but the entries."""
    rows = (key.encode() + b"\0" + value for key, value in entries.items())
    return sum(int.from_bytes(sha256(row).digest(), "big") for row in rows) % (1 << 256)


def effects(run: Rig) -> list[int]:
    """What the workers carried out, all slots together."""
    files = run.folder.glob("worker-*/effects.txt")
    return sorted(int(line) for file in files for line in file.read_text().split())


def wished_effects(run: Rig) -> list[int]:
    return sorted(value["id"] for _, _, value in good_deposits(run) if value.get("effect"))


def effects_at_most_once(run: Rig) -> None:
    done = effects(run)
    assert len(done) == len(set(done))
    assert set(done) <= set(wished_effects(run))


def hidden(run: Rig, stem: str = "sums") -> int:
    """Records that were written and never became true: a fault met an open transaction."""
    return sum(1 for _ in run.read(stem, committed=False)) - sum(1 for _ in run.read(stem))
