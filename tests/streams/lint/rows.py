"""Each finding of the lint: a policy that has it, and one just across the boundary that has not."""

from __future__ import annotations

import base64
from typing import NamedTuple

KEYS = {
    name: base64.urlsafe_b64encode(bytes([number] * 32)).decode()
    for number, name in enumerate(("ann", "bob", "cid"), start=1)
}
SWEEPS = "classes: [loan, transfer, sweep], max_usd: 5000000"
VENUE = "accounts: [{account_id: 'bybit:1'}], "
BANK = "accounts: [{account_id: 'bank:1', kind: bank}], "
PAID = "product: FED_RRP, calendar: FED, closes: '13:15', matures: next_day"
BILLS = "product: TBILL_4W, calendar: SIFMA, closes: '15:00', settle_days: 1"
CARBON = "product: CARBON_NOTE, calendar: SIFMA, closes: '15:00', matures: never"
OVERNIGHT = "{product: FED_RRP, calendar: FED, closes: '13:15', "


class Row(NamedTuple):
    """A finding, a policy that has it, and one just across the boundary that has not."""

    code: str
    severity: str
    wrong: str
    fine: str


def limit(name: str, least: str, single: str, over: str = "clip") -> str:
    row = f"min_usd: {least}, single_usd: {single}, daily_usd: 99000000, over: {over}"
    return f"limits: {{{name}: {{{row}}}}}"


def people(**said: str) -> str:
    """People by name; `roles` alone stand for [operate, approve, admin]."""
    rows = [f"{{id: {name}, public_key: '{KEYS[name]}', {text}}}" for name, text in said.items()]
    return f"people: [{', '.join(rows)}]"


