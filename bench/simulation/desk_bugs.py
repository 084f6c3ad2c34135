"""Mistakes that might be made at the gate, in the book, and in keeping what a crash leaves."""

from __future__ import annotations

import dataclasses
from typing import Any

from msgspec.structs import replace

from bench.simulation.parts import Part
from bench.simulation.planting import before, bug, policy, saying
from bench.simulation.world import Build
from schemas.records import HedgeExecution, IntentOutcome, Proposal
from streams.node import Step
from streams.step import Entries, Event, InForce
from tables.gate import Hold, Used


@bug("limits", "over_limit")
def hold_dropped_at_restart(build: Build) -> Build:
    """A gate that is restored no longer knows what is reserved."""

    class Forgets(Part):
        def restore(self) -> None:
            super().restore()
            for key, value in self.entries.items():
                if key.startswith("used|desk|"):
                    self.entries[key] = replace(value, held_usd_e18=0)

    return dataclasses.replace(build, part=Forgets)


@bug("limits", "over_limit")
def hold_not_counted(build: Build) -> Build:
    """Only what is confirmed counts against the limit of the day."""

    def none_held(entries: Entries, event: Event) -> Event:
        if isinstance(event.value, Proposal):
            for rest, used in list(entries.range("used")):
                entries.put("used", Used(used.confirmed_usd_e18, 0), rest)
        return event

    return build.with_step("gate", before(none_held))


@bug("limits")
def outcome_counted_twice(build: Build) -> Build:
    """An outcome that comes again is counted again."""

    def open_again(entries: Entries, event: Event) -> Event:
        outcome = event.value
        if isinstance(outcome, IntentOutcome) and outcome.state == "CONFIRMED":
            hold: Hold | None = entries.get("holds", outcome.intent_id)
            if hold is not None and hold.final:
                entries.put("holds", replace(hold, final=False), outcome.intent_id)
        return event

    return build.with_step("gate", before(open_again))


@bug("unapproved")
def approval_skipped(build: Build) -> Build:
    """Large operations go out without a second person."""
    return build.with_step("gate", policy(approvals={"loan_usd_e18": 10**30}))


@bug("book", "overspent")
def profit_not_reserved(build: Build) -> Build:
    """A proposal that is open does not reduce what is available."""

    def free(step: Step) -> Step:
        def wrong(entries: Entries, event: Event, in_force: InForce) -> list[Any]:
            before = entries.get("pnl_book", "USDT")
            outputs = step(entries, event, in_force)
            after = entries.get("pnl_book", "USDT")
            if before is not None and after.allocated_e18 > before.allocated_e18:
                claims = {
                    "allocated_e18": before.allocated_e18,
                    "retained_e18": before.retained_e18,
                }
                entries.put("pnl_book", replace(after, **claims), "USDT")
            return outputs

        return wrong

    return build.with_step("book", free)


@bug("book")
def execution_counted_twice(build: Build) -> Build:
    """An execution that comes again is profit again."""

    def renamed(entries: Entries, event: Event) -> Event:
        row = event.value
        if isinstance(row, HedgeExecution):
            return saying(event, replace(row, exec_id=f"{row.exec_id}@{event.offset}"))
        return event

    return build.with_step("book", before(renamed))


@bug("stuck", "disagree", "book", "lost")
def outputs_lost_in_a_crash(build: Build) -> Build:
    """The place in the input is kept although the batch was not."""

    class Skips(Part):
        def take_back(self) -> None:
            taken = dict(self.taken)
            super().take_back()
            self.taken = taken
            self.seal()

    return dataclasses.replace(build, part=Skips)


@bug("unapproved")
def words_without_end(build: Build) -> Build:
    """A signature counts for ever once it was taken."""

    def endless(entries: Entries, event: Event) -> Event:
        for rest, waiting in list(entries.range("awaiting")):
            signed = tuple(replace(one, expires_ms=0) for one in waiting.signed)
            entries.put("awaiting", replace(waiting, signed=signed), rest)
        return event

    return build.with_step("gate", before(endless))


@bug("unapproved")
def one_person_is_two(build: Build) -> Build:
    """Where two must sign, one is enough."""
    return build.with_step("gate", policy(approvals={"dual_usd_e18": None}))
