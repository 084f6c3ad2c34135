"""The policies of a life: what a swarm asks for, in versions that differ."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from bench.simulation.people import rows
from schemas.policy import Policy, canonical, policy_hash
from schemas.records import PolicyCopy

NAME = "simulated"


@lru_cache(maxsize=4096)
def policy(
    version: int,
    accounts: tuple[str, ...],
    daily_usd: int,
    window: str,
    absence_s: int,
    compensate: str,
    signed: bool,
    dual: bool,
) -> PolicyCopy:
    """One version as the relay copies it; later ones allocate by other factors."""
    factor = f"0.9{5 - version % 3}"
    given: dict[str, Any] = {
        "name": NAME,
        "accounts": [{"account_id": name} for name in accounts],
        "allocation": {"f_high": factor, "retry_s": 300},
        "limits": {
            "loan": {
                "min_usd": "10",
                "single_usd": str(min(10_000, daily_usd)),
                "daily_usd": str(daily_usd),
                "over": "clip",
            },
            "window": window,
        },
        "approvals": {
            "loan_usd": "800" if signed else "10000",
            "dual_usd": "1500" if signed and dual else None,
            "ttl_s": 1200,
        },
        "execution": {
            "absence_s": absence_s,
            "park_s": 2 * absence_s,
            "compensate": compensate,
            "max_retries": version % 4,
        },
        "people": rows() if signed else [],
    }
    body = canonical(Policy.model_validate(given))
    return PolicyCopy(NAME, version, policy_hash(body), body)
