"""The audit chain: the vectors of its definition, no gaps, nothing left out, every change seen."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas.jsonform import to_json
from schemas.records import AuditRecord, ChainHead, Decision, Meta, Source
from streams.canonical import hash_of
from streams.chain import GENESIS, content, digest, root
from streams.node import fold
from streams.step import Event, Refused
from streams.topology import AUDIT
from tables.audit import Head
from tables.memory import MemoryStore

AT_MS = 1_764_581_400_250


def decision(number: int, body: str = '{"at_ms":1,"why":"because"}', **changes: Any) -> Decision:
    fields: dict[str, Any] = {
        "meta": Meta("e", AT_MS, "p@1", Source("hedge-executions", 2, number)),
        "decision_id": f"d{number}",
        "node": "book",
        "key": "bybit:1",
        "kind": "DECISION",
        "actor": "weir:p@1",
        "rule": "seed-v1",
        "outcome": "hold",
        "body": body,
    }
    return Decision(**fields | changes)


def audited(store: MemoryStore, offset: int, said: Decision, partition: int = 3) -> list[Any]:
    key = f"{said.node}|{said.key}"
    event = Event("treasury.decisions.v1", partition, offset, key, said, AT_MS, AT_MS)
    return [emit.value for emit in fold(AUDIT, store, event)]


def chain(count: int) -> list[AuditRecord]:
    store = MemoryStore()
    return [link for n in range(count) for link in audited(store, n, decision(n))]


@pytest.mark.req("000-44")
def test_the_vectors() -> None:
    first = digest(GENESIS, {"seq": 1, "decision_id": "d1"})
    assert first == "86e13cf7dd340df66e6633e017c34f62372ee8b665f2b4e4c5a11cfbde646771"
    second = digest(first, {"decision_id": "d2", "seq": 2})
    assert second == "eaec5f0aea4670f7112322d89c6855cad2e2761fd166fe7f673149bcf09cf19a"


def test_each_record_follows_from_the_one_before() -> None:
    links = chain(5)
    assert [link.seq for link in links] == [1, 2, 3, 4, 5]
    assert [link.prev_hash for link in links] == [GENESIS, *(link.hash for link in links[:-1])]
    assert all(link.hash == digest(link.prev_hash, content(link)) for link in links)
    assert {link.chain_id for link in links} == {"audit-3"}


def test_an_auditor_needs_no_code_of_ours() -> None:
    import hashlib

    link = chain(2)[1]
    shown = to_json(link)
    rest = {name: shown[name] for name in shown if name not in ("prev_hash", "hash")}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    raw = bytes.fromhex(shown["prev_hash"]) + text.encode()
    assert hashlib.sha256(raw).hexdigest() == shown["hash"]


def test_a_record_says_where_it_comes_from_and_keeps_the_facts_as_written() -> None:
    facts = '{"b":"ü \\" 1","a":1}'
    (link,) = audited(MemoryStore(), 7, decision(9, facts))
    assert link.meta.source == Source("treasury.decisions.v1", 3, 7)
    body = json.loads(link.body)
    assert body["facts"] == json.loads(facts)
    assert facts in link.body
    assert body["input"] == {"topic": "hedge-executions", "partition": 2, "offset": 9}
    assert (body["node"], body["rule"], body["outcome"]) == ("book", "seed-v1", "hold")


def test_facts_that_are_no_json_are_kept_as_text() -> None:
    (link,) = audited(MemoryStore(), 0, decision(0, "{broken"))
    assert json.loads(link.body)["facts"] == "{broken"


def test_a_body_too_large_goes_in_by_its_hash_and_follows_in_parts() -> None:
    facts = json.dumps({"text": "ü" * 450_000}, ensure_ascii=False)
    store = MemoryStore()
    links = audited(store, 0, decision(0, facts))
    whole = json.loads(links[0].body)["facts"]
    parts = [json.loads(link.body) for link in links[1:]]
    assert whole == {"sha256": hash_of(facts), "parts": len(parts)}
    assert "".join(part["text"] for part in parts) == facts
    assert [link.seq for link in links] == list(range(1, len(parts) + 2))
    assert len({link.meta.event_id for link in links}) == len(links)
    assert store.get("heads|audit-3") == Head(links[-1].seq, links[-1].hash)


def test_chains_of_two_partitions_are_two() -> None:
    store, other = MemoryStore(), MemoryStore()
    audited(store, 0, decision(0))
    (link,) = audited(other, 0, decision(0), partition=4)
    assert (link.chain_id, link.seq) == ("audit-4", 1)


def test_a_decision_under_a_foreign_key_is_refused() -> None:
    event = Event("treasury.decisions.v1", 3, 0, "gate|desk", decision(0), AT_MS, AT_MS)
    with pytest.raises(Refused, match="the contract derives"):
        fold(AUDIT, MemoryStore(), event)


def test_the_root_speaks_of_every_head_and_not_of_their_order() -> None:
    heads = [ChainHead(f"audit-{n}", n + 1, f"{n:064x}") for n in range(5)]
    assert root(heads) == root(reversed(heads))
    assert len({root(heads[:n]) for n in range(6)}) == 6
    for place, head in enumerate(heads):
        other = [*heads[:place], ChainHead(head.chain_id, head.seq + 1, head.hash)]
        assert root([*other, *heads[place + 1 :]]) != root(heads)
