"""The story of one decision: every audit record of it, in the order in which things happened.

Above the records stands the view an auditor asks for: when, what kind of decision, from which
inputs, by which logic, what it ordered, who approved, and how that ended.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from schemas.jsonform import iso, to_json
from schemas.records import AuditRecord
from weir.audit.source import Laid

_FLOW = ("book", "cash", "buffers", "gate", "intents")
_NOT_LOGIC = ("inputs", "parts", "action", "policy", "policy_hash", "trigger", "at_ms")


@dataclass(frozen=True)
class Story:
    """All records of one decision; empty when there is none."""

    decision_id: str
    records: list[AuditRecord]

    def view(self) -> dict[str, Any]:
        """The seven parts."""
        bodies = [json.loads(record.body) for record in self.records]
        first, facts = bodies[0], _facts(bodies[0])
        ends = {
            said["intent_id"]: {name: said.get(name) for name in ("leg", "to", "amount", "reason")}
            for said in (_facts(body) for body in bodies if body.get("node") == "intents")
            if "intent_id" in said
        }
        answers = [body["outcome"] for body in bodies if body.get("node") == "gate"]
        return {
            "timestamp": iso(self.records[0].meta.event_time_ms),
            "decision_type": facts.get("action", first.get("outcome")),
            "inputs": facts.get("inputs", first.get("input")),
            "logic": {
                "rule": first.get("rule"),
                "policy": self.records[0].meta.policy,
                "policy_hash": facts.get("policy_hash"),
                **{name: said for name, said in facts.items() if name not in _NOT_LOGIC},
            },
            "output_action": facts.get("parts", []),
            "approvals": {
                "gate": answers,
                "people": [r.actor for r in self.records if r.kind == "APPROVAL"],
            },
            "execution_result": ends or "nothing was carried out",
        }

    def as_json(self) -> dict[str, Any]:
        """For programs: the view and the records under it."""
        return {
            "decision_id": self.decision_id,
            **self.view(),
            "records": [
                {**to_json(record), "body": json.loads(record.body)} for record in self.records
            ],
        }

    def __str__(self) -> str:
        lines = [f"decision {self.decision_id}"]
        for name, part in self.view().items():
            text = part if isinstance(part, str) else json.dumps(part, ensure_ascii=False)
            lines.append(f"  {name.replace('_', ' '):17} {text}")
        lines.append("")
        for record in self.records:
            body = json.loads(record.body)
            said = _facts(body)
            moved = f" {said['from']} -> {said['to']}" if "from" in said and "to" in said else ""
            lines.append(
                f"  {iso(_at_ms(record))}  {record.chain_id}#{record.seq}  {record.kind}"
                f"  {body.get('node', 'part')}  {body.get('outcome', body.get('part'))}{moved}"
                f"  by {record.actor}"
            )
        return "\n".join(lines)


def story(links: Iterable[Laid], decision_id: str) -> Story:
    """Gathers the records of a decision."""
    found = [
        one.record
        for one in links
        if isinstance(one.record, AuditRecord) and one.record.decision_id == decision_id
    ]
    return Story(decision_id, sorted(found, key=_order))


def _order(record: AuditRecord) -> tuple[int, int, str, int]:
    """By the deciding node's time; what happened in one millisecond, as the flow goes."""
    node = json.loads(record.body).get("node", "")
    rank = _FLOW.index(node) if node in _FLOW else len(_FLOW)
    return _at_ms(record), rank, record.chain_id, record.seq


def _at_ms(record: AuditRecord) -> int:
    facts = _facts(json.loads(record.body))
    inputs = facts.get("inputs")
    said = facts.get("at_ms", inputs.get("at_ms") if isinstance(inputs, dict) else None)
    return said if isinstance(said, int) else record.meta.event_time_ms


def _facts(body: dict[str, Any]) -> dict[str, Any]:
    facts = body.get("facts")
    return facts if isinstance(facts, dict) else {}
