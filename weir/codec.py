"""Where schema ids come from: the lock file, or the registry that `WEIR_REGISTRY` names."""

from __future__ import annotations

from schemas.wire import SchemaIds, Wire
from weir.errors import WeirError
from weir.home import settings


def wire() -> Wire:
    """The codec of all topics; WeirError when the registry named does not answer."""
    url = settings().registry
    if url is None:
        return Wire(SchemaIds.from_lock())
    try:
        return Wire(SchemaIds.from_registry(url))
    except ConnectionError as error:
        raise WeirError(f"WEIR_REGISTRY: {error}") from error
