"""Whether, when and how much is placed, and in what: the cases of the source document."""

import pytest

from tests.streams.cash_world import CashWorld

QUIET = "days 260 out=1000000 in=1000000"


@pytest.mark.req("004-20", "004-27", "004-28", "004-29", "004-30", "004-62")
@pytest.mark.parametrize(
    "rows",
    [
        f"""# the float is 30 % of a million
        {QUIET}
        report ITAV 2500000
        expect position avail_usd=2500000 target_float=300000 investable_usd=2200000 stale=false
        expect order target_product=TBILL_4W kind=SWEEP direction=OUT asked=2200000 room=2200000
        """,
        f"""
        {QUIET}
        report ITAV 1050000
        expect order asked=750000
        """,
        f"""
        {QUIET}
        report ITAV 290000
        expect position investable_usd=0
        expect hold below_min
        """,
    ],
)
def test_the_normal_branch(rows: str) -> None:
    CashWorld().play(rows)