ALL = f"roles: [operate, approve, admin], {SWEEPS}"
LOANS = "roles: [approve], classes: [loan], max_usd: 10000"
ROWS = (
    Row("acts_after_margin_call", "error", "allocation: {ltv_high: 0.87}", "allocation: {}"),
    Row(
        "acts_after_margin_call",
        "error",
        "{allocation: {rule: opt-v1, ltv_target: 0.5}, loan: {ltv_margin_call: 0.5}}",
        "{allocation: {rule: opt-v1, ltv_target: 0.49}, loan: {ltv_margin_call: 0.5}}",
    ),
    Row(
        "near_margin_call",
        "warning",
        "{allocation: {ltv_high: 0.451}, loan: {ltv_margin_call: 0.5}}",
        "{allocation: {ltv_high: 0.45}, loan: {ltv_margin_call: 0.5}}",
    ),
    Row(
        "no_step_before_liquidation",
        "warning",
        "loan: {ltv_margin_call: 0.95}",
        "loan: {ltv_margin_call: 0.949}",
    ),
    Row(
        "target_outside_bands",
        "warning",
        "allocation: {rule: opt-v1, ltv_target: 0.451}",
        "allocation: {rule: opt-v1, ltv_target: 0.45}",
    ),
    Row(
        "floor_below_band",
        "warning",
        "allocation: {rule: opt-v1, overshoot_max: 0.051}",
        "allocation: {rule: opt-v1, overshoot_max: 0.05}",
    ),
    Row("risk_never_lowered", "error", "allocation: {f_high: 0}", "allocation: {f_high: 0.01}"),
    Row(
        "risk_never_lowered",
        "error",
        "allocation: {rule: opt-v1, min_keep_pct: 1, f_high: 0, f_low: 0, f_mid_repay: 0,"
        " f_mid_collateral: 0}",
        "allocation: {rule: opt-v1, f_high: 0}",
    ),
    Row("low_band_idle", "warning", "allocation: {f_low: 0}", "allocation: {f_low: 0.01}"),
    Row("rate_in_percent", "error", "allocation: {spread_min: 2}", "allocation: {spread_min: 0.9}"),
    Row(
        "rate_in_percent",
        "error",
        "allocation: {collateral_yield: {USDT: 1}}",
        "allocation: {collateral_yield: {USDT: 0.99}}",
    ),
    Row(
        "settled_in_no_dollar",
        "error",
        "allocation: {settle_ccy: BTC}",
        "allocation: {settle_ccy: USDC}",
    ),
    Row("no_rate_read", "warning", "allocation: {settle_ccy: USDC}", "allocation: {}"),
    Row(
        "pledge_counts_nothing",
        "error",
        "loan: {haircut: {USDT: [{up_to_usd: null, ratio: 0}]}}",
        "loan: {haircut: {USDT: [{up_to_usd: 5, ratio: 0.1}, {up_to_usd: null, ratio: 0}]}}",
    ),
    Row("weaker_way", "warning", "allocation: {}", "allocation: {rule: opt-v1}"),
    Row("losses_left_out", "warning", "pnl: {available_rule: per-trade-v1}", "pnl: {}"),
    Row(
        "not_read",
        "warning",
        "allocation: {ltv_target: 0.41}",
        "allocation: {rule: opt-v1, ltv_target: 0.41}",
    ),
    Row(
        "not_read",
        "warning",
        "sweep: {target_ladder_days: 35}",
        "sweep: {target_ladder_days: 35, ladder: ladder-v1}",
    ),
    Row("never_asks", "warning", "approvals: {loan_usd: 10000}", "approvals: {loan_usd: 9999.99}"),
    Row(
        "never_asks_two",
        "warning",
        "approvals: {dual_usd: 5000000}",
        "approvals: {dual_usd: 4999999}",
    ),
    Row(
        "two_asked_of_none",
        "warning",
        "approvals: {dual_usd: 999999, loan_usd: 0, transfer_usd: 0}",
        "approvals: {dual_usd: 1000000, loan_usd: 0, transfer_usd: 0}",
    ),
    Row("nobody_named", "warning", "people: []", people(ann=ALL, bob=ALL)),
    Row(
        "nobody_may_approve",
        "error",
        f"{{{VENUE}{people(ann=LOANS.replace('10000', '9999'), bob='roles: [operate]')}}}",
        f"{{{VENUE}{people(ann=LOANS, bob='roles: [operate]')}}}",
    ),
    Row(
        "nobody_may_approve",
        "error",
        f"{{{BANK}{people(ann=LOANS, bob='roles: [operate]')}}}",
        f"{{{VENUE}{people(ann=LOANS, bob='roles: [operate]')}}}",
    ),
    Row(
        "quorum_cannot_be_met",
        "error",
        f"{{{VENUE}approvals: {{dual_usd: 9000}},"
        f" {people(ann=LOANS, bob=LOANS.replace('10000', '9999'))}}}",
        f"{{{VENUE}approvals: {{dual_usd: 9000}}, {people(ann=LOANS, bob=LOANS)}}}",
    ),
    Row(
        "one_approver",
        "warning",
        f"{{{VENUE}{people(ann=LOANS)}}}",
        f"{{{VENUE}{people(ann=LOANS, bob=LOANS)}}}",
    ),
    Row("cannot_resume", "error", people(ann=ALL, bob="roles: [admin]"), people(ann=ALL, bob=ALL)),
    Row("cannot_resume", "error", people(bob="roles: [admin]"), "people: []"),
    Row("no_admin", "warning", people(ann="roles: [operate]"), people(ann="roles: [admin]")),
    Row(
        "approver_without_scope",
        "warning",
        people(ann="roles: [approve], classes: [loan]"),
        people(ann="roles: [approve], classes: [loan], max_usd: 1"),
    ),
    Row("stuck_when_largest", "error", limit("loan", "1", "9", "refuse"), limit("loan", "1", "9")),
    Row(
        "stuck_when_largest",
        "warning",
        limit("sweep", "1", "9000000", "refuse"),
        limit("sweep", "1", "9000000"),
    ),
    Row("class_closed", "warning", limit("deleverage", "0", "0"), limit("deleverage", "0", "1")),
    Row(
        "waits_end_early",
        "warning",
        "execution: {intent_ttl_s: 14399}",
        "execution: {intent_ttl_s: 14400}",
    ),
    Row(
        "waits_end_early",
        "warning",
        "{sweep: {cutoffs_utc: ['00:30', '15:30']}, approvals: {ttl_s: 54001, loan_usd: 10000}}",
        "{sweep: {cutoffs_utc: ['00:30', '15:30']}, approvals: {ttl_s: 54000, loan_usd: 10000}}",
    ),
    Row(
        "stale_between_polls", "error", "guards: {loan_age_max_s: 2}", "guards: {loan_age_max_s: 3}"
    ),
    Row(
        "stale_between_polls", "error", "guards: {mark_age_max_s: 2}", "guards: {mark_age_max_s: 3}"
    ),
    Row(
        "stale_between_polls",
        "error",
        f"{{{BANK}guards: {{balance_age_max_s: 10}}}}",
        f"{{{BANK}guards: {{balance_age_max_s: 11}}}}",
    ),
    Row(
        "held_before_told",
        "warning",
        f"{{{BANK}guards: {{balance_age_max_s: 3599}}}}",
        f"{{{BANK}guards: {{balance_age_max_s: 3600}}}}",
    ),
    Row(
        "nothing_is_sent",
        "error",
        "guards: {control_age_max_s: 0}",
        "guards: {control_age_max_s: 1}",
    ),
    Row("peg_guard_always", "error", "guards: {peg_max_dev: 0}", "guards: {peg_max_dev: 0.0001}"),
    Row("peg_guard_never", "error", "guards: {peg_max_dev: 1}", "guards: {peg_max_dev: 0.99}"),
    Row(
        "alert_never_fires",
        "warning",
        "execution: {unknown_alert_s: 1800}",
        "execution: {unknown_alert_s: 1799}",
    ),
    Row(
        "retries_past_deadline",
        "warning",
        "execution: {intent_ttl_s: 14}",  # 2 + 4 + 8
        "execution: {intent_ttl_s: 15}",
    ),
    Row(
        "retries_past_deadline",
        "warning",
        "execution: {max_retries: 1000000000, factor: 1000000000}",
        "execution: {max_retries: 1000000000, backoff_s: 0}",
    ),
    Row("yield_never_counts", "warning", "guards: {yield_age_max_s: 0}", "guards: {}"),
    Row("every_amount_unusual", "warning", "anomaly: {sigma: 0}", "anomaly: {sigma: 0.1}"),
    Row(
        "least_below_gate",
        "warning",
        "sweep: {min_sweep_usd: 9999.99}",
        "sweep: {min_sweep_usd: 10000}",
    ),
    Row(
        "least_above_single",
        "warning",
        "sweep: {min_sweep_usd: 5000001}",
        "sweep: {min_sweep_usd: 5000000}",
    ),
    Row(
        "least_above_single",
        "error",
        f"{{sweep: {{min_sweep_usd: 9001}}, {limit('sweep', '1', '9000', 'refuse')}}}",
        f"{{sweep: {{min_sweep_usd: 9000}}, {limit('sweep', '1', '9000', 'refuse')}}}",
    ),
    Row("breach_takes_all", "warning", "sweep: {}", "sweep: {floor_usd: 1}"),
    Row("nothing_is_kept", "error", "sweep: {liq_buffer_pct: 0}", "sweep: {liq_buffer_pct: 0.01}"),
    Row("float_runs_dry", "warning", "sweep: {liq_buffer_pct: 0.99}", "sweep: {liq_buffer_pct: 1}"),
    Row(
        "never_comes_back",
        "error",
        f"sweep: {{esg_pref: true, products: [{{{CARBON}}}]}}",
        f"sweep: {{esg_pref: true, reverse: {{enabled: true}}, products: [{{{CARBON}}}]}}",
    ),
    Row(
        "reverse_too_late",
        "warning",
        "sweep: {rule: sweep-safe-v1, reverse: {trigger_pct: 0}}",
        "sweep: {rule: sweep-safe-v1, reverse: {trigger_pct: 0.01}}",
    ),
    Row(
        "reverse_at_once",
        "warning",
        "sweep: {rule: sweep-safe-v1, reverse: {trigger_pct: 1}}",
        "sweep: {rule: sweep-safe-v1, reverse: {trigger_pct: 0.99}}",
    ),
    Row("product_missing", "warning", "sweep: {esg_pref: true}", "sweep: {esg_pref: false}"),
    Row(
        "nowhere_to_pay",
        "warning",
        f"{{{BANK}sweep: {{}}}}",
        f"{{{BANK}screening: {{allow: [021000021/1]}}, sweep: {{products:"
        f" [{{{PAID}, beneficiary: 021000021/1}}]}}}}",
    ),
    Row(
        "beneficiary_not_allowed",
        "error",
        f"{{{BANK}sweep: {{products: [{{{PAID}, beneficiary: 021000021/1}}]}}}}",
        f"{{{BANK}screening: {{allow: [021000021/1]}}, sweep: {{products:"
        f" [{{{PAID}, beneficiary: 021000021/1}}]}}}}",
    ),
    Row(
        "overnight_is_locked",
        "error",
        f"sweep: {{products: [{OVERNIGHT}matures: term, term_days: 1}}]}}",
        f"sweep: {{products: [{OVERNIGHT}matures: next_day}}]}}",
    ),
    Row(
        "rungs_do_not_sum",
        "error",
        "sweep: {ladder: ladder-v1, target_ladder_days: 35}",
        "sweep: {ladder: ladder-v1, target_ladder_days: 28}",
    ),
    Row(
        "rungs_do_not_sum",
        "error",
        f"sweep: {{ladder: ladder-v1, products: [{{{BILLS}, matures: tuesday, term_days: 35}}]}}",
        f"sweep: {{ladder: ladder-v1, products: [{{{BILLS}, matures: tuesday, term_days: 28}}]}}",
    ),
    Row(
        "ladder_unused",
        "warning",
        "sweep: {ladder: ladder-v1, esg_pref: true}",
        "sweep: {ladder: ladder-v1}",
    ),
    Row(
        "cutoffs_after_close",
        "warning",
        "sweep: {cutoffs_utc: ['17:15']}",  # 13:15 in summer, when FED_RRP closes
        "sweep: {cutoffs_utc: ['17:14']}",
    ),
    Row("lead_beyond_gap", "error", "sweep: {lead_s: 54000}", "sweep: {lead_s: 53999}"),
    Row(
        "cutoff_twice",
        "warning",
        "sweep: {cutoffs_utc: ['15:30', '15:30:00']}",
        "sweep: {cutoffs_utc: ['15:30', '15:30:01']}",
    ),
    Row("risk_limit_always", "warning", "sweep: {var_limit_bps: 0}", "sweep: {var_limit_bps: 1}"),
    Row(
        "risk_limit_never",
        "error",
        "sweep: {var_limit_bps: 10000}",
        "sweep: {var_limit_bps: 9999}",
    ),
    Row("var_is_the_worst_day", "warning", "var: {min_obs: 99}", "var: {min_obs: 100}"),
    Row(
        "forecast_beyond_memory",
        "warning",
        "{var: {window: 199, min_obs: 1}, forecast: {weeks: 52}}",
        "{var: {window: 200, min_obs: 1}, forecast: {weeks: 52}}",
    ),
    Row("no_account", "warning", "accounts: []", "accounts: [{account_id: 'bybit:1'}]"),
    Row(
        "wrong_kind",
        "error",
        "accounts: [{account_id: 'bank:1'}]",
        "accounts: [{account_id: 'bank:1', kind: bank}]",
    ),
    Row(
        "wrong_kind",
        "error",
        "accounts: [{account_id: 'acme:1', kind: bank}]",
        "accounts: [{account_id: 'bank:1', kind: bank}]",
    ),
    Row(
        "nobody_carries_out",
        "error",
        "accounts: [{account_id: 'binance:1'}]",
        "accounts: [{account_id: 'bybit:1'}]",
    ),
    Row(
        "same_account",
        "error",
        "accounts: [{account_id: 'bybit:7'}, {account_id: 'bybit:07'}]",
        "accounts: [{account_id: 'bybit:7'}, {account_id: 'bybit:70'}]",
    ),
    Row(
        "places_of_another_coin",
        "warning",
        "accounts: [{account_id: 'bybit:1', loan_precision: {USDC: 4}}]",
        "accounts: [{account_id: 'bybit:1', loan_precision: {USDC: 4, USDT: 4}}]",
    ),
)
