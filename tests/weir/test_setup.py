"""What the Makefile says on a machine that lacks something, and how little the command loads.

The machine is a PATH of links to what is meant to be there; nothing is installed.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import tidy

TOOLS = ("sed", "cat")
PROGRAMS = ("java", "mvn", "python3")
MAKE = shutil.which("make") or "make"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder with all that a set-up needs: the PATH of a fresh machine."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        (folder / tool).symlink_to(shutil.which(tool) or tool)
    plant(folder, "java", "echo 'openjdk version \"17.0.15\" 2025-04-15' >&2")
    plant(folder, "mvn", "exit 0")
    (folder / "python3").symlink_to(sys.executable)
    return folder


def plant(folder: Path, program: str, script: str) -> None:
    """Put a program of this name there, that does this."""
    path = folder / program
    path.unlink(missing_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def make(machine: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run make for a set-up that has not been made yet."""
    return subprocess.run(
        [MAKE, "--no-print-directory", f"VENV={machine.parent / 'venv'}", *words],
        cwd=tidy.ROOT,
        env={"PATH": str(machine), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_machine_with_everything_has_nothing_to_hear(machine: Path) -> None:
    done = make(machine, "preflight")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        ("java", "weir: java is missing, Kafka needs 17 or newer; on Debian: apt-get install "),
        ("mvn", "weir: Maven is missing, it fetches Kafka; on Debian: apt-get install maven "),
        ("python3", "weir: python3 is missing or older than 3.11; on Debian 12: apt-get install "),
    ],
)
def test_a_missing_program_is_one_sentence_with_the_remedy(
    machine: Path, program: str, sentence: str
) -> None:
    (machine / program).unlink()
    done = make(machine, "preflight")
    assert done.returncode != 0
    assert [line for line in done.stderr.splitlines() if "weir:" in line] == [
        line for line in done.stderr.splitlines() if line.startswith(sentence)
    ]
    assert done.stderr.startswith(sentence)


def test_all_that_is_missing_is_said_at_once(machine: Path) -> None:
    for program in PROGRAMS:
        (machine / program).unlink()
    done = make(machine, "preflight")
    assert done.stderr.count("weir: ") == len(PROGRAMS)


def test_an_old_java_is_named(machine: Path) -> None:
    plant(machine, "java", "echo 'java version \"1.8.0_401\"' >&2")
    assert "java is version 1, Kafka needs 17 or newer" in make(machine, "preflight").stderr
    plant(machine, "java", "echo 'openjdk version \"11.0.2\" 2019-01-15' >&2")
    assert "java is version 11, Kafka needs 17 or newer" in make(machine, "preflight").stderr


def test_java_home_comes_first(machine: Path, tmp_path: Path) -> None:
    done = make(machine, "preflight", JAVA_HOME=str(tmp_path / "nowhere"))
    assert done.stderr.startswith(f"weir: {tmp_path}/nowhere/bin/java is missing")


def test_an_old_python_is_refused(machine: Path) -> None:
    plant(machine, "python3", "exit 1")
    assert "python3 is missing or older than 3.11" in make(machine, "preflight").stderr


def test_python_without_venv_is_refused_unless_uv_is_there(machine: Path) -> None:
    plant(machine, "python3", 'case "$2" in *ensurepip*) exit 1 ;; esac')
    done = make(machine, "preflight")
    assert done.returncode != 0
    assert done.stderr.startswith("weir: Python cannot make virtual environments; on Debian: apt-")
    plant(machine, "uv", "exit 0")
    assert make(machine, "preflight").returncode == 0


def test_an_unpacked_kafka_needs_no_maven(machine: Path) -> None:
    (machine / "mvn").unlink()
    assert make(machine, "preflight", WEIR_KAFKA_JARS="/opt/kafka").returncode == 0


def test_a_price_file_reaches_the_demo(machine: Path) -> None:
    assert (
        "demo --prices 'some file.csv'"
        in make(machine, "-n", "demo", PRICES="some file.csv").stdout
    )
    assert "--prices" not in make(machine, "-n", "demo").stdout


def test_jars_that_are_not_the_locked_ones_are_not_kept(machine: Path) -> None:
    """Maven brings something else: make says which file, and a second run does not trust it."""
    for tool in ("rm", "mkdir", "touch", "sha256sum"):
        (machine / tool).symlink_to(shutil.which(tool) or tool)
    plant(machine, "mvn", 'echo other >"${8#-DoutputDirectory=}/slf4j-api-1.7.36.jar"')
    venv = machine.parent / "venv"
    venv.mkdir()
    (venv / ".installed").touch()
    done = make(machine, "setup")
    assert done.returncode != 0
    assert "slf4j-api-1.7.36.jar: FAILED" in done.stdout + done.stderr
    assert not (venv / "share" / "kafka" / ".fetched").exists()


def test_the_help_loads_no_client_and_no_web() -> None:
    program = "import sys, weir.cli; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert not loaded & {"confluent_kafka", "faust", "fastapi", "pydantic", "httpx"}


def test_a_wrong_setting_is_one_sentence(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "weir.cli", "status"],
        env={"WEIR_PARTITIONS": "many", "WEIR_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("weir: WEIR_PARTITIONS=many: ")
    assert done.stderr.count("\n") == 1


def test_an_outside_cluster_is_not_started_and_not_stopped(tmp_path: Path) -> None:
    for verb in ("up", "down"):
        done = subprocess.run(
            [sys.executable, "-m", "weir.cli", verb, "--bootstrap", "kafka.example:9092"],
            env={"WEIR_HOME": str(tmp_path / "home")},
            capture_output=True,
            text=True,
            check=True,
        )
        assert "outside cluster kafka.example:9092: nothing to" in done.stdout
    assert not (tmp_path / "home").exists()
