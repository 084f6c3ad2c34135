"""What every test may ask for: one real broker for the whole run, and names of its own on it."""

import itertools
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from weir.home import Home, settings
from weir.kafka import Broker

SHARED = "day"
"""A fixture that takes long to make: the tests that ask for it run in one process."""
_numbers = itertools.count()
_run = secrets.token_hex(3)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Two processes share the run: a file stays in one of them, and so does what files share."""
    for item in items:
        shared = SHARED in getattr(item, "fixturenames", ())
        item.add_marker(pytest.mark.xdist_group(SHARED if shared else item.path.name))


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
