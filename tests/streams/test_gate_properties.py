"""What must hold at the gate on every path: use plus holds never exceed a limit by one unit."""

import random
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.money import E18, parse_e18
from schemas.policy import Policy
from schemas.records import IntentOutcome, Meta, Proposal, Source, UsdRate
from streams.gate import step
from streams.step import Entries, Event, InForce
from tables.gate import Hold, Used
from tables.memory import MemoryStore
from tables.partition import ControlEntry
from tests.streams.desk_world import ACCOUNT, T0_MS

POLICY = Policy.model_validate(
    {
        "limits": {
            "loan": {"min_usd": "10", "single_usd": "10000", "daily_usd": "50000", "over": "clip"}
        },
        "approvals": {"loan_usd": "1000000"},
        "accounts": [{"account_id": ACCOUNT}],
    }
)
IN_FORCE = InForce(POLICY, "weir-default@1", "h", (ControlEntry("all", "ACTIVE", 1, ""),))
META = Meta("0" * 32, T0_MS, "weir-default@1", Source("t", 0, 0))
DAY_MS = 86_400_000
_COINS = ("USDT", "BTC")
_amounts = st.one_of(
    st.integers(1, 20_000 * 10**8).map(lambda units: units * 10**10),
    st.sampled_from([10_000 * E18, 10_000 * E18 + 1, 10 * E18]),
)
_events = st.lists(
    st.one_of(
        st.tuples(st.just("propose"), _amounts, st.sampled_from(_COINS)),
        st.tuples(st.just("CONFIRMED"), st.integers(0, 100), st.integers(0, 50)),
        st.tuples(st.sampled_from(["REJECTED", "VOID", "EXPIRED"]), st.just(0), st.integers(0, 50)),
        st.tuples(st.just("rate"), st.integers(990_000, 1_010_000), st.sampled_from(_COINS)),
        st.tuples(st.just("wait"), st.sampled_from([1, DAY_MS // 3]), st.just("")),
    ),
    max_size=60,
)


class Desk:
    """A gate in memory, with what the limits must be compared with."""

    def __init__(self) -> None:
        self.store, self.now_ms, self.number = MemoryStore(), T0_MS, 0
        self.rate("USDT", E18)
        self.rate("BTC", 100_000 * E18)

    def send(self, value: object) -> list:
        self.number += 1
        event = Event("t", 0, self.number, "desk", value, self.now_ms, self.now_ms)
        return step(Entries(self.store, "desk"), event, IN_FORCE)

    def rate(self, ccy: str, rate_e18: int) -> None:
        self.send(UsdRate(ccy, rate_e18, self.now_ms))

    def propose(self, asked_e18: int, ccy: str) -> list:
        return self.send(
            Proposal(
                meta=META,
                intent_id=f"i{self.number}",
                decision_id=f"d{self.number}",
                origin="book",
                origin_key=ACCOUNT,
                class_="loan",
                kind="REPAY",
                account_id=ACCOUNT,
                lane=f"bybit|{ACCOUNT}|{ccy}",
                asked_e18=asked_e18,
                room_e18=asked_e18,
                ccy=ccy,
                precision=8,
                params={},
                maker="weir:weir-default@1",
                valid_until_ms=self.now_ms,
                deadline_ms=self.now_ms + 1,
                compliance_tags={},
            )
        )

    def holds(self) -> list[tuple[str, Hold]]:
        return list(Entries(self.store, "desk").range("holds"))

    def end(self, intent_id: str, hold: Hold, state: str, done_e18: int) -> None:
        self.send(
            IntentOutcome(
                intent_id=intent_id,
                decision_id=hold.decision_id,
                kind=hold.kind,
                class_="loan",
                origin="book",
                account_id=ACCOUNT,
                lane=hold.lane,
                state=state,
                asked_e18=hold.asked_e18,
                granted_e18=hold.granted_e18,
                amount_done_e18=done_e18,
                ccy=hold.ccy,
                venue_refs=(),
                facts={},
                final=True,
                at_ms=self.now_ms,
            )
        )

    def check(self) -> None:
        """Each day's use is the sum of its holds and within the limit; each hold within its own."""
        sums: dict[str, list[int]] = {}
        worth: dict[str, Fraction] = {}
        for _, hold in self.holds():
            day = sums.setdefault(hold.day, [0, 0])
            day[0] += hold.confirmed_usd_e18
            day[1] += hold.held_usd_e18
            held = Fraction(hold.granted_e18 * hold.rate_e18, E18) if not hold.final else 0
            worth[hold.day] = worth.get(hold.day, 0) + held + hold.confirmed_usd_e18
            assert held <= hold.held_usd_e18
            assert hold.held_usd_e18 <= POLICY.limits.loan.single_usd_e18
            assert hold.granted_e18 <= hold.asked_e18
        for rest, used in Entries(self.store, "desk").range("used"):
            day = sums[rest.removeprefix("loan|")]
            assert [used.confirmed_usd_e18, used.held_usd_e18] == day
            assert sum(day) <= POLICY.limits.loan.daily_usd_e18
        assert all(value <= POLICY.limits.loan.daily_usd_e18 for value in worth.values())


@pytest.mark.req("000-53", "000-72")
@given(_events)
@settings(max_examples=75, deadline=None)
def test_no_path_exceeds_the_daily_limit(events: list) -> None:
    desk = Desk()
    for verb, number, more in events:
        if verb == "propose":
            desk.propose(number if more == "USDT" else number // 100_000, more)
        elif verb == "rate":
            desk.now_ms += 1
            scale = 1 if more == "USDT" else 100_000
            desk.rate(more, (number * 10**12 + number) * scale)
        elif verb == "wait":
            desk.now_ms += number
            desk.rate("USDT", E18)
        elif open_ := [item for item in desk.holds() if not item[1].final]:
            intent_id, hold = open_[more % len(open_)]
            for _ in range(2):
                desk.end(intent_id, hold, verb, hold.granted_e18 * number // 100)
        desk.check()


@pytest.mark.req("000-53", "000-72")
def test_sixteen_proposers_and_thousands_of_reservations() -> None:
    """Never above 50,000.00 by one unit, and the limit is used to within the smallest operation."""
    desk, chance = Desk(), random.Random(12)
    open_: list[str] = []
    entries = Entries(desk.store, "desk")
    limit = POLICY.limits.loan.daily_usd_e18
    for number in range(10_000):
        proposer = number % 16
        out = desk.propose(parse_e18(f"{chance.randint(10, 3000)}.{proposer:02d}"), "USDT")
        intent_id = f"i{desk.number - 1}"
        if any(item.topic == "treasury.intents.v1" for item in out):
            open_.append(intent_id)
        if open_ and chance.random() < 0.5:
            ended = open_.pop(chance.randrange(len(open_)))
            state = "REJECTED" if chance.random() < 0.99 else "CONFIRMED"
            hold: Hold = entries.get("holds", ended)
            desk.end(ended, hold, state, hold.granted_e18)
        used: Used = entries.get("used", "loan|2025-06-11")
        assert used.confirmed_usd_e18 + used.held_usd_e18 <= limit
    assert limit - used.confirmed_usd_e18 - used.held_usd_e18 < POLICY.limits.loan.single_usd_e18
    desk.check()
