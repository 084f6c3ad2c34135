"""Why an account allocates nothing: marks that rows, breaks and differences set and that are lifted
one by one.

A mark is `cause:reference`. A row that may have changed the account in a way the book does not know
becomes a dead letter and leaves its mark; a person releases it (UNFREEZE), and the same row never
sets it again. A break's mark goes when the break is over or accepted, a position's when book and
venue agree.
"""

from __future__ import annotations

from typing import Any

from schemas.records import BreakAccept, Freeze, HedgeExecution, Request
from streams.step import DeadLetter, Entries, Event, Refused
from tables.corrections import Frozen, Released

BREAK, POSITION = "break", "position"
UNFREEZE = "UNFREEZE"
_NONE = Frozen()


class Unsafe(Refused):
    """An execution that may have moved the account, but how is not known: it is a dead letter, and
    nothing is allocated until people have looked.
    """


def marks(entries: Entries) -> tuple[str, ...]:
    """Why the account is frozen; nothing when it is not."""
    frozen: Frozen = entries.get("frozen") or _NONE
    return frozen.marks


def unsafe(entries: Entries, event: Event, why: Unsafe) -> list[Any]:
    """The dead letter of such a row, and its mark."""
    row: HedgeExecution = event.value
    mark = f"{why.cause}:{row.category}|{row.exec_id}"
    if entries.get("released", mark) is None:
        put(entries, mark)
    return [DeadLetter(why.cause, why.field, str(why.value), why.why)]


def step(entries: Entries, event: Event) -> None:
    """Takes what reconciliation and people say about marks."""
    value: Freeze | BreakAccept | Request = event.value
    if isinstance(value, Request):
        _release(entries, value)
    elif isinstance(value, Freeze) and value.on:
        put(entries, f"{BREAK}:{value.break_id}")
    else:
        lift(entries, f"{BREAK}:{value.break_id}")


def put(entries: Entries, mark: str) -> None:
    """Sets a mark; a second time changes nothing."""
    old = marks(entries)
    if mark not in old:
        entries.put("frozen", Frozen(tuple(sorted((*old, mark)))))


def lift(entries: Entries, mark: str) -> None:
    """Takes a mark away, if it is there."""
    old = marks(entries)
    if mark in old:
        entries.put("frozen", Frozen(tuple(one for one in old if one != mark)))


def replaced(entries: Entries, cause: str, references: set[str]) -> None:
    """The marks of one cause become exactly these."""
    old = marks(entries)
    new = {one for one in old if not one.startswith(f"{cause}:")}
    new |= {f"{cause}:{reference}" for reference in references}
    if new != set(old):
        entries.put("frozen", Frozen(tuple(sorted(new))))


def _release(entries: Entries, request: Request) -> None:
    """`mark` among the parameters names one; without it all that people may release are."""
    if request.verb != UNFREEZE:
        raise Refused("verb", "verb", request.verb, "the book does not know it")
    wanted = request.params.get("mark")
    found = [wanted] if wanted else [one for one in marks(entries) if _by_people(one)]
    for mark in found:
        if not _by_people(mark):
            raise Refused("mark", "mark", mark, "ends when its break or its difference does")
        if mark not in marks(entries):
            if entries.get("released", mark) is None:
                raise Refused("mark", "mark", mark, "is not set")
            continue
        lift(entries, mark)
        entries.put("released", Released(request.request_id), mark)


def _by_people(mark: str) -> bool:
    return mark.partition(":")[0] not in (BREAK, POSITION)
