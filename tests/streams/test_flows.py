"""What flowed on each business day: bookings, weekends, restatements, and our own left out."""

from random import Random

import pytest

from schemas.jsonform import iso_date
from schemas.money import text_e18
from streams.calendar import calendar
from streams.flows import observed
from streams.newyork import SATURDAY, day_of, weekday
from streams.node import in_force
from streams.step import Entries
from tests.streams.cash_world import ACCOUNT, CashWorld
from tests.table import Row


class World(CashWorld):
    """A cash world that shows the observed days."""

    def observes(self, row: Row) -> None:
        """`observes 2026-07-08:-5/5/0 ...`: day, net flow, outflow, known outflow in dollars."""
        fed = calendar("FED", in_force(self.store).calendars)
        found = [
            f"{day_text(day.day)}:{text(day.net_e18)}/{text(day.out_e18)}/{text(day.known_out_e18)}"
            for day in observed(Entries(self.store, ACCOUNT), fed)
        ]
        assert found == list(row.words), found


def text(value_e18: int) -> str:

    return text_e18(value_e18)


def day_text(day: int) -> str:

    return str(iso_date(day))


@pytest.mark.req("004-33")
@pytest.mark.parametrize(
    "rows",
    [
        """# in, out, and what is not booked
        entry E1 100    booked=2026-07-08
        entry E2 -30.25 booked=2026-07-08
        entry E3 -50    booked=2026-07-08 status=PDNG
        entry E4 -70    booked=2026-07-08 status=INFO
        statement 2026-07-08
        observes 2026-07-08:69.75/30.25/0
        expect   var n=1 status=INSUFFICIENT
        """,
        """# without a booking date the statement's day
        entry E1 -5
        statement 2026-07-08
        observes 2026-07-08:-5/5/0
        """,
        """# a day without entries is an observation, a day without a statement is none
        statement 2026-07-06
        statement 2026-07-08
        observes 2026-07-06:0/0/0 2026-07-08:0/0/0
        """,
        """# what was booked at the weekend joins Monday, in Monday's statement or its own
        entry E1 -5 booked=2026-07-04
        statement 2026-07-04
        observes
        entry E2 -7 booked=2026-07-05
        entry E3 -9 booked=2026-07-06
        statement 2026-07-06
        observes 2026-07-06:-21/21/0
        """,
        """# a holiday joins the day after
        at 2026-05-27T13:00:00Z
        entry E1 -5 booked=2026-05-25
        entry E2 -1 booked=2026-05-26
        statement 2026-05-26
        observes 2026-05-26:-6/6/0
        """,
        """# an intraday report books nothing: the statement will
        entry  E1 -5 booked=2026-07-08
        report ITAV 100
        observes
        """,
        """# a late booking goes to its own day
        entry E1 -5 booked=2026-07-07
        statement 2026-07-07
        entry E2 -6 booked=2026-07-07
        entry E3 -7 booked=2026-07-08
        statement 2026-07-08
        observes 2026-07-07:-11/11/0 2026-07-08:-7/7/0
        """,
        """# a restatement replaces its day and is measured again
        entry E1 -5 booked=2026-07-08
        statement 2026-07-08 msg=S1
        entry E1 -5 booked=2026-07-08
        entry E2 -3 booked=2026-07-08
        statement 2026-07-08 msg=S2
        observes 2026-07-08:-8/8/0
        expect   var var_usd=8
        entry E9 -1 booked=2026-07-08
        statement 2026-07-08 msg=S0 as_of=-1s
        observes 2026-07-08:-8/8/0
        """,
        """# the very statement twice, also by another way
        entry E1 -5 booked=2026-07-08
        statement 2026-07-08 msg=S1
        again
        expect   nothing
        observes 2026-07-08:-5/5/0
        """,
        """# one number, two statements
        entry E1 -5 booked=2026-07-08
        statement 2026-07-08 msg=S1
        entry E1 -6 booked=2026-07-08
        refused exists_different msg_id statement 2026-07-08 msg=S1
        observes 2026-07-08:-5/5/0
        """,
        """# long after, when the last messages are forgotten
        entry E1 -5 booked=2026-06-08
        statement 2026-06-08 msg=S1 as_of=2026-06-09T00:00:00Z
        days 10 out=1
        entry E1 -7 booked=2026-06-08
        refused exists_different msg_id statement 2026-06-08 msg=S1 as_of=2026-06-09T00:00:00Z
        entry E1 -5 booked=2026-06-08
        statement 2026-06-08 msg=S1 as_of=2026-06-09T00:00:00Z
        expect nothing
        """,
        """# an entry that two statements list counts once
        entry E1 -5 booked=2026-07-07
        statement 2026-07-07
        entry E1 -5 booked=2026-07-07
        entry E2 -1 booked=2026-07-08
        statement 2026-07-08
        observes 2026-07-07:-5/5/0 2026-07-08:-1/1/0
        """,
        """# listed twice in one statement
        entry E1 -5 booked=2026-07-08
        entry E1 -5 booked=2026-07-08
        statement 2026-07-08
        observes 2026-07-08:-5/5/0
        """,
        """# a reference that the bank uses every day is no repeat
        entry NONREF -5 booked=2026-07-07
        statement 2026-07-07
        entry NONREF -5 booked=2026-07-08
        statement 2026-07-08
        observes 2026-07-07:-5/5/0 2026-07-08:-5/5/0
        """,
        """# what was known before is told apart
        scheduled F1 -40 due=+1h
        entry E1 -40 booked=2026-07-08 id=F1
        entry E2 -2  booked=2026-07-08
        statement 2026-07-08
        observes 2026-07-08:-42/2/40
        """,
    ],
)
def test_flows(rows: str) -> None:
    World().play(rows)


