"""The read side of the Confluent schema registry API, from the lock file of released schemas.

Foreign consumers (a Kafka UI, a plain Confluent client) decode our topics with it, without any
other server. It cannot be written to: a schema is released by a commit, and registering answers as
a registry in read-only mode does. `python -m weir.registry PORT LOCK_FILE` serves it.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from weir.errors import WeirError
from weir.home import Home
from weir.ports import HOST, free_port, is_free, listens
from weir.processes import Slot, end, spawn, wait_until

LOCK_FILE = Path(__file__).parent.parent / "schemas" / "ids.lock.json"
COMPATIBILITY = "BACKWARD_TRANSITIVE"
START_PATIENCE_S = 30.0
_MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"


class Refusal(Exception):
    """What the API answers instead: an HTTP status, its finer code, and a sentence."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass(frozen=True)
class Released:
    """One schema as released: its id for ever, its place among the versions of its subject."""

    id: int
    subject: str
    version: int
    schema: str


class Schemas:
    """The released schemas; the file is read again when it has changed."""

    def __init__(self, lock_file: Path) -> None:
        self._lock_file = lock_file
        self._read_at = -1
        self._rows: list[Released] = []

    def rows(self) -> list[Released]:
        """All, by id."""
        try:
            changed_at = self._lock_file.stat().st_mtime_ns
        except FileNotFoundError:
            return []
        if changed_at != self._read_at:
            content = json.loads(self._lock_file.read_text())
            self._rows = sorted(map(_released, content), key=lambda row: row.id)
            self._read_at = changed_at
        return self._rows

    def by_id(self, schema_id: int) -> list[Released]:
        """Where this schema is used; at least one place."""
        found = [row for row in self.rows() if row.id == schema_id]
        if not found:
            raise Refusal(404, 40403, f"Schema {schema_id} not found.")
        return found

    def versions(self, subject: str) -> list[Released]:
        """Every version of a subject, oldest first; at least one."""
        found = [row for row in self.rows() if row.subject == subject]
        if not found:
            raise Refusal(404, 40401, f"Subject '{subject}' not found.")
        return sorted(found, key=lambda row: row.version)

    def version(self, subject: str, wanted: str) -> Released:
        """One version: its number, `latest` or `-1`."""
        found = self.versions(subject)
        if wanted in ("latest", "-1"):
            return found[-1]
        if not wanted.isdecimal() or int(wanted) < 1:
            raise Refusal(
                422, 42202, f"The specified version '{wanted}' is not a valid version id."
            )
        for row in found:
            if row.version == int(wanted):
                return row
        raise Refusal(404, 40402, f"Version {wanted} not found.")

    def lookup(self, subject: str, schema: str) -> Released:
        """The version of a subject that is this schema, however it is spaced."""
        try:
            asked = json.loads(schema)
        except json.JSONDecodeError as error:
            raise Refusal(422, 42201, f"Invalid schema: {error}") from error
        for row in reversed(self.versions(subject)):
            if json.loads(row.schema) == asked:
                return row
        raise Refusal(404, 40403, "Schema not found")


class Registry:
    """The registry process of one home."""

    def __init__(self, home: Home) -> None:
        self.slot = Slot(home, "registry")
        self._port_file = home.run / "registry.port"

    @property
    def url(self) -> str | None:
        """Its address, None when it does not run."""
        return f"http://{HOST}:{self._port()}" if self.slot.is_held() else None

    def start(self, lock_file: Path = LOCK_FILE) -> str:
        """Start it, without waiting, on the remembered port or a new one; its address."""
        running = self.url
        if running:
            return running
        port = self._port() or free_port()
        if not is_free(port):
            port = free_port()  # only our own web and UI hold this address, and ask for it
        self._port_file.parent.mkdir(parents=True, exist_ok=True)
        self._port_file.write_text(f"{port}\n")
        argv = [sys.executable, "-m", "weir.registry", str(port), str(lock_file)]
        process = spawn(self.slot, argv, attached=False)
        self.slot.write({"pid": process.pid})
        return f"http://{HOST}:{port}"

    def wait(self) -> None:
        """Return when it answers; say the last lines of its log when it dies instead."""
        address = f"{HOST}:{self._port()}"
        wait_until(lambda: listens(address) or not self.slot.is_held(), START_PATIENCE_S)
        if not listens(address):
            raise WeirError(
                f"the schema registry did not start; the end of {self.slot.log_path}:\n"
                f"{self.slot.last_lines()}"
            )

    def stop(self) -> bool:
        """Stop it; True when it ran."""
        ran = self.slot.is_held()
        end(self.slot, grace_s=5.0)
        return ran

    def _port(self) -> int | None:
        try:
            return int(self._port_file.read_text())
        except FileNotFoundError:
            return None


