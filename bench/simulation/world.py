"""One life: a seed, and what becomes of the money.

It goes on until everything that was to happen from outside has happened; then the faults stop
(`calm`), and all that is open must come to an end by itself, or by people.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from zlib import crc32

from bench.simulation.agenda import Agenda
from bench.simulation.judge import Judge
from bench.simulation.outside import Outside
from bench.simulation.parts import Log, Part
from bench.simulation.people import People
from bench.simulation.process import Process
from bench.simulation.swarm import HOUR, MINUTE, Swarm, drawn
from bench.simulation.venue import SimulatedVenue
from bench.simulation.verdict import judged
from bench.simulation.worker import Worker
from streams.node import Node
from streams.step import InvariantBroken
from streams.topology import BOOK, EXECUTOR, GATE, INTENTS, PIPELINE

MIDNIGHT_MS = 1_760_054_400_000
NOON_MS = MIDNIGHT_MS + 43_200_000
PATIENCE_MS = 12 * HOUR
STEPS_MAX = 60_000


@dataclass(frozen=True)
class Build:
    """What a life is made of; a planted bug is another part in one of these places."""

    nodes: tuple[Node, ...] = (BOOK, GATE, INTENTS)
    part: type[Part] = Part
    worker: type[Worker] = Worker
    process: type[Process] = Process
    judge: type[Judge] = Judge

    def with_step(self, name: str, wrap: Callable[[Any], Any]) -> Build:
        """The same with the step of one node wrapped."""
        nodes = tuple(
            replace(node, step=wrap(node.step)) if node.name == name else node
            for node in self.nodes
        )
        return replace(self, nodes=nodes)


@dataclass
class Lived:
    """What one life came to: counts, and what was wrong (kind, words)."""

    seed: int
    digest: int
    counts: Counter[str] = field(default_factory=Counter)
    edges: Counter[str] = field(default_factory=Counter)
    faults: list[tuple[str, str]] = field(default_factory=list)


class World:
    """All that is there. `flying` counts what is on its way to the venue, and what threads are
    about to do, those that stand still included.
    """

    def __init__(self, seed: int, build: Build) -> None:
        self.seed, self.build = seed, build
        self.chance = Random(seed)
        self.swarm: Swarm = drawn(self.chance)
        near = self.chance.randrange(-20 * MINUTE, 0)
        self.agenda = Agenda(MIDNIGHT_MS + near if self.swarm.midnight else NOON_MS)
        self.began_ms = self.agenda.now_ms
        self.accounts = tuple(f"bybit:{number + 1}" for number in range(self.swarm.accounts))
        self.flying = self.acts = self.folded = self.digest = 0
        self.judge = build.judge(self)
        self.venue = SimulatedVenue(self, self.accounts)
        self.outside = Outside(self)
        self.people = People(self)
        self.book, self.gate, self.intents = (build.part(node) for node in build.nodes)
        self.workers = {
            PIPELINE: build.worker(
                self, (self.book, self.gate), self.swarm.pipeline_crash, acts=False
            ),
            EXECUTOR: build.worker(self, (self.intents,), self.swarm.crash, acts=True),
        }
        self.log = Log(self, (self.book, self.gate, self.intents))

    # What everybody in it uses

    def draw_ms(self, most_ms: int) -> int:
        """A time between 0 and so much."""
        return int(self.chance.random() * most_ms)

    def executor_wall_ms(self) -> int:
        """What the executor's clock shows."""
        return self.workers[EXECUTOR].wall_ms()

    def act_after(self, wait_ms: int, act: Callable[..., None], *given: Any) -> None:
        """Something outside happens; the life does not end before it."""
        self.acts += 1
        self.agenda.after(wait_ms, self._act, act, given)

    def fly(self, wait_ms: int, act: Callable[..., None], *given: Any) -> None:
        """Something is on its way and will arrive, whatever becomes of who sent it."""
        self.flying += 1
        self.agenda.after(wait_ms, self._land, act, given)

    def settle(self, wait_ms: int, act: Callable[..., None], what: Any, end: Any) -> None:
        """The venue ends something it has taken."""
        self.fly(wait_ms, lambda: act(self.agenda.now_ms, what, end))

    def count(self, topic: str, key: str, offset: int) -> None:
        """Every record on the log goes into the digest: two equal lives have the same."""
        text = f"{self.agenda.now_ms}|{topic}|{key}|{offset}"
        self.digest = crc32(text.encode(), self.digest)

    # What the judge asks

    def done_e18(self, intent_id: str) -> int:
        """What the main leg of an intent moved at the venue."""
        proposal = self.judge.proposals[intent_id]
        cause = (intent_id, "main")
        effects = self.venue.books(proposal.account_id).effects
        return sum(one.amount_e18 for one in effects if one.cause and one.cause[:2] == cause)

    def rate_e18(self, intent_id: str) -> int:
        """The dollar rate the gate admitted an intent by."""
        rate: int = self.gate.get(f"holds|desk|{intent_id}").rate_e18
        return rate

    # The life

    def live(self) -> Lived:
        """From the first record to the verdict."""
        self.outside.begin()
        try:
            for _ in range(STEPS_MAX):
                self.agenda.step()
                if self.acts == 0 and self._over():
                    break
            else:
                self.judge.fault("stuck", f"still busy after {STEPS_MAX} steps")
        except InvariantBroken:
            return self._lived()
        judged(self)
        return self._lived()

    def _over(self) -> bool:
        if not self.swarm.calm:
            self._calm_down()
            return False
        if self.flying or not all(worker.rests for worker in self.workers.values()):
            return False
        if any(part.waits() for part in (self.book, self.gate, self.intents)):
            return False
        waiting = self.judge.open.values()
        if all(state == "PARKED" for state in waiting):
            return not waiting or not self.swarm.answering
        return self.agenda.now_ms > self._until_ms

    def _calm_down(self) -> None:
        self.swarm.calm = True
        self._until_ms = self.agenda.now_ms + PATIENCE_MS

    def _act(self, act: Callable[..., None], given: tuple[Any, ...]) -> None:
        self.acts -= 1
        act(*given)

    def _land(self, act: Callable[..., None], given: tuple[Any, ...]) -> None:
        self.flying -= 1
        act(*given)

    def _lived(self) -> Lived:
        judge = self.judge
        counts = judge.counts + self.venue.fired
        counts["events"] = self.folded
        counts["crashes"] = sum(worker.crashes for worker in self.workers.values())
        counts["letters"] = sum(len(p.letters) for p in (self.book, self.gate, self.intents))
        return Lived(self.seed, self.digest, counts, judge.edges, judge.faults)


def live(seed: int, build: Build | None = None) -> Lived:
    """One life of this seed."""
    return World(seed, build or Build()).live()
