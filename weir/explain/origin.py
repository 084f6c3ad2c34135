"""Where on the log the inputs of a sweep stand that its record names by value alone: the policy,
the forecast, value at risk, and the calendars, which are read from there.

Only the partition of the account is read: all of its node's topics lie in the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

from schemas.errors import NewerSchema, Undecodable
from schemas.jsonform import to_json
from schemas.records import Calendar, CashInput, Forecast, PolicyUpdate, Var
from schemas.wire import Wire
from streams.cash_body import facts_of
from tables.partition import CalendarYear
from weir.explain.sweeps import Known, Place
from weir.reading import Reader

INBOX, POLICIES = "treasury.cash-inputs.v1", "orch_config_updates"
FORECASTS, RISKS = "treasury.forecasts.v1", "treasury.var.v1"


def known(bootstrap: str, wire: Wire, said: dict[str, Any], timeout_s: float | None) -> Known:
    """What the log holds besides a body, as far as it lay there before the decision."""
    found = _Found(said)
    partition = said["inputs"]["trigger"]["partition"]
    for topics, number in (((INBOX, FORECASTS, RISKS), partition), ((POLICIES,), 0)):
        with closing(Reader(bootstrap, topics, partition=number)) as reader:
            for place, at_ms, value in _records(reader, wire, timeout_s):
                found.take(place, at_ms, value)
    return Known(tuple(found.calendars.values()), found.places)


class _Found:
    """What was read so far."""

    def __init__(self, said: dict[str, Any]) -> None:
        self._said, self._facts = said, facts_of(said, ())
        self.calendars: dict[tuple[str, int], CalendarYear] = {}
        self.places: dict[str, Place | None] = {"policy": None, "forecast": None, "var": None}

    def take(self, place: Place, at_ms: int, value: Any) -> None:
        """One record, in the order of its partition."""
        if self._is_later(place, at_ms, value):
            return
        if isinstance(value, CashInput) and isinstance(value.body, Calendar):
            one = value.body
            year = CalendarYear(one.calendar, one.year, tuple(sorted(one.closed)))
            self.calendars[one.calendar, one.year] = year
            self.places[f"calendar {one.calendar} {one.year}"] = place
        elif isinstance(value, PolicyUpdate) and self._is_policy(value):
            self.places["policy"] = place
        elif isinstance(value, Forecast) and self._is_forecast(value):
            self.places["forecast"] = place
        elif isinstance(value, Var) and self._is_risk(value):
            self.places["var"] = place

    def _is_later(self, place: Place, at_ms: int, value: Any) -> bool:
        trigger = self._said["inputs"]["trigger"]
        if place["topic"] == trigger["topic"]:
            return bool(place["offset"] > trigger["offset"])
        if isinstance(value, Forecast | Var) and to_json(value.meta.source) == trigger:
            return False
        return at_ms > self._facts.at_ms

    def _is_policy(self, value: PolicyUpdate) -> bool:
        named = f"{value.name}@{value.version}"
        return (named, value.hash) == (self._said["policy"], self._said["policy_hash"])

    def _is_forecast(self, value: Forecast) -> bool:
        expected, told = self._said["inputs"]["forecast"], to_json(value)
        return (
            expected is not None
            and value.account_id == self._facts.account_id
            and all(told[name] == expected[name] for name in ("for_date", "p50", "p95"))
        )

    def _is_risk(self, value: Var) -> bool:
        risk, told = self._said["inputs"]["risk"], to_json(value)
        names = {"n": "n", "var": "var_usd", "es": "es_usd", "var_bps": "var_bps"}
        return (
            risk is not None
            and value.account_id == self._facts.account_id
            and all(told[theirs] == risk[ours] for ours, theirs in names.items())
        )


def _records(
    reader: Reader, wire: Wire, timeout_s: float | None
) -> Iterator[tuple[Place, int, Any]]:
    for message in reader.messages(timeout_s=timeout_s):
        topic = str(message.topic())
        try:
            value = wire.decode(topic, message.value() or b"")
        except (Undecodable, NewerSchema):
            continue
        place = {"topic": topic, "partition": message.partition(), "offset": message.offset()}
        yield place, message.timestamp()[1], value
