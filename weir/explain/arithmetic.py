"""The arithmetic of a decision, one step after the other, each with its formula and its result."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.money import E18, text_e18
from schemas.outcome import Outcome
from schemas.policy import Policy
from streams.allocation import GUARDS, HOLD, Decided, Facts
from streams.rules import RULES, Case, Plan, question


@dataclass(frozen=True)
class Step:
    """What is computed or asked, how, and what came of it."""

    what: str
    how: str
    result: str


def steps(policy: Policy, facts: Facts, case: Case | Outcome, decided: Decided) -> tuple[Step, ...]:
    """Guards, the rule's own tests, the amounts and their cuts, what is kept, and where the loan to
    value goes.
    """
    found = [
        Step(f"guard {guard.__name__}", _of_guard(guard.__name__, policy, facts), _verdict(refusal))
        for guard in GUARDS
        for refusal in [guard(policy, facts)]
    ]
    if isinstance(case, Outcome):
        return (*found, Step("action", "a guard holds", f"{HOLD}: {decided.reason}"))
    plan = RULES[policy.allocation.rule](policy, case)
    found += _tests(policy, case)
    found += _amounts(case, plan, decided)
    if decided.ltv_after_e18 is not None:
        found.append(_after(case, decided))
    return (*found, Step("action", decided.reason, decided.action))


def _tests(policy: Policy, case: Case) -> list[Step]:
    """What the rule asks of loan to value and rates."""
    rule, ltv = policy.allocation, case.loan.ltv_ratio_e18
    if rule.rule == "opt-v1":
        asked = question(policy, case)
        return [
            Step("budget", "min(A · (1 - min_keep), wallet)", text_e18(asked.budget_e18)),
            Step("target", "ltv_target", text_e18(asked.target_e18)),
            Step("floor", "ltv_target - overshoot_max", text_e18(asked.floor_e18)),
            Step("loan rate", "hourly rate · 8760", text_e18(asked.rate_e18)),
            Step("yield after tax", "yield · (1 - tax_rate)", text_e18(asked.yield_e18)),
            Step("smallest part", "limits.loan.min_usd", text_e18(asked.least_e18)),
        ]
    high, low = rule.ltv_high_e18, rule.ltv_low_e18
    spread = rule.spread_min_e18 if rule.rule == "seed-v1" else 0
    return [
        Step("above ltv_high", f"{text_e18(ltv)} > {text_e18(high)}", _yes(ltv > high)),
        Step("below ltv_low", f"{text_e18(ltv)} < {text_e18(low)}", _yes(ltv < low)),
        Step(
            "loan dearer than yield",
            f"{text_e18(case.apr_e18)} > {text_e18(case.yield_e18)} + {text_e18(spread)}",
            _yes(case.apr_e18 > case.yield_e18 + spread),
        ),
    ]


def _amounts(case: Case, plan: Plan, decided: Decided) -> list[Step]:
    asked = {part.kind: part.asked_e18 for part in decided.parts}
    available, factor = text_e18(case.available_e18), text_e18(plan.factor_e18)
    found = [Step("available", "A: profit above what is allocated and kept", available)]
    wallet, owed = text_e18(case.wallet_e18), text_e18(case.loan.repayable_e18)
    wanted = "by the optimum" if plan.exact else "A · its factor, cut to 18 places"
    if plan.repay_e18:
        found += [
            Step("wanted to repay", wanted, text_e18(plan.repay_e18)),
            Step(
                "asked to repay",
                f"least of wanted, debt {owed}, wallet {wallet}; cut to {case.places[0]} places",
                text_e18(asked.get("REPAY", 0)),
            ),
        ]
    if plan.collateral_e18:
        found += [
            Step("wanted to pledge", wanted, text_e18(plan.collateral_e18)),
            Step(
                "asked to pledge",
                f"least of wanted, what the wallet ({wallet}) has left; cut to"
                f" {case.places[1]} places",
                text_e18(asked.get("ADD_COLLATERAL", 0)),
            ),
        ]
    if decided.parts:
        total = text_e18(sum(asked.values()))
        kept = text_e18(decided.kept_e18)
        found += [
            Step("kept", f"{total} · (1 - {factor}) / {factor}, rounded up", kept),
            Step("left for the next decision", "wanted - asked", text_e18(decided.clipped_e18)),
        ]
    return found


def _after(case: Case, decided: Decided) -> Step:
    asked = {part.kind: part.asked_e18 for part in decided.parts}
    pledge = asked.get("ADD_COLLATERAL", 0)
    loan, counted = case.loan, case.haircut.value_e36(pledge) // E18
    how = (
        f"({text_e18(loan.debt_usd_e18)} - {text_e18(asked.get('REPAY', 0))})"
        f" / ({text_e18(loan.collateral_usd_e18)} + {text_e18(counted)},"
        f" which {text_e18(pledge)} counts for, haircut: {case.haircut.source})"
    )
    return Step("loan to value afterwards", how, text_e18(decided.ltv_after_e18 or 0))


def _of_guard(name: str, policy: Policy, facts: Facts) -> str:
    loan, wallets = facts.loan, facts.wallets
    told = {
        "unknown_account": f"account {facts.account_id} stands in the policy",
        "paused": f"mode is {facts.mode}",
        "frozen": f"marks: {', '.join(facts.frozen) or 'none'}",
        "stale_loan": _age(facts, loan.as_of_ms if loan else None, policy.guards.loan_age_max_s),
        "stale_balance": _age(
            facts, wallets.as_of_ms if wallets else None, policy.guards.balance_age_max_s
        ),
        "currency_mismatch": f"loan in {loan.coin if loan else '-'},"
        f" profit in {policy.allocation.settle_ccy}",
    }
    return told[name]


def _age(facts: Facts, as_of_ms: int | None, most_s: int) -> str:
    if as_of_ms is None:
        return "never seen"
    return f"{facts.at_ms - as_of_ms} ms old, at most {most_s * 1000}"


def _verdict(refusal: Outcome | None) -> str:
    return "passes" if refusal is None else f"holds: {refusal.value}"


def _yes(held: bool) -> str:
    return "yes" if held else "no"
