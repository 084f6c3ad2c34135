"""A policy that cannot be used is refused before anything is looked up: which field, which value.

What is put in force, and who must sign it: `tests/weir/test_cash_live.py`.
"""

from __future__ import annotations

import httpx
import pytest

from tests.weir.web.conftest import PUSHER, READER, SETTER, Web


def put(web: Web, body: bytes, kind: str, token: str = SETTER) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": kind}
    return web.client.put("/policy", content=body, headers=headers)


@pytest.mark.parametrize(
    ("body", "kind", "status", "error", "field", "value"),
    [
        (b'{"guards": {"loan_age_max_s": -1}}', "json", 422, "invalid", "guards.loan_age_max_s",
         "-1"),
        (b"guards: {peg_max_dev: 1.5}", "yaml", 422, "invalid", "guards.peg_max_dev", "1.5"),
        (b"sweep: {cutoffs_utc: [15:30]}", "yaml", 422, "invalid", "sweep.cutoffs_utc.0", "930"),
        (b"nonsense: 1", "yaml", 422, "invalid", "nonsense", "1"),
        (b"{}", "json", 400, "malformed", "body", "{}"),
        (b"", "yaml", 400, "malformed", "body", ""),
        (b'{"name": "a", "name": "b"}', "json", 400, "malformed", "body", None),
        (b"{}", "yaml", 400, "malformed", "body", "{}"),
        (b"[1]", "json", 400, "malformed", "body", "[1]"),
        (b"\xff", "yaml", 400, "malformed", "body", None),
        (b"a: &a [1]\nname: *a", "yaml", 400, "malformed", "body", None),
        (b"[" * 100_000, "json", 400, "malformed", "body", None),
        (b"name: " + b"x" * 600_000, "yaml", 413, "too_large", "bytes", None),
        (b"name: x", "xml", 415, "media_type", "content-type", "application/xml"),
    ],
)  # fmt: skip
def test_a_bad_policy_is_refused_with_its_field(
    web: Web, body: bytes, kind: str, status: int, error: str, field: str, value: str | None
) -> None:
    answer = put(web, body, f"application/{kind}")
    said = answer.json()
    assert (answer.status_code, said["error"], said["field"]) == (status, error, field), said
    assert value is None or said["value"] == value
    assert web.log.events == []


@pytest.mark.parametrize(("token", "status"), [(PUSHER, 403), (READER, 403), ("nobody", 401)])
def test_only_who_may_set_it_is_heard(web: Web, token: str, status: int) -> None:
    assert put(web, b"name: x", "application/yaml", token).status_code == status
    assert web.log.events == []
