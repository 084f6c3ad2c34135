"""`GET /healthz` for whoever restarts it, `GET /metrics` for Prometheus; neither asks for a token.

Both tell about this process alone and hold no amount of anybody.
"""

from __future__ import annotations

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

router = APIRouter()


@router.get("/healthz")
def healthz() -> dict[str, str]:
    """That the process answers."""
    return {"status": "ok"}


@router.get("/metrics")
def metrics() -> Response:
    """The metrics of this process."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
