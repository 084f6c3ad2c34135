"""`GET /policy` and `PUT /policy`: the policy in force, and a person's word about it.

The body is a whole policy as a YAML or JSON document, like the file of `weir policy set`: what it
leaves out has its default. It is validated, judged as the relay will judge it, and written as the
next version with source `rest`, which stands above all watched sources until `weir policy release`.
202 says that the record is on the log; nodes decide by it from its place on. What is in force
already is answered alike and writes nothing.

Once the policy in force names an admin, one must sign: `?dry_run=true` answers with the version and
with `to_sign`, the bytes to sign; the detached JWS over them goes into `X-JWS-Signature` of the
same request without it. The signature counts for this body after this version alone. `If-Match`
with the hash that GET shows as ETag refuses a change of anything else.

It is linted and, where the policy in force requires it, simulated first (`weir.activation`); what
they object to is 422, unless `?despite=` says why it is set all the same. What was seen stands in
the record and among the bytes to sign: the dry run of the same server, which is remembered, is what
the signature speaks of.
"""

from __future__ import annotations

import asyncio
import json
import time
from decimal import Decimal
from typing import Annotated, Any

import yaml
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import JSONResponse
from msgspec.structs import replace
from pydantic import ValidationError

from agents.outside import NotWritten
from agents.policies.layers import document
from agents.policies.update import PERSON, draft
from agents.standing import POLICIES, Standing, read
from schemas.jsonform import iso
from schemas.policy import Policy, canonical, policy_hash
from schemas.records import PolicyUpdate
from schemas.signing import signer
from streams.statements import policy_bytes
from streams.step import Refused
from weir.activation import look, refuse
from weir.backtest.running import silent
from weir.errors import WeirError
from weir.policies import as_yaml
from weir.replay.log import KafkaLog
from weir.web.auth import needs
from weir.web.errors import Problem
from weir.web.idempotency import Different

BODY_BYTES_MAX = 512 * 1024
PATIENCE_POLLS = 10
"""Half seconds for which Kafka may be silent."""
JSON, YAML = "application/json", "application/yaml"
YAMLS = frozenset({YAML, "application/x-yaml", "text/yaml"})
REMEMBERED = 16
"""Dry runs whose text can still be signed."""
WHO = frozenset({"signature", "unknown_person", "role"})
"""Refusals of the signer, not of the policy."""
router = APIRouter()


@router.get("/policy", dependencies=[Depends(needs("read"))])
async def show(request: Request, accept: Annotated[str, Header()] = JSON) -> Response:
    """The policy in force, who set it and how; as YAML if that is asked for."""
    standing = await _standing(request)
    last, policy = standing.update, standing.policy
    if last is None or policy is None:
        raise Problem(404, "no_policy", "", "", "there is no policy yet")
    headers = {"ETag": f'"{last.hash}"', "Vary": "Accept"}
    asked = {one.partition(";")[0].strip() for one in accept.split(",")}
    if asked & YAMLS and JSON not in asked:
        return Response(as_yaml(policy), headers=headers, media_type=YAML)
    shown = {**_shown(last), "at": iso(last.at_ms), "signed_by": _signers(last)}
    return JSONResponse({**shown, "policy": policy.model_dump(mode="json")}, headers=headers)


@router.put("/policy", status_code=202)
async def put(
    request: Request,
    caller: Annotated[str, Depends(needs("policy"))],
    dry_run: Annotated[bool, Query()] = False,
    despite: Annotated[str | None, Query(max_length=1000)] = None,
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
    if_match: Annotated[str | None, Header(max_length=200)] = None,
    x_jws_signature: Annotated[list[str] | None, Header()] = None,
) -> JSONResponse:
    """Puts a policy in force as the next version."""
    policy = _policy(await _kind_and_body(request))
    signatures = tuple(
        part.strip() for one in x_jws_signature or () for part in one.split(",") if part.strip()
    )
    key = None if idempotency_key is None or dry_run else f"{caller}|policy|{idempotency_key}"
    keys = request.app.state.services.keys
    async with request.app.state.services.changing:
        if key is not None:
            try:
                before = await asyncio.to_thread(keys.begin, key, canonical(policy).encode())
            except Different:
                why = "came with another body"
                raise Problem(409, "exists_different", "key", idempotency_key, why) from None
            if before is not None:
                return JSONResponse(before, 202, {"Idempotent-Replayed": "true"})
        standing = await _standing(request)
        _match(standing, if_match)
        answer = await _put(request, standing, policy, caller, signatures, dry_run, despite)
        if key is not None:
            await asyncio.to_thread(keys.done, key, answer)
    return JSONResponse(answer, 200 if dry_run else 202)


