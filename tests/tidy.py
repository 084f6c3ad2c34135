"""The house rules that no linter knows, as functions over a folder: each yields its offences.

`test_tidy.py` runs them over the repository, and over planted offenders to show that they can fail.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parent.parent
LINE_COLUMNS_MAX = 100
FUNCTION_LINES_MAX = 70
MODULE_LINES_MAX = 400
PRODUCT = ("schemas", "tables", "streams", "agents", "weir")
PURE = ("schemas", "tables", "streams")
GENERATED = ("schemas/records.py",)
NOT_OURS = {".git", ".venv", ".weir", "__pycache__", "node_modules"}

# In what decides: time, ids and chance are inputs; the environment is none; money has no float.
BANNED_PURE = re.compile(
    r"datetime\.now|utcnow|date(time)?\.today|time\.(time|monotonic|perf_counter)(_ns)?|uuid[14]"
    r"|random|secrets|os\.(environ|getenv|urandom)|float"
)
# A test runs the real thing or a product stand-in; it waits for a fact, not for a while.
BANNED_TESTS = re.compile(
    r"unittest\.mock|mock|monkeypatch|mocker|(pytest|mark)\.(skip|skipif|xfail|importorskip)"
)
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
STARTED_BY_NAME = re.compile(r"\b((?:schemas|tables|streams|agents|weir)(?:\.\w+)+)\b")


@dataclass(frozen=True)
class Module:
    """One Python file."""

    root: Path
    path: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text()

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def where(self) -> str:
        return self.path.relative_to(self.root).as_posix()

    @property
    def folder(self) -> str:
        return self.where.partition("/")[0]

    @property
    def dotted(self) -> str:
        return self.where.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def files(root: Path = ROOT) -> Iterator[Path]:
    """Every text file of the repository, of this working tree."""
    for path in sorted(root.iterdir()):
        if path.is_dir():
            if path.name not in NOT_OURS and not path.name.endswith(("_cache", ".egg-info")):
                yield from files(path)
        elif path.suffix not in {".pyc", ".parquet", ".png", ".gz"}:
            yield path


def modules(root: Path) -> list[Module]:
    """Every Python file."""
    return [Module(root, path) for path in files(root) if path.suffix == ".py"]


def long_lines(root: Path) -> Iterator[str]:
    for module in modules(root):
        for number, line in enumerate(module.text.splitlines(), 1):
            if len(line) > LINE_COLUMNS_MAX and module.where not in GENERATED:
                yield f"{module.where}:{number}: {len(line)} columns"


def long_functions(root: Path) -> Iterator[str]:
    for module in modules(root):
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX and module.where not in GENERATED:
                yield f"{module.where}:{node.lineno}: {node.name} has {lines} lines"


def long_modules(root: Path) -> Iterator[str]:
    for module in modules(root):
        lines = len(module.text.splitlines())
        if lines > MODULE_LINES_MAX and module.where not in GENERATED:
            yield f"{module.where}: {lines} lines"


def no_docstring(root: Path) -> Iterator[str]:
    for module in modules(root):
        if module.text.strip() and not ast.get_docstring(module.tree):
            yield f"{module.where}: no docstring"


def banned_where_it_is_decided(root: Path) -> Iterator[str]:
    for module in modules(root):
        if module.folder in PURE:
            for number, name in _names(module.tree):
                if BANNED_PURE.fullmatch(name):
                    yield f"{module.where}:{number}: {name}"


def banned_in_tests(root: Path) -> Iterator[str]:
    for module in modules(root):
        if module.folder == "tests":
            for number, name in _names(module.tree):
                if BANNED_TESTS.fullmatch(name):
                    yield f"{module.where}:{number}: {name}"
            for number in _sleeps_outside_loops(module.tree):
                yield f"{module.where}:{number}: a sleep that does not look whether it is over"


def asserts_in_the_product(root: Path) -> Iterator[str]:
    """`assert` vanishes under -O: what must hold at run time raises."""
    for module in modules(root):
        if module.folder in PRODUCT:
            for node in ast.walk(module.tree):
                if isinstance(node, ast.Assert):
                    yield f"{module.where}:{node.lineno}: assert"


def unfinished(root: Path) -> Iterator[str]:
    for path in files(root):
        if path.name == "requirements.lock":
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            found = UNFINISHED.search(line)
            if found:
                yield f"{path.relative_to(root).as_posix()}:{number}: {found[0]}"


def dead_modules(root: Path) -> Iterator[str]:
    """A product module that no other one imports, that no program starts, and no name points to."""
    known = modules(root)
    names = {module.dotted for module in known}
    alive = set(STARTED_BY_NAME.findall(_configuration(root)))
    for module in known:
        if module.folder not in ("tests", "bench"):
            alive |= _reached(module, names) - {module.dotted}
    for module in known:
        is_program = 'if __name__ == "__main__"' in module.text
        is_package = module.path.name == "__init__.py"
        started = is_package or is_program or module.dotted in alive
        if module.folder in PRODUCT and not started:
            yield f"{module.where}: nobody imports it"


RULES = (
    long_lines,
    long_functions,
    long_modules,
    no_docstring,
    banned_where_it_is_decided,
    banned_in_tests,
    asserts_in_the_product,
    unfinished,
    dead_modules,
)


def _names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every name used or imported, dotted, and `float` for a number written with a point."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, node.module or ""
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.Attribute):
            yield node.lineno, f"{_last(node.value)}.{node.attr}"
            yield node.lineno, node.attr
        elif isinstance(node, ast.Name):
            yield node.lineno, node.id
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield node.lineno, "float"


def _sleeps_outside_loops(node: ast.AST) -> Iterator[int]:
    """Lines of `time.sleep` and `asyncio.sleep` that no loop repeats."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.For | ast.While | ast.AsyncFor):
            continue
        if isinstance(child, ast.Attribute) and child.attr == "sleep":
            yield child.lineno
        yield from _sleeps_outside_loops(child)


def _last(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _reached(module: Module, names: set[str]) -> set[str]:
    """The modules that this one imports or names in a string (a program it starts)."""
    reached: set[str] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            reached |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            reached.add(node.module or "")
            reached |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            reached |= set(STARTED_BY_NAME.findall(node.value)) if len(node.value) < 80 else set()
    return reached & names


def _configuration(root: Path) -> str:
    """What names modules outside Python: the scripts of the project and the Makefile."""
    paths = (root / "pyproject.toml", root / "Makefile")
    return "\n".join(path.read_text() for path in paths if path.exists())
