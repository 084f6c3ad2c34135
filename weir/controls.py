"""`weir pause`, `reduce` and `resume`: a change of mode, signed by those who ask for it.

Making a mode stricter takes one person, making it looser two. Two people on two machines hand a
draft around: the first writes it with one signature, the second adds theirs and sends it.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import msgspec
from msgspec.structs import replace

from agents.keys import KeyFault, load
from agents.outside import NotWritten, Outside
from agents.standing import CONTROLS, Standing, read
from schemas.records import Control
from schemas.wire import Wire
from streams.statements import control_bytes
from streams.step import Refused
from weir.errors import WeirError
from weir.home import home, settings

DRAFT_S = 3600
SCOPES = ("all", "class:", "venue:", "account:")


def change(
    bootstrap: str,
    wire: Wire,
    mode: str,
    scope: str,
    reason: str,
    people: list[str],
    draft: Path | None = None,
) -> str:
    """Writes a control, or a draft that still lacks signatures; says which. Raises WeirError."""
    if scope != "all" and not any(scope.startswith(one) and scope > one for one in SCOPES[1:]):
        raise WeirError(f"scope {scope!r}: all, class:NAME, venue:NAME or account:ID")
    standing = standing_of(bootstrap, wire)
    control = _draft(standing, mode, scope, reason, draft)
    if standing.people:
        control = _signed(control, people)
    else:
        control = replace(control, actors=tuple(people) or (os.environ.get("USER", "unknown"),))
    needed = standing.signatures_needed(scope, mode)
    if draft is not None and len(control.actors) < needed:
        draft.write_bytes(msgspec.json.format(msgspec.json.encode(control)))
        others = f"{needed - len(control.actors)} more person"
        return f"{draft} is signed by {', '.join(control.actors)}; {others} signs and sends it"
    try:
        standing.judge(control)
    except Refused as why:
        raise WeirError(f"not sent: {why}") from why
    offset = asyncio.run(write(bootstrap, wire, CONTROLS, control))
    by = ", ".join(control.actors)
    return f"{scope} {mode}, epoch {control.epoch}, by {by} ({CONTROLS}[0]@{offset})"


def standing_of(bootstrap: str, wire: Wire) -> Standing:
    """What holds now. Raises WeirError when Kafka does not tell."""
    try:
        return Standing.of(read(bootstrap, wire, {}))
    except RuntimeError as why:
        raise WeirError(str(why)) from why


async def write(bootstrap: str, wire: Wire, topic: str, record: object) -> int:
    """Writes one record and waits for the broker's word; its offset."""
    outside = Outside(bootstrap, wire, settings().partitions)
    try:
        return await outside.write(topic, record)
    except NotWritten as why:
        raise WeirError(str(why)) from why
    finally:
        await outside.close()


def _draft(standing: Standing, mode: str, scope: str, reason: str, draft: Path | None) -> Control:
    now_ms = time.time_ns() // 1_000_000
    if draft is None or not draft.exists():
        return Control(scope, mode, standing.epoch + 1, reason, (), (), now_ms)
    try:
        control = msgspec.json.decode(draft.read_bytes(), type=Control)
    except (OSError, msgspec.MsgspecError) as why:
        raise WeirError(f"{draft}: {why}") from why
    if (control.scope, control.mode) != (scope, mode):
        raise WeirError(f"{draft} says {control.scope} {control.mode}, not {scope} {mode}")
    if now_ms - control.at_ms > DRAFT_S * 1000:
        raise WeirError(f"{draft} is older than {DRAFT_S} s: begin again")
    return control


def _signed(control: Control, people: list[str]) -> Control:
    if not people and not control.actors:
        raise WeirError("the policy names people: say who asks with --as NAME")
    try:
        keys = [load(home().root, name) for name in people]
    except KeyFault as why:
        raise WeirError(str(why)) from why
    return replace(
        control,
        actors=(*control.actors, *people),
        jws=(*control.jws, *(key.sign(control_bytes(control)) for key in keys)),
    )
