"""Carries out what the intents node decided, after its transaction has committed, and tells what
came of it.

Reads may be done at any time and again. A call is posted at most once, within a few seconds of the
commit, and only while the pause epoch is the one it was committed under and the mode, as the runner
itself reads it, lets it out; else the answer is `not_sent`. Whatever happens, one record answers
each effect: an outcome nobody knows is `unknown`, never a failure. Lanes run side by side, one lane
in order.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn, Protocol

import structlog

from agents.connectors.port import (
    Answer,
    Connector,
    ConnectorError,
    NotSent,
    RateLimited,
    Rejected,
    Unavailable,
    Unsupported,
)
from agents.controls import Reading
from agents.exact.clock import elapsed_s
from agents.observe import traced
from schemas.money import text_e18
from schemas.records import AttemptRecord
from streams.effects import Call, Effect, Look, Prepare
from streams.handover import OURS
from streams.limits import CLASS_OF
from streams.requests import request_hash
from streams.saga import allows
from streams.step import mode_of

ATTEMPTS = "treasury.attempts.v1"
EXIT_BROKEN = 70

log = structlog.get_logger()


class Writes(Protocol):
    """The producer of records outside transactions (agents.outside.Outside)."""

    async def write(
        self, topic: str, record: Any, *, key: str | None = None, headers: Any = None
    ) -> int: ...


class ReadsControls(Protocol):
    """The runner's own reading of the pause (agents.controls.Controls)."""

    def reading(self) -> Reading: ...


def die(why: str) -> NoReturn:
    """Ends the process: an answer that cannot be written must not be forgotten in a living one."""
    log.critical("runner_broken", error=why)
    os._exit(EXIT_BROKEN)


