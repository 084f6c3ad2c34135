"""Who may change what: controls and policies once there are people, and the relay that asks."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from agents import exact
from agents.exact.harness import Harness
from agents.relay import add_relay
from agents.standing import CONTROLS, POLICIES, Standing, Told
from schemas.policy import Policy, canonical, policy_hash
from schemas.records import Control, PolicyUpdate
from schemas.wire import SchemaIds, Wire
from streams.canonical import canonical as canonical_text
from streams.statements import control_bytes, policy_bytes
from streams.step import Refused
from tests.streams.people_world import KEYS, person

T0_MS = 1_760_000_000_000
OPERATE = [person(name, "operate") for name in ("ann", "bob", "cem")]
ADMIN = [*OPERATE, person("olaf", "admin"), person("dan", "approve")]


def policy(version: int, people: list[Any], before: PolicyUpdate | None = None) -> PolicyUpdate:
    body = canonical(Policy.model_validate({"name": "p", "people": people}))
    previous = before.hash if before is not None else ""
    at_ms = T0_MS + version
    return PolicyUpdate("p", version, policy_hash(body), body, "file", "t", (), previous, at_ms)


def signed(update: PolicyUpdate, *names: str) -> PolicyUpdate:
    return replace(update, signatures=tuple(KEYS[n].sign(policy_bytes(update)) for n in names))


def control(mode: str, epoch: int, *names: str, scope: str = "all", keys: str = "") -> Control:
    """Signed by those it names, unless other `keys` are said."""
    draft = Control(scope, mode, epoch, "why", names, (), T0_MS + 100 + epoch)
    used = keys.split(",") if keys else names
    return replace(draft, jws=tuple(KEYS[name].sign(control_bytes(draft)) for name in used))


def standing(*values: Any) -> Standing:
    """What stands after these records, in this order."""
    found = Standing()
    for value in values:
        found.judge(value)
        found.take(value)
    return found


def cause(found: Standing, value: Any) -> str:
    with pytest.raises(Refused) as caught:
        found.judge(value)
    return caught.value.cause


@pytest.mark.req("000-59")
def test_without_people_a_control_needs_no_signature() -> None:
    found = standing(
        policy(1, []), control("ACTIVE", 1), control("PAUSED", 1), control("ACTIVE", 9)
    )
    assert (found.epoch, found.mode("all")) == (9, "ACTIVE")
    assert standing(control("ACTIVE", 1)).epoch == 1
    assert cause(found, replace(control("ACTIVE", 10), mode="UNKNOWN")) == "mode"


@pytest.mark.req("000-59", "000-73")
def test_one_person_pauses_and_two_resume() -> None:
    found = standing(control("ACTIVE", 1), policy(1, OPERATE), control("PAUSED", 2, "ann"))
    assert cause(found, control("ACTIVE", 3, "ann")) == "approval"
    assert cause(found, control("REDUCING", 3, "bob")) == "approval"
    assert cause(found, control("ACTIVE", 3, "ann", "ann")) == "actors"
    for pair in itertools.permutations(("ann", "bob", "cem"), 2):
        found.judge(control("ACTIVE", 3, *pair))
    found.take(control("ACTIVE", 3, "ann", "bob"))
    found.judge(control("REDUCING", 4, "cem"))
    found.judge(control("PAUSED", 4, "cem", scope="class:loan"))
    found.take(control("PAUSED", 4, "cem", scope="class:loan"))
    assert cause(found, control("ACTIVE", 5, "cem", scope="class:loan")) == "approval"


@pytest.mark.req("000-59", "000-73")
@pytest.mark.parametrize(
    ("value", "why"),
    [
        (control("PAUSED", 2), "approval"),
        (replace(control("PAUSED", 2, "ann"), jws=()), "signature"),
        (control("PAUSED", 2, "ann", keys="bob"), "signature"),
        (control("PAUSED", 2, "ann", "bob", keys="ann,ann"), "signature"),
        (replace(control("PAUSED", 2, "ann"), mode="ACTIVE"), "signature"),
        (replace(control("PAUSED", 2, "ann"), scope="class:loan"), "signature"),
        (replace(control("PAUSED", 2, "ann"), epoch=3), "signature"),
        (replace(control("PAUSED", 2, "ann"), reason="other"), "signature"),
        (replace(control("PAUSED", 2, "ann"), actors=("bob",)), "signature"),
        (control("PAUSED", 2, "eve"), "unknown_person"),
        (control("PAUSED", 2, "olaf"), "role"),
        (control("PAUSED", 1, "ann"), "epoch"),
    ],
)
def test_a_control_that_is_not_signed_as_it_says_is_refused(value: Control, why: str) -> None:
    assert cause(standing(control("ACTIVE", 1), policy(1, ADMIN)), value) == why


@pytest.mark.req("000-73")
def test_a_control_that_was_good_once_cannot_come_again() -> None:
    resume = control("ACTIVE", 2, "ann", "bob")
    found = standing(policy(1, OPERATE), resume, control("PAUSED", 3, "cem"))
    assert cause(found, resume) == "epoch"


@pytest.mark.req("000-73")
def test_a_policy_follows_the_one_in_force_and_an_admin_signs_it() -> None:
    first = policy(1, ADMIN)
    found = standing(first)
    second = policy(2, OPERATE, first)
    assert cause(found, second) == "signature"
    assert cause(found, signed(second, "ann")) == "role"
    assert cause(found, signed(second, "eve")) == "unknown_person"
    assert cause(found, signed(policy(2, OPERATE), "olaf")) == "policy"
    assert cause(found, signed(policy(1, OPERATE, first), "olaf")) == "policy"
    forged = replace(signed(second, "olaf"), **_body(policy(2, [])))
    assert cause(found, forged) == "signature"
    found.judge(signed(second, "olaf"))
    found.take(second)
    found.judge(policy(1, []))  # nobody is admin any more: as before


@pytest.mark.req("E-5")
def test_a_persons_policy_says_what_it_would_have_done_and_the_admin_signs_that_too() -> None:
    first = policy(1, ADMIN)
    found = standing(first)
    second = replace(policy(2, OPERATE, first), source="rest")
    assert cause(found, signed(second, "olaf")) == "simulation"
    seen = signed(replace(second, simulation='{"orders":3}'), "olaf")
    found.judge(seen)
    assert cause(found, replace(seen, simulation='{"orders":0}')) == "signature"
    assert cause(found, replace(seen, simulation=None)) == "signature"
    found.judge(signed(policy(2, OPERATE, first), "olaf"))  # of a watched source nobody asks it
    same = replace(policy(2, ADMIN, first), source="rest")
    found.judge(signed(same, "olaf"))  # what does not change needs no look


def test_what_counted_before_there_were_simulations_counts_for_ever() -> None:
    content = json.loads(policy(1, ADMIN).body)
    del content["activation"]
    old = canonical_text(content)
    first = replace(policy(1, ADMIN), body=old, hash=policy_hash(old))
    second = replace(policy(2, OPERATE, first), source="rest")
    standing(first).judge(signed(second, "olaf"))


@pytest.mark.parametrize("field", ["body", "hash"])
def test_a_policy_that_is_not_what_it_says_is_refused(field: str) -> None:
    assert cause(Standing(), replace(policy(1, []), **{field: "{"})) == "policy"


def test_the_past_is_read_by_time_and_each_topic_in_its_order() -> None:
    """A record that claims an old time does not overtake what lay there before it."""
    told = [
        Told(CONTROLS, 0, 10, control("ACTIVE", 1)),
        Told(POLICIES, 0, 20, policy(1, OPERATE)),
        Told(CONTROLS, 1, 30, control("PAUSED", 2, "ann")),
        Told(CONTROLS, 2, 1, control("ACTIVE", 9)),
        Told(CONTROLS, 3, 40, control("ACTIVE", 3, "ann", "bob")),
    ]
    for order in itertools.permutations(told):
        found = Standing.of(order)
        assert (found.epoch, found.mode("all")) == (3, "ACTIVE")


class Past:
    """Both topics as they lie; `asked` is how often they were read."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.asked: list[dict[str, int]] = []

    def __call__(self, before: Mapping[str, int]) -> list[Told]:
        self.asked.append(dict(before))
        return [one for one in self.told if one.offset < before.get(one.topic, 99)]


