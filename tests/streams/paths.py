"""Random lives of one account: what is earned, decided, granted, done, undone and corrected, under
policies that change. One seed is one life.
"""

from __future__ import annotations

import json
import random
from functools import lru_cache
from typing import Any

from msgspec.structs import replace

from schemas.money import E18
from schemas.policy import Policy, canonical, policy_hash
from schemas.records import BookInput, HedgeExecution, IntentOutcome, LoanState, PolicyCopy
from streams.step import Refused
from tables.allocation import Operation
from tests.fill import fill
from tests.streams.desk_world import ACCOUNT, MORE_POLICY, World

RULES = ("seed-v1", "seed-v1", "seed-v1-narrative", "opt-v1")
KEEPS = ("0.05", "0.05", "0.10", "0.33")
FACTORS = ("0.95", "0.90", "0.333333333333333333", "0.67")
ENDS = ("REFUSED", "REJECTED", "VOID", "EXPIRED")
CENT = E18 // 100
LEAST_KEEP_PCT = 5


class Life:
    """A world and the moves that chance makes in it; `check` after each."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.world = World()
        self.highest = 0
        self.rows: list[HedgeExecution] = []
        self.version = 1
        self.moves = (self.earn, self.earn, self.restate, self.answer, self.answer, self.answer)
        self.moves += (self.lend, self.repolicy, self.wake)

    def run(self, moves: int) -> Life:
        """Lives through so many moves, and checks what must hold after each."""
        self.world.to_book("treasury.loan-states.v1", loan(50, self.world.now_ms))
        self.world.play("wallet USDT 100000000")
        for number in range(moves):
            self.world.now_ms += 1000
            self.chance.choice(self.moves)(number)
            self.check()
        return self

    def check(self) -> None:
        """L is the sum of l, B of b, and L never exceeds its part of the highest R."""
        book = self.world.book.get(f"pnl_book|{ACCOUNT}|USDT")
        if book is None:
            return
        self.highest = max(self.highest, book.realised_e18)
        operations = self.operations()
        claims = sum(leg.claim_e18 for _, one in operations for leg in one.legs)
        assert book.allocated_e18 == claims
        assert book.retained_e18 == sum(one.kept_e18 for _, one in operations)
        assert 100 * book.allocated_e18 <= (100 - LEAST_KEEP_PCT) * self.highest
        if self.world.said("proposal"):
            assert book.allocated_e18 + book.retained_e18 <= book.realised_e18

    def operations(self) -> list[tuple[str, Operation]]:
        """Every operation so far, in the order of keys."""
        prefix = f"operations|{ACCOUNT}|"
        return [(key[len(prefix) :], one) for key, one in self.world.book.range(prefix)]

    # Moves

    def earn(self, number: int) -> None:
        gain = self.chance.choice([100_000, 250_001, 99_999, -30_000, 77, 1])
        opened = self.row(f"o{number}", "Buy", 10_000_00)
        closed = self.row(f"c{number}", "Sell", 10_000_00 + gain)
        for row in (opened, closed):
            self.world.to_book("hedge-executions", row)
        self.rows.append(closed)

    def restate(self, number: int) -> None:
        """The venue corrects the price of a fill that was booked, mostly downwards."""
        if not self.rows:
            return
        place = self.chance.randrange(len(self.rows))
        old = self.rows[place]
        price = max(CENT, old.price_e18 + self.chance.randrange(-200_000, 50_000) * CENT)
        self.rows[place] = replace(old, price_e18=price, revision=old.revision + 1)
        self.world.to_book("hedge-executions", self.rows[place])

    def answer(self, number: int) -> None:
        """An outcome for any leg of the last three decisions; what contradicts is refused."""
        legs = [(key, one, leg) for key, one in self.operations()[-3:] for leg in one.legs]
        if not legs:
            return
        key, operation, leg = self.chance.choice(legs)
        part = leg.claim_e18 * self.chance.choice([100, 100, 99, 50, 33, 0]) // 100
        state = self.chance.choice(("READY", "UNKNOWN", "CONFIRMED", "CONFIRMED", *ENDS))
        if leg.state == "CONFIRMED":
            state = self.chance.choice(("REVERSED", "READY", "CONFIRMED"))
        body = IntentOutcome(
            intent_id=leg.intent_id,
            decision_id=key,
            kind=leg.kind,
            class_="loan",
            origin="book",
            account_id=ACCOUNT,
            lane="l",
            state=state,
            asked_e18=leg.claim_e18,
            granted_e18=part if state == "READY" else leg.claim_e18,
            amount_done_e18=part if state == "CONFIRMED" else 0,
            ccy=operation.ccy,
            venue_refs=("1",),
            facts={},
            final=state not in ("READY", "UNKNOWN"),
            at_ms=self.world.now_ms,
            reason=self.chance.choice((None, "over_daily_limit", "stale_mark")),
        )
        before = dict(self.world.book.entries)
        try:
            self.world.to_book("treasury.book-inputs.v1", BookInput(body=body))
        except Refused:
            assert self.world.book.entries == before, "a refusal must leave nothing behind"
            self.world.out = []

    def lend(self, number: int) -> None:
        state = loan(self.chance.choice((20, 30, 40, 50, 60)), self.world.now_ms)
        self.world.to_book("treasury.loan-states.v1", state)

    def repolicy(self, number: int) -> None:
        self.version += 1
        keep = self.chance.choice(KEEPS)
        text, hash_ = policy(self.chance.choice(RULES), keep, self.chance.choice(FACTORS))
        copy = PolicyCopy("weir-default", self.version, hash_, text)
        self.world.to_book("treasury.book-inputs.v1", BookInput(body=copy), "@partition")

    def wake(self, number: int) -> None:
        self.world.play("tick book now")

    def row(self, exec_id: str, side: str, cents: int) -> HedgeExecution:
        return fill(
            exec_id,
            ACCOUNT,
            side,
            E18,
            cents * CENT,
            self.world.now_ms,
            source="ws",
            seq=0 if side == "Buy" else 1,
        )


def loan(ltv_pct: int, at_ms: int) -> LoanState:
    """A loan of that many percent of a million."""
    owed = ltv_pct * 10_000 * E18
    return LoanState(
        account_id=ACCOUNT,
        loan_id="pool",
        coin="USDT",
        principal_amount_e18=owed,
        accrued_interest_e18=0,
        interest_rate_e18=0,
        hourly_rate_e18=E18 // 100_000,
        debts=(),
        total_debt_usd_e18=owed,
        collateral_value_e18=1_000_000 * E18,
        ltv_ratio_e18=ltv_pct * CENT,
        collaterals=(),
        as_of_ms=at_ms,
    )


@lru_cache(maxsize=64)
def policy(rule: str, keep: str, factor: str) -> tuple[str, str]:
    """A policy whose factors are as wanted, or as much as its keep allows."""
    most = E18 - int(keep.replace("0.", "").ljust(18, "0"))
    one = min(most, int(factor.replace("0.", "").ljust(18, "0")))
    allocation: dict[str, Any] = {"rule": rule, "min_keep_pct": keep}
    for name in ("f_high", "f_low"):
        allocation[name] = f"{one}e-18"
    for name in ("f_mid_repay", "f_mid_collateral"):
        allocation[name] = f"{one // 2}e-18"
    given = {**MORE_POLICY, "allocation": allocation, "guards": {"loan_age_max_s": 10**6}}
    text = canonical(Policy.model_validate(json.loads(json.dumps(given))))
    return text, policy_hash(text)
