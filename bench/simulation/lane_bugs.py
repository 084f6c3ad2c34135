"""Mistakes that might be made where attempts are decided."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from bench.simulation.planting import before, bug, first, outputs, policy, saying
from bench.simulation.world import Build
from schemas.ids import leg_id
from schemas.records import AttemptRecord, Intent
from streams.effects import Call, Look
from streams.lane import with_leg
from streams.node import Step
from streams.requests import request_hash
from streams.step import Entries, Event, InForce, Started, Tick
from tables.intents import IntentEntry


@bug("guessed", "lost", "parked_without_cause")
def no_watermark(build: Build) -> Build:
    """History is searched from its beginning."""

    def look_from_the_start(output: Any) -> Any:
        if not isinstance(output, Look) or "last_id" not in output.watermark:
            return output
        return replace(output, watermark={**output.watermark, "last_id": "0", "server_ms": "0"})

    return build.with_step("intents", outputs(look_from_the_start))


@bug("same_amount")
def amount_not_fingerprinted(build: Build) -> Build:
    """The amounts of the day are forgotten, so two operations may look alike."""

    def forget(entries: Entries, event: Event) -> Event:
        for rest, _ in list(entries.range("used")):
            entries.delete("used", rest)
        return event

    return build.with_step("intents", before(forget))


@bug("guessed", "double")
def absence_without_books(build: Build) -> Build:
    """No row is proof enough: nobody looks at debt and balances."""

    def as_before(entries: Entries, event: Event) -> Event:
        record = event.value
        if not isinstance(record, AttemptRecord) or record.kind != "EVIDENCE" or not record.facts:
            return event
        intent: IntentEntry | None = entries.get("intents", record.intent_id)
        if intent is None or record.class_ != "unknown":
            return event
        kept = {"fund", "debt", "collateral"}
        mark = {name: text for name, text in intent.leg.watermark.items() if name in kept}
        return saying(event, replace(record, facts={**record.facts, **mark}))

    return build.with_step("intents", before(as_before))


@bug("guessed", "double")
def absence_too_early(build: Build) -> Build:
    """Absence is declared after half a minute."""
    return build.with_step("intents", policy(execution={"absence_s": 30}))


@bug("guessed", "double")
def late_result_is_new(build: Build) -> Build:
    """What is told of an earlier attempt is taken for the running one."""

    def as_current(entries: Entries, event: Event) -> Event:
        record = event.value
        if not isinstance(record, AttemptRecord) or record.kind != "RESULT":
            return event
        intent: IntentEntry | None = entries.get("intents", record.intent_id)
        if intent is None or record.leg != intent.leg.leg:
            return event
        return saying(event, replace(record, n=intent.leg.n))

    return build.with_step("intents", before(as_current))


@bug("posted_twice", "double")
def takeover_sends_again(build: Build) -> Build:
    """Who takes over an attempt without an answer begins it anew."""

    def ready(entries: Entries, event: Event) -> Event:
        if isinstance(event.value, Started):
            found = first(entries)
            if found is not None and found.leg.state == "ATTEMPTED":
                again = with_leg(found, state="READY", due_ms=event.at_ms, awaits="")
                entries.put("intents", replace(again, state="READY"), found.intent_id)
        return event

    return build.with_step("intents", before(ready))


@bug("without_evidence")
def unknown_ends_by_time(build: Build) -> Build:
    """What is unknown for a minute is taken to have failed."""

    def refuse(entries: Entries, event: Event) -> Event:
        found = first(entries)
        if found is None or not isinstance(event.value, Tick) or found.leg.state != "UNKNOWN":
            return event
        if event.at_ms < found.leg.since_ms + 60_000:
            return event
        leg = found.leg
        said = AttemptRecord(
            "ttl", found.intent_id, leg.leg, leg.n, "RESULT", event.at_ms, class_="refused"
        )
        return saying(event, said)

    return build.with_step("intents", before(refuse))


@bug("crowded")
def lane_not_single(build: Build) -> Build:
    """The next intent need not wait for one whose outcome is unknown."""

    def overtake(entries: Entries, event: Event) -> Event:
        found, lane = first(entries), entries.get("lanes")
        if found is not None and found.leg.state == "UNKNOWN" and len(lane.queue) > 1:
            entries.put("lanes", replace(lane, queue=(*lane.queue[1:], lane.queue[0])))
        return event

    return build.with_step("intents", before(overtake))


@bug("posted_twice", "double", "guessed", "disagree")
def intent_twice(build: Build) -> Build:
    """An intent that comes again after its end is a new one."""

    def forget(entries: Entries, event: Event) -> Event:
        if isinstance(event.value, Intent):
            known: IntentEntry | None = entries.get("intents", event.value.intent_id)
            if known is not None and known.state in ("CONFIRMED", "REJECTED"):
                entries.delete("intents", event.value.intent_id)
        return event

    return build.with_step("intents", before(forget))


@bug("guessed", "lost")
def processing_is_done(build: Build) -> Build:
    """A row that the venue still processes is taken for an effect."""

    def done(entries: Entries, event: Event) -> Event:
        record = event.value
        if isinstance(record, AttemptRecord) and record.kind == "EVIDENCE":
            class_ = "done" if record.class_ == "accepted" else record.class_
            return saying(event, replace(record, class_=class_))
        return event

    return build.with_step("intents", before(done))


@bug("posted_twice", "double")
def return_twice(build: Build) -> Build:
    """Money is brought back once more, under another id."""

    def twice(step: Step) -> Step:
        def wrong(entries: Entries, event: Event, in_force: InForce) -> list[Any]:
            found = step(entries, event, in_force)
            for output in list(found):
                if isinstance(output, Call) and output.leg == "return":
                    other = leg_id(output.intent_id, "return again")
                    body = {**output.body, "transferId": other}
                    hash_ = request_hash(body)
                    more = replace(output, transfer_id=other, body=body, request_hash=hash_)
                    found.append(more)
            return found

        return wrong

    return build.with_step("intents", twice)


@bug("lost")
def nothing_is_returned(build: Build) -> Build:
    """Money that was moved for nothing stays where it is."""
    return build.with_step("intents", policy(execution={"compensate": "keep"}))


@bug("guessed", "double")
def absence_by_their_clock(build: Build) -> Build:
    """How long a call is away is read from the venue's clock alone."""

    def by_theirs(entries: Entries, event: Event) -> Event:
        record = event.value
        if not isinstance(record, AttemptRecord) or record.kind != "EVIDENCE" or not record.facts:
            return event
        intent: IntentEntry | None = entries.get("intents", record.intent_id)
        if intent is None or intent.leg.state != "UNKNOWN" or "server_ms" not in record.facts:
            return event
        away_ms = int(record.facts["server_ms"]) - int(intent.leg.watermark["server_ms"])
        since_ms = min(intent.leg.since_ms, event.at_ms - away_ms)
        entries.put("intents", with_leg(intent, since_ms=since_ms), intent.intent_id)
        return event

    return build.with_step("intents", before(by_theirs))
