"""What is expected to go out within a day: known payments, and what usually goes out on such a day.

Usual is the median of the last same weekdays, known payments and our own movements left out; with
fewer than four of them the largest of the last days, flagged `fallback`. A forecast is scored when
the day's statement is there. For which day: the one on which money sent at the next cut-off moves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace

from schemas.money import div_e18, divide_half_even
from schemas.policy_cash import Forecasting
from schemas.records import Forecast, Meta, ScheduledFlow
from streams.balances import E4_TO_E18
from streams.flows import KEEP_DAYS, Observed, key_of
from streams.newyork import DAY_MS, weekday
from streams.step import Emit, Entries, Event, Refused
from streams.var import UNIT_E18, rank
from tables.cash import Expected, Scheduled, Usual

TOPIC = "treasury.forecasts.v1"
FALLBACK = "fallback"
LIKE: Mapping[str, Callable[[int, int], bool]] = {
    "weekday_median": lambda day, for_day: weekday(day) == weekday(for_day),
}
"""Which past days a day is like, by `forecast.method`."""
SAMPLE_MIN = 4
TAIL_E18 = 95 * 10**16
HORIZON_MS = DAY_MS
AMOUNT_E4_MAX = 10**16


def schedule(entries: Entries, event: Event) -> bool:
    """Takes a payment that is known before; whether anything changed."""
    value: ScheduledFlow = event.value
    if not value.flow_id:
        raise Refused("missing", "flow_id", value.flow_id, "its entry could not be told")
    if value.amount_e4 == 0 or abs(value.amount_e4) >= AMOUNT_E4_MAX:
        raise Refused("range", "amount", value.amount_e4, "must move something, below 10^12 USD")
    old: Scheduled | None = entries.get("scheduled", value.flow_id)
    seen = old is not None and old.seen
    new = Scheduled(value.amount_e4 * E4_TO_E18, value.due_ms, value.cancelled, seen)
    if new == old:
        return False
    entries.put("scheduled", new, value.flow_id)
    return True


class Known(NamedTuple):
    """The payments that are known before: what of them goes out within a day, or should have within
    the last one and was not seen; and when that next changes by time alone.
    """

    out_e18: int = 0
    changes_ms: int | None = None


def known(entries: Entries, at_ms: int) -> Known:
    """Looks through the known payments of an account."""
    out_e18, times = 0, list[int]()
    for _, value in entries.range("scheduled"):
        flow: Scheduled = value
        if flow.seen or flow.cancelled:
            continue
        if flow.amount_e18 < 0 and abs(flow.due_ms - at_ms) <= HORIZON_MS:
            out_e18 -= flow.amount_e18
        times += (flow.due_ms - HORIZON_MS, flow.due_ms + HORIZON_MS + 1)
    return Known(out_e18, min((time_ms for time_ms in times if time_ms > at_ms), default=None))


def usual(days: Sequence[Observed], for_day: int, rule: Forecasting, version: str) -> Usual | None:
    """What went out on such days; None without any past day."""
    past = [day for day in days if day.day < for_day]
    like = LIKE[rule.method]
    such = [day.out_e18 for day in past if like(day.day, for_day)][-rule.weeks :]
    if len(such) >= SAMPLE_MIN:
        tail_e18 = sorted(such)[rank(len(such), TAIL_E18) - 1]
        return Usual(median_e18(such), tail_e18, rule.method, len(such), version)
    last = [day.out_e18 for day in past][-rule.fallback_days :]
    return Usual(max(last), max(last), FALLBACK, len(last), version) if last else None


def median_e18(values: Sequence[int]) -> int:
    """The middle value; of an even number of them the mean of the middle two, to the 4th place."""
    ordered = sorted(values)
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return divide_half_even(low + high, 2 * UNIT_E18) * UNIT_E18


def say(
    entries: Entries, event: Event, stamp: Meta, for_day: int, rests_on: Usual, known_e18: int
) -> tuple[Expected, list[Any]]:
    """The forecast for a day, and its record if it is another than was said last."""
    key = key_of(for_day)
    p50, p95 = rests_on.median_e18 + known_e18, rests_on.tail_e18 + known_e18
    old: Expected | None = entries.get("forecasts", key)
    most = known_e18 if old is None else max(known_e18, old.known_e18)
    new = Expected(
        p50_e18=p50,
        p95_e18=p95,
        method=rests_on.method,
        sample=rests_on.sample,
        known_e18=most,
        scored_p50_e18=rests_on.median_e18 + most,
        scored_p95_e18=rests_on.tail_e18 + most,
        actual_e18=None if old is None else old.actual_e18,
    )
    if new == old:
        return new, []
    entries.put("forecasts", new, key)
    return new, [Emit(TOPIC, _record(event, stamp, for_day, new, p50, p95))]


def score(entries: Entries, event: Event, stamp: Meta, days: Sequence[Observed]) -> list[Any]:
    """What was expected, with what really went out, for each day whose statement is there now or
    was restated.
    """
    outputs: list[Any] = []
    actual = {day.day: day.out_e18 + day.known_out_e18 for day in days}
    newest = max(actual, default=0)
    for key, value in list(entries.range("forecasts")):
        day, old = int(key), value
        if day < newest - KEEP_DAYS:
            entries.delete("forecasts", key)
        elif day in actual and old.actual_e18 != actual[day]:
            new = replace(old, actual_e18=actual[day])
            entries.put("forecasts", new, key)
            p50, p95 = new.scored_p50_e18, new.scored_p95_e18
            outputs.append(Emit(TOPIC, _record(event, stamp, day, new, p50, p95)))
    return outputs


def _record(
    event: Event, stamp: Meta, for_day: int, said: Expected, p50_e18: int, p95_e18: int
) -> Forecast:
    actual = said.actual_e18
    return Forecast(
        meta=stamp,
        account_id=event.key,
        for_date=for_day,
        p50_e4=p50_e18 // E4_TO_E18,
        p95_e4=p95_e18 // E4_TO_E18,
        method=said.method,
        sample=said.sample,
        actual_e4=None if actual is None else actual // E4_TO_E18,
        error_e18=div_e18(abs(p50_e18 - actual), actual) if actual else None,
    )
