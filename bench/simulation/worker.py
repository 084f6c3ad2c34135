"""Workers: they fold batches, commit them, die, freeze, and others take over.

A commit is fenced: a batch of a former owner is never kept. The effects of a batch go to the
process only after its commit, and are forgotten with a worker that dies in between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.simulation.parts import NEVER_MS, Part, Written
from bench.simulation.process import Process
from streams.effects import Call
from streams.step import InvariantBroken

if TYPE_CHECKING:
    from bench.simulation.world import World

BATCH_MS = 20
COMMIT_MS = 40
SESSION_MS = 6_000
DOWN_MS = 20_000
UNDER_WAY_MS = 2_000
CALLS_COUNT = 8


class Worker:
    """The owner of some partitions, whoever that is at the time. `offset_ms` is what its clock is
    off by; `process` the executor's, which the pipeline has none of.
    """

    def __init__(self, world: World, parts: tuple[Part, ...], crash: float, acts: bool) -> None:
        self.world, self.parts, self.crash_rate = world, parts, crash
        self.up, self.generation = True, 1
        self.offset_ms = 0
        self.crashes = 0
        self.process: Process | None = world.build.process(world) if acts else None
        self._turn_ms: int | None = None
        self._batch: object | None = None

    @property
    def rests(self) -> bool:
        """Whether it lives and has nothing to commit."""
        return self.up and self._batch is None

    def wall_ms(self) -> int:
        """What its clock shows."""
        return self.world.agenda.now_ms + self.offset_ms

    def poke(self, at_ms: int) -> None:
        """There is something to fold then."""
        at_ms = -(-max(at_ms, self.world.agenda.now_ms) // BATCH_MS) * BATCH_MS
        if self._turn_ms is None or at_ms < self._turn_ms:
            self._turn_ms = at_ms
            self.world.agenda.at(at_ms, self._turn, at_ms)

    def look_ahead(self) -> None:
        """Sets the next turn by what waits."""
        first_ms = min(part.next_ms(self.offset_ms) for part in self.parts)
        if first_ms < NEVER_MS:
            self.poke(first_ms)

    def jump(self, by_ms: int) -> None:
        """Its clock is set."""
        self.offset_ms += by_ms
        self.look_ahead()

    def die(self, down_ms: int) -> None:
        """The process is gone with all it had in memory; another one starts after a while."""
        if not self.up:
            return
        if self.process is not None:
            self.process.die()
        self._leave(down_ms)

    def freeze(self, for_ms: int) -> None:
        """The process stands still; when that takes too long another worker takes over, and the
        frozen one goes on where it was, without knowing.
        """
        if not self.up:
            return
        if for_ms > SESSION_MS:
            if self.process is not None:
                self.process.freeze(for_ms)
            self._leave(SESSION_MS + self.world.draw_ms(DOWN_MS))

    # A batch

    def _turn(self, at_ms: int) -> None:
        if at_ms != self._turn_ms:
            return
        self._turn_ms = None
        if not self.up or self._batch is not None:
            return
        world, now_ms = self.world, self.world.agenda.now_ms
        written: list[Written] = []
        effects: list[Any] = []
        folded = 0
        for part in self.parts:
            part.begin(now_ms + self.offset_ms)
            if part.ready(now_ms):
                for event in part.events(now_ms, world.chance):
                    folded += 1
                    self.fold(part, event, written, effects)
        if not folded:
            self.look_ahead()
            return
        world.folded += folded
        self._batch = batch = object()
        how = self._fate(effects)
        self.before_commit(effects, now_ms)
        if how == "before":
            self._fail()
            return
        wait_ms = 1 + world.draw_ms(COMMIT_MS if how else max(COMMIT_MS, world.swarm.slow_ms))
        world.agenda.after(wait_ms, self._commit, batch, written, effects, now_ms, how)

    def fold(self, part: Part, event: Any, written: list[Written], effects: list[Any]) -> None:
        """One event of a batch; an invariant that breaks is told and ends the life."""
        try:
            part.fold(event, written, effects)
        except InvariantBroken as why:
            self.world.judge.broken(f"{part.node.name} at {event.topic}: {why}")
            raise

    def before_commit(self, effects: list[Any], now_ms: int) -> None:
        """Nothing goes out before the commit."""

    def _commit(
        self, batch: object, written: list[Written], effects: list[Any], before_ms: int, how: str
    ) -> None:
        if batch is not self._batch:
            return  # fenced: somebody else owns the partitions
        self._batch = None
        for part in self.parts:
            part.seal()
        for one in written:
            self.world.log.write(one.topic, one.value, one.key, one.timestamp_ms)
        process = self.process
        if how == "after":
            self._fail(effects, before_ms)
            return
        if process is not None and effects:
            process.carry(effects, before_ms)
        if how == "handed":
            world = self.world
            world.fly(world.draw_ms(UNDER_WAY_MS), self._fail_under_way, self.generation)
        self.look_ahead()

    def _fate(self, effects: list[Any]) -> str:
        """When, if at all, the worker fails in this batch: most often where it is about to call."""
        world = self.world
        rate = self.crash_rate + (world.swarm.freeze if self.process is not None else 0)
        if any(isinstance(effect, Call) for effect in effects):
            rate *= CALLS_COUNT
        if not world.swarm.hits(world.chance, rate):
            return ""
        points = ("before", "after", "handed") if effects else ("before", "after")
        return world.chance.choice(points)

    def _fail_under_way(self, generation: int) -> None:
        """Fails while what it was given is being read, posted or answered."""
        if self.up and self.generation == generation:
            self._fail()

    def _fail(self, effects: list[Any] | None = None, before_ms: int = 0) -> None:
        """Dies or freezes, here and now; a process that froze before it handed its effects over
        does that when it wakes.
        """
        world, process = self.world, self.process
        freezes = (
            process is not None
            and world.chance.random() * (self.crash_rate + world.swarm.freeze) > self.crash_rate
        )
        if not freezes or process is None:
            self.die(1_000 + world.draw_ms(DOWN_MS))
            return
        for_ms = (
            SESSION_MS
            + 1
            + world.draw_ms(world.chance.choice((DOWN_MS, 4_000 * world.swarm.absence_s)))
        )
        self.freeze(for_ms)
        if effects:
            world.fly(for_ms, process.carry, effects, before_ms)

    def _leave(self, down_ms: int) -> None:
        self.up = False
        self.crashes += 1
        if self._batch is not None:
            self._batch = None
            for part in self.parts:
                part.take_back()
        self.world.agenda.after(down_ms, self._take_over)

    def _take_over(self) -> None:
        self.up = True
        self.generation += 1
        for part in self.parts:
            part.restore()
            part.generation = self.generation
        if self.process is not None:
            self.process = self.world.build.process(self.world)
        self.look_ahead()
