"""The desk with loans row by row: several debts and collaterals, yields, and what a venue was read
as around an operation.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from schemas.money import parse_e18
from schemas.records import BookInput, Collateral, Debt, LoanState, Yield
from tests.streams.desk_world import ACCOUNT, TOPICS, World, topic_of
from tests.table import Row

MORE = {
    "action": "treasury.actions.v1",
    "alert": "treasury.alerts.v1",
    "risk": "treasury.risk-events.v1",
}
FACTS = ("ltv_before", "ltv_after", "debt_before", "debt_after")


class LoanWorld(World):
    """`owes`, `pledged` and `pool` build one state: rows first, then the state itself."""

    def __init__(self, **policy: Any) -> None:
        super().__init__(**policy)
        self.debts: list[Debt] = []
        self.collaterals: list[Collateral] = []

    def owes(self, row: Row) -> None:
        """`owes USDT 20000 interest=12.34 usd=20012.34 rate=0.00001 fixed`: one debt."""
        coin, principal = row.words[:2]
        interest = row.fields.get("interest", "0")
        usd = row.fields.get("usd")
        owed = parse_e18(principal) + parse_e18(interest)
        self.debts.append(
            Debt(
                coin,
                parse_e18(principal),
                parse_e18(interest),
                parse_e18(usd) if usd else owed,
                parse_e18(row.fields.get("rate", "0")),
                "fixed" in row.words,
            )
        )

    def pledged(self, row: Row) -> None:
        """`pledged USDT 4002.12 usd=3201.69 ratio=0.8`: one collateral."""
        coin, amount = row.words
        ratio = row.fields.get("ratio")
        self.collaterals.append(
            Collateral(
                coin,
                parse_e18(amount),
                parse_e18(row.fields.get("usd", amount)),
                parse_e18(ratio) if ratio else None,
            )
        )

    def pool(self, row: Row) -> None:
        """`pool ltv=0.52`: the state of all rows so far; totals are their sums unless given."""
        debts, collaterals = tuple(self.debts), tuple(self.collaterals)
        self.debts, self.collaterals = [], []
        settled = [debt for debt in debts if debt.coin == "USDT" and not debt.fixed]
        owed = row.fields.get("debt")
        worth = row.fields.get("collateral")
        self.to_book(
            "treasury.loan-states.v1",
            LoanState(
                account_id=ACCOUNT,
                loan_id="pool",
                coin="USDT",
                principal_amount_e18=sum(debt.principal_e18 for debt in settled),
                accrued_interest_e18=sum(debt.interest_e18 for debt in settled),
                interest_rate_e18=0,
                hourly_rate_e18=settled[0].hourly_rate_e18 if settled else 0,
                debts=debts,
                total_debt_usd_e18=parse_e18(owed) if owed else sum(d.usd_e18 for d in debts),
                collateral_value_e18=parse_e18(worth)
                if worth
                else sum(one.usd_e18 for one in collaterals),
                ltv_ratio_e18=parse_e18(row.fields["ltv"]),
                collaterals=collaterals,
                as_of_ms=self.time(row, "as_of"),
                col_res=int(row.fields["col_res"]) if "col_res" in row.fields else None,
            ),
        )

    def yields(self, row: Row) -> None:
        """`yields USDT 0.05 as_of=+1s`: a reported yield."""
        coin, rate = row.words
        body = Yield(coin, parse_e18(rate), self.time(row, "as_of"))
        self.to_book("treasury.book-inputs.v1", BookInput(body=body))

    def to_book(self, topic: str, value: Any, *more: Any, **named: Any) -> None:
        """An outcome gets what the venue was read as around it, and its reference."""
        if self.around and isinstance(value, BookInput):
            facts, refs = self.around
            value = replace(value, body=replace(value.body, facts=facts, venue_refs=refs))
        super().to_book(topic, value, *more, **named)

    around: tuple[dict[str, str], tuple[str, ...]] | None = None

    def outcome(self, row: Row) -> None:
        """As the desk's, with any of FACTS and `ref`."""
        facts = {name: row.fields[name] for name in FACTS if name in row.fields}
        self.around = (facts, tuple(row.fields["ref"].split(",")) if "ref" in row.fields else ())
        try:
            super().outcome(row)
        finally:
            self.around = None

    def said(self, what: str) -> list[Any]:
        topic = MORE.get(what) or TOPICS[what]
        values = [item.value for item in self.out if topic_of(item) == topic]
        return [value.body for value in values] if what == "answer" else values
