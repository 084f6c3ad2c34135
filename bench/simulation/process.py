"""One life of the executor's process: its threads read, post and tell, as the real runner decides.

A thread goes on after its worker has lost its partitions: it may have been frozen between any two
things it does. What a dead process was about to say is never heard; what it had sent is on its way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from agents.connectors.port import Answer, NotSent, Rejected
from agents.controls import Reading
from agents.runner import ATTEMPTS, Runner
from bench.simulation.venue import Flight
from schemas.records import AttemptRecord
from streams.effects import Call, Effect, Look, Prepare

if TYPE_CHECKING:
    from bench.simulation.world import World

READ_MS = 800
PACE_MS = 1_100
CONTROL_AGE_MS = 3_000


class Process:
    """Lanes run side by side, one lane in order."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.dead = False
        self.thaw_ms = 0
        nowhere: Any = None
        self.runner = Runner(
            world.venue.connectors,
            nowhere,
            self,
            threads=1,
            clock_ms=world.executor_wall_ms,
            monotonic=lambda: world.agenda.now_ms / 1000,
        )
        self._lanes: dict[str, deque[tuple[Effect, float]]] = {}

    def reading(self) -> Reading:
        """What the process knows of the pause, and how old that is."""
        world = self.world
        age_ms = 0 if world.swarm.calm else world.draw_ms(CONTROL_AGE_MS)
        if world.swarm.hits(world.chance, 0.02):
            age_ms = 60_000  # the broker does not answer
        at_ms, outside = world.agenda.now_ms - age_ms, world.outside
        return Reading(outside.epoch_at(at_ms), age_ms / 1000, controls=outside.controls_at(at_ms))

    def carry(self, effects: list[Effect], before_commit_ms: int) -> None:
        """Takes the effects of one transaction, in order."""
        for effect in effects:
            waiting = self._lanes.setdefault(effect.lane, deque())
            waiting.append((effect, before_commit_ms / 1000))
            if len(waiting) == 1:
                self.later(self._delay_ms(), self._begin, effect.lane)

    def die(self) -> None:
        """All threads end."""
        self.dead = True

    def freeze(self, for_ms: int) -> None:
        """All threads stand still for so long."""
        self.thaw_ms = max(self.thaw_ms, self.world.agenda.now_ms + for_ms)

    def later(self, wait_ms: int, act: Callable[..., None], *given: Any) -> None:
        """What a thread does next, unless the process dies; not before it thaws."""
        self.world.fly(wait_ms, self._awake, act, given)

    def _awake(self, act: Callable[..., None], given: tuple[Any, ...]) -> None:
        if self.dead:
            return
        if self.world.agenda.now_ms < self.thaw_ms:
            self.later(self.thaw_ms - self.world.agenda.now_ms, act, *given)
        else:
            act(*given)

    # One effect of a lane

    def _begin(self, lane: str) -> None:
        effect, before_s = self._lanes[lane][0]
        if isinstance(effect, Call):
            if self._may_go(effect, before_s):
                self.later(self._pace_ms(), self._post, effect, before_s)
        else:
            began_ms = self.world.agenda.now_ms
            self.later(1 + self.world.draw_ms(READ_MS), self._read, effect, began_ms)

    def _read(self, effect: Prepare | Look, began_ms: int) -> None:
        """All reads of a look: they lie between its beginning and its end."""
        spread_ms = min(READ_MS, self.world.agenda.now_ms - began_ms)
        self.world.venue.sessions[effect.account_id].look_back(spread_ms)
        if isinstance(effect, Prepare):
            self.tell(effect, self.runner.prepared(effect))
        else:
            self.tell(effect, self.runner.evidence(effect))

    def _post(self, effect: Call, before_s: float) -> None:
        if self._may_go(effect, before_s):
            self.world.venue.send(effect, lambda wait, flight: self.later(wait, self.hear, flight))

    def _may_go(self, effect: Call, before_s: float) -> bool:
        """The runner's last word; a no is told at once."""
        try:
            self.check(effect, before_s)
        except (NotSent, Rejected) as no:
            why = no
        else:
            return True

        def call() -> Answer:
            raise why

        self.tell(effect, self.runner.result(effect, call))
        return False

    def check(self, effect: Call, before_s: float) -> None:
        """What is looked at before a post. Raises NotSent or Rejected."""
        self.runner.check(effect, before_s)

    def hear(self, flight: Flight) -> None:
        """The answer of a call, or its time-out, is there."""
        self.tell(flight.call, self.runner.result(flight.call, flight.answer))

    def tell(self, effect: Effect, record: AttemptRecord) -> None:
        """Writes the answer to an effect and turns to the lane's next."""
        self.world.judge.honest(record)
        self.world.log.write(ATTEMPTS, record, effect.lane)
        waiting = self._lanes[effect.lane]
        waiting.popleft()
        if waiting:
            self.later(1, self._begin, effect.lane)

    def _delay_ms(self) -> int:
        world = self.world
        return 1 + world.draw_ms(30 if world.swarm.calm else world.swarm.slow_ms)

    def _pace_ms(self) -> int:
        return self.world.draw_ms(PACE_MS if self.world.chance.random() < 0.3 else 30)
