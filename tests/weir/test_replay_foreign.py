"""`weir replay` over files that nobody recorded with Weir: executions and loans from elsewhere."""

import json
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

FILLS = "hedge-executions.jsonl"


def weir(*words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "weir.cli", *words]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A year of candles, up and down, of an account that hedges."""
    base = tmp_path_factory.mktemp("foreign")
    first = date(2015, 1, 1)
    rows = [f"{first + timedelta(day)},{20_000 + 90 * abs(180 - day)}.5" for day in range(365)]
    (base / "candles.csv").write_text("date,close\n" + "\n".join(rows) + "\n")
    made = weir("backtest", "prices", str(base / "candles.csv"), "--to", str(base / "records"))
    assert made.returncode == 0, made.stderr
    return base / "records"


def test_records_without_a_merge_order_are_folded_in_the_order_of_their_times(
    folder: Path, tmp_path: Path
) -> None:
    fills = len((folder / FILLS).read_text().splitlines())
    assert fills > 5
    runs = []
    for name in ("one", "two"):
        out = tmp_path / name
        done = weir("replay", "--input", str(folder), "--out", str(out), "--json")
        assert done.returncode == 0, done.stderr
        said = json.loads(done.stdout)
        files = {file.stem: file.read_bytes() for file in out.iterdir()}
        lines = {topic: text.count(b"\n") for topic, text in files.items()}
        assert lines == said["outputs"]
        assert lines["treasury.pnl.v1"] == fills
        assert said["letters"] == {}
        runs.append(files)
    assert runs[0] == runs[1]


def test_what_such_files_cannot_answer_is_said(folder: Path, tmp_path: Path) -> None:
    done = weir("replay", "--input", str(folder), "--node", "book")
    assert done.returncode == 1
    assert "holds no merge order" in done.stderr
    broken = tmp_path / "broken"
    broken.mkdir()
    lines = (folder / FILLS).read_text().splitlines()
    cut = lines[1].replace('"qty": "', '"qty": "x')
    (broken / FILLS).write_text("\n".join([lines[0], cut]) + "\n")
    done = weir("replay", "--input", str(broken))
    assert done.returncode == 1
    assert f"{FILLS}:2" in done.stderr.replace(", line ", ":").replace(" line ", ":")
    assert "qty" in done.stderr
