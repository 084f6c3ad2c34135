"""What services see of an account: its cash position and its value at risk, after each change."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from schemas.policy import Policy
from schemas.policy_cash import VarRule
from schemas.records import CashPosition, Meta, Var
from streams.balances import E4_TO_E18
from streams.cash_facts import Facts, figures, is_stale
from streams.step import Emit, Entries, Event
from streams.var import bps_e18, held_against_e18
from tables.cash import Balance, Risk


def position(facts: Facts, policy: Policy | None, stamp: Meta) -> list[Any]:
    """The cash position; none before a balance is known, or a policy says what is kept."""
    balance = facts.balance
    if balance is None or policy is None:
        return []
    sums = figures(policy, facts, balance)
    risk, held_e18 = facts.risk, held_against_e18(policy.var, balance.amount_e18)
    value = CashPosition(
        meta=stamp,
        account_id=facts.account_id,
        as_of_ms=balance.as_of_ms,
        avail_usd_e4=balance.amount_e18 // E4_TO_E18,
        booked_usd_e4=None if facts.booked is None else facts.booked.amount_e18 // E4_TO_E18,
        pending_out_e4=facts.pending.out_e18 // E4_TO_E18,
        pending_in_e4=facts.pending.in_e18 // E4_TO_E18,
        target_float_e4=None if sums.float_e18 is None else sums.float_e18 // E4_TO_E18,
        investable_usd_e4=sums.investable_e18 // E4_TO_E18,
        stale=is_stale(policy, balance, facts.at_ms),
        var_bps_e18=None if risk is None else bps_e18(risk.var_e18, held_e18),
    )
    return [Emit("cash_positions", value)]


def var(
    entries: Entries,
    event: Event,
    risk: Risk,
    rule: VarRule,
    balance: Balance | None,
    stamp: Meta,
    fresh: bool,
) -> tuple[Risk, list[Any]]:
    """The record of value at risk: after new flows, and when its basis points have changed."""
    held_e18 = None if balance is None else held_against_e18(rule, balance.amount_e18)
    bps = None if held_e18 is None else bps_e18(risk.var_e18, held_e18)
    if not fresh and bps == risk.published_bps_e18:
        return risk, []
    new = replace(risk, published_bps_e18=bps)
    entries.put("risk", new)
    value = Var(
        meta=stamp,
        account_id=event.key,
        n=risk.n,
        status=risk.status,
        var_usd_e4=risk.var_e18 // E4_TO_E18,
        es_usd_e4=risk.es_e18 // E4_TO_E18,
        method=rule.method,
        as_of_ms=risk.as_of_ms if balance is None else balance.as_of_ms,
        base_usd_e4=None if held_e18 is None else held_e18 // E4_TO_E18,
        var_bps_e18=bps,
        band_low_e4=_e4(risk.band_low_e18),
        band_high_e4=_e4(risk.band_high_e18),
        last_day=risk.last_day,
        last_net_usd_e4=_e4(risk.last_net_e18),
    )
    return new, [Emit("treasury.var.v1", value)]


def _e4(value_e18: int | None) -> int | None:
    return None if value_e18 is None else value_e18 // E4_TO_E18
