"""What a partition takes over from its inbox: the policy, the controls and the calendars in force.

A copy is signed by the relay, but what was signed once can be written again: an old policy would
bring old limits back, an old control would lift a pause. The relay lets versions and epochs only
rise as soon as the policy names people (`agents/standing.py`); from then on an older copy is
refused here too, unless it makes a mode stricter, which only keeps money in. That a log was
imported counts as its first control alone, as at the relay: nothing is signed or checked from then
on.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from schemas.policy import Person, parse
from schemas.records import Calendar, ControlCopy, PolicyCopy
from streams.newyork import FIRST_YEAR, day_number
from streams.step import IMPORTED, STRICTNESS, Refused, Store
from tables.partition import CalendarYear, ControlEntry, PartitionEntry
from tables.spec import PARTITION_KEY


def take(store: Store, copy: Any) -> bool:
    """Puts a copy in force; False when it is none. Raises Refused, and changes nothing then."""
    if isinstance(copy, PolicyCopy):
        _policy(store, copy)
    elif isinstance(copy, ControlCopy):
        _control(store, copy)
    elif isinstance(copy, Calendar):
        _calendar(store, copy)
    else:
        return False
    return True


def _policy(store: Store, copy: PolicyCopy) -> None:
    try:
        parse(copy.body)
    except ValueError as why:
        raise Refused("policy", "body", copy.name, str(why)) from why
    known = _entry(store)
    again = (copy.version, copy.hash) == (known.policy_version, known.policy_hash)
    if copy.version <= known.policy_version and not again and _named(known, "admin"):
        raise Refused("version", "version", copy.version, f"must be above {known.policy_version}")
    _change(
        store,
        policy_name=copy.name,
        policy_version=copy.version,
        policy_hash=copy.hash,
        policy_body=copy.body,
    )


def _control(store: Store, copy: ControlCopy) -> None:
    known = _entry(store)
    new = ControlEntry(copy.scope, copy.mode, copy.epoch, copy.reason)
    if new in known.controls:
        return
    if copy.scope == IMPORTED and known.controls:
        raise Refused("scope", "scope", copy.scope, "only the first control of a log can say it")
    if _named(known):
        epoch = max((control.epoch for control in known.controls), default=-1)
        if copy.epoch <= epoch:
            if not _is_stricter(known, copy):
                raise Refused("epoch", "epoch", copy.epoch, f"must be above {epoch}")
            new = replace(new, epoch=epoch)  # else the next old one would seem new
    others = [one for one in known.controls if one.scope != copy.scope]
    _change(store, controls=tuple(sorted([*others, new], key=lambda control: control.scope)))


def _is_stricter(known: PartitionEntry, copy: ControlCopy) -> bool:
    modes = {control.scope: control.mode for control in known.controls}
    before = modes.get(copy.scope, "PAUSED" if copy.scope == "all" else "ACTIVE")
    return STRICTNESS.index(copy.mode) > STRICTNESS.index(before)


def _calendar(store: Store, copy: Calendar) -> None:
    if not FIRST_YEAR <= copy.year < 3000:
        raise Refused("range", "year", copy.year, f"must lie between {FIRST_YEAR} and 2999")
    first, next_first = (day_number(year, 1, 1) for year in (copy.year, copy.year + 1))
    for day in copy.closed:
        if not first <= day < next_first:
            raise Refused("range", "closed", day, f"is no day of {copy.year}")
    new = CalendarYear(copy.calendar, copy.year, tuple(sorted(copy.closed)))
    same = (new.calendar, new.year)
    others = [one for one in _entry(store).calendars if (one.calendar, one.year) != same]
    years = sorted([*others, new], key=lambda one: (one.calendar, one.year))
    _change(store, calendars=tuple(years))


def _named(known: PartitionEntry, role: str = "") -> list[Person]:
    """The people of the policy in force here, of a role if one is given."""
    people = parse(known.policy_body).people if known.policy_body else ()
    return [one for one in people if not role or role in one.roles]


def _entry(store: Store) -> PartitionEntry:
    return store.get(PARTITION_KEY) or PartitionEntry()


def _change(store: Store, **changes: Any) -> None:
    store.put(PARTITION_KEY, replace(_entry(store), **changes))