def api(schemas: Schemas) -> Any:
    """The ASGI application."""
    from fastapi import FastAPI
    from fastapi.exceptions import RequestValidationError
    from fastapi.responses import JSONResponse
    from starlette.exceptions import HTTPException

    class Reply(JSONResponse):
        media_type = _MEDIA_TYPE

    app = FastAPI(title="Weir schema registry", default_response_class=Reply)

    def refuse(_request: Any, error: Exception) -> Reply:
        if isinstance(error, HTTPException):
            error = Refusal(error.status_code, error.status_code, f"HTTP {error.status_code}")
        elif isinstance(error, RequestValidationError):
            error = Refusal(422, 422, "; ".join(item["msg"] for item in error.errors()))
        elif not isinstance(error, Refusal):
            raise error
        body = {"error_code": error.code, "message": error.message}
        return Reply(body, status_code=error.status)

    for kind in (Refusal, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, refuse)
    _add_schemas(app.get, schemas)
    _add_subjects(app.get, schemas)
    _add_settings(app.get)
    _add_posts(app.post, schemas)
    return app


_Route = Callable[[str], Callable[[Callable[..., Any]], Any]]


def _add_schemas(get: _Route, schemas: Schemas) -> None:
    @get("/schemas/types")
    def types() -> list[str]:
        return ["AVRO"]

    @get("/schemas")
    def everything() -> list[dict[str, Any]]:
        return [_long(row) for row in schemas.rows()]

    @get("/schemas/ids/{schema_id}")
    def by_id(schema_id: int) -> dict[str, str]:
        return {"schema": schemas.by_id(schema_id)[0].schema}

    @get("/schemas/ids/{schema_id}/schema")
    def text_by_id(schema_id: int) -> Any:
        return json.loads(schemas.by_id(schema_id)[0].schema)

    @get("/schemas/ids/{schema_id}/subjects")
    def subjects_of(schema_id: int) -> list[str]:
        return [row.subject for row in schemas.by_id(schema_id)]

    @get("/schemas/ids/{schema_id}/versions")
    def versions_of(schema_id: int) -> list[dict[str, Any]]:
        found = schemas.by_id(schema_id)
        return [{"subject": row.subject, "version": row.version} for row in found]


def _add_subjects(get: _Route, schemas: Schemas) -> None:
    @get("/subjects")
    def subjects() -> list[str]:
        return sorted({row.subject for row in schemas.rows()})

    @get("/subjects/{subject}/versions")
    def versions(subject: str) -> list[int]:
        return [row.version for row in schemas.versions(subject)]

    @get("/subjects/{subject}/versions/{version}")
    def version(subject: str, version: str) -> dict[str, Any]:
        return _long(schemas.version(subject, version))

    @get("/subjects/{subject}/versions/{version}/schema")
    def text(subject: str, version: str) -> Any:
        return json.loads(schemas.version(subject, version).schema)


def _add_settings(get: _Route) -> None:
    @get("/")
    def root() -> dict[str, Any]:
        return {}

    @get("/config")
    @get("/config/{subject}")
    def config(subject: str | None = None) -> dict[str, str]:
        return {"compatibilityLevel": COMPATIBILITY}

    @get("/mode")
    @get("/mode/{subject}")
    def mode(subject: str | None = None) -> dict[str, str]:
        return {"mode": "READONLY"}


def _add_posts(post: _Route, schemas: Schemas) -> None:
    @post("/subjects/{subject}")
    def lookup(subject: str, body: dict[str, Any]) -> dict[str, Any]:
        return _long(schemas.lookup(subject, str(body.get("schema"))))

    @post("/subjects/{subject}/versions")
    def register(subject: str) -> None:
        raise Refusal(422, 42205, f"Subject {subject} is in read-only mode")


def _released(row: dict[str, Any]) -> Released:
    schema = row["schema"]
    text = schema if isinstance(schema, str) else json.dumps(schema, separators=(",", ":"))
    return Released(row["id"], row["subject"], row["version"], text)


def _long(row: Released) -> dict[str, Any]:
    return {
        "subject": row.subject,
        "version": row.version,
        "id": row.id,
        "schema": row.schema,
    }


if __name__ == "__main__":
    import uvicorn

    served = api(Schemas(Path(sys.argv[2])))
    uvicorn.run(served, host=HOST, port=int(sys.argv[1]), log_level="warning")
