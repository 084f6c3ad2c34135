"""What an endpoint answers instead: a status, a short word, and which field has which value."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

VALUE_CHARACTERS_MAX = 200


class Problem(Exception):
    """A refusal. `error` is the word for programs, the rest is for people."""

    def __init__(
        self, status: int, error: str, field: str = "", value: object = "", why: str = ""
    ) -> None:
        super().__init__(f"{status} {error}: {field}={value!r} {why}".rstrip())
        self.status, self.error = status, error
        self.field, self.value, self.why = field, value, why


def add(app: FastAPI) -> None:
    """Every refusal of the application in this one form."""

    def answer(_request: Request, raised: Exception) -> JSONResponse:
        problem = _problem(raised)
        headers = {"WWW-Authenticate": "Bearer"} if problem.status == 401 else None
        body: dict[str, Any] = {
            "error": problem.error,
            "field": problem.field,
            "value": str(problem.value)[:VALUE_CHARACTERS_MAX],
            "why": problem.why,
        }
        return JSONResponse(body, problem.status, headers)

    for kind in (Problem, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, answer)


def _problem(raised: Exception) -> Problem:
    if isinstance(raised, Problem):
        return raised
    if isinstance(raised, RequestValidationError):
        first = raised.errors()[0]
        field = ".".join(str(part) for part in first["loc"][1:])
        return Problem(422, "invalid", field, first.get("input"), first["msg"])
    if isinstance(raised, HTTPException):
        return Problem(raised.status_code, "http", "", "", str(raised.detail))
    raise raised
