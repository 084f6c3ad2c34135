"""What the command line works with: the Kafka of this home, and where schema ids come from."""

from __future__ import annotations

from schemas.wire import SchemaIds, Wire
from weir.errors import WeirError
from weir.home import home, settings


def address() -> str:
    """The Kafka to talk to: `WEIR_KAFKA`, else the embedded one of this home."""
    from weir.kafka import Broker

    found = settings().kafka or Broker(home()).bootstrap
    if found is None:
        raise WeirError(
            f"no broker in {home().root}: `weir up` starts one, WEIR_KAFKA names another"
        )
    return found


def wire() -> Wire:
    """The codec of all topics; WeirError when the registry named does not answer."""
    url = settings().registry
    if url is None:
        return Wire(SchemaIds.from_lock())
    try:
        return Wire(SchemaIds.from_registry(url))
    except ConnectionError as error:
        raise WeirError(f"WEIR_REGISTRY: {error}") from error
