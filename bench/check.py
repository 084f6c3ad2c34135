"""The judge of the benchmark's workload: one pass over the inputs in exact fractions, against
everything the workers wrote.

    result = check(rig, suffix, chain=True)      # all of FAULTS must be 0

It reads with fastavro from the schemas and shares no codec, fold or engine code with the workers.
The inputs are folded in the recorded merge order, because a join depends on it; that the order
itself names every committed record exactly once is checked first.
"""

from __future__ import annotations

import io
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from hashlib import sha256
from typing import Any

import fastavro

from bench.rig import Rig
from bench.workload import RECORDS

FAULTS = (
    "double",
    "missing",
    "wrong",
    "allocation_double",
    "allocation_missing",
    "allocation_wrong",
    "state_mismatch",
    "order_errors",
    "hash_mismatch",
    "sequence_errors",
)
E18 = 10**18
_SCHEMAS = {record.id: fastavro.parse_schema(record.avsc) for record in RECORDS}


def check(rig: Rig, suffix: str, chain: bool = True) -> dict[str, int]:
    """Counts, and what is wrong with them. Everything must be drained."""
    orders = _orders(rig, suffix)
    folded = _fold(rig, suffix, orders)
    result = {"executions": len(folded.pnl), "order_errors": folded.order_errors}
    result |= _pnl(rig, suffix, folded)
    result |= _allocations(rig, suffix, folded)
    result |= {"state_mismatch": 0, "hash_mismatch": 0}
    tables = ("accounts", "desks") if chain else ("accounts",)
    for table in tables:
        changelog = _Changelog(rig, f"w-{suffix}-{table}-changelog")
        result["hash_mismatch"] += changelog.hash_mismatches(orders, table)
        if table == "accounts":
            result["state_mismatch"] += _states(changelog, folded)
        else:
            result["state_mismatch"] += _desk_state(changelog, folded)
    if chain:
        result |= _sequence(rig, suffix, folded)
    return result


@dataclass
class _Account:
    positions: dict[str, tuple[Fraction, Fraction]] = field(default_factory=dict)
    realised: Fraction = Fraction(0)
    loan: tuple[Fraction, Fraction] | None = None
    fills: int = 0
    allocations: int = 0
    allocated: Fraction = Fraction(0)


@dataclass
class _Folded:
    """What must be there: pnl and allocations by execution id, states by account."""

    pnl: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    allocations: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    accounts: dict[str, _Account] = field(default_factory=lambda: defaultdict(_Account))
    order_errors: int = 0


def _orders(rig: Rig, suffix: str) -> dict[tuple[str, int], list[dict[str, Any]]]:
    out: dict[tuple[str, int], list[dict[str, Any]]] = defaultdict(list)
    for message in rig.read(f"order-{suffix}"):
        order = json.loads(message.value())
        out[order["table"], order["partition"]].append(order)
    return out


def _fold(rig: Rig, suffix: str, orders: dict[tuple[str, int], list[dict[str, Any]]]) -> _Folded:
    inputs: dict[tuple[str, int], list[tuple[int, Any]]] = defaultdict(list)
    for stem in ("executions", "loans"):
        for message in rig.read(f"{stem}-{suffix}"):
            record = message.offset(), _decode(message.value())
            inputs[message.topic(), message.partition()].append(record)
    folded = _Folded()
    for partition in {partition for _, partition in inputs}:
        last_ms = 0
        for order in orders["accounts", partition]:
            folded.order_errors += order["at_ms"] < last_ms
            last_ms = order["at_ms"]
            for topic, start, stop in order["runs"]:
                if topic[0] == "@":
                    continue
                for record in _take(inputs[topic, partition], start, stop, folded):
                    _one(folded, record)
    folded.order_errors += sum(len(left) for left in inputs.values())
    return folded


def _take(left: list[tuple[int, Any]], start: int, stop: int, folded: _Folded) -> list[Any]:
    """The records of one run; what it skips or repeats is an error of the order."""
    if not left or left[0][0] != start or stop <= start:
        folded.order_errors += 1
    count = next((i for i, (offset, _) in enumerate(left) if offset >= stop), len(left))
    taken = [record for _, record in left[:count]]
    del left[:count]
    return taken


def _one(folded: _Folded, record: dict[str, Any]) -> None:
    account = folded.accounts[record["account"]]
    if "loan_id" in record:
        account.loan = Fraction(record["principal"]), Fraction(record["collateral_value"])
        return
    price, size, fee = (Fraction(record[name]) for name in ("price", "qty", "fee"))
    quantity, average = account.positions.get(record["symbol"], (Fraction(0), Fraction(0)))
    change = size if record["side"] == "Buy" else -size
    after, gross = quantity + change, Fraction(0)
    if quantity * change >= 0:
        average = _round((abs(quantity) * average + abs(change) * price) / abs(after))
    else:
        direction = 1 if quantity > 0 else -1
        gross = _round((price - average) * min(abs(quantity), abs(change)) * direction)
        if after == 0:
            average = Fraction(0)
        elif after * quantity < 0:
            average = price
    account.positions[record["symbol"]] = after, average
    net = gross - fee
    account.realised += net
    account.fills += 1
    id, name = record["exec_id"], record["account"]
    folded.pnl[id] = name, record["symbol"], gross, fee, net, account.realised, record["exec_time"]
    if net > 0 and account.loan is not None:
        ltv = _round(account.loan[0] / account.loan[1])
        action, repay, collateral = _split(ltv, net)
        account.allocations += 1
        account.allocated += repay + collateral
        folded.allocations[id] = name, action, repay, collateral, ltv


