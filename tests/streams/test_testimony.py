"""Whose word on a parked attempt counts: two people, and once there are keys, what they signed."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from schemas.policy import Policy
from schemas.records import AttemptRecord
from streams.statements import resolution_bytes
from streams.step import Refused
from streams.testimony import people_of
from tests.streams.people_world import KEYS, PEOPLE

ROW = AttemptRecord("h1", "i1", "main", 2, "HUMAN", 1, class_="done", message="the statement")
TWO_OPERATE = [one | {"roles": ("operate",)} if one["id"] == "bob" else one for one in PEOPLE]
POLICY = Policy.model_validate({"people": TWO_OPERATE})


def said(*names: str, of: AttemptRecord = ROW, **keys: str) -> AttemptRecord:
    facts = {"actors": ",".join(names)}
    for name in names:
        facts[f"jws.{name}"] = KEYS[keys.get(name, name)].sign(resolution_bytes(of))
    return replace(ROW, facts=facts)


def test_two_who_operate_and_signed_this() -> None:
    assert people_of(said("olaf", "bob"), POLICY) == ["bob", "olaf"]


def test_without_people_in_the_policy_names_are_taken_as_they_stand() -> None:
    row = replace(ROW, facts={"actors": "x,y"})
    assert people_of(row, None) == people_of(row, Policy()) == ["x", "y"]


OTHERS: list[Any] = [
    (said("olaf"), "two people"),
    (said("olaf", "olaf"), "two people"),
    (replace(said("olaf", "bob"), message=""), "two people"),
    (said("olaf", "eve"), "is none of the policy's people"),
    (said("olaf", "cem"), "has not the role operate"),
    (said("olaf", "bob", bob="eve"), "does not fit"),
    (said("olaf", "bob", bob="olaf"), "does not fit"),
    (replace(ROW, facts={"actors": "olaf,bob"}), "does not fit"),
    *(
        (said("olaf", "bob", of=replace(ROW, **change)), "does not fit")
        for change in (
            {"n": 1},
            {"leg": "transfer"},
            {"intent_id": "i2"},
            {"class_": "refused"},
            {"message": "another"},
            {"venue_ref": "7"},
            {"attempt_id": "h2"},
        )
    ),
]


@pytest.mark.parametrize(("row", "why"), OTHERS)
def test_whose_word_does_not_count(row: AttemptRecord, why: str) -> None:
    with pytest.raises(Refused, match=why):
        people_of(row, POLICY)
