"""How much profit may be allocated (hwm-v1), and how operations consume it, in units of 10^-18 of
one currency.

R is all profit realised so far. Each operation claims l and keeps b = l·(1 − f)/f back for good, f
being the factor of its own decision; available is what R has above Σ l + Σ b. A claim counts from
the proposal on and only falls: to what was granted, to what was confirmed, to nothing when the
operation ends without effect. So neither two open operations nor a partial result nor a new policy
can allocate one profit twice, and losses are carried forward.
"""

from __future__ import annotations

from schemas.money import E18
from schemas.records import IntentOutcome
from streams.step import InvariantBroken, Refused
from tables.allocation import Leg, Operation
from tables.book import PnlBook

WITHOUT_EFFECT = frozenset({"REFUSED", "REJECTED", "VOID", "EXPIRED"})
"""The ends of an operation that leave its profit unspent."""

GRANTED = frozenset({"READY", "AWAITING"})
"""The gate's answers that name the granted amount."""


def available_e18(book: PnlBook) -> int:
    """A: realised profit above the high-water mark already consumed."""
    taken = book.allocated_e18 + book.retained_e18 + book.withheld_e18
    return max(0, book.realised_e18 - taken)


def shortfall_e18(book: PnlBook) -> int:
    """How far losses or corrections have brought realised profit below that mark."""
    return max(0, book.allocated_e18 + book.retained_e18 - book.realised_e18)


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
    if new.allocated_e18 + new.retained_e18 > new.realised_e18:
        raise InvariantBroken(
            f"claimed {new.allocated_e18} and kept {new.retained_e18}"
            f" exceed {new.realised_e18} realised"
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
    new = Operation(operation.ccy, operation.factor_e18, kept, operation.trigger_ms, legs)
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
        return Leg(leg.intent_id, leg.kind, claim)
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
    return Leg(leg.intent_id, leg.kind, claim, outcome.state, True, outcome.reason or "")


def _moved(book: PnlBook, claim: int, kept: int) -> PnlBook:
    return PnlBook(
        book.gross_e18,
        book.fees_e18,
        book.funding_e18,
        book.realised_e18,
        book.highest_e18,
        book.allocated_e18 + claim,
        book.retained_e18 + kept,
        book.withheld_e18,
    )
