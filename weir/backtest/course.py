"""What a day, or years, came to under one policy: its decisions, its totals, and a line per day.

A `Course` is all that a comparison, a report or a program reads; nothing in it is a binary float.
Amounts are integers of 10^-18 (of the account's settlement currency, of US dollars where a name
says so), ratios of 1 (0.45, never 45), times milliseconds UTC. `as_json` writes them as plain
decimal text, times as ISO-8601: two equal courses are the same bytes.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from schemas.jsonform import iso
from schemas.money import text_e18

ALLOCATION, SWEEP = "allocation", "sweep"
HOLD = "hold"


class Decided(msgspec.Struct, frozen=True):
    """One decision of an account. A hold that is repeated for the same reason, with nothing else
    decided in between, is told once: `times` how often, `until_ms` the last time.

    `action` is hold, repay_principal, add_collateral or split of an allocation, SWEEP or
    REVERSE_SWEEP of cash. What was asked is in `repay`, `pledge` and `placed` (which is below 0
    for what is brought back); what became of it is in the totals and in `ended`.
    """

    at_ms: int
    account_id: str
    what: str
    """`allocation` or `sweep`."""
    decision_id: str
    rule: str
    action: str
    reason: str
    available_e18: int
    """Profit that may be allocated; of a sweep the balance it was decided from."""
    repay_e18: int = 0
    pledge_e18: int = 0
    placed_e18: int = 0
    product: str = ""
    kept_e18: int = 0
    clipped_e18: int = 0
    ltv_e18: int | None = None
    ltv_after_e18: int | None = None
    times: int = 1
    until_ms: int = 0

    @property
    def same(self) -> tuple[Any, ...]:
        """What makes two decisions at one time equal, whichever rule came to them."""
        return (
            self.action,
            self.reason if self.action == HOLD else "",
            self.repay_e18,
            self.pledge_e18,
            self.placed_e18,
            self.product,
        )


class Day(msgspec.Struct, frozen=True):
    """An account at the end of a UTC day on which something happened, or of an hour or a quarter
    of one where the whole is short (`weir.backtest.grain`). None: not known.

    Of an exchange account `equity` is the venue's figure for the trading wallet, `net` that, what
    the funding wallet holds of the settlement currency, and the collateral after its haircut, less
    the debt; of a bank account `equity` is its balance and `placed` what lies outside.
    """

    day: str
    account_id: str
    equity_e18: int | None = None
    net_e18: int | None = None
    ltv_e18: int | None = None
    ltv_max_e18: int | None = None
    debt_usd_e18: int | None = None
    collateral_usd_e18: int | None = None
    realised_e18: int = 0
    available_e18: int = 0
    kept_e18: int = 0
    repaid_e18: int = 0
    added_e18: int = 0
    interest_e18: int = 0
    swept_out_e18: int = 0
    swept_back_e18: int = 0
    placed_e18: int = 0


class Totals(msgspec.Struct, frozen=True):
    """What an account came to between two times; `repaid` to `flows` are in its loan's coin.

    debt_end = debt_start + interest − repaid + flows, to the last unit. Of two policies over the
    same past `net_last` differs by `collateral_last` − `added` − `interest` − `flows`: by what was
    saved, and by what a pledge counts for less than was paid for it.
    """

    account_id: str
    debt_start_e18: int = 0
    interest_e18: int = 0
    repaid_e18: int = 0
    flows_e18: int = 0
    debt_end_e18: int = 0
    added_e18: int = 0
    kept_e18: int = 0
    realised_e18: int = 0
    fees_e18: int = 0
    funding_e18: int = 0
    available_e18: int = 0
    ltv_min_e18: int | None = None
    ltv_max_e18: int | None = None
    ltv_last_e18: int | None = None
    distance_min_e18: int | None = None
    """The smallest part of its value the collateral could have lost before liquidation."""
    distance_last_e18: int | None = None
    collateral_last_e18: int | None = None
    """All collateral at the end in dollars, after its haircut."""
    net_last_e18: int | None = None
    swept_out_e18: int = 0
    swept_back_e18: int = 0
    sweep_yield_e18: int = 0
    days_under_floor: int = 0
    orders: int = 0
    """Intents the gate handed over."""
    decisions: int = 0
    holds: int = 0
    refused: int = 0
    """Intents that ended without effect."""


class Course(msgspec.Struct, frozen=True):
    """One policy over one span. `policy_hash` is that of the policy as it was given, empty for the
    recorded ones; `assumptions` are the sentences a report prints.
    """

    policy: str
    policy_hash: str
    rule: str
    from_ms: int
    to_ms: int
    decisions: tuple[Decided, ...]
    totals: tuple[Totals, ...]
    days: tuple[Day, ...]
    assumptions: tuple[str, ...]
    letters: dict[str, int]
    """Records that could not be used, by `topic: cause`."""
    events: int
    """Events folded by the nodes."""

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "policy": self.policy,
            "policy_hash": self.policy_hash,
            "rule": self.rule,
            "from": iso(self.from_ms),
            "to": iso(self.to_ms),
            "totals": [plain(one) for one in self.totals],
            "decisions": [plain(one) for one in self.decisions],
            "days": [plain(one) for one in self.days],
            "assumptions": list(self.assumptions),
            "letters": self.letters,
            "events": self.events,
        }

    def text(self) -> str:
        """The same as one line, byte for byte the same for equal courses."""
        return json.dumps(self.as_json(), ensure_ascii=False, separators=(",", ":"))


class Pair(msgspec.Struct, frozen=True):
    """Two decisions of one account at one time that are not the same; None: none was made."""

    at_ms: int
    account_id: str
    left: Decided | None
    right: Decided | None


class Comparison(msgspec.Struct, frozen=True):
    """Two courses over the same input, and every decision in which they differ, in time order."""

    left: Course
    right: Course
    pairs: tuple[Pair, ...]
    difference: tuple[Totals, ...]
    """Right less left, account by account; of a figure one side lacks: None."""

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "left": self.left.as_json(),
            "right": self.right.as_json(),
            "differences": [
                {
                    "at": iso(pair.at_ms),
                    "account_id": pair.account_id,
                    "left": None if pair.left is None else plain(pair.left),
                    "right": None if pair.right is None else plain(pair.right),
                }
                for pair in self.pairs
            ],
            "difference": [plain(one) for one in self.difference],
        }


def plain(record: msgspec.Struct) -> dict[str, Any]:
    """A flat record as JSON: units of 10^-18 as decimal text, times as ISO-8601."""
    said: dict[str, Any] = {}
    for name in record.__struct_fields__:
        value = getattr(record, name)
        if name.endswith("_e18"):
            said[name[:-4]] = None if value is None else text_e18(value)
        elif name.endswith("_ms"):
            said[name[:-3]] = iso(value)
        else:
            said[name] = value
    return said
