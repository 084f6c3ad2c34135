"""Requests on their way to the venue, and what becomes of them and of their answers.

What a request did is decided when it arrives; whether anybody hears of it is another matter. A call
is ambiguous when its answer says nothing or never comes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agents.connectors.bybit import Bybit, Venue
from agents.connectors.bybit.client import Client
from agents.connectors.bybit.errors import error_of
from agents.connectors.port import Answer, ConnectorError
from bench.simulation.books import Books, Cause, Held
from bench.simulation.session import Session, broken, coded
from schemas.money import E18, parse_e18
from schemas.records import AttemptRecord
from streams.effects import Call

if TYPE_CHECKING:
    from bench.simulation.world import World

REFUSALS = (148001, 148002, 148009, 148028, 148047, 10001, 10003, 131212)
TRANSIENT = (10002, 10002, 10006)
TIME_OUT_MS = 10_000
TRAVEL_MS = 300
AT_ONCE = frozenset({"ok", "lost_after", "error_after"})
"""The fates in which a request arrives at once."""


class NoPace:
    """A turn that is always there: time belongs to the agenda."""

    def wait(self) -> None:
        """At once."""

    def hold(self, seconds: float) -> None:
        """Not here."""


class Unpaced(Client):
    """The real client over a simulated session."""

    def __init__(self, address: Venue, session: Session) -> None:
        super().__init__(address, lambda _: session)
        free: Any = NoPace()
        self.loan_writes = self.transfers = self.loan_reads = free
        self.asset_reads = self.transfer_reads = self.reads = free


@dataclass
class Flight:
    """One request and its outcome, once it has one."""

    call: Call
    posted_ms: int
    outcome: Answer | ConnectorError | None = None

    def answer(self) -> Answer:
        """What the caller gets to see. Raises what the real client raises."""
        if isinstance(self.outcome, Answer):
            return self.outcome
        raise self.outcome or error_of(broken(0))


class SimulatedVenue:
    """The accounts of the venue. `fired` counts what was done to requests."""

    def __init__(self, world: World, account_ids: tuple[str, ...]) -> None:
        self._world = world
        self.fired: Counter[str] = Counter()
        self.sessions = {name: Session(world, name, _books(world)) for name in account_ids}
        self.connectors = {name: self._connector(name) for name in account_ids}

    def books(self, account_id: str) -> Books:
        """What an account really holds."""
        return self.sessions[account_id].books

    def send(self, call: Call, hear: Callable[[int, Flight], None]) -> None:
        """Posts a call; `hear` is told when its answer, or its time-out, comes."""
        world = self._world
        fate = self._fate()
        self.fired[fate] += 1
        flight = Flight(call, world.agenda.now_ms)
        world.judge.posted(call)
        travel_ms = 20 + world.draw_ms(TRAVEL_MS)
        wait_ms = travel_ms + world.draw_ms(TRAVEL_MS)
        if fate in AT_ONCE:
            world.fly(travel_ms, self._arrive, flight, fate == "ok")
        elif fate in ("late", "reset"):
            most_ms = world.swarm.promise_ms if fate == "late" else 60_000
            world.fly(travel_ms + world.draw_ms(most_ms - 1_000), self._arrive, flight, False)
        if fate in ("lost_before", "lost_after", "late"):
            wait_ms, flight.outcome = TIME_OUT_MS, error_of(broken(0))
        elif fate in ("error_before", "error_after", "reset"):
            flight.outcome = error_of(broken(world.chance.randrange(12)))
        elif fate == "refused":
            flight.outcome = error_of(coded(world.chance.choice(REFUSALS)))
        elif fate == "transient":
            flight.outcome = error_of(coded(world.chance.choice(TRANSIENT)))
        hear(wait_ms, flight)

    def tell(self, cause: Cause | None, ref: str) -> None:
        """A word of the venue's own about a call, which may overtake the answer."""
        world = self._world
        if cause is None or not world.swarm.hits(world.chance, world.swarm.webhooks):
            return
        intent_id, leg, n = cause
        word = AttemptRecord(
            attempt_id=f"webhook-{intent_id}-{leg}-{n}",
            intent_id=intent_id,
            leg=leg,
            n=n,
            kind="WEBHOOK",
            at_ms=world.agenda.now_ms,
            class_="done",
            venue_ref=ref,
        )
        world.log.write("treasury.attempts.v1", word, world.judge.lane_of[intent_id])

    def _fate(self) -> str:
        swarm, chance = self._world.swarm, self._world.chance
        if swarm.hits(chance, swarm.ambiguous):
            return chance.choice(swarm.kinds)
        if swarm.hits(chance, swarm.refused):
            return "refused"
        return "transient" if swarm.hits(chance, swarm.transient) else "ok"

    def _arrive(self, flight: Flight, heard: bool) -> None:
        call, account_id = flight.call, flight.call.account_id
        session = self.sessions[account_id]
        session.cause, session.posted_ms = (call.intent_id, call.leg, call.n), flight.posted_ms
        session.look_back(0)
        try:
            outcome: Answer | ConnectorError = self.connectors[account_id].call(call, _sent)
        except ConnectorError as why:
            outcome = why
        session.cause = None
        if heard:
            flight.outcome = outcome

    def _connector(self, account_id: str) -> Bybit:
        address = Venue(account_id, "key", "secret", "http://127.0.0.1:1")
        return Bybit(address, Unpaced(address, self.sessions[account_id]))


def _sent() -> None:
    """The last check was when it was posted."""


def _books(world: World) -> Books:
    """An account with a loan; FUND may hold something of people's own."""
    chance, now_ms = world.chance, world.agenda.now_ms
    debt = chance.choice((200_000, 200_000, 8_000, 300)) * E18
    counted = debt * E18 // parse_e18(world.swarm.ltv)
    own, pledged = chance.choice((0, 700 * E18, 30_000 * E18)), counted // 10
    held = Held(now_ms - 1, 1_000_000 * E18, own, debt, 0, pledged)
    backing = counted - pledged
    skew_ms = chance.randrange(-world.swarm.skew_ms, world.swarm.skew_ms + 1)
    return Books(held, backing, skew_ms)
