"""Which keys were used with which body, in a file of the home that survives a kill.

A key is kept for `KEEP_DAYS`. One that comes again with the same body is answered as before; with
another body it is refused. A request that died between the two steps here is carried out again:
what it writes carries the bank's message id, of which the cash node drops repeats.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

KEEP_DAYS = 30
_TABLE = """
CREATE TABLE IF NOT EXISTS used (
    key TEXT PRIMARY KEY, sha256 TEXT NOT NULL, answer TEXT, at_s INTEGER NOT NULL
)
"""


class Different(Exception):
    """The key was used with another body."""


class Keys:
    """The keys of one home; usable from any thread."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, timeout=10, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute(_TABLE)
        self._db.execute("DELETE FROM used WHERE at_s < ?", (_now_s() - KEEP_DAYS * 86_400,))

    def begin(self, key: str, body: bytes) -> Any:
        """The answer given before; None: the request is to be carried out. Raises Different."""
        digest = sha256(body).hexdigest()
        with self._lock:
            self._db.execute(
                "INSERT OR IGNORE INTO used VALUES (?, ?, NULL, ?)", (key, digest, _now_s())
            )
            row = self._db.execute("SELECT sha256, answer FROM used WHERE key = ?", (key,))
            known, answer = row.fetchone()
        if known != digest:
            raise Different(key)
        return None if answer is None else json.loads(answer)

    def done(self, key: str, answer: Any) -> None:
        """The request was carried out."""
        with self._lock:
            self._db.execute("UPDATE used SET answer = ? WHERE key = ?", (json.dumps(answer), key))

    def close(self) -> None:
        """Closes the file."""
        self._db.close()


def _now_s() -> int:
    return int(time.time())