@pytest.mark.req("000-59", "000-73")
async def test_the_relay_copies_what_counts_and_refuses_the_rest(tmp_path: Path) -> None:
    past = Past()
    past.told = [Told(POLICIES, 0, 1, policy(1, OPERATE))]
    config = exact.Config(bootstrap="127.0.0.1:1", datadir=tmp_path, header_prefix="treasury")
    app = exact.App("relay", config=config)
    add_relay(app, Wire(SchemaIds.from_lock()), 2, past)
    async with Harness(app) as h:
        await h.feed(CONTROLS, control("ACTIVE", 1), key="all", timestamp_ms=1)
        assert [dict(one.headers)["treasury.outcome"] for one in h.dead_letters] == [b"approval"]
        assert h.outputs == []
        await h.feed(CONTROLS, control("ACTIVE", 2, "ann", "bob"), key="all", timestamp_ms=2)
        copies = [(one.topic, one.partition) for one in h.outputs]
        inboxes = ["book", "cash", "desk", "intent"]
        assert copies == [(f"treasury.{name}-inputs.v1", p) for name in inboxes for p in (0, 1)]
        await h.feed(CONTROLS, control("PAUSED", 2, "ann"), key="all", timestamp_ms=3)
        assert len(h.outputs) == len(copies)
        assert past.asked == [{CONTROLS: 0}]  # what it has seen itself is not read again


def _body(update: PolicyUpdate) -> dict[str, str]:
    return {"body": update.body, "hash": update.hash}
