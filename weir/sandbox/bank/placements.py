"""What of each placement is still in a fund: money taken out came from the oldest first."""

from weir.sandbox.bank.books import Books
from weir.sandbox.bank.records import OUTSIDE, Movement

__all__ = ["placements"]


def placements(books: Books, fund: str) -> list[tuple[Movement, int]]:
    """The placements of a fund, oldest first, each with the cents that are left of it.

    What matured names its placement and is taken from that one.
    """
    placed: list[tuple[Movement, int]] = []
    for row in books.entries(fund):
        if row.target == fund and row.source != OUTSIDE:
            placed.append((row, row.amount_cents))
        elif row.source == fund:
            placed = _less(placed, row)
    return placed


def _less(placed: list[tuple[Movement, int]], out: Movement) -> list[tuple[Movement, int]]:
    own = [pair for pair in placed if pair[0].end_to_end_id == out.end_to_end_id]
    rest = [pair for pair in placed if pair[0].end_to_end_id != out.end_to_end_id]
    taken: dict[int, int] = {}
    need = out.amount_cents
    for row, left_cents in [*own, *rest]:
        taken[row.number] = min(left_cents, need)
        need -= taken[row.number]
    return [(row, left_cents - taken[row.number]) for row, left_cents in placed]
