"""The venue as we model it: what it answers when an operation is prepared, called and looked for.

It refuses by the venue's documented codes and executes everything else, once, when the call
arrives; it never loses an answer. The hedge is not the venue's to change: what acts on positions or
orders is refused. Amounts are 10^-18; times milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from schemas.money import floor_to, text_e18
from schemas.policy import Policy
from schemas.records import AttemptRecord
from streams.effects import Call, Effect, Look, Prepare
from weir.backtest.loan import Loan
from weir.backtest.wallets import FUND, Wallets

REPAY, ADD, TRANSFER = "REPAY", "ADD_COLLATERAL", "TRANSFER"
PRECISION_CODE = {REPAY: "148028", ADD: "148005", TRANSFER: "131210"}


class Terms(msgspec.Struct, frozen=True):
    """What the model takes for granted; every figure stands in the assumptions of a report."""

    read_ms: int = 100
    call_ms: int = 300
    places: int = 4
    transfer_places: int = 6
    bank_ms: int = 1_000
    fund_rate_e18: int = 0
    alone: bool = True
    """No operation waits for people, and none is left to another side to carry out."""

    def sentences(self) -> tuple[str, ...]:
        """In words, as a report prints them."""
        return (
            "The hedge is what it was: no policy changes an execution, a fee or a funding payment.",
            f"The venue answers a read after {self.read_ms} ms and a call after {self.call_ms} ms,"
            " and has carried out what it accepts by then; no answer is lost.",
            "A repayment and a pledge cost no fee at the venue.",
            "The venue takes as many decimal places of a repayment and of a pledge as the policy"
            f" says of the account ({self.places} where it is silent), {self.transfer_places} of a"
            " transfer; more is refused, as are more than is owed and more than the wallet holds.",
            "Debt grows at each full hour by the recorded hourly rate on its principal, and by"
            " more or less where the recorded one did, in proportion; a repayment pays interest"
            " first.",
            "Collateral has the price of the last recorded loan state; a coin that was never"
            " pledged in the record counts as dollars, without a haircut.",
            "What the recorded debt, collateral and balances did beyond the recorded policy's own"
            " operations happens under every policy alike.",
            "A published loan to value has six places.",
            "The venue liquidates nobody: a distance below 0 says that it would have.",
        )


USUAL = Terms()


@dataclass
class Account:
    """What one account owes, pledges and holds, and the rows the venue would show of it."""

    account_id: str
    loan: Loan = field(default_factory=Loan)
    wallets: Wallets = field(default_factory=Wallets)
    rows: dict[str, tuple[str, int, str, str]] = field(default_factory=dict)
    """The last one of each lane: reference, amount, loan to value before and after."""
    transfers: dict[str, int] = field(default_factory=dict)
    last_id: int = 0


@dataclass
class Venue:
    """All exchange accounts by id."""

    terms: Terms = USUAL
    accounts: dict[str, Account] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)
    """What it says of an account's decimal places."""
    rates: dict[str, int] = field(default_factory=dict)
    """Dollars of a unit by coin, as they were told last."""

    def account(self, account_id: str) -> Account:
        """An account, empty when it is new."""
        if account_id not in self.accounts:
            self.accounts[account_id] = Account(account_id, wallets=Wallets(self.rates))
        return self.accounts[account_id]

    def delay_ms(self, effect: Effect) -> int:
        """How long an answer takes."""
        return self.terms.call_ms if isinstance(effect, Call) else self.terms.read_ms

    def answer(self, effect: Effect, at_ms: int) -> AttemptRecord:
        """What the venue says at a time; a call is carried out by that."""
        account = self.account(effect.account_id)
        account.loan.accrue(at_ms)
        if isinstance(effect, Prepare):
            return _record(effect, "PREPARED", at_ms, watermark=_books(account, effect, at_ms))
        if isinstance(effect, Look):
            return _look(account, effect, at_ms)
        code = self._refusal(account, effect)
        if code:
            return _record(effect, "RESULT", at_ms, class_="refused", code=code, message="refused")
        if effect.op == TRANSFER:
            return _transfer(account, effect, at_ms)
        return _call(account, effect, at_ms)

    def _refusal(self, account: Account, call: Call) -> str:
        """The code of the first rule that the call breaks; empty when it is accepted."""
        terms, loan, coin, amount = self.terms, account.loan, call.coin, call.amount_e18
        if call.op == TRANSFER:
            if call.transfer_id in account.transfers:
                return "131214"
            if amount <= 0 or amount != floor_to(amount, terms.transfer_places):
                return PRECISION_CODE[TRANSFER]
            held = account.wallets.transferable_e18(call.source, coin)
            return "131212" if amount > held else ""
        if call.op not in (REPAY, ADD):
            return "unsupported"
        if amount <= 0 or amount != floor_to(amount, self._places(call)):
            return PRECISION_CODE[call.op]
        short = amount > account.wallets.balance_e18(FUND, coin)
        if call.op == ADD:
            return "148013" if loan.debt_usd_e18 == 0 else "148037" if short else ""
        if loan.debt_e18(coin) == 0:
            return "148032"
        if amount > loan.debt_e18(coin):
            return "148038"
        return "148029" if short else ""

    def _places(self, call: Call) -> int:
        known = self.policy.account(call.account_id)
        if known is None:
            return self.terms.places
        said = known.loan_precision if call.op == REPAY else known.collateral_precision
        return said.get(call.coin, self.terms.places)


