"""The simulated venue as the real connector sees it: pybit's methods, answered from the books.

Reads of one look lie a moment apart, as they do live, and may come from a replica that is behind;
a read never shows what is yet to come. Rows may be late, come twice, or on pages of one. What is
refused or fails raises what pybit raises, so that the real client classes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pybit.exceptions import FailedRequestError, InvalidRequestError
from requests.exceptions import ConnectionError as ConnectionReset
from requests.exceptions import ReadTimeout

from bench.simulation.books import (
    ADD_COLLATERAL,
    COIN,
    DONE,
    FAILED,
    HOURLY_RATE_E18,
    PENDING,
    REPAY,
    STATUS_UNKNOWN,
    STOPPED,
    SUCCESS,
    Books,
    Cause,
    Held,
    RefusedByVenue,
    Row,
)
from schemas.money import parse_e18, text_e18

if TYPE_CHECKING:
    from bench.simulation.world import World

READS_OF_A_LOOK = 4
PENDING_MS = 120_000
VANISH_MS = 20_000
UNCLEAR = (10000, 10016, 148019, 148026, 148034, 148036, 199999)
"""Codes that prove nothing, documented or not."""

Json = dict[str, Any]


def coded(code: int) -> InvalidRequestError:
    """What pybit raises for a return code of the venue."""
    return InvalidRequestError("simulated", f"code {code}", code, "", {})


def broken(choice: int) -> Exception:
    """What pybit raises when no answer can be read."""
    if choice == 0:
        return ConnectionReset("reset by peer")
    if choice == 1:
        return FailedRequestError("simulated", "bad gateway", 502, "", {})
    if choice == 2:
        return ValueError("no JSON")
    return coded(UNCLEAR[choice % len(UNCLEAR)])


class Session:
    """One account's session. `cause` and `posted_ms` are of the request that is being answered."""

    def __init__(self, world: World, account_id: str, books: Books) -> None:
        self._world, self._account_id, self.books = world, account_id, books
        self.cause: Cause | None = None
        self.posted_ms = 0
        self._read_ms = self._between_ms = 0

    def look_back(self, spread_ms: int) -> None:
        """The reads that follow are spread over so long, the last of them before now."""
        self._read_ms = self._world.agenda.now_ms - spread_ms
        self._between_ms = spread_ms // READS_OF_A_LOOK

    # Reads

    def get_coins_balance(self, **_: str) -> Json:
        held = self._held()
        text = text_e18(held.fund_e18)
        row = {"coin": COIN, "walletBalance": text, "transferBalance": text}
        return self._answer({"balance": [row]})

    def get_flexible_loans_flexible_crypto_loan(self, **_: str) -> Json:
        held = self._held()
        row = {
            "loanCurrency": COIN,
            "totalDebt": text_e18(held.debt_e18),
            "unpaidAmount": text_e18(held.principal_e18),
            "unpaidInterest": text_e18(held.interest_e18),
            "hourlyInterestRate": text_e18(HOURLY_RATE_E18),
        }
        return self._answer({"list": [row] if held.debt_e18 else []})

    def get_position_new_crypto_loan(self) -> Json:
        held = self._held()
        pledged = text_e18(held.pledged_e18)
        shown = {
            "ltv": text_e18(self.books.ltv_e18(held)),
            "totalDebt": text_e18(held.debt_e18),
            "totalCollateral": text_e18(self.books.backing_e18 + held.pledged_e18),
            "borrowList": [],
            "collateralList": [{"currency": COIN, "amount": pledged, "amountUSD": pledged}],
            "colRes": "0",
        }
        return self._answer(shown)

    def get_repayment_history_flexible_crypto_loan(self, **query: str) -> Json:
        return self._page(REPAY, query, self._repay_row)

    def get_ltv_adjustment_history_new_crypto_loan(self, **query: str) -> Json:
        return self._page(ADD_COLLATERAL, query, self._adjust_row)

    def get_internal_transfer_records(self, transferId: str) -> Json:
        at_ms = self._next()
        moved = self.books.transfers.get(transferId)
        if moved is None or moved.shown_ms > at_ms:
            return self._answer({"list": []})
        status = [status for since_ms, status in moved.steps if since_ms <= at_ms][-1]
        row = {
            "transferId": transferId,
            "amount": text_e18(moved.amount_e18),
            "status": status,
        }
        return self._answer({"list": [row]})

    # Writes

    def create_internal_transfer(
        self, transferId: str, amount: str, toAccountType: str, **_: str
    ) -> Json:
        world, now_ms = self._world, self._world.agenda.now_ms
        moved = self._obey(
            self.books.transfer, now_ms, transferId, parse_e18(amount), toAccountType, self.cause
        )
        lag_ms = world.draw_ms(world.swarm.row_lag_ms)
        moved.shown_ms = min(now_ms + lag_ms, self.posted_ms + world.swarm.promise_ms)
        moved.shown_ms = max(moved.shown_ms, now_ms)
        if world.swarm.hits(world.chance, world.swarm.processing):
            moved.steps.append((now_ms, world.chance.choice((PENDING, STATUS_UNKNOWN))))
            end = SUCCESS if world.chance.random() < 0.9 else STOPPED
            world.settle(world.draw_ms(PENDING_MS), self.books.settle_transfer, moved, end)
        else:
            self.books.settle_transfer(now_ms, moved, SUCCESS)
        if moved.steps[-1][1] == SUCCESS:
            world.venue.tell(self.cause, transferId)
        return self._answer({"transferId": transferId, "status": moved.steps[-1][1]})

    def repay_flexible_crypto_loan(self, amount: str, **_: str) -> Json:
        world, now_ms = self._world, self._world.agenda.now_ms
        lag_ms = world.draw_ms(world.swarm.row_lag_ms)
        row = self._obey(self.books.repay, now_ms, parse_e18(amount), self.cause, lag_ms)
        self._may_vanish(row)
        if world.swarm.hits(world.chance, world.swarm.processing):
            end = DONE if world.chance.random() < 0.85 else FAILED
            world.settle(world.draw_ms(PENDING_MS), self.books.settle_repay, row, end)
        else:
            self.books.settle_repay(now_ms, row, DONE)
            world.venue.tell(self.cause, str(row.id))
        return self._answer({"repayId": str(row.id)})

    def adjust_collateral_amount_new_crypto_loan(self, amount: str, **_: str) -> Json:
        world, now_ms = self._world, self._world.agenda.now_ms
        lag_ms = world.draw_ms(world.swarm.row_lag_ms)
        row = self._obey(self.books.pledge, now_ms, parse_e18(amount), self.cause, lag_ms)
        self._may_vanish(row)
        world.venue.tell(self.cause, str(row.id))
        return self._answer({"adjustId": row.id})

    # How it is answered

    def _answer(self, result: Json) -> Json:
        time_ms = self._read_ms + self.books.skew_ms
        return {"retCode": 0, "result": result, "time": time_ms}

    def _next(self) -> int:
        """The time of the next read. Raises what a read may fail with."""
        world = self._world
        self._read_ms = min(self._read_ms + self._between_ms, world.agenda.now_ms)
        if world.swarm.hits(world.chance, world.swarm.unread):
            choice = world.chance.randrange(8)
            raise coded(10006) if choice == 7 else broken(choice) if choice else ReadTimeout()
        if world.swarm.calm:
            return self._read_ms
        return self._read_ms - world.draw_ms(world.swarm.replica_lag_ms)

    def _held(self) -> Held:
        return self.books.at(self._next())

    def _page(self, op: str, query: dict[str, str], shown: Any) -> Json:
        at_ms, swarm = self._next(), self._world.swarm
        before = int(query.get("cursor", 1 << 60))
        if swarm.hits(self._world.chance, swarm.hollow):
            return self._answer({"list": [], "nextPageCursor": str(before)})
        rows = [row for row in self.books.rows[op] if row.shown(at_ms) and row.id < before]
        rows.sort(key=lambda row: -row.id)
        size = min(int(query["limit"]), swarm.page)
        found = [shown(row, at_ms) for row in rows[:size]]
        if found and swarm.hits(self._world.chance, swarm.twice):
            found.append(found[-1])
        cursor = str(rows[size - 1].id) if len(rows) > size else ""
        return self._answer({"list": found, "nextPageCursor": cursor})

    def _may_vanish(self, row: Row) -> None:
        world = self._world
        if world.swarm.hits(world.chance, world.swarm.vanish):
            gone_ms = row.shown_ms + world.draw_ms(VANISH_MS)
            row.gone_ms = (gone_ms, gone_ms + world.draw_ms(world.swarm.promise_ms))

    def _repay_row(self, row: Row, at_ms: int) -> Json:
        return {
            "repayId": str(row.id),
            "loanCurrency": COIN,
            "repayAmount": text_e18(row.amount_e18),
            "repayStatus": row.status(at_ms),
            "repayTime": row.at_ms,
            "repayType": 1 if row.ours else 2,
        }

    def _adjust_row(self, row: Row, at_ms: int) -> Json:
        return {
            "adjustId": row.id,
            "collateralCurrency": COIN,
            "amount": text_e18(row.amount_e18),
            "adjustTime": row.at_ms,
            "direction": 0 if row.ours else 1,
            "status": row.status(at_ms),
            "preLTV": text_e18(row.ltv_e18[0]),
            "afterLTV": text_e18(row.ltv_e18[1]),
        }

    def _obey(self, act: Any, *given: Any) -> Any:
        try:
            return act(*given)
        except RefusedByVenue as why:
            raise coded(why.code) from why
