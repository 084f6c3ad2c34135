"""`weir policy defaults` against the table of the specification, row by row."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from schemas.exact_yaml import read_yaml
from schemas.policy import Policy, from_yaml
from weir.cli import app

TABLE = """
allocation: rule seed-v1, ltv_high 0.45, ltv_low 0.35, spread_min 0.02, f_high 0.95, f_low 0.90
allocation: f_mid_repay 0.45, f_mid_collateral 0.45, min_keep_pct 0.05, ltv_target 0.40
allocation: overshoot_max 0.05, settle_ccy USDT, retry_s 60, tax_rate 0, lot_method ACB
pnl: available_rule hwm-v1, late_horizon_s 691200, journal_max 10000
limits.loan: min_usd 10, single_usd 10000, daily_usd 50000, over clip
limits.transfer: min_usd 100, single_usd 250000, daily_usd 1000000, over refuse
limits.conversion: min_usd 100, single_usd 1000000, daily_usd 5000000, over refuse
limits.sweep: min_usd 10000, single_usd 5000000, daily_usd 20000000, over clip
limits.deleverage: min_usd 0, single_usd 10000, daily_usd 50000, over clip
limits: window utc_day
approvals: loan_usd 5000, conversion_usd 250000, sweep_usd 1000000, transfer_usd 100000
approvals: dual_usd null, ttl_s 14400
guards: loan_age_max_s 120, mark_age_max_s 30, balance_age_max_s 3600, peg_max_dev 0.01
guards: control_age_max_s 5
buffers: cycle_s 300, monitor_s 60, timeout_s 1800, on_timeout flag, max_retries 3
buffers: auto_rebalance true, source_floor min, rebalance_excess false
routing: rule priority-v1, split_min_usd 10
risk: profile debt-mgmt, default_leverage 2.0, max_leverage 5.0, leverage_cap 6.0
risk: min_position_usd 50, max_position_usd 750, margin_warning 0.70, liquidation_threshold 0.80
risk: rearm 0.02, buying_power_rule available_x_leverage
engine: base_leverage null
liquidation: rule auto-v1, armed false, target 0.70
drawdown: rule dd-seed-v1
breaker: failures 5, window_s 60, half_open_s 30
anomaly: sigma 4, window_ops 90, ops_per_hour 20
screening: mode allowlist
sweep: rule sweep-seed-v1, liq_buffer_pct 0.30, var_limit_bps 10, target_ladder_days 28
sweep: lead_s 300, min_sweep_usd 10000, floor_usd 0, esg_pref false, ladder off
sweep: executed_by weir
sweep.reverse: trigger_pct 0.80, round_usd 1000, dead_time same_business_day
var: quantile 0.99, window 250, min_obs 250, method inverted_cdf, base avail_usd
forecast: method weekday_median, weeks 8, fallback_days 5
execution: compensate return, backoff_s 2, factor 2, cap_s 60, max_retries 3, intent_ttl_s 3600
execution: call_start_s 2, unknown_alert_s 30, absence_s 900, park_s 1800
recon: stray_rule cancel-own-v1, position_rule exchange-truth-v1, cycle_s 300, timing_s 600
recon: escalate_s 3600
loan: ltv_margin_call 0.87, ltv_liquidation 0.95
"""


def printed() -> str:
    """What the command prints."""
    done = CliRunner().invoke(app, ["policy", "defaults"])
    assert done.exit_code == 0, done.output
    return done.stdout


def same(found: Any, said: str) -> bool:
    """Whether a printed value is what the table says."""
    if isinstance(found, bool) or found is None:
        return said == {True: "true", False: "false", None: "null"}[found]
    return Decimal(said) == found if isinstance(found, int | Decimal) else said == found


@pytest.mark.req("002-16", "003-57", "004-20", "004-21", "004-22", "004-23")
def test_the_printed_defaults_are_the_table_of_the_specification() -> None:
    content, seen = read_yaml(printed()), 0
    for line in TABLE.strip().splitlines():
        path, _, pairs = line.partition(": ")
        section: Any = content
        for name in path.split("."):
            section = section.get(name, {}) if isinstance(section, dict) else {}
        for name, said in (pair.split(" ") for pair in pairs.split(", ")):
            if name in section:  # fields arrive with their steps
                seen += 1
                assert same(section[name], said), f"{path}.{name} is {section[name]}"
    assert seen >= 74
    assert content["sweep"]["cutoffs_utc"] == ["00:30", "15:30"]


@pytest.mark.req("002-16")
def test_they_load_back_as_what_ships() -> None:
    assert from_yaml(printed()) == Policy()
    assert yaml.safe_load(printed())["limits"]["loan"]["single_usd"] == 10_000
