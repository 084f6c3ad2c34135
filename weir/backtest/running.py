"""Runs one policy over a log: the nodes in memory, venue and bank modelled, time from the records.

Of what lies at one time wake-ups come first, then answers of venue and bank, then the records of
the outside. What follows from a record is folded before anything else happens. The run ends at
`to`, or a minute after the last record, when what was under way has ended.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

from agents.almanac import YEARS_AHEAD, YEARS_BACK
from agents.standing import Standing
from schemas.jsonform import iso
from schemas.policy import Policy
from schemas.records import (
    Calendar,
    CashInput,
    ControlCopy,
)
from schemas.wire import Wire
from streams import holidays
from streams.effects import Effect
from streams.newyork import DAY_MS, day_of, year_of
from streams.node import Node
from streams.saga import PAYMENTS
from streams.step import IMPORTED, Refused
from streams.topology import AUDIT, NODES
from weir.backtest import sources
from weir.backtest.bank import Bank
from weir.backtest.course import Course
from weir.backtest.desk import Desk, Placed
from weir.backtest.recorded import Recorded
from weir.backtest.rulings import RECORDED, Ruling, of
from weir.backtest.shown import Shown
from weir.backtest.sources import Outside, Sources
from weir.backtest.tally import HEARD, Tally
from weir.backtest.venue import USUAL, Terms, Venue
from weir.errors import WeirError
from weir.replay.log import Log

GRACE_MS = 60_000
Tell = Callable[[int, int], None]


def silent(done: int, of: int) -> None:
    """Nobody is told."""


DECIDING = tuple(node for node in NODES if node is not AUDIT)


class Span(NamedTuple):
    """From when on the policy under test is in force and counted, and until when; None: from the
    first record, to the last. What lies before is folded under the recorded policies.
    """

    from_ms: int | None = None
    to_ms: int | None = None


WHOLE = Span()


def run(
    log: Log,
    wire: Wire,
    ruling: Ruling | None,
    span: Span = WHOLE,
    terms: Terms = USUAL,
    tell: Tell = silent,
    nodes: tuple[Node, ...] = DECIDING,
    write: Callable[[Placed], None] | None = None,
) -> Course:
    """The course of a policy; None: of the recorded ones. `tell` hears how many records are
    taken, of how many; `write` of every record that a node writes.

    WeirError when there is nothing to run, or what is there cannot give a whole result.
    """
    made = _Run(Sources(log, wire, span.to_ms), ruling, span, terms, tell)
    made.open(nodes, write)
    return made.run()


class _Run:
    def __init__(
        self,
        source: Sources,
        ruling: Ruling | None,
        span: Span,
        terms: Terms,
        tell: Tell,
    ) -> None:
        self._hash = "" if ruling is None else ruling.copy().hash
        if ruling is not None and terms.alone:
            ruling = ruling.alone
        self._source, self._ruling, self._span, self._terms = source, ruling, span, terms
        self._tell = tell
        policy = ruling.policy if ruling is not None else Policy()
        self._venue = Venue(terms, policy=policy)
        self._bank = Bank(terms.bank_ms, terms.fund_rate_e18)
        self._recorded = Recorded(self._venue, self._bank)
        self._tally = Tally(policy, self._venue, self._bank)
        self._standing = Standing()
        self._answers: list[tuple[int, int, Effect]] = []
        self._serial = itertools.count()
        self._years: set[int] = set()
        self._begun, self._day = False, -1
        self._now_ms = self._from_ms = 0

    def open(self, nodes: tuple[Node, ...], write: Callable[[Placed], None] | None) -> None:
        """Sets up the nodes; what they write is tallied, and told to `write` if it is given."""
        hear = self._tally.hear

        def both(placed: Placed) -> None:
            hear(placed)
            if write is not None:
                write(placed)

        heard = HEARD if write is None else None
        self._desk = Desk(nodes, self._source.partitions, both if write else hear, heard)
        self._tally.desk = self._desk
        self._shown = Shown(self._desk, self._venue, self._bank, self._tally)

    def run(self) -> Course:
        """From the first record to the end."""
        last_ms, newest_ms, size = None, 0, self._source.size
        for done, one in enumerate(self._source, 1):
            newest_ms = max(newest_ms, one.at_ms, one.placed.timestamp_ms)
            self._tell(done, size)
            if one.placed.topic in sources.RECORDED:
                self._recorded.take(one.placed)
                continue
            if last_ms is None:
                self._first(one.at_ms)
            last_ms = one.at_ms
            self._until(last_ms)
            self._clock(last_ms)
            self._take(one)
        if last_ms is None:
            raise WeirError("there is nothing to run: the log holds no record of the outside")
        to_ms = self._span.to_ms
        end_ms = newest_ms + GRACE_MS if to_ms is None else to_ms
        self._until(end_ms)
        self._clock(end_ms)
        return self._course(end_ms)

    # Time

    def _first(self, at_ms: int) -> None:
        """Before the first record: modes, and the policy unless it begins later."""
        if "all" not in self._source.keys((sources.CONTROLS,)):
            self._desk.copy(ControlCopy("all", "ACTIVE", 1, "no control is recorded", at_ms), at_ms)
        from_ms = self._span.from_ms
        self._from_ms = at_ms if from_ms is None else from_ms
        self._clock(at_ms)

    def _clock(self, at_ms: int) -> None:
        """Time goes on to here: a day may end, a year begin, and the policy come in force."""
        self._now_ms = at_ms
        self._tally.pass_to(at_ms)
        if at_ms // DAY_MS != self._day:
            self._day = at_ms // DAY_MS
            self._calendars(year_of(day_of(at_ms)), at_ms)
        if not self._begun and at_ms >= self._from_ms:
            self._begun = True
            if self._ruling is not None:
                self._desk.copy(self._ruling.copy(), at_ms)
            self._tally.begin()

    def _calendars(self, year: int, at_ms: int) -> None:
        """What the almanac tells around a year; a recorded calendar that comes later wins."""
        first = max(year - YEARS_BACK, holidays.FIRST_YEAR)
        for one in range(first, year + YEARS_AHEAD + 1):
            if one in self._years:
                continue
            self._years.add(one)
            for name in holidays.CALENDARS:
                closed = Calendar(name, one, holidays.closed(name, one))
                self._desk.spread(sources.CASH, CashInput(body=closed), at_ms)

    def _until(self, at_ms: int) -> None:
        """Wake-ups and answers up to a time, both included."""
        while True:
            wake_ms = self._desk.next_wake_ms()
            answer_ms = self._answers[0][0] if self._answers else None
            if wake_ms is not None and wake_ms <= at_ms and wake_ms <= (answer_ms or wake_ms):
                self._clock(max(wake_ms, self._now_ms))
                self._desk.wake(self._now_ms)
            elif answer_ms is not None and answer_ms <= at_ms:
                self._clock(answer_ms)
                self._answer(heapq.heappop(self._answers)[2])
            else:
                return
            self._carry()

    # Records of the outside

    def _take(self, one: Outside) -> None:
        topic = one.placed.topic
        if topic in (sources.POLICIES, sources.CONTROLS):
            self._ruled(one.placed)
        else:
            self._shown.takes.get(topic, self._desk.deliver)(one.placed, self._now_ms)
        self._carry()

    def _ruled(self, placed: Placed) -> None:
        """A recorded policy or control, as the relay takes it."""
        value = placed.value
        try:
            self._standing.judge(value)
        except Refused as why:
            self._desk.letters[f"{placed.topic}: {why.cause}"] += 1
            return
        self._standing.take(value)
        if placed.topic == sources.CONTROLS:
            if value.scope == IMPORTED:
                return  # it tells who signs, and nobody does here
            body = ControlCopy(value.scope, value.mode, value.epoch, value.reason, value.at_ms)
            self._desk.copy(body, self._now_ms)
        elif self._ruling is None or not self._begun:
            found = of(value)
            found = found.alone if self._terms.alone else found
            self._desk.copy(found.copy(), self._now_ms)
            if self._ruling is None:
                self._venue.policy = self._tally.policy = found.policy

    # Effects

    def _carry(self) -> None:
        for effect in self._desk.effects:
            bank = effect.op in PAYMENTS
            wait_ms = self._bank.answer_ms if bank else self._venue.delay_ms(effect)
            heapq.heappush(self._answers, (self._now_ms + wait_ms, next(self._serial), effect))
        self._desk.effects.clear()

    def _answer(self, effect: Effect) -> None:
        model: Any = self._bank if effect.op in PAYMENTS else self._venue
        record = model.answer(effect, self._now_ms)
        number = self._desk.lies(effect.lane)
        at = sources.ATTEMPTS, number, None, effect.lane
        self._desk.deliver(Placed(*at, record, self._now_ms), self._now_ms)
        if model is self._venue:
            self._tally.look(effect.account_id)
        else:
            self._tally.touch(effect.account_id)

    # The end

    def _course(self, end_ms: int) -> Course:
        if not self._begun:
            raise WeirError(f"nothing is recorded from {iso(self._from_ms)} on")
        ruling = self._ruling
        letters = self._desk.letters
        letters.update(self._source.letters)
        return Course(
            policy=RECORDED if ruling is None else ruling.shown,
            policy_hash=self._hash,
            rule=self._tally.policy.allocation.rule,
            from_ms=self._from_ms,
            to_ms=end_ms,
            totals=self._tally.end(),
            decisions=tuple(self._tally.decisions),
            days=self._tally.days,
            assumptions=(
                *self._terms.sentences(),
                *self._bank.sentences(),
                _ALONE if self._terms.alone else _WAITS,
                _DEFAULTS,
                *self._source.told,
            ),
            letters=dict(sorted(letters.items())),
            events=self._desk.events,
        )


_ALONE = (
    "Nobody is asked: an amount above a threshold of approval is taken as approved at once, and"
    " what another side is to carry out is carried out all the same."
)
_WAITS = "Nobody answers: an amount above a threshold of approval waits until it expires."
_DEFAULTS = (
    "Without a recorded control every mode is ACTIVE; without a recorded rate a unit of the"
    " settlement currency is a dollar; until a snapshot is recorded the wallet holds what the"
    " trades brought in."
)
