"""Mistakes that might be made where calls are made."""

from __future__ import annotations

import dataclasses
from typing import Any

from msgspec.structs import replace

from agents.connectors.port import ConnectorError, NotSent
from agents.controls import Reading
from bench.simulation.planting import bug
from bench.simulation.process import Process
from bench.simulation.venue import Flight
from bench.simulation.worker import Worker
from bench.simulation.world import Build
from schemas.records import AttemptRecord
from streams.effects import Call
from tables.partition import ControlEntry


@bug("posted_twice", "double")
def retry_on_time_out(build: Build) -> Build:
    """A call whose answer is lost is simply sent again."""

    class Retries(Process):
        def hear(self, flight: Flight) -> None:
            lost = isinstance(flight.outcome, ConnectorError) and flight.outcome.code == ""
            if lost and flight.call.effect_id not in self.again:
                self.again.add(flight.call.effect_id)
                self.world.venue.send(
                    flight.call, lambda wait, flight: self.later(wait, self.hear, flight)
                )
                return
            super().hear(flight)

        @property
        def again(self) -> set[str]:
            found: set[str] = self.__dict__.setdefault("_again", set())
            return found

    return dataclasses.replace(build, process=Retries)


@bug("guessed", "lost")
def time_out_is_refusal(build: Build) -> Build:
    """What nobody knows is told as if the venue had refused it."""
    return dataclasses.replace(build, process=_telling("unknown", "refused"))


@bug("guessed", "double")
def time_out_is_transient(build: Build) -> Build:
    """What nobody knows is told as if it could be tried again."""
    return dataclasses.replace(build, process=_telling("unknown", "transient"))


@bug("guessed", "double", "lost")
def calls_at_any_time(build: Build) -> Build:
    """A worker that stood still posts what it was given long ago."""

    class Late(Process):
        def check(self, effect: Call, before_s: float) -> None:
            super().check(effect, self.world.agenda.now_ms / 1000)

    return dataclasses.replace(build, process=Late)


@bug("under_pause")
def pause_epoch_not_compared(build: Build) -> Build:
    """The runner posts whatever has happened to the mode since."""

    class Deaf(Process):
        def check(self, effect: Call, before_s: float) -> None:
            epoch = self.world.outside.epoch_at(self.world.agenda.now_ms)
            for known in range(epoch, -1, -1):
                try:
                    super().check(replace(effect, pause_epoch=known), before_s)
                except NotSent as no:
                    if not str(no).startswith(("pause epoch", "the mode")):
                        raise
                else:
                    return

    return dataclasses.replace(build, process=Deaf)


@bug("under_pause")
def only_the_epoch_is_compared(build: Build) -> Build:
    """The runner does not look at the mode itself: two controls may have one epoch."""

    class Trusting(Process):
        def reading(self) -> Reading:
            active = ControlEntry("all", "ACTIVE", 1, "said by nobody")
            return super().reading()._replace(controls=(active,))

    return dataclasses.replace(build, process=Trusting)


@bug("unrecorded")
def attempt_after_call(build: Build) -> Build:
    """Effects go out before the transaction that holds their attempt has committed."""

    class Eager(Worker):
        def before_commit(self, effects: list[Any], now_ms: int) -> None:
            if self.process is not None:
                self.process.carry(list(effects), now_ms)
                effects.clear()

    return dataclasses.replace(build, worker=Eager)


def _telling(said: str, told: str) -> type[Process]:
    class Tells(Process):
        def tell(self, effect: Any, record: AttemptRecord) -> None:
            if record.kind == "RESULT" and record.class_ == said:
                record = replace(record, class_=told, code="148029")
            super().tell(effect, record)

    return Tells
