"""What the audit keeps of a decision of cash: all it was made from, so that it can be made again.

`terms` is the part of the policy that the rules read, whole. With them and the calendars in force,
which lie on the node's inbox, `sweep.decide` gives the same decision years later, and what another
rule or another balance would have led to (`facts_of`, `policy_of`). Numbers are plain strings.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from schemas.jsonform import iso, iso_date, parse_date
from schemas.money import parse_e18, text_e18
from schemas.policy import Policy, parse
from schemas.same import Same
from streams import cutoff, sweep
from streams.calendar import NoCalendar, calendar
from streams.canonical import canonical
from streams.cash_facts import SAFE, Decided, Facts, Figures, Placement
from streams.holidays import FED
from streams.orders import Pending, Unsent
from streams.step import Event, InForce
from streams.var import bps_e18
from tables.allocation import Coordinates
from tables.cash import Balance, Expected, Risk
from tables.partition import CalendarYear

SEED = "sweep-seed-v1"
_READ: Any = {
    "name": True,
    "sweep": True,
    "var": True,
    "forecast": True,
    "guards": {"balance_age_max_s"},
    "limits": {"sweep"},
}


class Cause(NamedTuple):
    """What a decision was asked by, and under which policy; `terms` is JSON."""

    topic: str
    partition: int
    offset: int
    version: str
    policy_hash: str
    terms: msgspec.Raw

    @classmethod
    def of(cls, event: Event, in_force: InForce) -> Cause:
        """The cause of a live decision."""
        place = (event.topic, event.partition, event.offset)
        terms = _terms(Same(in_force.policy_body))
        return cls(*place, in_force.version, in_force.policy_hash, terms)


@lru_cache(maxsize=1024)
def _terms(policy_body: Same) -> msgspec.Raw:
    """What the rules read of a policy's canonical text, as JSON: the same for every decision."""
    if not policy_body.value:
        return msgspec.Raw(b"null")
    read = parse(policy_body.value).model_dump(mode="json", include=_READ)
    return msgspec.Raw(canonical(read).encode())


def body(
    cause: Cause,
    policy: Policy | None,
    facts: Facts,
    decided: Decided,
    sums: Figures | None,
    order_id: str,
) -> dict[str, Any]:
    """What is kept of a decision; its canonical JSON goes into the record."""
    said = {
        "policy": cause.version,
        "policy_hash": cause.policy_hash,
        "rule": None if policy is None else policy.sweep.rule,
        "terms": cause.terms,
        "inputs": _inputs(cause, facts),
        "sums": None if sums is None else _sums(sums),
        "outcome": decided.kind or decided.reason,
        "order": _order(decided, order_id) if decided.kind else None,
        "short": text_e18(decided.short_e18),
        "counterfactual": None if policy is None or sums is None else _other(policy, facts, sums),
    }
    if decided.because and facts.unsent is not None:
        said["withdrawal"] = _withdrawal(facts.unsent, decided)
    return said


def policy_of(said: dict[str, Any]) -> Policy | None:
    """The policy a body was decided under, as far as the rules read it."""
    return None if said["terms"] is None else Policy.model_validate(said["terms"])


def facts_of(said: dict[str, Any], calendars: tuple[CalendarYear, ...]) -> Facts:
    """What a body was decided from, with the calendars that were in force there."""
    given, waits = said["inputs"], said["inputs"]["waits"]
    forecast = given["forecast"]
    return Facts(
        account_id=given["account_id"],
        at_ms=given["at_ms"],
        mode=given["mode"],
        frozen=tuple(given["frozen"]),
        balance=_balance_of(given["available"]),
        booked=_balance_of(given["booked"]),
        pending=Pending(
            out_e18=parse_e18(given["pending_out"]),
            in_e18=parse_e18(given["pending_in"]),
            later=tuple(
                (parse_date(one["moves_on"]), parse_e18(one["amount"]))
                for one in given.get("pending_later", ())
            ),
            unsure=tuple(
                (parse_date(one["moves_on"]), parse_e18(one["amount"]))
                for one in given.get("pending_unsure", ())
            ),
        ),
        expected=_expected_of(forecast),
        for_day=None if forecast is None else parse_date(forecast["for_date"]),
        risk=_risk_of(given["risk"], said["policy"]),
        placements=tuple(
            Placement(
                key=one["order"],
                product=one["product"],
                amount_e18=parse_e18(one["amount"]),
                value_day=parse_date(one["value_date"]),
                matures_day=None if one["matures_on"] is None else parse_date(one["matures_on"]),
            )
            for one in given["placements"]
        ),
        open_id=given["open_order"],
        unsent=_unsent_of(given.get("unsent")),
        waits_kind=waits["kind"],
        waits_for=waits["reason"],
        business_day=_business_day(given["at_ms"], calendars),
        out_today=given["placed_today"],
        back_today=given["brought_back_today"],
        calendars=calendars,
    )


def other_rule(policy: Policy) -> str:
    """The other of the two rules."""
    return SEED if policy.sweep.rule == SAFE else SAFE


def observed_bps_e18(facts: Facts) -> int | None:
    """Value at risk in basis points of what is available."""
    if facts.risk is None or facts.balance is None:
        return None
    return bps_e18(facts.risk.var_e18, facts.balance.amount_e18)


