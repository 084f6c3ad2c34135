"""What must hold at the gate on every path: use plus holds never exceed a limit by one unit."""

import os
import random
from collections import deque
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.money import E18, parse_e18
from schemas.policy import Policy
from schemas.records import IntentOutcome, Meta, Proposal, Source, UsdRate
from streams.gate import step
from streams.step import Entries, Event, InForce
from tables.gate import Hold, Rolling, Used
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
ROLLING = POLICY.model_copy(
    update={"limits": POLICY.limits.model_copy(update={"window": "rolling_24h"})}
)
ACTIVE = (ControlEntry("all", "ACTIVE", 1, ""),)
RESERVATIONS = int(os.environ.get("WEIR_TEST_RESERVATIONS", "8000"))
"""100000 for the whole of it."""
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

    def __init__(self, policy: Policy = POLICY) -> None:
        self.store, self.now_ms, self.number = MemoryStore(), T0_MS, 0
        self.in_force = InForce(policy, "weir-default@1", "h", ACTIVE)
        self.rate("USDT", E18)
        self.rate("BTC", 100_000 * E18)

    def send(self, value: object, event_ms: int | None = None) -> list:
        self.number += 1
        time_ms = self.now_ms if event_ms is None else event_ms
        event = Event("t", 0, self.number, "desk", value, time_ms, self.now_ms)
        return step(Entries(self.store, "desk"), event, self.in_force)

    def rate(self, ccy: str, rate_e18: int) -> None:
        self.send(UsdRate(ccy, rate_e18, self.now_ms))

    def propose(self, asked_e18: int, ccy: str, event_ms: int | None = None) -> list:
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
            ),
            event_ms,
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


class Judge:
    """What counts in each 24 hours, kept apart from the gate: a list of what was granted when."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.opened: deque[tuple[int, str]] = deque()
        self.worth: dict[str, int] = {}
        self.latest_ms = self.total = 0

    def granted(self, intent_id: str, event_ms: int) -> None:
        """A grant counts from its event on, an older one from the latest known; what is late by
        more than a minute from now on.
        """
        late = self.desk.now_ms - event_ms > 60_000
        self.latest_ms = max(self.latest_ms, self.desk.now_ms if late else event_ms)
        while self.opened and self.opened[0][0] <= self.latest_ms - DAY_MS:
            self.total -= self.worth.pop(self.opened.popleft()[1])
        self.opened.append((self.latest_ms, intent_id))
        self.worth[intent_id] = 0
        self.look(intent_id)

    def look(self, intent_id: str) -> None:
        """Counts a hold as it is now, and holds the sum against the limit."""
        if intent_id in self.worth:
            hold: Hold = Entries(self.desk.store, "desk").get("holds", intent_id)
            worth = hold.confirmed_usd_e18 + hold.held_usd_e18
            self.total += worth - self.worth[intent_id]
            self.worth[intent_id] = worth
        assert self.total <= POLICY.limits.loan.daily_usd_e18


@pytest.mark.req("000-53", "000-72")
@given(
    st.lists(
        st.tuples(
            st.sampled_from([0, 1, 3_600_000, DAY_MS // 2, DAY_MS - 1, DAY_MS]),
            st.sampled_from([0, 0, 1, 60_000, 60_001, 7_200_000, DAY_MS]),
            st.integers(10, 30_000),
            st.sampled_from(["open", "CONFIRMED", "REJECTED"]),
        ),
        max_size=40,
    )
)
@settings(max_examples=75, deadline=None)
def test_no_24_hours_exceed_the_limit_in_any_order_of_events(events: list) -> None:
    desk = Desk(ROLLING)
    judge = Judge(desk)
    for waited_ms, late_ms, dollars, end in events:
        desk.now_ms += waited_ms
        desk.rate("USDT", E18)
        out = desk.propose(dollars * E18, "USDT", desk.now_ms - late_ms)
        intent_id = f"i{desk.number - 1}"
        if any(item.topic == "treasury.intents.v1" for item in out):
            judge.granted(intent_id, desk.now_ms - late_ms)
            hold: Hold = Entries(desk.store, "desk").get("holds", intent_id)
            if end != "open":
                desk.end(intent_id, hold, end, hold.granted_e18 // 2)
                judge.look(intent_id)
        rolling: Rolling = Entries(desk.store, "desk").get("rolling", "loan") or Rolling()
        assert rolling.confirmed_usd_e18 + rolling.held_usd_e18 == judge.total
        assert len(list(Entries(desk.store, "desk").range("openings"))) <= len(judge.opened)


@pytest.mark.req("000-53", "000-72")
def test_sixteen_proposers_and_a_rolling_day() -> None:
    """Days of 16 proposers, four seconds between two proposals, some of them late."""
    desk, chance = Desk(ROLLING), random.Random(7)
    judge = Judge(desk)
    open_: list[str] = []
    granted = 0
    for number in range(RESERVATIONS):
        desk.now_ms += chance.randint(0, 8_000)
        if number % 4 == 0:
            desk.rate("USDT", E18)
        event_ms = desk.now_ms - chance.choice([0, 0, 5_000, 60_000, 600_000])
        amount = parse_e18(f"{chance.randint(10, 900)}.{number % 16:02d}")
        out = desk.propose(amount, "USDT", event_ms)
        if any(item.topic == "treasury.intents.v1" for item in out):
            intent_id = f"i{desk.number - 1}"
            judge.granted(intent_id, event_ms)
            open_.append(intent_id)
            granted += 1
        if open_ and chance.random() < 0.5:
            ended = open_.pop(chance.randrange(len(open_)))
            hold: Hold = Entries(desk.store, "desk").get("holds", ended)
            state = chance.choice(["REJECTED", "CONFIRMED"])
            desk.end(ended, hold, state, hold.granted_e18)
            judge.look(ended)
    assert granted > RESERVATIONS // 100


@pytest.mark.req("000-53", "000-72")
def test_sixteen_proposers_and_thousands_of_reservations() -> None:
    """Never above 50,000.00 by one unit, and the limit is used to within the smallest operation."""
    desk, chance = Desk(), random.Random(12)
    open_: list[str] = []
    entries = Entries(desk.store, "desk")
    limit = POLICY.limits.loan.daily_usd_e18
    for number in range(RESERVATIONS):
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
