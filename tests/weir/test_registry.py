"""The read side of the registry API, as the documented client calls it."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from weir.home import Home
from weir.registry import LOCK_FILE, Registry, Schemas, api

FIRST = {"type": "record", "name": "Pnl", "fields": [{"name": "net", "type": "long"}]}
ADDED = {"name": "fee", "type": ["null", "long"], "default": None}
SECOND = {**FIRST, "fields": [{"name": "net", "type": "long"}, ADDED]}
RELEASED = [
    {"id": 3, "subject": "t.pnl-value", "version": 2, "schema": json.dumps(SECOND)},
    {"id": 1, "subject": "t.pnl-value", "version": 1, "schema": FIRST},
    {"id": 1, "subject": "t.pnl-copy-value", "version": 1, "schema": FIRST},
]


@pytest.fixture
def lock_file(tmp_path: Path) -> Path:
    path = tmp_path / "ids.lock.json"
    path.write_text(json.dumps(RELEASED))
    return path


def client_of(lock_file: Path) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(api(Schemas(lock_file)))
    return httpx.AsyncClient(transport=transport, base_url="http://registry")


@pytest.fixture
async def client(lock_file: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(lock_file) as ready:
        yield ready


async def told(client: httpx.AsyncClient, path: str) -> Any:
    return (await client.get(path)).json()


@pytest.fixture
def registry(home: Home) -> Iterator[Registry]:
    process = Registry(home)
    yield process
    process.stop()


async def test_a_consumer_finds_the_schema_of_an_id(client: httpx.AsyncClient) -> None:
    answer = await client.get("/schemas/ids/3", params={"subject": "t.pnl-value"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/vnd.schemaregistry.v1+json")
    assert json.loads(answer.json()["schema"]) == SECOND
    assert await told(client, "/schemas/ids/1/schema") == FIRST
    assert await told(client, "/schemas/ids/1/subjects") == ["t.pnl-value", "t.pnl-copy-value"]
    assert await told(client, "/schemas/ids/3/versions") == [
        {"subject": "t.pnl-value", "version": 2}
    ]


async def test_a_ui_walks_subjects_and_versions(client: httpx.AsyncClient) -> None:
    assert await told(client, "/subjects") == ["t.pnl-copy-value", "t.pnl-value"]
    assert await told(client, "/subjects/t.pnl-value/versions") == [1, 2]
    for wanted, version, schema_id in (("1", 1, 1), ("latest", 2, 3), ("-1", 2, 3)):
        found = await told(client, f"/subjects/t.pnl-value/versions/{wanted}")
        assert (found["version"], found["id"]) == (version, schema_id)
        assert found["subject"] == "t.pnl-value"
    assert await told(client, "/subjects/t.pnl-value/versions/2/schema") == SECOND
    assert await told(client, "/schemas/types") == ["AVRO"]
    assert len(await told(client, "/schemas")) == 3
    assert await told(client, "/config") == {"compatibilityLevel": "BACKWARD_TRANSITIVE"}
    assert await told(client, "/config/t.pnl-value") == await told(client, "/config")
    assert await told(client, "/mode") == await told(client, "/mode/x")
    assert await told(client, "/mode") == {"mode": "READONLY"}


async def test_a_producer_looks_up_but_cannot_register(client: httpx.AsyncClient) -> None:
    asked = {"schema": json.dumps(FIRST, indent=1)}
    assert (await client.post("/subjects/t.pnl-value", json=asked)).json()["id"] == 1
    refused = await client.post("/subjects/t.pnl-value/versions", json=asked)
    assert refused.status_code == 422
    assert refused.json()["error_code"] == 42205


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/schemas/ids/99", 404, 40403),
        ("/schemas/ids/x", 422, 422),
        ("/subjects/none/versions", 404, 40401),
        ("/subjects/none/versions/1", 404, 40401),
        ("/subjects/t.pnl-value/versions/9", 404, 40402),
        ("/subjects/t.pnl-value/versions/x", 422, 42202),
        ("/subjects/t.pnl-value/versions/0", 422, 42202),
        ("/nothing", 404, 404),
    ],
)
async def test_what_is_not_there_has_the_documented_code(
    client: httpx.AsyncClient, path: str, status: int, code: int
) -> None:
    answer = await client.get(path)
    assert answer.status_code == status
    assert answer.json()["error_code"] == code
    assert answer.json()["message"]


@pytest.mark.parametrize("schema", ["{", json.dumps("long")])
async def test_a_lookup_that_finds_nothing(client: httpx.AsyncClient, schema: str) -> None:
    answer = await client.post("/subjects/t.pnl-value", json={"schema": schema})
    assert answer.json()["error_code"] == (42201 if schema == "{" else 40403)


def test_a_release_is_seen_without_a_restart(lock_file: Path) -> None:
    lock_file.unlink()
    schemas = Schemas(lock_file)
    assert schemas.rows() == []
    lock_file.write_text(json.dumps(RELEASED[:1]))
    assert [row.id for row in schemas.rows()] == [3]


def test_the_process_answers_keeps_its_port_and_stops(registry: Registry, lock_file: Path) -> None:
    assert registry.url is None
    url = registry.start(lock_file)
    registry.wait()
    assert httpx.get(f"{url}/subjects").json() == ["t.pnl-copy-value", "t.pnl-value"]
    assert registry.start(lock_file) == registry.url == url
    assert registry.stop() is True
    assert registry.url is None
    assert registry.stop() is False
    assert registry.start(lock_file) == url


async def test_the_schemas_of_the_repository_are_served() -> None:
    rows = Schemas(LOCK_FILE).rows()
    assert rows
    async with client_of(LOCK_FILE) as served:
        for row in rows:
            answer = await served.get(f"/schemas/ids/{row.id}")
            assert json.loads(answer.json()["schema"]) == json.loads(row.schema)
