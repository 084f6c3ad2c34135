"""The order that a granted sweep becomes: what the bank's side reads, under the id of its intent.

It says the same as the intent's body and adds a number for people, `SWP-<UTC day>-<n>`, counted at
the gate over all orders of the day on which they were caused. What is signed is its canonical JSON
without `meta`, every number as plain text: whoever has the public key needs nothing else of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.contracts import named
from schemas.jsonform import Invalid, to_json
from schemas.money import parse_e18
from schemas.records import Meta, Proposal, RiskChecks, SweepOrder
from schemas.sweep_params import SweepParams
from streams import bill
from streams.canonical import canonical
from streams.step import Emit, Entries, InvariantBroken, Refused
from streams.window import day_of
from tables.gate import Hold, Numbered

TOPIC = "sweep_intent"
CLASS = "sweep"
DIRECTION = {"SWEEP": "OUT", "REVERSE_SWEEP": "BACK"}
E14 = 10**14
PRODUCTS = frozenset(named()["SweepProduct"]["symbols"][1:])
PRECISION_MAX = 4
"""Decimal places of an order's amount."""


def validate(proposal: Proposal) -> None:
    """Refuses a sweep that could not become an order."""
    if proposal.ccy != "USD":
        raise Refused("currency_mismatch", "ccy", proposal.ccy, "orders are in USD")
    if proposal.precision > PRECISION_MAX:
        raise Refused("range", "precision", proposal.precision, f"at most {PRECISION_MAX}")
    try:
        params = SweepParams.of(proposal.params)
    except KeyError as missing:
        raise Refused("params", "params", str(missing.args[0]), "is missing") from None
    except (Invalid, ValueError) as why:
        raise Refused("params", "params", dict(proposal.params), str(why)) from None
    if params.target_product not in PRODUCTS:
        raise Refused("params", "target_product", params.target_product, "is no product")
    expected = DIRECTION.get(proposal.kind)
    if params.direction != expected:
        raise Refused("params", "direction", params.direction, f"{proposal.kind} is {expected}")
    if proposal.account_id != f"bank:{params.source_account}":
        raise Refused("params", "source_account", params.source_account, proposal.account_id)
    receiver = params.counterparty if expected == "OUT" else proposal.account_id
    if proposal.beneficiary != receiver:
        raise Refused("params", "beneficiary", proposal.beneficiary, f"{receiver} is paid")
    if proposal.deadline_ms > params.cutoff_ms:
        raise Refused("params", "deadline", proposal.deadline_ms, "lies after the cut-off")


def whole_e18(proposal: Proposal, amount_e18: int) -> int:
    """What an amount to place comes to: bills are sold in hundreds of face, so it is the price of
    the most that it buys. A limit that cuts an order cuts it to that.
    """
    params = SweepParams.of(proposal.params)
    if params.target_product != bill.PRODUCT:
        return amount_e18
    days = (params.matures_day or params.value_day) - params.value_day
    return bill.cost_e18(amount_e18, params.discount_rate_e18, days)


def order(entries: Entries, said: Mapping[str, Any], hold: Hold, stamp: Meta) -> Emit:
    """The order of an intent's body, numbered."""
    params = SweepParams.of(said["params"])
    amount_e4, rest = divmod(parse_e18(said["amount"]), E14)
    if rest:
        raise InvariantBroken(f"{said['amount']} has more than {PRECISION_MAX} places")
    value = SweepOrder(
        meta=stamp,
        order_id=said["intent_id"],
        display_ref=_number(entries, day_of(hold.created_ms)),
        source_account=params.source_account,
        account_id=said["account_id"],
        direction=params.direction,
        target_product=params.target_product,
        amount_usd_e4=amount_e4,
        cutoff_utc_ms=params.cutoff_ms,
        value_date=params.value_day,
        risk_checks=RiskChecks(params.var_limit_bps_e18, params.observed_var_bps_e18),
        created_ts_ms=hold.created_ms,
        executed_by=said["executed_by"],
        approvals=hold.approvals,
        compliance_tags=said["compliance_tags"],
        instrument=params.instrument,
    )
    return Emit(TOPIC, value, timestamp_ms=hold.created_ms)


def payload(value: SweepOrder) -> bytes:
    """What is signed: all that the order says, as text that any JSON library can make again."""
    said = to_json(value)
    del said["meta"]
    return canonical(said).encode()


def _number(entries: Entries, day: str) -> str:
    numbered: Numbered = entries.get("numbered", day) or Numbered()
    entries.put("numbered", Numbered(numbered.count + 1), day)
    return f"SWP-{day}-{numbered.count + 1:04d}"