def _transfer(account: Account, call: Call, at_ms: int) -> AttemptRecord:
    account.transfers[call.transfer_id] = call.amount_e18
    account.wallets.move(call.source, call.coin, -call.amount_e18)
    account.wallets.move(call.target, call.coin, call.amount_e18)
    done = {"venue_ref": call.transfer_id, "amount_done_e18": call.amount_e18}
    return _record(call, "RESULT", at_ms, class_="done", message="SUCCESS", **done)


def _call(account: Account, call: Call, at_ms: int) -> AttemptRecord:
    loan, before = account.loan, account.loan.ltv_e18
    account.wallets.move(FUND, call.coin, -call.amount_e18)
    if call.op == REPAY:
        loan.repay(call.coin, call.amount_e18)
    else:
        loan.pledge(call.coin, call.amount_e18)
    account.last_id += 1
    ref = str(account.last_id)
    account.rows[call.lane] = (ref, call.amount_e18, text_e18(before), text_e18(loan.ltv_e18))
    return _record(call, "RESULT", at_ms, class_="accepted", venue_ref=ref)


def _look(account: Account, look: Look, at_ms: int) -> AttemptRecord:
    """The row of the call, with the balances beside it; its lane has one call at a time."""
    facts = _books(account, look, at_ms)
    if look.op == TRANSFER:
        done = account.transfers.get(look.transfer_id)
        class_, ref = "unknown" if done is None else "done", look.transfer_id
    else:
        row = account.rows.get(look.lane)
        row = row if row is not None and row[0] == look.venue_ref else None
        class_, ref = "unknown" if row is None else "done", look.venue_ref
        done = None if row is None else row[1]
        if row is not None and look.op == ADD:
            facts |= {"row_ltv_before": row[2], "row_ltv_after": row[3]}
    facts["rows"] = "0" if done is None else "1"
    said = {"class_": class_, "venue_ref": ref, "amount_done_e18": done, "facts": facts}
    return _record(look, "EVIDENCE", at_ms, **said)


def _books(account: Account, work: Effect, at_ms: int) -> dict[str, str]:
    """What is read of the account before and after a call of this intent."""
    loan, coin = account.loan, work.coin
    said = {
        "fund": text_e18(account.wallets.balance_e18(FUND, coin)),
        "server_ms": str(at_ms),
    }
    if work.kind == REPAY:
        rate = loan.debts[coin].rate_e18 if coin in loan.debts else 0
        said |= {"debt": text_e18(loan.debt_e18(coin)), "hourly_rate": text_e18(rate)}
    if work.op != TRANSFER:
        pledged = loan.pledges[coin].amount_e18 if coin in loan.pledges else 0
        said |= {
            "ltv": text_e18(loan.ltv_e18),
            "collateral": text_e18(pledged),
            "last_id": str(account.last_id),
        }
    return said


def _record(effect: Effect, kind: str, at_ms: int, **more: Any) -> AttemptRecord:
    return AttemptRecord(
        attempt_id=effect.effect_id,
        intent_id=effect.intent_id,
        leg=effect.leg,
        n=effect.n,
        kind=kind,
        at_ms=at_ms,
        amount_e18=effect.amount_e18,
        request_hash=effect.request_hash if isinstance(effect, Call) else None,
        **more,
    )
