"""What people ask of an account besides its money: the leverage of a contract, the end of an order.

Only nodes propose, so that a wish passes the gate like everything else that goes out. The book
judges it (no leverage above `risk.max_leverage`, whoever asks), says so in a decision that names
who asked, and proposes it under class control; the request's id stands as the check it passed. A
leverage is a plain number, written as text in records.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from schemas.ids import derive
from schemas.money import parse_e18, text_e18
from schemas.outcome import Outcome
from schemas.policy import Policy
from schemas.records import Decision, IntentOutcome, Meta, Proposal, Request
from streams.canonical import canonical
from streams.step import Emit, Entries, Event, InForce, InvariantBroken, Refused, meta
from tables.wishes import Wish, Wished

SET_LEVERAGE, CANCEL_ORDER = "SET_LEVERAGE", "CANCEL_ORDER"
VERBS = frozenset({SET_LEVERAGE, CANCEL_ORDER})
CLASS = "control"

_FIELDS: Mapping[str, Mapping[str, str]] = {
    SET_LEVERAGE: {
        "symbol": r"[A-Z0-9-]{1,40}",
        "leverage": r"[0-9]{1,4}(\.[0-9]{1,18})?",
        "category": "linear|inverse",
    },
    CANCEL_ORDER: {
        "symbol": r"[A-Z0-9-]{1,40}",
        "order_id": r"[A-Za-z0-9_-]{1,64}",
        "order_link_id": r"[A-Za-z0-9_-]{1,36}",
        "category": "linear|inverse|spot",
    },
}
_OPTIONAL = frozenset({"category", "order_id", "order_link_id"})


class Case:
    """What all records of one event share."""

    def __init__(self, event: Event, in_force: InForce, trigger: str) -> None:
        self.event, self.in_force, self.trigger = event, in_force, trigger
        self.stamp: Meta = meta(event, in_force, trigger)

    def id_of(self, kind: str) -> str:
        """An id that follows from the event."""
        version, at_ms = self.in_force.version, self.event.timestamp_ms
        return derive(kind, self.event.key, self.trigger, 0, version, at_ms)


def step(entries: Entries, event: Event, in_force: InForce) -> list[Any]:
    """The decision on a wish and, if it may be, its proposal; a repeat of it changes nothing."""
    wish: Request = event.value
    known: Wished | None = entries.get("wished", wish.request_id)
    if known is not None:
        if (known.verb, known.params) != (wish.verb, wish.params):
            raise Refused("exists_different", "request_id", wish.request_id, "was another wish")
        return []
    params = _params(wish)
    case = Case(event, in_force, f"request:{wish.request_id}")
    decision_id = case.id_of("decision")
    entries.put("wished", Wished(wish.verb, dict(wish.params), decision_id), wish.request_id)
    said: dict[str, Any] = {
        "request_id": wish.request_id,
        "verb": wish.verb,
        "params": params,
        "actors": wish.actors,
        "reason": wish.reason,
    }
    policy = in_force.policy
    if policy is None:
        return [_decision(case, decision_id, wish.actors[0], Outcome.no_policy.value, said)]
    said["max_leverage"] = text_e18(policy.risk.max_leverage_e18)
    if _over(params, policy):
        outcome = Outcome.over_max_leverage.value
        return [_decision(case, decision_id, wish.actors[0], outcome, said)]
    intent_id = case.id_of(wish.verb.lower())
    said["intent_ids"] = [intent_id]
    new = Wish(wish.request_id, intent_id, wish.verb, params["symbol"])
    entries.put("wishes", new, decision_id)
    return [
        _decision(case, decision_id, wish.actors[0], wish.verb, said),
        Emit("treasury.proposals.v1", _proposal(case, wish, params, decision_id, intent_id)),
    ]


def outcome(entries: Entries, event: Event, in_force: InForce) -> list[Any]:
    """Takes what became of a wish; a leverage that was changed is said, with old and new."""
    value: IntentOutcome = event.value
    wish: Wish | None = entries.get("wishes", value.decision_id)
    if wish is None or wish.intent_id != value.intent_id:
        raise Refused("unknown_intent", "intent_id", value.intent_id, "nobody asked for it here")
    if wish.final:
        if value.final and value.state != wish.state:
            raise Refused("final_state", "state", value.state, f"it ended as {wish.state}")
        return []
    new = replace(wish, state=value.state, final=value.final, reason=value.reason or "")
    entries.put("wishes", new, value.decision_id)
    was, now = value.facts.get("leverage_before"), value.facts.get("leverage_after")
    if (value.kind, value.state) != (SET_LEVERAGE, "CONFIRMED") or was == now:
        return []
    case = Case(event, in_force, f"outcome:{value.intent_id}#{value.state}")
    said = {
        "intent_id": value.intent_id,
        "request_id": wish.request_id,
        "symbol": wish.symbol,
        "before": was,
        "after": now,
    }
    actor = f"weir:{in_force.version}"
    return [_decision(case, value.decision_id, actor, "leverage_changed", said)]


def _params(wish: Request) -> dict[str, str]:
    """The parameters as they go out. Raises Refused for one that is missing, strange or wrong."""
    if not wish.actors or not wish.actors[0]:
        raise Refused("params", "actors", wish.actors, "a wish is somebody's")
    fields = _FIELDS[wish.verb]
    for name, text in wish.params.items():
        if name not in fields:
            raise Refused("params", name, text, f"{wish.verb} knows {', '.join(fields)}")
        if not re.fullmatch(fields[name], text):
            raise Refused("params", name, text, f"{wish.verb} takes {fields[name]}")
    for name in fields:
        if name not in wish.params and name not in _OPTIONAL:
            raise Refused("params", name, None, f"{wish.verb} needs it")
    params = {"category": "linear", **wish.params}
    if wish.verb == CANCEL_ORDER and ("order_id" in params) == ("order_link_id" in params):
        raise Refused("params", "order_id", params.get("order_id"), "or order_link_id: one of them")
    if wish.verb == SET_LEVERAGE:
        leverage_e18 = parse_e18(params["leverage"])
        if leverage_e18 == 0:
            raise Refused("params", "leverage", params["leverage"], "must be above 0")
        params["leverage"] = text_e18(leverage_e18)
    return params


def _over(params: Mapping[str, str], policy: Policy) -> bool:
    leverage = params.get("leverage")
    return leverage is not None and parse_e18(leverage) > policy.risk.max_leverage_e18


def _proposal(
    case: Case, wish: Request, params: dict[str, str], decision_id: str, intent_id: str
) -> Proposal:
    account_id, policy = case.event.key, case.in_force.policy
    if policy is None:
        raise InvariantBroken("a wish is proposed, but no policy is in force")
    until_ms = case.event.at_ms + policy.execution.intent_ttl_s * 1000
    return Proposal(
        meta=case.stamp,
        intent_id=intent_id,
        decision_id=decision_id,
        origin="book",
        origin_key=account_id,
        class_=CLASS,
        kind=wish.verb,
        account_id=account_id,
        lane=f"{account_id.partition(':')[0]}|{account_id}|{params['symbol']}",
        asked_e18=0,
        room_e18=0,
        ccy=policy.allocation.settle_ccy,
        precision=0,
        params=params,
        maker=wish.actors[0],
        valid_until_ms=until_ms,
        deadline_ms=until_ms,
        compliance_tags={},
        check_id=wish.request_id,
    )


def _decision(
    case: Case, decision_id: str, actor: str, said_outcome: str, said: dict[str, Any]
) -> Emit:
    event, in_force = case.event, case.in_force
    shared = {
        "policy": in_force.version,
        "policy_hash": in_force.policy_hash,
        "at_ms": event.at_ms,
        "trigger": {"topic": event.topic, "partition": event.partition, "offset": event.offset},
    }
    return Emit(
        "treasury.decisions.v1",
        Decision(
            meta=case.stamp,
            decision_id=decision_id,
            node="book",
            key=event.key,
            kind="DECISION",
            actor=actor,
            outcome=said_outcome,
            body=canonical({**shared, **said}),
        ),
    )
