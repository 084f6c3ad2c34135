"""Consul's key-value store: one key holds a document, keys below it hold single fields.

With the prefix `weir/policy` the key `weir/policy` is a YAML or JSON document, and
`weir/policy/sweep/liq_buffer_pct` (or `weir/policy/LIQ_BUFFER_PCT`) is one field, which wins over
it. The store is read by blocking queries: the answer comes when something below the prefix has
changed, or after the wait. An answer is no proof of a change, and an index that goes back starts
again from nothing, as Consul's documentation asks. A key that is gone is a word; that nothing lies
there at all, not even a folder, is none: so it looks when data are lost, or a token may not read.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import structlog

from agents.policies.layers import Fault, Layer, document, fields, over

SOURCE: Final = "consul"
WAIT_S = 55
PATIENCE_S = WAIT_S * 17 / 16 + 10
"""Consul adds up to a sixteenth to the wait; then an answer is overdue."""
PAUSE_S = 0.2
RETRY_MIN_S, RETRY_MAX_S = 1.0, 30.0

log = structlog.get_logger()


@dataclass(frozen=True)
class Consul:
    """An agent of Consul: `url` as in `CONSUL_HTTP_ADDR`, with its scheme."""

    url: str
    prefix: str
    token: str = field(default="", repr=False)

    @property
    def where(self) -> str:
        """Its name for people."""
        return f"consul {self.url}/v1/kv/{self.prefix}"


class Unreadable(RuntimeError):
    """Consul did not tell; the sentence says why."""


async def watch(consul: Consul, hear: Callable[[Layer | Fault], None], stop: asyncio.Event) -> None:
    """Tells what the store says, at once and whenever it has changed."""
    index, retry_s = 0, RETRY_MIN_S
    headers = {"X-Consul-Token": consul.token} if consul.token else {}
    timeout = httpx.Timeout(10.0, read=PATIENCE_S)
    async with httpx.AsyncClient(base_url=consul.url, headers=headers, timeout=timeout) as client:
        while not stop.is_set():
            try:
                index, said = await read(client, consul, index)
            except Unreadable as why:
                hear(Fault(SOURCE, consul.where, str(why)))
                index, pause_s = 0, retry_s
                retry_s = min(2 * retry_s, RETRY_MAX_S)
            else:
                hear(said)
                retry_s, pause_s = RETRY_MIN_S, PAUSE_S
            try:
                await asyncio.wait_for(stop.wait(), pause_s)
            except TimeoutError:
                continue


async def read(client: httpx.AsyncClient, consul: Consul, index: int) -> tuple[int, Layer | Fault]:
    """One query, blocking when an index is given: the next index, and what the store says."""
    query: dict[str, Any] = {"recurse": "true"}
    if index:
        query |= {"index": index, "wait": f"{WAIT_S}s"}
    try:
        answer = await client.get(f"/v1/kv/{consul.prefix}", params=query)
    except httpx.HTTPError as why:
        raise Unreadable(f"{type(why).__name__}: {why}") from why
    if answer.status_code not in (200, 404):
        raise Unreadable(f"HTTP {answer.status_code}: {answer.text[:200]}")
    try:
        following = int(answer.headers["X-Consul-Index"])
        rows = _rows(answer.json()) if answer.status_code == 200 else None
    except (KeyError, TypeError, ValueError, binascii.Error) as why:
        raise Unreadable(f"an answer that is none of Consul's: {why!r}") from why
    said: Layer | Fault
    try:
        if rows is None:
            raise ValueError("nothing lies there, or the token may not read it")
        said = Layer(SOURCE, consul.where, content(rows, consul.prefix))
    except ValueError as why:
        said = Fault(SOURCE, consul.where, str(why))
    return (following if following >= max(index, 1) else 0), said


def content(rows: dict[str, str], prefix: str) -> dict[str, Any]:
    """What the keys of a prefix say: the document, and the fields over it. Raises ValueError."""
    below = f"{prefix}/"
    single = {
        key.removeprefix(below).replace("/", "."): text
        for key, text in rows.items()
        if key.startswith(below) and key != below
    }
    whole = document(rows[prefix]) if prefix in rows else {}
    return over(whole, fields(single.items()))


def _rows(answer: Any) -> dict[str, str]:
    """Key to text; a folder is a key without a value."""
    return {
        row["Key"]: base64.b64decode(row["Value"], validate=True).decode()
        for row in answer
        if row["Value"] is not None
    }
