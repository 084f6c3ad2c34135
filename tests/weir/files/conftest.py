"""The recorded day in files, made once."""

from pathlib import Path

import pytest

from tests.weir.day import Day


@pytest.fixture(scope="session")
def exported(day: Day, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The day in a folder; its workers still run meanwhile."""
    day.settled()
    folder = tmp_path_factory.mktemp("export") / "day"
    done = day.rig.weir("export", "--to", str(folder))
    assert done.returncode == 0, done.stderr
    assert " records of " in done.stdout
    return folder
