"""The day that tests of whole programs share."""

from collections.abc import Iterator

import pytest

from tests.weir.day import Day, live_through
from tests.weir.rig import rig
from weir.home import Home


@pytest.fixture(scope="session")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """A day with kills and lost answers; its workers still run. See `tests/weir/day.py`."""
    with rig(Home(tmp_path_factory.mktemp("day") / "home")) as running:
        yield live_through(running)
