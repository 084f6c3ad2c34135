"""The direction of imports is the architecture: the contracts hold, and each is able to fail."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import tidy

# A file for each contract of pyproject.toml, in their order, that breaks it.
OFFENDERS = {
    "schemas/a.py": "import tables\n",
    "weir/sandbox/a.py": "import schemas\n",
    "agents/exact/a.py": "import streams\n",
    "streams/a.py": "import asyncio\n",
}


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    command = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [command, "--no-cache"],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "NO_COLOR": "1", "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.req("000-80", "003-55")
def test_every_contract_is_kept() -> None:
    done = lint_imports(tidy.ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(OFFENDERS)} kept, 0 broken" in done.stdout


def test_every_contract_can_be_broken(tmp_path: Path) -> None:
    shutil.copy(tidy.ROOT / "pyproject.toml", tmp_path)
    for package in (*tidy.PRODUCT, "agents/exact", "weir/sandbox"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    for where, text in OFFENDERS.items():
        (tmp_path / where).write_text(text)
    done = lint_imports(tmp_path)
    assert done.returncode == 1
    assert f"0 kept, {len(OFFENDERS)} broken" in done.stdout, done.stdout + done.stderr


def test_the_sandbox_imports_nothing_of_ours_not_even_of_weir() -> None:
    for module in tidy.modules(tidy.ROOT):
        if not module.where.startswith("weir/sandbox/"):
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("weir"):
                assert str(node.module).startswith("weir.sandbox"), module.where