def _inputs(cause: Cause, facts: Facts) -> dict[str, Any]:
    said = {
        "trigger": {
            "topic": cause.topic,
            "partition": cause.partition,
            "offset": cause.offset,
        },
        "account_id": facts.account_id,
        "at_ms": facts.at_ms,
        "mode": facts.mode,
        "frozen": facts.frozen,
        "available": _balance(facts.balance),
        "booked": _balance(facts.booked),
        "pending_out": text_e18(facts.pending.out_e18),
        "pending_in": text_e18(facts.pending.in_e18),
        "forecast": _forecast(facts),
        "risk": _risk(facts),
        "placements": [
            {
                "order": one.key,
                "product": one.product,
                "amount": text_e18(one.amount_e18),
                "value_date": iso_date(one.value_day),
                "matures_on": None if one.matures_day is None else iso_date(one.matures_day),
            }
            for one in facts.placements
        ],
        "open_order": facts.open_id,
        "waits": {"kind": facts.waits_kind, "reason": facts.waits_for},
        "placed_today": facts.out_today,
        "brought_back_today": facts.back_today,
    }
    if facts.unsent is not None:
        said["unsent"] = _unsent(facts.unsent)
    for name, moves in (("later", facts.pending.later), ("unsure", facts.pending.unsure)):
        if moves:
            said[f"pending_{name}"] = [
                {"moves_on": iso_date(day), "amount": text_e18(amount)} for day, amount in moves
            ]
    return said


def _other(policy: Policy, facts: Facts, sums: Figures) -> dict[str, Any]:
    """What the other rule would place."""
    rule = other_rule(policy)
    product, amount = sweep.wanted(policy, facts, sums, rule)
    return {"rule": rule, "product": product, "amount": _text(amount)}


def _order(decided: Decided, order_id: str) -> dict[str, Any]:
    return {
        "order_id": order_id,
        "product": decided.product,
        "amount": text_e18(decided.amount_e18),
        "room": text_e18(decided.room_e18),
        "cutoff": iso(decided.cutoff_ms),
        "value_date": iso_date(decided.value_day),
        "matures_on": None if decided.matures_day is None else iso_date(decided.matures_day),
        "takes": [
            {"order": take.placement, "amount": text_e18(take.amount_e18)} for take in decided.takes
        ],
    }


def _withdrawal(unsent: Unsent, decided: Decided) -> dict[str, Any]:
    return {
        "order": unsent.order,
        "amount": text_e18(unsent.amount_e18),
        "room": text_e18(decided.room_e18),
        "reason": decided.because,
    }


def _unsent(unsent: Unsent) -> dict[str, Any]:
    return {
        "order": unsent.order,
        "amount": text_e18(unsent.amount_e18),
        "product": unsent.product,
        "value_date": iso_date(unsent.value_day),
    }


def _unsent_of(said: dict[str, Any] | None) -> Unsent | None:
    if said is None:
        return None
    amount, day = parse_e18(said["amount"]), parse_date(said["value_date"])
    return Unsent(said["order"], amount, said["product"], day)


def _sums(sums: Figures) -> dict[str, Any]:
    return {
        "available": text_e18(sums.avail_e18),
        "excess": text_e18(sums.excess_e18),
        "float": _text(sums.float_e18),
        "usable": text_e18(sums.usable_e18),
        "investable": text_e18(sums.investable_e18),
    }


def _balance(balance: Balance | None) -> dict[str, Any] | None:
    if balance is None:
        return None
    source = balance.source
    return {
        "topic": source.topic,
        "partition": source.partition,
        "offset": source.offset,
        "code": balance.code,
        "amount": text_e18(balance.amount_e18),
        "as_of_ms": balance.as_of_ms,
    }


def _balance_of(said: dict[str, Any] | None) -> Balance | None:
    if said is None:
        return None
    source = Coordinates(said["topic"], said["partition"], said["offset"])
    return Balance(said["code"], parse_e18(said["amount"]), said["as_of_ms"], source)


def _forecast(facts: Facts) -> dict[str, Any] | None:
    said = facts.expected
    if said is None or facts.for_day is None:
        return None
    return {
        "for_date": iso_date(facts.for_day),
        "p50": text_e18(said.p50_e18),
        "p95": text_e18(said.p95_e18),
        "method": said.method,
        "sample": said.sample,
    }


def _expected_of(said: dict[str, Any] | None) -> Expected | None:
    if said is None:
        return None
    p50, p95 = parse_e18(said["p50"]), parse_e18(said["p95"])
    return Expected(p50, p95, said["method"], said["sample"], 0, p50, p95)


def _risk(facts: Facts) -> dict[str, Any] | None:
    risk = facts.risk
    if risk is None:
        return None
    return {
        "n": risk.n,
        "status": risk.status,
        "var": text_e18(risk.var_e18),
        "es": text_e18(risk.es_e18),
        "var_bps": _text(observed_bps_e18(facts)),
    }


def _risk_of(said: dict[str, Any] | None, version: str) -> Risk | None:
    if said is None:
        return None
    var, es = parse_e18(said["var"]), parse_e18(said["es"])
    return Risk(said["n"], said["status"], var, es, None, None, 0, version)


def _business_day(at_ms: int, calendars: tuple[CalendarYear, ...]) -> int | None:
    try:
        return cutoff.wire_day(at_ms, calendar(FED, calendars))
    except NoCalendar:
        return None


def _text(value_e18: int | None) -> str | None:
    return None if value_e18 is None else text_e18(value_e18)
