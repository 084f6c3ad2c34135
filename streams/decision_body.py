"""What the audit keeps of a decision: all it was made from, so that it can be made again.

Every input stands with its topic, partition and offset; `terms` is the part of the policy that the
rules read, whole. With them `decide` gives the same decision years later, and what other rules or
other figures would have led to (`facts_of`, `policy_of`). Numbers are plain strings, so that a
person and any language read the same.
"""

from __future__ import annotations

from typing import Any

from schemas.money import parse_e18, text_e18
from schemas.policy import Policy
from streams import distance
from streams.allocation import DEFAULT, Decided, Facts, yield_of
from streams.canonical import canonical
from streams.haircut import of_coin
from streams.loan import apr_e18
from streams.step import Event, InForce
from tables.allocation import Coordinates, Loan, Owed, Pledged, Wallets, YieldKnown

_READ: Any = {
    "name": True,
    "allocation": True,
    "pnl": True,
    "limits": {"loan": True},
    "guards": True,
    "loan": True,
}


def body(
    event: Event, in_force: InForce, facts: Facts, decided: Decided, intent_ids: tuple[str, ...]
) -> str:
    """The canonical JSON of a decision."""
    policy = in_force.policy
    said: dict[str, Any] = {
        "policy": in_force.version,
        "policy_hash": in_force.policy_hash,
        "rule": decided.rule,
        "terms": None if policy is None else terms(policy, facts.account_id),
        "inputs": {
            "trigger": _place(Coordinates(event.topic, event.partition, event.offset)),
            "account_id": facts.account_id,
            "at_ms": facts.at_ms,
            "mode": facts.mode,
            "frozen": facts.frozen,
            "available": text_e18(facts.available_e18),
            "loan": _loan(facts),
            "wallets": _wallets(facts),
            "yield": _yield(facts),
        },
        "action": decided.action,
        "reason": decided.reason,
        "factor": text_e18(decided.factor_e18),
        "parts": [
            {
                "kind": part.kind,
                "intent_id": intent_id,
                "asked": text_e18(part.asked_e18),
                "room": text_e18(part.room_e18),
            }
            for part, intent_id in zip(decided.parts, intent_ids, strict=True)
        ],
        "kept": text_e18(decided.kept_e18),
        "clipped": text_e18(decided.clipped_e18),
        "collateral_yield": _text(decided.yield_e18),
        "ltv_after_est": _text(decided.ltv_after_e18),
        "counterfactual": {
            "action": decided.other_action,
            "ltv_after": _text(decided.other_ltv_e18),
        },
        "flags": [] if policy is None else flags(policy, facts),
    }
    if policy is not None and facts.loan is not None:
        said["distance"] = _distance(policy, facts.loan)
    return canonical(said)


def terms(policy: Policy, account_id: str) -> dict[str, Any]:
    """What the rules read of a policy, as its text has it."""
    account = policy.account(account_id)
    known = [] if account is None else [account.model_dump(mode="json")]
    found: dict[str, Any] = policy.model_dump(mode="json", include=_READ)
    return {**found, "accounts": known}


def policy_of(said: dict[str, Any]) -> Policy | None:
    """The policy a body was decided under, as far as the rules read it."""
    return None if said["terms"] is None else Policy.model_validate(said["terms"])


def facts_of(said: dict[str, Any]) -> Facts:
    """What a body was decided from."""
    given = said["inputs"]
    ccy = said["terms"]["allocation"]["settle_ccy"] if said["terms"] else ""
    yielded = given["yield"]
    return Facts(
        account_id=given["account_id"],
        mode=given["mode"],
        at_ms=given["at_ms"],
        available_e18=parse_e18(given["available"]),
        loan=_loan_of(given["loan"]) if given["loan"] else None,
        wallets=_wallets_of(given["wallets"]) if given["wallets"] else None,
        frozen=tuple(given["frozen"]),
        yielded=None
        if yielded is None
        else YieldKnown(parse_e18(yielded["rate"]), yielded["as_of_ms"], _source(yielded)),
        settle_ccy=ccy,
    )


def flags(policy: Policy, facts: Facts) -> list[str]:
    """What a reader of the decision should know of its inputs."""
    found = []
    if yield_of(policy, facts)[1] == DEFAULT:
        found.append("yield_default")
    loan = facts.loan
    if loan is None:
        return found
    found.append(f"haircut_{of_coin(policy, loan, policy.allocation.settle_ccy).source}")
    flexible = [debt for debt in loan.debts if not debt.fixed and debt.usd_e18]
    dearest = max(flexible, key=lambda debt: debt.hourly_rate_e18, default=None)
    if dearest is not None and dearest.hourly_rate_e18 > loan.hourly_rate_e18:
        found.append(f"dearer_debt_{dearest.coin}")
    return found


