"""`weir up`, `weir status`, `weir down` as a person types them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from weir.home import Home
from weir.kafka import Broker, answers
from weir.processes import Slot
from weir.registry import Registry


def weir(home: Home, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WEIR")}
    return subprocess.run(
        [sys.executable, "-m", "weir.cli", *words, "--home", str(home.root)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def clean_home(home: Home) -> Iterator[Home]:
    yield home
    Registry(home).stop()
    Broker(home).down()


def column(text: str, name: str) -> str:
    """What stands after a name at the start of a line."""
    found = [line.split() for line in text.splitlines() if line.startswith(name)]
    return found[0][1].rstrip(":")


def test_a_day_of_the_embedded_kafka(clean_home: Home) -> None:
    before = weir(clean_home, "status")
    assert before.returncode == 1
    assert "broker     does not run" in before.stdout
    assert "registry   does not run" in before.stdout

    up = weir(clean_home, "up")
    assert up.returncode == 0, up.stderr
    address, registry = column(up.stdout, "Kafka"), column(up.stdout, "registry")
    assert answers(address, 5.0)
    assert httpx.get(f"{registry}/subjects").status_code == 200
    assert f"kcat -L -b {address}" in up.stdout

    status = weir(clean_home, "status")
    assert status.returncode == 0
    assert f"broker     {address}: answers, process " in status.stdout
    assert column(status.stdout, "registry") == registry

    assert weir(clean_home, "up").stdout == up.stdout
    assert weir(clean_home, "down").stdout == "stopped\n"
    assert weir(clean_home, "down", "--wipe").stdout.startswith("nothing was running, ")
    assert [path.name for path in Path(clean_home.root).iterdir()] == []


def test_a_home_in_use_is_not_wiped(clean_home: Home) -> None:
    slot = Slot(clean_home, "pipeline-0")
    claim = slot.claim()
    slot.write({"pid": os.getpid(), "restarts": 0})
    wiping = weir(clean_home, "down", "--wipe")
    assert wiping.returncode == 1
    assert wiping.stderr.startswith("weir: pipeline-0 still runs in ")
    assert "still running, without Kafka: pipeline-0" in weir(clean_home, "down").stdout
    assert f"pipeline-0 runs: pid {os.getpid()}, restarts 0" in weir(clean_home, "status").stdout
    os.close(claim)
    assert weir(clean_home, "down", "--wipe").returncode == 0