@pytest.mark.req("004-33")
def test_an_entry_that_its_statement_no_longer_lists_counts_with_the_other_that_does() -> None:
    World().play("""
        entry E1 -20 booked=2026-07-07
        statement 2026-07-08
        entry E1 -20 booked=2026-07-07
        statement 2026-07-07
        observes 2026-07-07:-20/20/0 2026-07-08:0/0/0
        statement 2026-07-08 as_of=+1s
        observes 2026-07-07:-20/20/0 2026-07-08:0/0/0
        expect   var n=2
        statement 2026-07-07 as_of=+1s
        observes 2026-07-07:0/0/0 2026-07-08:0/0/0
    """)


@pytest.mark.parametrize("seed", range(40))
def test_what_is_observed_is_what_the_last_statements_list_each_entry_once(seed: int) -> None:
    """Statements and restatements in any order, and entries that several of them list."""
    random, world = Random(seed), World()
    days = [day_text(day) for day in world.business_days(4)]
    known = [(f"E{n}", random.choice((-20, -5, 7)), random.choice(days)) for n in range(6)]
    last: dict[str, list[tuple[str, int, str]]] = {}
    for step in range(random.randint(3, 9)):
        day = random.choice(days)
        last[day] = [one for one in random.sample(known, random.randint(0, 4)) if one[2] <= day]
        for ref, amount, booked in last[day]:
            world.play(f"entry {ref} {amount} booked={booked}")
        world.play(f"statement {day} as_of=+{step}s")
    expected = sum(amount for _, amount, day in set().union(*last.values()) if day in last)
    fed = calendar("FED", in_force(world.store).calendars)
    found = sum(day.net_e18 for day in observed(Entries(world.store, ACCOUNT), fed))
    assert text(found) == str(expected)


@pytest.mark.req("004-01", "004-33")
def test_a_statement_that_comes_again_does_not_undo_its_restatement() -> None:
    """Long after, when the last messages are forgotten; neither flows nor balances go back."""
    first = """
        entry     E1 -5 booked=2026-07-07
        statement 2026-07-07 CLAV 900 msg=S1 as_of=2026-07-08T03:59:59Z
    """
    second = """
        entry     E1 -5 booked=2026-07-07
        entry     E2 -3 booked=2026-07-07
        statement 2026-07-07 CLAV 897 msg=S2 as_of=2026-07-08T03:59:59Z
    """
    others = "\n".join(f"report ITBD 1 as_of=-{days}d" for days in range(2, 12))
    world = World().play(first).play(second).play(others)
    world.play(f"""
        {first}
        expect   nothing
        table    balances avail amount=897
        observes 2026-07-07:-8/8/0
        {second}
        expect   nothing
    """)
    third = """
        entry     E1 -5 booked=2026-07-07
        statement 2026-07-07 CLAV 900 msg=S3 as_of=2026-07-08T03:59:59Z
    """
    world.play(third).play(others)
    for again in (first, second, third):
        world.play(f"{again}\nexpect nothing\nobserves 2026-07-07:-5/5/0")


@pytest.mark.parametrize(
    "rows",
    [
        """# a statement of a year whose calendar nobody knows any more
        entry     E8 -7 booked=2023-07-07
        statement 2023-07-07
        """,
        """# an entry booked in one
        entry     E8 -7 booked=2019-07-05
        statement 2026-07-08
        """,
    ],
)
def test_what_lies_before_all_calendars_is_no_observation_and_hides_no_other(rows: str) -> None:
    World().play(f"""
        days   60 out=1000
        {rows}
        report ITAV 2500000
        expect var n=60
        expect order target_product=FED_RRP
    """)


def test_a_weekend_that_may_join_the_first_day_of_the_calendars_is_not_guessed() -> None:
    World("2024-01-05T13:00:00Z").play("""
        entry     E1 -5 booked=2023-12-31
        statement 2024-01-02
        statement 2024-01-03
        observes  2024-01-03:0/0/0
    """)


def test_our_own_movements_are_no_flows() -> None:
    World().play("""
        days      260 out=1000000 in=1000000
        report    ITAV 2500000
        expect    order asked=2200000
        outcome   CONFIRMED
        at        2026-07-13T13:00:00Z
        entry     E1 -2200000 booked=2026-07-10 order=1
        entry     E2 -3 booked=2026-07-10
        statement 2026-07-10 CLAV 300000
        expect    var var_usd=0
    """)


def test_a_bank_that_states_weekends_too_is_measured_over_as_many_business_days() -> None:
    world = World()
    today = day_of(world.now_ms)
    for day in range(today - 450, today):
        world.close_day(day, "0", "5" if weekday(day) < SATURDAY else "0")
    world.play("expect var n=250 status=OK")
    kept = [key for key in world.store.entries if key.startswith("statements|")]
    assert len(kept) == 310 + 2 * 62  # of Mondays to Fridays, and the weekends between


def test_old_statements_and_listings_are_let_go() -> None:
    world = World()
    world.play("""
        policy var.window=20 var.min_obs=20
        days   120 out=5
    """)
    kept = [key for key in world.store.entries if key.startswith("statements|")]
    listed = [key for key in world.store.entries if key.startswith("listed|")]
    assert len(kept) == 80
    assert len(listed) < 30
