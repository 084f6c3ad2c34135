"""What tests of agents share: a writer on the real broker."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from agents.outside import Outside
from schemas.wire import SchemaIds, Wire
from weir.topics import ensure


@pytest.fixture
async def outside(broker: str) -> AsyncIterator[Outside]:
    ensure(broker, 8, 1)
    writer = Outside(broker, Wire(SchemaIds.from_lock()), 8)
    yield writer
    await writer.close()
