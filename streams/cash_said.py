"""How a decision of cash is said: the record for the audit with all it was made from, and the
proposal, or the word that an order is taken back.

Ids follow from the natural key of the cause; a cause that has made an order before (two reports
with one as-of) counts on, so that no id is given twice. Numbers are plain strings.
"""

from __future__ import annotations

from schemas.ids import derive
from schemas.policy import Policy
from schemas.records import Decision, DeskInput, Meta, Proposal, Withdrawal
from schemas.sweep_params import SweepParams
from streams import cash_body, orders, sweep
from streams.canonical import canonical
from streams.cash_facts import Decided, Facts, Figures
from streams.orders import Unsent
from streams.step import Emit, Entries, Event, InForce
from tables.cash import Order

CLASS, CCY, PRECISION = "sweep", "USD", 2


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
        while orders.had_any(entries) and any(
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
    policy, cause = said.in_force.policy, cash_body.Cause.of(said.event, said.in_force)
    order_id = said.intent_id(decided.kind) if decided.kind else ""
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
            body=canonical(cash_body.body(cause, policy, facts, decided, sums, order_id)),
            rule=None if policy is None else policy.sweep.rule,
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
        decided_on_e18=0 if facts.balance is None else facts.balance.amount_e18,
        deadline_ms=_deadline_ms(decided, policy),
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
        observed_var_bps_e18=cash_body.observed_bps_e18(facts),
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
        deadline_ms=_deadline_ms(decided, policy),
        compliance_tags=dict(rules.compliance_tags),
    )
    return Emit("treasury.proposals.v1", value)


def withdrawal(said: Said, unsent: Unsent, decided: Decided) -> Emit:
    """The word to the gate that an order must not go out."""
    body = Withdrawal(
        intent_id=unsent.order,
        decision_id=said.decision_id,
        origin="cash",
        origin_key=said.event.key,
        reason=decided.because,
        at_ms=said.event.at_ms,
    )
    return Emit("treasury.desk-inputs.v1", DeskInput(meta=said.stamp, body=body))


def _deadline_ms(decided: Decided, policy: Policy) -> int:
    return decided.cutoff_ms - policy.sweep.lead_s * 1000
