"""Dead letters for people: what lies there and why, and the way back to its topic."""

from agents.letter import Letter, Origin, origin_of
from weir.dlq.listing import letters, summary
from weir.dlq.place import Place, place_of
from weir.dlq.redrive import Outcome, redrive

__all__ = [
    "Letter",
    "Origin",
    "Outcome",
    "Place",
    "letters",
    "origin_of",
    "place_of",
    "redrive",
    "summary",
]
