"""The house rules hold in the whole repository, and each of them is able to fail."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import tidy

Rule = Callable[[Path], Iterator[str]]

OFFENDERS: list[tuple[Rule, str, str]] = [
    (tidy.long_lines, "streams/a.py", f"x = '{'a' * 100}'\n"),
    (tidy.long_functions, "agents/a.py", "def f():\n" + "    x = 1\n" * 70),
    (tidy.long_modules, "tests/a.py", "x = 1\n" * 401),
    (tidy.no_docstring, "weir/a.py", "x = 1\n"),
    (tidy.banned_where_it_is_decided, "streams/a.py", "now = datetime.now(UTC)\n"),
    (tidy.banned_where_it_is_decided, "streams/a.py", "now = dt.datetime.utcnow()\n"),
    (tidy.banned_where_it_is_decided, "tables/a.py", "from time import time\n"),
    (tidy.banned_where_it_is_decided, "tables/a.py", "now = time.monotonic_ns()\n"),
    (tidy.banned_where_it_is_decided, "schemas/a.py", "import random\n"),
    (tidy.banned_where_it_is_decided, "schemas/a.py", "from uuid import uuid4\n"),
    (tidy.banned_where_it_is_decided, "schemas/a.py", "home = os.environ['HOME']\n"),
    (tidy.banned_where_it_is_decided, "schemas/a.py", "amount = float('1')\n"),
    (tidy.banned_where_it_is_decided, "streams/a.py", "half = 0.5\n"),
    (tidy.banned_where_it_is_decided, "streams/a.py", "def f(amount: float): ...\n"),
    (tidy.banned_in_tests, "tests/a.py", "from unittest.mock import patch\n"),
    (tidy.banned_in_tests, "tests/a.py", "def test_a(monkeypatch): ...\n"),
    (tidy.banned_in_tests, "tests/a.py", "@pytest.mark.skip\ndef test_a(): ...\n"),
    (tidy.banned_in_tests, "tests/a.py", "pytest.skip('not today')\n"),
    (tidy.banned_in_tests, "tests/a.py", "time.sleep(1)\n"),
    (tidy.banned_in_tests, "tests/a.py", "def test_a():\n    await asyncio.sleep(1)\n"),
    (tidy.asserts_in_the_product, "agents/a.py", "assert 1 == 1\n"),
    (tidy.unfinished, "docs/a.md", "TO" + "DO: more\n"),
    (tidy.unfinished, "weir/a.py", "x = 1  # FIX" + "ME\n"),
    (tidy.dead_modules, "streams/a.py", "x = 1\n"),
]


@pytest.mark.req("000-80")
@pytest.mark.parametrize("rule", tidy.RULES, ids=lambda rule: rule.__name__)
def test_the_repository_keeps_the_rule(rule: Rule) -> None:
    offences = list(rule(tidy.ROOT))
    assert not offences, "\n".join(offences)


@pytest.mark.parametrize(("rule", "where", "text"), OFFENDERS)
def test_the_rule_finds_an_offender(rule: Rule, where: str, text: str, tmp_path: Path) -> None:
    planted = tmp_path / where
    planted.parent.mkdir()
    planted.write_text(text)
    offences = list(rule(tmp_path))
    assert len(offences) >= 1
    assert all(offence.startswith(where) for offence in offences)


def test_every_rule_has_an_offender() -> None:
    assert {rule for rule, _, _ in OFFENDERS} == set(tidy.RULES)


def test_a_poll_may_sleep_between_its_looks(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "a.py").write_text("while not ready():\n    time.sleep(0.1)\n")
    assert list(tidy.banned_in_tests(tmp_path)) == []


def test_what_is_imported_started_or_named_is_not_dead(tmp_path: Path) -> None:
    texts = {
        "weir/used.py": "x = 1\n",
        "weir/program.py": 'if __name__ == "__main__":\n    pass\n',
        "weir/named.py": "x = 1\n",
        "weir/user.py": "from weir.used import x\n",
        "weir/starter.py": "from weir import user\nargv = ['-m', 'weir.named']\n",
        "pyproject.toml": '[project.scripts]\nweir = "weir.starter:main"\n',
    }
    (tmp_path / "weir").mkdir()
    for where, text in texts.items():
        (tmp_path / where).write_text(text)
    assert list(tidy.dead_modules(tmp_path)) == []