async def _put(
    request: Request,
    standing: Standing,
    policy: Policy,
    caller: str,
    signatures: tuple[str, ...],
    dry_run: bool,
    despite: str | None,
) -> dict[str, Any]:
    """What is answered, once it is written. Raises Problem."""
    last = standing.update
    if last is not None and standing.policy == policy and last.source == PERSON:
        return {"accepted": _shown(last), "changed": False}
    if not any("admin" in person.roles for person in standing.people):
        signatures = ()  # nobody could verify them, so they say nothing
    signed = ", ".join(map(signer, signatures))
    author = f"{signed} by {caller}" if signed else caller
    now_ms = time.time_ns() // 1_000_000
    if not dry_run and not signatures:  # who may not set it is told before it takes long
        _judge(standing, draft(standing, policy, PERSON, author, now_ms, "{}"))
    seen = await _seen(request, standing, policy, despite, remembered=bool(signatures))
    update = draft(standing, policy, PERSON, author, now_ms, seen)
    if dry_run:
        to_sign = policy_bytes(update).decode()
        return {"would_be": _shown(update), "to_sign": to_sign, "seen": json.loads(seen)}
    update = replace(update, signatures=signatures)
    _judge(standing, update)
    try:
        await request.app.state.services.outside.write(POLICIES, update)
    except NotWritten as why:
        raise Problem(503, "not_written", "", "", f"send it again: {why}") from why
    return {"accepted": _shown(update), "changed": True}


def _judge(standing: Standing, update: PolicyUpdate) -> None:
    try:
        standing.judge(update)
    except Refused as why:
        status = 403 if why.cause in WHO else 422
        raise Problem(status, why.cause, why.field, why.value, why.why) from why


async def _seen(
    request: Request, standing: Standing, policy: Policy, despite: str | None, remembered: bool
) -> str:
    """What lint and simulation see of it; `remembered`: as the dry run saw it. Raises Problem."""
    services = request.app.state.services
    follows = standing.update.hash if standing.update is not None else ""
    at = policy_hash(canonical(policy)), follows, despite or ""
    if remembered and at in services.seen:
        found: str = services.seen[at]
        return found
    try:
        log = await asyncio.to_thread(KafkaLog, services.settings.bootstrap)
    except WeirError as why:
        raise Problem(503, "unreadable", "", "", f"ask again: {why}") from why
    try:
        seen = await asyncio.to_thread(look, log, services.wire, standing, policy, silent)
        refuse(seen, despite, "?despite=REASON")
    except WeirError as why:
        raise Problem(422, "objections", "policy", policy.name, str(why)) from why
    while len(services.seen) >= REMEMBERED:
        del services.seen[next(iter(services.seen))]
    services.seen[at] = text = seen.record(despite)
    return text


async def _standing(request: Request) -> Standing:
    services = request.app.state.services
    try:
        where = services.settings.bootstrap
        told = await asyncio.to_thread(read, where, services.wire, {}, PATIENCE_POLLS)
    except RuntimeError as why:
        raise Problem(503, "unreadable", "", "", f"ask again: {why}") from why
    return Standing.of(told)


async def _kind_and_body(request: Request) -> tuple[str, bytes]:
    found = bytearray()
    async for part in request.stream():
        found += part
        if len(found) > BODY_BYTES_MAX:
            raise Problem(413, "too_large", "bytes", len(found), f"at most {BODY_BYTES_MAX}")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != JSON and kind not in YAMLS:
        raise Problem(415, "media_type", "content-type", kind, "YAML or JSON was expected")
    return kind, bytes(found)


def _policy(said: tuple[str, bytes]) -> Policy:
    """The policy of a body. Raises Problem, naming the field and its value."""
    kind, body = said
    try:
        text = body.decode()
        content = _of_json(text) if kind == JSON else _of_yaml(text)
        if not content:
            raise ValueError("is empty: it would put every default in force")
    except (ValueError, RecursionError) as why:
        begins = body[:80].decode("utf-8", "replace")
        raise Problem(400, "malformed", "body", begins, str(why)) from why
    try:
        return Policy.model_validate(content)
    except ValidationError as wrong:
        first, *others = wrong.errors(include_url=False)
        place = ".".join(str(part) for part in first["loc"]) or "policy"
        value = "" if isinstance(first["input"], dict) else first["input"]
        more = "; ".join(".".join(map(str, one["loc"])) for one in others)
        fault = first["msg"].removeprefix("Value error, ")
        fault += f"; also wrong: {more}" if more else ""
        raise Problem(422, "invalid", place, value, fault) from None


def _of_json(text: str) -> dict[str, Any]:
    """A JSON object with exact numbers, in which no name stands twice. Raises ValueError."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            names = [name for name, _ in pairs]
            raise ValueError(f"{next(n for n in names if names.count(n) > 1)}: stands there twice")
        return found

    content = json.loads(text, parse_float=Decimal, object_pairs_hook=once)
    if not isinstance(content, dict):
        raise ValueError("must be a mapping of sections")
    return content


def _of_yaml(text: str) -> dict[str, Any]:
    """A YAML mapping; an alias may stand for more than anybody can read. Raises ValueError."""
    content = document(text)
    if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text)):
        raise ValueError("aliases are not taken")
    return content


def _match(standing: Standing, if_match: str | None) -> None:
    last = standing.update
    stands = last.hash if last is not None else ""
    if if_match is not None and if_match.strip().strip('"') != stands:
        raise Problem(412, "changed", "if-match", if_match, f"in force is {stands or 'nothing'}")


def _shown(update: PolicyUpdate) -> dict[str, Any]:
    return {
        "version": f"{update.name}@{update.version}",
        "hash": update.hash,
        "previous_hash": update.previous_hash,
        "source": update.source,
        "author": update.author,
    }


def _signers(update: PolicyUpdate) -> list[str]:
    return [signer(one) for one in update.signatures]
