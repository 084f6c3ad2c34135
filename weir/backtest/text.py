"""A comparison for people: totals beside each other, then every decision that differs."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.jsonform import iso
from schemas.money import text_e18
from weir.backtest.course import HOLD, Comparison, Decided, Totals

TOTALS = (
    ("debt at the beginning", "debt_start_e18"),
    ("repaid", "repaid_e18"),
    ("borrowed, repaid by others", "flows_e18"),
    ("added as collateral", "added_e18"),
    ("kept back", "kept_e18"),
    ("interest", "interest_e18"),
    ("trading fees", "fees_e18"),
    ("funding paid", "funding_e18"),
    ("debt at the end", "debt_end_e18"),
    ("still available", "available_e18"),
    ("loan to value, least", "ltv_min_e18"),
    ("loan to value, most", "ltv_max_e18"),
    ("loan to value, last", "ltv_last_e18"),
    ("distance to liquidation, least", "distance_min_e18"),
    ("distance to liquidation, last", "distance_last_e18"),
    ("collateral after its haircut", "collateral_last_e18"),
    ("net worth at the end", "net_last_e18"),
    ("swept out", "swept_out_e18"),
    ("swept back", "swept_back_e18"),
    ("earned by sweeps", "sweep_yield_e18"),
    ("days under the floor", "days_under_floor"),
    ("orders", "orders"),
    ("decisions", "decisions"),
    ("of them holds", "holds"),
    ("ended without effect", "refused"),
)


def lines(both: Comparison) -> Iterator[str]:
    """The whole comparison."""
    left, right = both.left, both.right
    yield f"A = {left.policy} ({left.rule}), B = {right.policy} ({right.rule})"
    events = f"{left.events:,} and {right.events:,} events"
    yield f"from {iso(left.from_ms)} to {iso(left.to_ms)}, {events}"
    ours = {one.account_id: one for one in left.totals}
    theirs = {one.account_id: one for one in right.totals}
    for difference in both.difference:
        name = difference.account_id
        yield ""
        yield f"{name:<32}{'A':>22}{'B':>22}{'B - A':>22}"
        for words, field in TOTALS:
            row = [_cell(one, field) for one in (ours.get(name), theirs.get(name), difference)]
            if any(cell not in ("", "0") for cell in row):
                yield f"  {words:<30}" + "".join(f"{cell:>22}" for cell in row)
    yield ""
    yield f"{len(both.pairs)} decisions differ"
    for pair in both.pairs:
        yield f"{iso(pair.at_ms)} {pair.account_id}"
        yield f"  A {_decided(pair.left)}"
        yield f"  B {_decided(pair.right)}"
    yield ""
    for name in sorted(left.letters.keys() | right.letters.keys()):
        counts = left.letters.get(name, 0), right.letters.get(name, 0)
        yield f"! {name}: {counts[0]:,} records of A and {counts[1]:,} of B could not be used"
    yield from (f"* {sentence}" for sentence in left.assumptions)


def _cell(totals: Totals | None, field: str) -> str:
    value = None if totals is None else getattr(totals, field)
    if value is None:
        return ""
    return text_e18(_shown(value)) if field.endswith("_e18") else str(value)


def _decided(one: Decided | None) -> str:
    if one is None:
        return "nothing decided"
    ltv = "" if one.ltv_e18 is None else f" at loan to value {text_e18(one.ltv_e18)}"
    after = "" if one.ltv_after_e18 is None else f", then {text_e18(_shown(one.ltv_after_e18))}"
    if one.action == HOLD:
        often = f", {one.times} times until {iso(one.until_ms)}" if one.times > 1 else ""
        return f"hold ({one.reason}) by {one.rule}{ltv}{often}"
    amounts = {
        "repay": one.repay_e18,
        "pledge": one.pledge_e18,
        f"place in {one.product}": max(0, one.placed_e18),
        f"bring back from {one.product}": max(0, -one.placed_e18),
    }
    said = " and ".join(f"{verb} {text_e18(amount)}" for verb, amount in amounts.items() if amount)
    why = f" ({one.reason})" if one.reason else ""
    return f"{said} of {text_e18(one.available_e18)} by {one.rule}{why}{ltv}{after}"


def _shown(value_e18: int) -> int:
    """Six places are enough to look at; the JSON has them all."""
    return value_e18 // 10**12 * 10**12 if value_e18 >= 0 else -(-value_e18 // 10**12 * 10**12)
