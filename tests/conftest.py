"""What every test may ask for: one real broker for the whole run, and names of its own on it."""

import itertools
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from weir.home import Home, settings
from weir.kafka import Broker

_numbers = itertools.count()
_run = secrets.token_hex(3)


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real Kafka: `WEIR_KAFKA`, else a broker of this run alone."""
    outside = settings().kafka
    if outside:
        yield outside
        return
    embedded = Broker(Home(tmp_path_factory.mktemp("broker")))
    yield embedded.up(attached=True)
    embedded.down(wipe=True)


@pytest.fixture
def fresh_topic_suffix() -> str:
    """An ending for topic, group and transactional ids that no other test has used."""
    return f"{_run}-{next(_numbers)}"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty `WEIR_HOME`."""
    return Home(tmp_path / "home")