def _distance(policy: Policy, loan: Loan) -> dict[str, Any]:
    names = ("margin_call", "liquidation")
    rate = distance.rate_e18(loan)
    said = {}
    for name, level in zip(names, distance.levels_e18(policy), strict=True):
        years = distance.years(loan.ltv_ratio_e18, level, rate)
        said[name] = {
            "ltv": text_e18(level),
            "fall": text_e18(distance.fall_e18(loan.ltv_ratio_e18, level)),
            "years_by_interest": None if years is None else f"{years:f}",
        }
    return said


def _loan(facts: Facts) -> dict[str, Any] | None:
    loan = facts.loan
    if loan is None:
        return None
    return {
        **_place(loan.source),
        "as_of_ms": loan.as_of_ms,
        "age_ms": facts.at_ms - loan.as_of_ms,
        "coin": loan.coin,
        "ltv_ratio": text_e18(loan.ltv_ratio_e18),
        "hourly_rate": text_e18(loan.hourly_rate_e18),
        "apr": text_e18(apr_e18(loan)),
        "repayable": text_e18(loan.repayable_e18),
        "debt_usd": text_e18(loan.debt_usd_e18),
        "collateral_usd": text_e18(loan.collateral_usd_e18),
        "col_res": loan.col_res,
        "debts": [
            {
                "coin": debt.coin,
                "principal": text_e18(debt.principal_e18),
                "interest": text_e18(debt.interest_e18),
                "usd": text_e18(debt.usd_e18),
                "hourly_rate": text_e18(debt.hourly_rate_e18),
                "fixed": debt.fixed,
            }
            for debt in loan.debts
        ],
        "collaterals": [
            {
                "coin": row.coin,
                "amount": text_e18(row.amount_e18),
                "usd": text_e18(row.usd_e18),
                "ratio": _text(row.ratio_e18),
            }
            for row in loan.collaterals
        ],
    }


def _loan_of(said: dict[str, Any]) -> Loan:
    return Loan(
        as_of_ms=said["as_of_ms"],
        coin=said["coin"],
        ltv_ratio_e18=parse_e18(said["ltv_ratio"]),
        hourly_rate_e18=parse_e18(said["hourly_rate"]),
        repayable_e18=parse_e18(said["repayable"]),
        debt_usd_e18=parse_e18(said["debt_usd"]),
        collateral_usd_e18=parse_e18(said["collateral_usd"]),
        col_res=said["col_res"],
        band="",
        source=_source(said),
        debts=tuple(
            Owed(
                debt["coin"],
                parse_e18(debt["principal"]),
                parse_e18(debt["interest"]),
                parse_e18(debt["usd"]),
                parse_e18(debt["hourly_rate"]),
                debt["fixed"],
            )
            for debt in said["debts"]
        ),
        collaterals=tuple(
            Pledged(
                row["coin"],
                parse_e18(row["amount"]),
                parse_e18(row["usd"]),
                None if row["ratio"] is None else parse_e18(row["ratio"]),
            )
            for row in said["collaterals"]
        ),
    )


def _wallets(facts: Facts) -> dict[str, Any] | None:
    wallets = facts.wallets
    if wallets is None:
        return None
    transferable = {coin: text_e18(units) for coin, units in wallets.transferable_e18.items()}
    return {**_place(wallets.source), "as_of_ms": wallets.as_of_ms, "transferable": transferable}


def _wallets_of(said: dict[str, Any]) -> Wallets:
    units = {coin: parse_e18(text) for coin, text in said["transferable"].items()}
    return Wallets(said["as_of_ms"], units, _source(said))


def _yield(facts: Facts) -> dict[str, Any] | None:
    known = facts.yielded
    if known is None:
        return None
    rate = text_e18(known.rate_e18)
    return {**_place(known.source), "as_of_ms": known.as_of_ms, "rate": rate}


def _place(source: Coordinates) -> dict[str, Any]:
    return {"topic": source.topic, "partition": source.partition, "offset": source.offset}


def _source(said: dict[str, Any]) -> Coordinates:
    return Coordinates(said["topic"], said["partition"], said["offset"])


def _text(value_e18: int | None) -> str | None:
    return None if value_e18 is None else text_e18(value_e18)
