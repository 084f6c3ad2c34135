"""Dead letters: a record that cannot be used goes, untouched, to `<its topic>.dlq` in the same
transaction.
"""

from __future__ import annotations

from confluent_kafka import Message

from agents.exact.batch import Out

PREFIX = "__streams.errors."
WHY_CHARACTERS_MAX = 1000


def dead_letter(message: Message, own: str, step: str, cause: str, why: str) -> Out:
    """Original key, value, timestamp and headers, plus where it lay and what was wrong (the headers
    of KIP-1034).

    `own` prefixes the two headers that KIP-1034 has no name for: which seam refused it, and the
    outcome.
    """
    ours = {
        "exception": cause,
        "message": why[:WHY_CHARACTERS_MAX],
        "topic": message.topic(),
        "partition": str(message.partition()),
        "offset": str(message.offset()),
    }
    headers = list(message.headers() or ())
    headers += [(PREFIX + name, str(value).encode()) for name, value in ours.items()]
    headers += [(f"{own}.step", step.encode()), (f"{own}.outcome", cause.encode())]
    return (
        f"{message.topic()}.dlq",
        message.key(),
        message.value(),
        message.partition(),
        message.timestamp()[1],
        headers,
    )
