"""How an endpoint sees a request: named parameters, its account, the books, and pages of rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from weir.sandbox.books import Books
from weir.sandbox.faults import PROCESSING, Fault
from weir.sandbox.records import NEVER_MS, Account
from weir.sandbox.refusal import Refused

__all__ = ["Call", "Route", "page"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """One request after its signature was checked; `account` is None on public paths. `odd` is the
    fault its books are to have, if any.
    """

    books: Books
    params: Mapping[str, Any]
    now_ms: int
    signed_by: Account | None = None
    odd: Fault | None = None

    @property
    def account(self) -> Account:
        """The account that signed."""
        if self.signed_by is None:
            raise Refused(10003, "API key is invalid.")
        return self.signed_by

    def text(self, name: str, default: str | None = None) -> str:
        """A string parameter; without a default it is required."""
        value = self.params.get(name, default)
        if value is None or (value == "" and default is None):
            raise Refused(10001, f"params error: {name} is required")
        if not isinstance(value, str):
            raise Refused(10001, f"params error: {name} must be a string, not {value!r}")
        return value

    def flag(self, name: str) -> bool:
        """A JSON boolean that is false when left out."""
        value = self.params.get(name, False)
        if not isinstance(value, bool):
            raise Refused(10001, f"params error: {name} must be a boolean, not {value!r}")
        return value

    def whole(self, name: str, default: int) -> int:
        """A JSON integer."""
        value = self.params.get(name, default)
        if not isinstance(value, int) or isinstance(value, bool):
            raise Refused(10001, f"params error: {name} must be an integer, not {value!r}")
        return value

    def in_process_ms(self, usual_ms: int) -> int:
        """How long what is asked for stays in process."""
        if self.odd is None or self.odd.kind != PROCESSING:
            return usual_ms
        return self.odd.delay_ms or NEVER_MS

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number between two bounds."""
        value = self.text(name, "") or str(default)
        if not (value.isascii() and value.isdigit()) or not low <= int(value) <= high:
            raise Refused(10001, f"params error: {name} must be {low} to {high}, not {value!r}")
        return int(value)


@dataclass(frozen=True, slots=True)
class Route:
    """One documented endpoint; without a limit group it is public."""

    method: str
    path: str
    answer: Callable[[Call], dict[str, Any]]
    limit: str | None = None
    message: str = "OK"


def page(
    call: Call, rows: Sequence[T], id_of: Callable[[T], int], *, default: int, high: int
) -> tuple[list[T], str]:
    """The rows of one page, newest first, and the cursor of the next ("" on the last page)."""
    limit = call.number("limit", default, 1, high)
    cursor = call.text("cursor", "")
    if cursor and not (cursor.isascii() and cursor.isdigit()):
        raise Refused(10001, f"params error: cursor is not one of ours: {cursor!r}")
    older = [row for row in reversed(rows) if not cursor or id_of(row) < int(cursor)]
    shown = older[:limit]
    return shown, str(id_of(shown[-1])) if len(older) > limit else ""