class Runner:
    """`connectors` by account_id; at most `threads` lanes are served at the same time."""

    def __init__(
        self,
        connectors: Mapping[str, Connector],
        outside: Writes,
        controls: ReadsControls,
        *,
        threads: int = 16,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        monotonic: Callable[[], float] = elapsed_s,
        die: Callable[[str], NoReturn] = die,
    ) -> None:
        self._connectors, self._outside, self._controls = connectors, outside, controls
        self._clock_ms, self._monotonic, self._die = clock_ms, monotonic, die
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="runner")
        self._lanes: dict[str, asyncio.Lock] = {}

    async def carry(self, effect: Effect, before_commit_monotonic: float) -> None:
        """Carries one effect out and writes its answer; returns when the answer is on the log.

        The caller starts one task for each effect, in the order of the transaction.
        `before_commit_monotonic` is `elapsed_s()` from just before the commit that holds the
        attempt was called.
        """
        async with self._lanes.setdefault(effect.lane, asyncio.Lock()):
            loop = asyncio.get_running_loop()
            record = await loop.run_in_executor(
                self._pool, self._answer, effect, before_commit_monotonic
            )
            try:
                await self._outside.write(ATTEMPTS, record, key=effect.lane)
            except Exception as why:  # noqa: BLE001 whatever it is, nothing may follow it
                self._die(f"{effect.intent_id} {effect.leg}#{effect.n}: {why}")

    def close(self) -> None:
        """Waits for the calls under way."""
        self._pool.shutdown(wait=True)

    def _answer(self, effect: Effect, before_commit_s: float) -> AttemptRecord:
        if isinstance(effect, Prepare):
            record = self.prepared(effect)
        elif isinstance(effect, Look):
            record = self.evidence(effect)
        else:
            record = self._called(effect, before_commit_s)
        _tell(effect, record)
        return record

    def _called(self, effect: Call, before_commit_s: float) -> AttemptRecord:
        def check() -> None:
            self.check(effect, before_commit_s)

        def call() -> Answer:
            if effect.executed_by != OURS:
                raise Unsupported(f"{effect.executed_by} carries it out, not this executor")
            check()
            return self._connector(effect).call(effect, check)

        return self.result(effect, call)

    def prepared(self, effect: Prepare) -> AttemptRecord:
        """What was read before a call."""
        try:
            reading = self._connector(effect).prepare(effect)
        except Exception as why:  # noqa: BLE001 a read that failed has changed nothing
            return self._record(effect, "PREPARED", _unread(why))
        answer = Answer("done", facts=reading.facts)
        return self._record(effect, "PREPARED", answer, dict(reading.watermark))

    def evidence(self, effect: Look) -> AttemptRecord:
        """What was read after a call."""
        try:
            answer = self._connector(effect).look(effect)
        except Exception as why:  # noqa: BLE001 a read that failed proves nothing
            answer = _unread(why)
        return self._record(effect, "EVIDENCE", answer)

    def result(self, effect: Call, call: Callable[[], Answer]) -> AttemptRecord:
        """What came of a call: its answer, or what was raised on the way."""
        return self._record(effect, "RESULT", _answered(effect, call))

    def check(self, effect: Call, before_commit_s: float) -> None:
        """The last word before a post, in the thread that posts. Raises NotSent."""
        waited_s = self._monotonic() - before_commit_s
        if waited_s > effect.call_start_s:
            raise NotSent(f"late: {waited_s:.1f} s since the commit, at most {effect.call_start_s}")
        if effect.deadline_ms is not None and self._clock_ms() >= effect.deadline_ms:
            raise NotSent("deadline")
        epoch, age_s, imported, controls = self._controls.reading()
        if imported:
            raise NotSent("this log was imported: nothing on it is carried out")
        if age_s > effect.control_age_max_s:
            raise NotSent(f"controls last read {age_s:.1f} s ago")
        if epoch != effect.pause_epoch:
            raise NotSent(f"pause epoch is {epoch}, committed under {effect.pause_epoch}")
        mode = mode_of(controls, CLASS_OF.get(effect.kind, ""), effect.account_id)
        if not allows(mode, effect.kind, effect.leg):
            raise NotSent(f"the mode is {mode}")  # two controls may have one epoch
        if request_hash(effect.body) != effect.request_hash:
            raise Rejected("the body is not the one whose hash was committed", "request_hash")

    def _connector(self, effect: Effect) -> Connector:
        found = self._connectors.get(effect.account_id)
        if found is None or effect.op not in found.capabilities:
            raise Unsupported(f"no connector of {effect.account_id} does {effect.op}")
        return found

    def _record(
        self, effect: Effect, kind: str, answer: Answer, watermark: dict[str, str] | None = None
    ) -> AttemptRecord:
        return AttemptRecord(
            attempt_id=effect.effect_id,
            intent_id=effect.intent_id,
            leg=effect.leg,
            n=effect.n,
            kind=kind,
            at_ms=self._clock_ms(),
            amount_e18=effect.amount_e18,
            watermark=watermark,
            request_hash=effect.request_hash if isinstance(effect, Call) else None,
            class_=None if watermark is not None else answer.class_,
            venue_ref=answer.venue_ref,
            amount_done_e18=answer.amount_done_e18,
            facts=answer.facts or None,
            code=answer.code,
            message=answer.message,
            raw=answer.raw,
        )


def _answered(effect: Call, call: Callable[[], Answer]) -> Answer:
    try:
        return call()
    except NotSent as why:
        return Answer("not_sent", message=str(why))
    except (Rejected, Unsupported) as why:
        return Answer("refused", code=why.code, message=why.message)
    except (RateLimited, Unavailable) as why:
        return Answer("transient", code=why.code, message=why.message)
    except ConnectorError as why:
        return Answer("unknown", code=why.code, message=why.message)
    except Exception as why:
        log.exception("connector_broken", **traced(effect.intent_id), leg=effect.leg)
        return Answer("unknown", message=f"{type(why).__name__}: {why}")


def _unread(why: Exception) -> Answer:
    """A read that failed: nothing is known that was not known before, whatever the reason."""
    code = why.code if isinstance(why, ConnectorError) else ""
    return Answer("unknown", code=code or None, message=f"{type(why).__name__}: {why}")


def _tell(effect: Effect, record: AttemptRecord) -> None:
    """The log of this process: every call, and reads that failed."""
    about = {**traced(effect.intent_id), "account_id": effect.account_id}
    about |= {"leg": effect.leg, "op": effect.op}
    if isinstance(effect, Call):
        log.info(
            "call_answered",
            **about,
            n=effect.n,
            amount=text_e18(effect.amount_e18),
            ccy=effect.coin,
            result=record.class_,
            venue_ref=record.venue_ref,
            code=record.code,
            said=record.message,
        )
    elif record.watermark is None and record.facts is None:
        log.warning("read_failed", **about, error=record.message)
