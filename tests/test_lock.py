"""The lock file: what `make` installs is what pyproject.toml allows, and comes from nowhere named.

To renew it: `uv pip compile --universal --python-version 3.11 --generate-hashes --extra test
--no-annotate --no-header --no-emit-index-url pyproject.toml -o requirements.lock`.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests import tidy

# Brackets keep these patterns from finding themselves.
PACKAGE_HOSTS = re.compile(
    r"py[p]i\.|pythonhoste[d]|repo1?\.mave[n]|npmj[s]|proxy\.golan[g]|[-]-(extra-)?index-url"
    r"|[-]-find-links|artifactor[y]"
)
BLOCK = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+)(?P<rest>.*)$")


def blocks(lock: str) -> list[str]:
    """The lock's entries, each on one line."""
    return lock.replace("\\\n", " ").splitlines()


def disagreements(pyproject: str, lock: str) -> Iterator[str]:
    """What the project asks for and the lock does not give."""
    given: dict[str, list[str]] = {}
    for block in blocks(lock):
        entry = Requirement(block.partition(" --hash")[0].strip())
        given.setdefault(canonicalize_name(entry.name), []).extend(
            specifier.version for specifier in entry.specifier
        )
    project = tomllib.loads(pyproject)["project"]
    for line in project["dependencies"] + project["optional-dependencies"]["test"]:
        wanted = Requirement(line)
        versions = given.get(canonicalize_name(wanted.name), [])
        if not versions:
            yield f"{wanted}: not in the lock"
        for version in versions:
            if not wanted.specifier.contains(version):
                yield f"{wanted}: the lock has {version}"


def unproven(lock: str) -> Iterator[str]:
    """Entries that are not one exact version with the sum of its files."""
    for block in blocks(lock):
        entry = BLOCK.match(block)
        if entry is None or not re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry["rest"]):
            yield block


def package_hosts(root: Path) -> Iterator[str]:
    """Places that name a host of packages: every machine has its own."""
    for path in tidy.files(root):
        found = PACKAGE_HOSTS.search(path.read_text(errors="replace"))
        if found:
            yield f"{path.relative_to(root)}: {found[0]}"


def read(name: str) -> str:
    return (tidy.ROOT / name).read_text()


def test_the_lock_gives_what_the_project_asks_for() -> None:
    assert list(disagreements(read("pyproject.toml"), read("requirements.lock"))) == []


def test_every_entry_is_one_version_with_its_sums() -> None:
    assert list(unproven(read("requirements.lock"))) == []


def test_no_package_host_is_named_anywhere() -> None:
    assert list(package_hosts(tidy.ROOT)) == []


PROJECT = '[project]\ndependencies = ["a>=2"]\noptional-dependencies.test = ["b[x]==1.5"]\n'
SUM = "--hash=sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("lock", "said"),
    [
        (f"a==2.1 \\\n    {SUM}\nb==1.5 ; python_full_version < '3.12' {SUM}\n", []),
        (f"a==1.9 {SUM}\nb==1.5 {SUM}\n", ["a>=2: the lock has 1.9"]),
        (f"a==2.0 {SUM}\n", ["b[x]==1.5: not in the lock"]),
    ],
)
def test_a_disagreement_is_found(lock: str, said: list[str]) -> None:
    assert list(disagreements(PROJECT, lock)) == said


@pytest.mark.parametrize("entry", ["a==1.0", f"a>=1.0 {SUM}", "a @ file:///tmp/a.whl"])
def test_an_entry_without_its_sum_is_found(entry: str) -> None:
    assert list(unproven(entry)) == [entry]


@pytest.mark.parametrize("text", ["https://py" + "pi.example/simple", "-" + "-index-url x"])
def test_a_package_host_is_found(text: str, tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_text(text)
    assert len(list(package_hosts(tmp_path))) == 1
