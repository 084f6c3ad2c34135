"""The end of a life: the venue's books against every word of Weir, to the last unit.

double       a leg, or an attempt, moved money more than once
lost         an end that the money does not agree with
guessed      a claim that the venue contradicts
stuck        an intent that is neither final nor parked
disagree     nodes that tell one intent's end differently
limits       what the gate counts is not what was spent
book         what the book has allocated and kept is not what was spent
overspent    more was spent and kept than was ever earned
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from bench.simulation.judge import FINAL, WITHOUT, Judge
from schemas.records import IntentState
from tables.allocation import Operation
from tables.book import PnlBook
from tables.gate import Hold, Used
from tables.intents import IntentEntry

if TYPE_CHECKING:
    from bench.simulation.world import World

E18 = 10**18


def judged(world: World) -> None:
    """Adds to the judge's faults what is wrong at the end."""
    legs = _effects(world)
    _claims(world, legs)
    for state in world.judge.states.values():
        _intent(world, state, legs)
    for intent_id, state in world.judge.open.items():
        if state != "PARKED" and not _behind_parked(world, intent_id):
            world.judge.fault("stuck", f"{intent_id} is {state or 'PROPOSED'}")
    _limits(world)
    for account_id in world.accounts:
        _book(world, account_id)


def _effects(world: World) -> Counter[tuple[str, str]]:
    """How often each leg moved money."""
    legs: Counter[tuple[str, str]] = Counter()
    attempts: Counter[tuple[str, str, int]] = Counter()
    for account_id in world.accounts:
        for effect in world.venue.books(account_id).effects:
            if effect.cause is not None:
                legs[effect.cause[:2]] += 1
                attempts[effect.cause] += 1
    for leg, count in legs.items():
        if count > 1:
            world.judge.fault("double", f"{leg} moved money {count} times")
    return legs


def _claims(world: World, legs: Counter[tuple[str, str]]) -> None:
    """An effect that is claimed has been, before it was claimed; one that is denied never was."""
    when: dict[tuple[str, str], int] = {}
    attempts = set()
    for account_id in world.accounts:
        for effect in world.venue.books(account_id).effects:
            if effect.cause is not None:
                when[effect.cause[:2]] = effect.at_ms
                attempts.add(effect.cause)
    for claim in world.judge.claims:
        leg = (claim.intent_id, claim.leg)
        if claim.effect:
            wrong = leg not in when or when[leg] > claim.at_ms
        elif claim.n:
            wrong = (*leg, claim.n) in attempts
        else:
            wrong = legs[leg] > 0
        if wrong:
            said = "an effect" if claim.effect else f"no effect of attempt {claim.n or 'any'}"
            world.judge.fault("guessed", f"{leg} was said to have {said}")


def _intent(world: World, state: IntentState, legs: Counter[tuple[str, str]]) -> None:
    intent_id, judge = state.intent_id, world.judge
    moved = tuple(legs[intent_id, leg] for leg in ("transfer", "main", "return"))
    kept = world.swarm.keep and moved == (1, 0, 0)
    if state.state == "CONFIRMED":
        if moved != (1, 1, 0):
            judge.fault("lost", f"{intent_id} is CONFIRMED, moved {moved}")
        elif state.amount_done_e18 != world.done_e18(intent_id):
            done = world.done_e18(intent_id)
            judge.fault("lost", f"{intent_id}: {state.amount_done_e18} said, {done} moved")
    elif state.state in WITHOUT and (moved[1] or moved[0] != moved[2]) and not kept:
        judge.fault("lost", f"{intent_id} is {state.state}, moved {moved}")
    entry: IntentEntry | None = world.intents.get(f"intents|{state.lane}|{intent_id}")
    if entry is not None and entry.state != state.state:
        judge.fault("disagree", f"{intent_id} is {entry.state}, was told as {state.state}")
    hold: Hold | None = world.gate.get(f"holds|desk|{intent_id}")
    end = hold.state if hold is not None and hold.final else None
    if end != (state.state if state.state in FINAL else None):
        judge.fault("disagree", f"{intent_id} is {state.state}, its hold {end or 'open'}")


def _behind_parked(world: World, intent_id: str) -> bool:
    """Whether it waits behind something that waits for people who do not answer."""
    if world.swarm.answering:
        return False
    lane = world.intents.get(f"lanes|{world.judge.lane_of[intent_id]}")
    queue = lane.queue if lane is not None else ()
    first = world.judge.open.get(queue[0]) if queue else None
    halted = lane is not None and lane.halted
    return bool(halted) or (intent_id in queue[1:] and first == "PARKED")


def _limits(world: World) -> None:
    """The gate's sums by day, from what the venue moved for each of its holds."""
    judge = world.judge
    days: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for granted in judge.granted.values():
        state = judge.states[granted.intent_id].state
        hold: Hold = world.gate.get(f"holds|desk|{granted.intent_id}")
        days[hold.day][state != "CONFIRMED"] += judge.worth_e18(granted)
    for key, used in world.gate.range("used|desk|loan|"):
        told: Used = used
        confirmed, held = days.pop(key.rpartition("|")[2], [0, 0])
        if (told.confirmed_usd_e18, told.held_usd_e18) != (confirmed, held):
            words = f"{key}: {told.confirmed_usd_e18 / E18}+{told.held_usd_e18 / E18} counted"
            judge.fault("limits", f"{words}, {confirmed / E18}+{held / E18} used")
    for day, use in days.items():
        if any(use):
            judge.fault("limits", f"{day}: nothing counted, {use} used")


def _book(world: World, account_id: str) -> None:
    """L is what was spent and what is still open, B what each decision keeps back of it."""
    judge = world.judge
    book: PnlBook = world.book.get(f"pnl_book|{account_id}|USDT") or PnlBook()
    claims: dict[str, int] = defaultdict(int)
    for intent_id, proposal in judge.proposals.items():
        if proposal.account_id == account_id:
            claims[proposal.decision_id] += _claim_e18(judge, intent_id, proposal.asked_e18)
    kept = sum(
        -(-claim * (E18 - judge.decided[name].factor_e18) // judge.decided[name].factor_e18)
        for name, claim in claims.items()
    )
    found = (book.realised_e18, book.allocated_e18, book.retained_e18)
    right = (judge.profit_e18[account_id], sum(claims.values()), kept)
    if found != right:
        judge.fault("book", f"{account_id}: R, L, B are {found}, must be {right}")
    if right[1] + right[2] > book.highest_e18:
        judge.fault("overspent", f"{account_id}: {right[1:]} of at most {book.highest_e18}")
    for _, value in world.book.range(f"operations|{account_id}|"):
        operation: Operation = value
        for leg in operation.legs:
            state = judge.state_of(leg.intent_id)
            if (leg.state if leg.final else "") != (state if state in FINAL else ""):
                judge.fault("disagree", f"{leg.intent_id} is {state}, the book has {leg.state}")


def _claim_e18(judge: Judge, intent_id: str, asked_e18: int) -> int:
    state = judge.state_of(intent_id)
    if state in WITHOUT:
        return 0
    if state == "CONFIRMED":
        return judge.world.done_e18(intent_id)
    granted = judge.granted.get(intent_id)
    return granted.amount_e18 if granted is not None else asked_e18
