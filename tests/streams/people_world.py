"""A gate with people: ann, bob and cem may approve loans, dan only transfers; olaf operates.

`approve p1 by=ann` is a word signed as it should be; `key=`, `hash=`, `said=` and the rest make one
that is not.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from schemas.records import Approval
from schemas.signing import PrivateKey
from streams.statements import approval_bytes
from streams.step import DeadLetter
from tests.streams.desk_world import T0_MS, World, span_ms
from tests.table import Row, matches

KEYS = {name: PrivateKey.new(name) for name in ("ann", "bob", "cem", "dan", "olaf", "eve")}


def person(
    name: str, *roles: str, classes: tuple[str, ...] = (), most: str = "0"
) -> dict[str, Any]:
    """A row of people[]."""
    key = KEYS[name].public
    return {
        "id": name, "public_key": key, "roles": roles, "classes": classes, "max_usd": most
    }  # fmt: skip


PEOPLE = [
    person("ann", "approve", "operate", classes=("loan",), most="1000000"),
    person("bob", "approve", classes=("loan", "transfer"), most="7000"),
    person("cem", "approve", classes=("loan",), most="1000000"),
    person("dan", "approve", classes=("transfer",), most="1000000"),
    person("olaf", "operate", "admin"),
]


class Desk(World):
    """The world of the gate with signed words."""

    def __init__(self, **policy: Any) -> None:
        super().__init__(**{"people": PEOPLE, **policy})
        self.words: list[Approval] = []

    def leave(self, row: Row) -> None:
        """Someone leaves: the policy no longer knows them."""
        kept = [one for one in self.settings["people"] if one["id"] != row.words[0]]
        self.settings["people"] = kept
        self.put_policy(self.settings)

    def rekey(self, row: Row) -> None:
        """Someone's key leaked and was replaced by another."""
        fresh = PrivateKey.new(row.words[0]).public
        self.settings["people"] = [
            one | ({"public_key": fresh} if one["id"] == row.words[0] else {})
            for one in self.settings["people"]
        ]
        self.put_policy(self.settings)

    def approve(self, row: Row) -> None:
        self.say(row, "approve")

    def deny(self, row: Row) -> None:
        self.say(row, "deny")

    def revoke(self, row: Row) -> None:
        self.say(row, "revoke")

    def replay(self, row: Row) -> None:
        """An earlier word once more, as it was."""
        self.to_gate("treasury.approvals.v1", self.words[int(row.words[0])])

    def say(self, row: Row, verdict: str) -> None:
        fields, name = row.fields, row.fields["by"]
        known = {state.intent_id: state.body_hash for state in self.states}
        word = Approval(
            intent_id=row.words[0],
            body_hash=fields.get("hash", known.get(row.words[0], "")),
            verdict=verdict,
            approver=name,
            role=fields.get("role", "approve"),
            jws="",
            expires_ms=T0_MS + span_ms(fields["expires"]) if "expires" in fields else self.soon(),
            at_ms=self.now_ms,
        )
        signed = KEYS[fields.get("key", name)].sign(approval_bytes(word))
        word = replace(word, jws=fields.get("jws", signed))
        if "said" in fields:
            word = replace(word, verdict=fields["said"])
        if "as" in fields:
            word = replace(word, approver=fields["as"])
        self.words.append(word)
        self.to_gate("treasury.approvals.v1", word)

    def soon(self) -> int:
        """Every word has an end of its own, as people give them at different times."""
        return self.now_ms + 900_000 + len(self.words)

    def send(self, *given: Any) -> None:
        super().send(*given)
        self.states = [*getattr(self, "states", []), *self.said("state")]

    def letter(self, row: Row) -> None:
        """What came last was refused: a dead letter and a decision that says why."""
        (found,) = [item for item in self.out if isinstance(item, DeadLetter)]
        assert (found.cause, found.field) == row.words, str(found)
        (decision,) = self.said("decision")
        assert matches(decision, {"outcome": row.words[0], "kind": "APPROVAL"}) == []
        assert len(self.out) == 2, self.out
