"""Who asks, by bearer token: `Depends(needs("read"))` in the signature of an endpoint.

Every token is compared in full and in constant time, so that an answer's delay tells nothing.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable

from fastapi import Request

from weir.web.errors import Problem
from weir.web.settings import Scope, Token


def needs(scope: Scope) -> Callable[[Request], str]:
    """A dependency: the name of the caller, who may do this. Raises Problem 401 or 403."""

    def caller(request: Request) -> str:
        token = _known(request.app.state.services.settings.web_tokens, _shown(request))
        if token is None:
            raise Problem(401, "unauthorized", "authorization", "", "a known bearer token is asked")
        if scope not in token.scopes:
            raise Problem(403, "forbidden", "scope", token.name, f"has not the scope {scope}")
        return token.name

    return caller


def _shown(request: Request) -> bytes:
    kind, _, text = request.headers.get("authorization", "").partition(" ")
    return text.strip().encode() if kind.lower() == "bearer" else b""


def _known(tokens: Iterable[Token], shown: bytes) -> Token | None:
    found = None
    for token in tokens:
        if hmac.compare_digest(token.token.get_secret_value().encode(), shown):
            found = token
    return found
