"""How much profit may be allocated, and how operations consume it, in units of 10^-18 of one
currency.

hwm-v1: R is all profit realised so far. Each operation claims l and keeps b = l·(1 − f)/f back for
good, f being the factor of its own decision; available is what R has above Σ l + Σ b. A claim
counts from the proposal on and only falls: to what was granted, to what was confirmed, to nothing
when the operation ends without effect. So neither two open operations nor a partial result nor a
new policy can allocate one profit twice, and losses are carried forward.

per-trade-v1: each row's profit by itself, in the order of the rows, losses left out; it counts from
where the policy puts it in force. It can allocate more than was ever earned.
"""

from __future__ import annotations

from msgspec.structs import replace

from schemas.money import E18
from schemas.records import IntentOutcome
from streams.step import InvariantBroken, Refused
from tables.allocation import Leg, Operation
from tables.book import PnlBook

WITHOUT_EFFECT = frozenset({"REFUSED", "REJECTED", "VOID", "EXPIRED"})
"""The ends of an operation that leave its profit unspent."""

GRANTED = frozenset({"READY", "AWAITING"})
"""The gate's answers that name the granted amount."""

PER_TRADE = "per-trade-v1"


def available_e18(book: PnlBook) -> int:
    """A: profit above the high-water mark already consumed."""
    return max(0, _profit(book) - book.allocated_e18 - book.retained_e18)


def shortfall_e18(book: PnlBook) -> int:
    """How far losses or corrections have brought realised profit below that mark."""
    return max(0, book.allocated_e18 + book.retained_e18 - book.realised_e18)


def by_rule(book: PnlBook, rule: str) -> PnlBook:
    """The book as the policy wants it counted; the same object when it is counted so already."""
    if (book.gains_e18 is not None) == (rule == PER_TRADE):
        return book
    consumed = book.allocated_e18 + book.retained_e18
    return replace(book, gains_e18=consumed if rule == PER_TRADE else None)


def gains_e18(book: PnlBook, net_e18: int) -> int | None:
    """The gains of a book once a row earned this; None where losses count."""
    return None if book.gains_e18 is None else book.gains_e18 + max(0, net_e18)


def kept_e18(claim_e18: int, factor_e18: int) -> int:
    """b of a claim: what the factor keeps back, rounded up to the last place."""
    if claim_e18 == 0:
        return 0
    return -(-claim_e18 * (E18 - factor_e18) // factor_e18)


def claim_e18(operation: Operation) -> int:
    """l of an operation: the sum over its legs."""
    return sum(leg.claim_e18 for leg in operation.legs)


def reserve(book: PnlBook, operation: Operation) -> PnlBook:
    """The book once an operation claims its part. Raises InvariantBroken if there is not enough."""
    new = _moved(book, claim_e18(operation), operation.kept_e18)
    if new.allocated_e18 + new.retained_e18 > _profit(new):
        raise InvariantBroken(
            f"claimed {new.allocated_e18} and kept {new.retained_e18} exceed {_profit(new)} earned"
        )
    return new


def settle(
    book: PnlBook, operation: Operation, outcome: IntentOutcome
) -> tuple[PnlBook, Operation]:
    """Book and operation once an outcome is known; both unchanged by a repeat or a late one."""
    legs = tuple(
        _settled(leg, outcome) if leg.intent_id == outcome.intent_id else leg
        for leg in operation.legs
    )
    if legs == operation.legs:
        return book, operation
    claim = sum(leg.claim_e18 for leg in legs)
    kept = kept_e18(claim, operation.factor_e18)
    new = replace(operation, kept_e18=kept, legs=legs)
    return _moved(book, claim - claim_e18(operation), kept - operation.kept_e18), new


def ended(operation: Operation) -> bool:
    """Whether no leg can move any more."""
    return all(leg.final for leg in operation.legs)


def _settled(leg: Leg, outcome: IntentOutcome) -> Leg:
    state = outcome.state
    if leg.final:
        if state == "REVERSED" and leg.state == "CONFIRMED":
            return _ended(leg, 0, outcome)
        past = (leg.state, "CONFIRMED") if leg.state == "REVERSED" else (leg.state,)
        if outcome.final and state not in past:
            raise Refused("final_state", "state", state, f"the operation ended as {leg.state}")
        return leg
    if not outcome.final:
        claim = min(leg.claim_e18, outcome.granted_e18) if state in GRANTED else leg.claim_e18
        return replace(leg, claim_e18=claim)
    if state in WITHOUT_EFFECT:
        return _ended(leg, 0, outcome)
    if state != "CONFIRMED":
        raise Refused("state", "state", state, "is no end of an operation")
    if outcome.amount_done_e18 > leg.claim_e18:
        raise Refused(
            "above_claim", "amount_done", outcome.amount_done_e18, "more than was granted"
        )
    return _ended(leg, outcome.amount_done_e18, outcome)


def _ended(leg: Leg, claim: int, outcome: IntentOutcome) -> Leg:
    return replace(
        leg,
        claim_e18=claim,
        state=outcome.state,
        final=True,
        reason=outcome.reason or "",
        refs=outcome.venue_refs,
    )


def _profit(book: PnlBook) -> int:
    """What may be consumed in all: profit that can be priced, or the gains of each row alone."""
    return book.realised_e18 - book.withheld_e18 if book.gains_e18 is None else book.gains_e18


def _moved(book: PnlBook, claim: int, kept: int) -> PnlBook:
    return replace(
        book,
        allocated_e18=book.allocated_e18 + claim,
        retained_e18=book.retained_e18 + kept,
    )
