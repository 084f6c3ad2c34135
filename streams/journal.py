"""The fills of each position in their order: time, the venue's sequence, id.

A fill is kept as long as a late one may still be put before it: for the policy's horizon, counted
from the account's latest execution, and for at most so many fills of its position. What is let go
is at most two fills for each that comes, many at once now and then, so the cost of a fill does not
depend on the length of the journal. A fill no younger than the last one let go can no longer be put
in its place: by its time alone, since the same fill may come with and without a sequence.
"""

from __future__ import annotations

from msgspec.structs import replace

from schemas.policy_profit import Pnl
from schemas.records import HedgeExecution
from streams.fills import fold
from streams.step import Entries, InForce, InvariantBroken
from tables.journal import AFTER_EVERY, TAKES_MAX, At, Booked, Fill, Journal, Latest, MoreTakes, Nth
from tables.lots import Take
from tables.position import Position

LET_GO_MAX = 2 * AFTER_EVERY
DEFAULTS = Pnl()
_EMPTY = Journal()

_FILL = tuple(name for name in Fill.__struct_fields__ if name in HedgeExecution.__struct_fields__)


def find(entries: Entries, category: str, exec_id: str) -> Booked | None:
    """The fill of this id as it is booked, if it is kept."""
    booked: Booked | None = entries.get("fills", f"{category}|{exec_id}")
    return booked


def head(entries: Entries, place: str) -> Journal:
    """Where the journal of a position begins and ends."""
    journal: Journal = entries.get("journal", place) or _EMPTY
    return journal


def at(row: HedgeExecution) -> At:
    """Where a row stands in the order."""
    return At(row.exec_time_ms, row.seq or 0, row.exec_id)


def rules_of(in_force: InForce) -> Pnl:
    """Horizon and length: of the policy, or as shipped while there is none."""
    return DEFAULTS if in_force.policy is None else in_force.policy.pnl


def latest_ms(entries: Entries) -> int:
    """The latest execution of the account."""
    latest: Latest | None = entries.get("latest")
    return 0 if latest is None else latest.exec_time_ms


def nth(entries: Entries, place: str, number: int) -> Booked:
    """The n-th fill of a position."""
    found: Nth | None = entries.get("nth", f"{place}|{number}")
    booked = None if found is None else find(entries, place.partition("|")[0], found.exec_id)
    if booked is None:
        raise InvariantBroken(f"{place}: fill {number} of the journal is not there")
    return booked


def first_after(entries: Entries, place: str, journal: Journal, where: At) -> int:
    """The number of the first fill that stands after `where`; `next` where there is none."""
    if journal.last is None or journal.last < where:
        return journal.next
    low, high = journal.first, journal.next
    while low < high:
        middle = (low + high) // 2
        if nth(entries, place, middle).at < where:
            low = middle + 1
        else:
            high = middle
    return low


def holds(entries: Entries, booked: Booked) -> bool:
    """Whether a fill whose mark is kept still has its place in the journal."""
    journal = head(entries, booked.place)
    number = first_after(entries, booked.place, journal, booked.at)
    return number < journal.next and nth(entries, booked.place, number).at == booked.at


def before(entries: Entries, place: str, journal: Journal, number: int) -> Position:
    """The position before the n-th fill, from the nearest one that is kept."""
    between: list[Booked] = []
    position = journal.base
    for index in range(number - 1, journal.first - 1, -1):
        booked = nth(entries, place, index)
        if booked.after is not None:
            position = booked.after
            break
        between.append(booked)
    for booked in reversed(between):
        position, _ = fold(position, row_of(booked, entries.key))
    return position


def put(entries: Entries, number: int, booked: Booked, after: Position, further: int = 0) -> None:
    """Writes the n-th fill of its position; of many lots it took, the first ones with it. `further`
    says how many entries with others it has so far.
    """
    key = f"{booked.place.partition('|')[0]}|{booked.at.exec_id}"
    takes = booked.takes
    kept = after if number % AFTER_EVERY == 0 else None
    more = range(TAKES_MAX, len(takes), TAKES_MAX)
    entries.put("fills", replace(booked, after=kept, takes=takes[:TAKES_MAX], more=len(more)), key)
    for index, start in enumerate(more):
        entries.put("takes", MoreTakes(takes[start : start + TAKES_MAX]), f"{key}|{index}")
    for index in range(len(more), further):
        entries.delete("takes", f"{key}|{index}")


def put_nth(entries: Entries, place: str, number: int, exec_id: str) -> None:
    """Says which fill is the n-th."""
    entries.put("nth", Nth(exec_id), f"{place}|{number}")


def takes_of(entries: Entries, booked: Booked) -> tuple[Take, ...]:
    """All that a fill took."""
    takes = booked.takes
    key = f"{booked.place.partition('|')[0]}|{booked.at.exec_id}"
    for index in range(booked.more):
        further: MoreTakes | None = entries.get("takes", f"{key}|{index}")
        if further is None:
            raise InvariantBroken(f"{key}: what it took is not there")
        takes += further.takes
    return takes


def let_go(entries: Entries, place: str, journal: Journal, rules: Pnl, latest_ms: int) -> Journal:
    """The journal without its oldest fills, if they are too old or too many: asked once in
    AFTER_EVERY fills, and only up to one behind which the position is kept.
    """
    if journal.next % AFTER_EVERY:
        return journal
    oldest_ms = latest_ms - rules.late_horizon_s * 1000
    most = max(1, rules.journal_max + 1 - 2 * AFTER_EVERY)
    going: list[Booked] = []
    until, base, floor = journal.first, journal.base, journal.floor
    for number in range(journal.first, min(journal.next, journal.first + LET_GO_MAX)):
        booked = nth(entries, place, number)
        if journal.next - number <= most and booked.at.time_ms >= oldest_ms:
            break
        going.append(booked)
        if booked.after is not None:
            until, base, floor = number + 1, booked.after, booked.at
    for number, booked in zip(range(journal.first, until), going, strict=False):
        entries.delete("nth", f"{place}|{number}")
        if not booked.late:
            _drop(entries, booked)
    return Journal(until, journal.next, base, journal.last, floor)


def fill_of(row: HedgeExecution) -> Fill:
    """What is kept of a row."""
    return Fill(*[getattr(row, name) for name in _FILL])


def row_of(booked: Booked, account_id: str) -> HedgeExecution:
    """The row again, as far as its fold and its record need it."""
    category, symbol, _ = booked.place.split("|")
    fill = booked.fill
    return HedgeExecution(
        exec_id=booked.at.exec_id,
        account_id=account_id,
        venue=account_id.partition(":")[0],
        category=category,
        symbol=symbol,
        source="rest",
        **{name: getattr(fill, name) for name in _FILL},
    )


def reset(entries: Entries, place: str, position: Position) -> None:
    """The position was set from outside: what came before cannot be folded again."""
    journal = head(entries, place)
    for number in range(journal.first, journal.next):
        entries.delete("nth", f"{place}|{number}")
    floor = journal.floor
    if journal.last is not None:
        floor = At(journal.last.time_ms - 1, 0, "")
    entries.put("journal", Journal(journal.next, journal.next, position, None, floor), place)


def _drop(entries: Entries, booked: Booked) -> None:
    """From now on the fill is no longer known by its id."""
    key = f"{booked.place.partition('|')[0]}|{booked.at.exec_id}"
    for index in range(booked.more):
        entries.delete("takes", f"{key}|{index}")
    entries.delete("fills", key)
