"""How a decision of cash is said: the record for the audit with all it was made from, and the
proposal.

Ids follow from the natural key of the cause; a cause that has made an order before (two reports
with one as-of) counts on, so that no id is given twice. Numbers are plain strings.
"""

from __future__ import annotations

from typing import Any

from schemas.ids import derive
from schemas.jsonform import iso, iso_date
from schemas.money import text_e18
from schemas.policy import Policy
from schemas.records import Decision, Meta, Proposal
from schemas.sweep_params import SweepParams
from streams import orders, sweep
from streams.canonical import canonical
from streams.cash_facts import SAFE, Decided, Facts, Figures
from streams.step import Emit, Entries, Event, InForce
from streams.var import bps_e18
from tables.cash import Balance, Order

CLASS, CCY, PRECISION = "sweep", "USD", 2
SEED = "sweep-seed-v1"
_READ: Any = {
    "name": True,
    "sweep": True,
    "var": True,
    "forecast": True,
    "guards": {"balance_age_max_s"},
    "limits": {"sweep"},
}


class Said:
    """The ids and the stamp that the records of one decision share."""

    def __init__(
        self, entries: Entries, event: Event, in_force: InForce, trigger: str, stamp: Meta
    ) -> None:
        self.event, self.in_force, self.stamp = event, in_force, stamp
        self.actor = f"weir:{in_force.version}"
        self._cause = (event.key, trigger)
        self._rest = (in_force.version, event.timestamp_ms)
        ordinal = 0
        while any(
            orders.find(entries, self._id(kind.lower(), ordinal)) is not None
            for kind in (orders.OUT, orders.BACK)
        ):
            ordinal += 1
        self.ordinal = ordinal
        self.decision_id = self._id("decision", ordinal)

    def intent_id(self, kind: str) -> str:
        """The id of the order."""
        return self._id(kind.lower(), self.ordinal)

    def _id(self, kind: str, ordinal: int) -> str:
        return derive(kind, *self._cause, ordinal, *self._rest)


def decision(said: Said, facts: Facts, decided: Decided, sums: Figures | None) -> Emit:
    """What every decision writes, a hold included."""
    return Emit(
        "treasury.decisions.v1",
        Decision(
            meta=said.stamp,
            decision_id=said.decision_id,
            node="cash",
            key=said.event.key,
            kind="DECISION",
            actor=said.actor,
            outcome=decided.kind or decided.reason,
            body=canonical(_body(said, facts, decided, sums)),
            rule=None if said.in_force.policy is None else said.in_force.policy.sweep.rule,
        ),
    )


def order(said: Said, facts: Facts, decided: Decided, policy: Policy) -> Order:
    """What cash keeps of an order it proposes."""
    row = policy.sweep.product(decided.product)
    return Order(
        intent_id=said.intent_id(decided.kind),
        decision_id=said.decision_id,
        kind=decided.kind,
        product=decided.product,
        state="PROPOSED",
        final=False,
        amount_e18=decided.amount_e18,
        created_ms=said.event.timestamp_ms,
        value_day=decided.value_day,
        day=facts.today if facts.business_day is None else facts.business_day,
        matures_day=decided.matures_day,
        discount_rate_e18=None if row is None else row.discount_rate_e18,
        takes=decided.takes,
    )


def proposal(said: Said, facts: Facts, decided: Decided, policy: Policy) -> Emit:
    """The proposal to the gate."""
    account_id, back = facts.account_id, decided.kind == orders.BACK
    row, rules = policy.sweep.product(decided.product), policy.sweep
    counterparty = (row.beneficiary if row else None) or ""
    params = SweepParams(
        direction="BACK" if back else "OUT",
        target_product=decided.product,
        value_day=decided.value_day,
        cutoff_ms=decided.cutoff_ms,
        source_account=account_id.partition(":")[2],
        counterparty=counterparty,
        counterparty_name=row.beneficiary_name if row else "",
        var_limit_bps_e18=rules.var_limit_bps_e18,
        observed_var_bps_e18=_bps(facts),
        window=f"{row.opens}-{row.closes}" if row else "",
        instrument=row.instrument if row else None,
        matures_day=decided.matures_day,
        discount_rate_e18=row.discount_rate_e18 if row and decided.product == sweep.BILL else None,
    )
    as_of_ms = facts.balance.as_of_ms if facts.balance else facts.at_ms
    value = Proposal(
        meta=said.stamp,
        intent_id=said.intent_id(decided.kind),
        decision_id=said.decision_id,
        origin="cash",
        origin_key=account_id,
        class_=CLASS,
        kind=decided.kind,
        account_id=account_id,
        lane=f"{account_id.partition(':')[0]}|{account_id}|{CCY}",
        beneficiary=account_id if back else counterparty,
        asked_e18=decided.amount_e18,
        room_e18=decided.room_e18,
        ccy=CCY,
        precision=PRECISION,
        params=params.text(),
        maker=said.actor,
        valid_until_ms=as_of_ms + policy.guards.balance_age_max_s * 1000,
        deadline_ms=decided.cutoff_ms - rules.lead_s * 1000,
        compliance_tags=dict(rules.compliance_tags),
    )
    return Emit("treasury.proposals.v1", value)


def _bps(facts: Facts) -> int | None:
    if facts.risk is None or facts.balance is None:
        return None
    return bps_e18(facts.risk.var_e18, facts.balance.amount_e18)


def _body(said: Said, facts: Facts, decided: Decided, sums: Figures | None) -> dict[str, Any]:
    policy, event = said.in_force.policy, said.event
    place = {"topic": event.topic, "partition": event.partition, "offset": event.offset}
    return {
        "policy": said.in_force.version,
        "policy_hash": said.in_force.policy_hash,
        "rule": None if policy is None else policy.sweep.rule,
        "terms": None if policy is None else policy.model_dump(mode="json", include=_READ),
        "inputs": {
            "trigger": place,
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
        },
        "sums": None if sums is None else _sums(sums),
        "outcome": decided.kind or decided.reason,
        "order": _order(said, decided) if decided.kind else None,
        "short": text_e18(decided.short_e18),
        "counterfactual": None if policy is None or sums is None else _other(policy, facts, sums),
    }


def _other(policy: Policy, facts: Facts, sums: Figures) -> dict[str, Any]:
    """What the other rule would place."""
    rule = SEED if policy.sweep.rule == SAFE else SAFE
    other = policy.model_copy(update={"sweep": policy.sweep.model_copy(update={"rule": rule})})
    product, amount = sweep.wanted(other, facts, sums)
    return {"rule": rule, "product": product, "amount": _text(amount)}


def _order(said: Said, decided: Decided) -> dict[str, Any]:
    return {
        "order_id": said.intent_id(decided.kind),
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


def _risk(facts: Facts) -> dict[str, Any] | None:
    risk = facts.risk
    if risk is None:
        return None
    return {
        "n": risk.n,
        "status": risk.status,
        "var": text_e18(risk.var_e18),
        "es": text_e18(risk.es_e18),
        "var_bps": _text(_bps(facts)),
    }


def _text(value_e18: int | None) -> str | None:
    return None if value_e18 is None else text_e18(value_e18)
