"""The read side of a Confluent-compatible schema registry.

Called when a process starts and when an unknown id turns up; never from a step.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

TIMEOUT_S = 10


@dataclass(frozen=True)
class Released:
    """One released schema: `schema` is its Avro text, `version` its place among those of its
    subject.
    """

    id: int
    subject: str
    version: int
    schema: str


class Registry:
    """A registry by its URL, for example http://127.0.0.1:8081."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def versions(self, subject: str, known: set[int] | None = None) -> list[Released]:
        """All versions of a subject, oldest first, without the `known` ids; may be empty."""
        base = f"/subjects/{urllib.parse.quote(subject, safe='')}/versions"
        found = []
        for version in self._get(base) or []:
            entry = self._get(f"{base}/{version}")
            if entry is not None and entry["id"] not in (known or ()):
                found.append(Released(entry["id"], subject, entry["version"], entry["schema"]))
        return found

    def by_id(self, schema_id: int) -> Released | None:
        """The schema of an id, whatever its subject; None when the registry does not know it."""
        entry = self._get(f"/schemas/ids/{schema_id}")
        return None if entry is None else Released(schema_id, "", 0, entry["schema"])

    def _get(self, path: str) -> Any:
        request = urllib.request.Request(
            self.url + path, headers={"Accept": "application/vnd.schemaregistry.v1+json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise ConnectionError(f"{self.url}{path}: HTTP {error.code}") from error
        except urllib.error.URLError as error:
            raise ConnectionError(f"{self.url}{path}: {error.reason}") from error