def _split(ltv: Fraction, net: Fraction) -> tuple[str, Fraction, Fraction]:
    if ltv > Fraction(45, 100):
        return "add_collateral", Fraction(0), _round(net * Fraction(95, 100))
    if ltv < Fraction(35, 100):
        return "repay", _round(net * Fraction(90, 100)), Fraction(0)
    half = _round(net * Fraction(45, 100))
    return "split", half, half


def _round(exact: Fraction) -> Fraction:
    """Half to even at 18 places, as Python rounds."""
    return Fraction(round(exact * E18), E18)


def _pnl(rig: Rig, suffix: str, folded: _Folded) -> dict[str, int]:
    seen: Counter[str] = Counter()
    wrong = 0
    for message in rig.read(f"pnl-{suffix}"):
        record = _decode(message.value())
        seen[record["exec_id"]] += 1
        names = ("account", "symbol", "gross", "fee", "net", "realised_total", "exec_time")
        found = tuple(record[name] for name in names)
        right = found == folded.pnl.get(record["exec_id"])
        wrong += not right or message.key().decode() != record["account"]
    hidden = sum(1 for _ in rig.read(f"pnl-{suffix}", committed=False)) - seen.total()
    return {
        "pnl": seen.total(),
        "double": seen.total() - len(seen),
        "missing": len(folded.pnl.keys() - seen.keys()),
        "wrong": wrong,
        "aborted_hidden": hidden,
    }


def _allocations(rig: Rig, suffix: str, folded: _Folded) -> dict[str, int]:
    seen: Counter[str] = Counter()
    wrong = 0
    for message in rig.read(f"allocations-{suffix}"):
        record = _decode(message.value())
        seen[record["id"]] += 1
        names = ("account", "action", "repay", "collateral", "ltv")
        wrong += tuple(record[name] for name in names) != folded.allocations.get(record["id"])
    return {
        "allocations": seen.total(),
        "allocation_double": seen.total() - len(seen),
        "allocation_missing": len(folded.allocations.keys() - seen.keys()),
        "allocation_wrong": wrong,
    }


class _Changelog:
    """The entries a changelog leaves, and every `@hash` on the way."""

    def __init__(self, rig: Rig, topic: str) -> None:
        self.entries: dict[int, dict[bytes, bytes]] = defaultdict(dict)
        self.stamps: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for message in rig.read(topic):
            if message.key() == b"@hash":
                self.stamps[message.partition()].append(json.loads(message.value()))
            elif message.value() is None:
                self.entries[message.partition()].pop(message.key(), None)
            else:
                self.entries[message.partition()][message.key()] = message.value()

    def values(self) -> Iterator[tuple[str, Any]]:
        for rows in self.entries.values():
            for key, value in rows.items():
                yield key.decode(), json.loads(value)

    def hash_mismatches(
        self, orders: dict[tuple[str, int], list[dict[str, Any]]], table: str
    ) -> int:
        """Transactions whose hash the merge order tells differently, and entries that lack theirs.

        Compaction may have removed early stamps: the last ones are compared.
        """
        bad = 0
        for partition, stamps in self.stamps.items():
            said = [(one["at_ms"], one["table_hash"]) for one in orders[table, partition]]
            kept = [(one["at"], one["hash"]) for one in stamps]
            bad += sum(a != b for a, b in zip(reversed(said), reversed(kept), strict=False))
            bad += len(kept) > len(said)
            rows = (k + b"\0" + v for k, v in self.entries[partition].items())
            total = sum(int.from_bytes(sha256(row).digest(), "big") for row in rows) % (1 << 256)
            bad += f"{total:064x}" != kept[-1][1]
        return bad


def _states(changelog: _Changelog, folded: _Folded) -> int:
    found = dict(changelog.values())
    expected = {
        name: [
            {symbol: [_text(q), _text(a)] for symbol, (q, a) in account.positions.items()},
            _text(account.realised),
            account.loan and [_text(part) for part in account.loan],
            account.fills,
            account.allocations,
            _text(account.allocated),
        ]
        for name, account in folded.accounts.items()
    }
    return sum(found.get(name) != expected.get(name) for name in found.keys() | expected.keys())


def _desk_state(changelog: _Changelog, folded: _Folded) -> int:
    total = sum((row[2] + row[3] for row in folded.allocations.values()), Fraction(0))
    expected = {"desk": [_text(total), len(folded.allocations)]} if folded.allocations else {}
    return int(dict(changelog.values()) != expected)


def _sequence(rig: Rig, suffix: str, folded: _Folded) -> dict[str, int]:
    """Stage two numbers 1..n without a gap, with the running total, in the order of its topic."""
    came = [_decode(message.value())["id"] for message in rig.read(f"desk-{suffix}")]
    errors, total, numbered = int(sorted(came) != sorted(folded.allocations)), Fraction(0), 0
    for message in rig.read(f"numbered-{suffix}"):
        record = _decode(message.value())
        amounts = folded.allocations.get(record["id"], ("", "", Fraction(0), Fraction(0)))
        total += amounts[2] + amounts[3]
        numbered += 1
        expected = came[numbered - 1 : numbered], amounts[2] + amounts[3], total, numbered
        found = [record["id"]], record["amount"], record["desk_total"], record["n"]
        errors += expected != found
    return {"numbered": numbered, "sequence_errors": errors + abs(len(came) - numbered)}


def _text(exact: Fraction) -> str:
    return str(int(exact * E18))


def _decode(data: bytes) -> dict[str, Any]:
    id = int.from_bytes(data[1:5], "big")
    decoded = fastavro.schemaless_reader(io.BytesIO(data[5:]), _SCHEMAS[id], None)
    return dict(decoded)  # type: ignore[arg-type]
