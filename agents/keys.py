"""Private keys as files of this machine: one JWK each, readable by its owner alone.

They hang below `WEIR_HOME/keys`. A key never leaves its file: what others need is its public part,
which stands in the policy (people) or in the settings of those who listen (processes).
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from schemas.signing import PrivateKey, public_key

FOLDER = "keys"
PIPELINE, EXECUTOR, WEB = "pipeline", "executor", "web"
"""Names of the keys of processes: each signs what it says that money depends on."""
_NAME = re.compile(r"^[a-z0-9][a-z0-9._-]*$")


class KeyFault(RuntimeError):
    """A key cannot be used or made; the sentence says which file and why."""


def path_of(home: Path, name: str) -> Path:
    """Where a key lies. Raises KeyFault for a name that could be a path."""
    if not _NAME.match(name):
        raise KeyFault(f"{name!r} is no name for a key: small letters, digits, . _ -")
    return home / FOLDER / f"{name}.jwk"


def create(home: Path, name: str) -> PrivateKey:
    """A new key in its file. Raises KeyFault if there is one: overwriting it would lock out."""
    path, key = path_of(home, name), PrivateKey.new(name)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    scratch = path.with_name(f".{name}.{os.getpid()}")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(key.jwk())
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(scratch, path)  # whole or not at all, and never over an existing one
    except FileExistsError:
        raise KeyFault(f"{path} exists already; a new key needs a new name") from None
    finally:
        scratch.unlink()
    return key


def load(home: Path, name: str) -> PrivateKey:
    """The key of a file. Raises KeyFault if it is missing, unreadable, or readable by others."""
    path = path_of(home, name)
    try:
        mode, text = path.stat().st_mode, path.read_text()
        key = PrivateKey.from_jwk(name, text)
    except FileNotFoundError:
        raise KeyFault(f"no key of {name} in {path.parent}: `weir keys new {name}`") from None
    except (OSError, ValueError) as why:
        raise KeyFault(f"{path}: {why}") from why
    if mode & 0o077:
        raise KeyFault(f"{path} can be read by others: chmod 600, or better a new key")
    return key


def pipeline(home: Path) -> PrivateKey:
    """The pipeline's key, made at its first start; its public part lies beside it."""
    return _own(home, PIPELINE)


def executor(home: Path) -> PrivateKey:
    """The executor's key, likewise."""
    return _own(home, EXECUTOR)


def web(home: Path) -> PrivateKey:
    """The key of the web process, likewise."""
    return _own(home, WEB)


def _own(home: Path, name: str) -> PrivateKey:
    try:
        key = create(home, name)
    except KeyFault:
        key = load(home, name)
    beside = _public_path(home, name)
    if not beside.exists() or beside.read_text().strip() != key.public:
        scratch = beside.with_suffix(f".{os.getpid()}")
        scratch.write_text(key.public + "\n")
        scratch.replace(beside)
    return key


def trusted(home: Path, others: tuple[str, ...], name: str = PIPELINE) -> tuple[str, ...]:
    """The public keys of pipelines, executors or webs whose word counts: the one of this home, and
    those it is told of. Raises KeyFault for a text that is no key.
    """
    try:
        found = [_public_path(home, name).read_text().strip()]
    except FileNotFoundError:
        found = []
    try:
        return tuple(public_key(text) for text in (*found, *others))
    except ValueError as why:
        raise KeyFault(f"a key of the {name} {why}") from why


def _public_path(home: Path, name: str) -> Path:
    return home / FOLDER / f"{name}.pub"
