"""Makes `records.py` and `sweep_order.schema.json` from the `.avsc` files, and releases schemas.

    python -m schemas.generate             write both
    python -m schemas.generate --check     fail when one is stale or a schema is not released
    python -m schemas.generate --release   append changed schemas to ids.lock.json

The lock holds every schema ever released, with the id that stands in the five bytes before each
record; entries are only ever appended.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from schemas import codegen, order_schema
from schemas.contracts import SUBJECTS, named, plain, resolved

RECORDS = Path(__file__).parent / "records.py"
LOCK = Path(__file__).parent / "ids.lock.json"


def main(arguments: list[str]) -> int:
    """Carries out one of the three commands above; the exit code is 0 when all is well."""
    if arguments == ["--release"]:
        for line in release():
            print(line)
        return 0
    if arguments == ["--check"]:
        faults = check()
        for fault in faults:
            print(fault, file=sys.stderr)
        return 1 if faults else 0
    if arguments:
        print(__doc__, file=sys.stderr)
        return 2
    RECORDS.write_text(codegen.module(SUBJECTS.values()))
    order_schema.FILE.write_text(order_schema.text(released(order_schema.SUBJECT)))
    return 0


def check() -> list[str]:
    """What is stale, in words; empty when nothing is."""
    faults = []
    if not RECORDS.exists() or RECORDS.read_text() != codegen.module(SUBJECTS.values()):
        faults.append("schemas/records.py is stale: run `python -m schemas.generate`")
    order = order_schema.FILE
    if not order.exists() or order.read_text() != order_schema.text(released(order_schema.SUBJECT)):
        faults.append(f"schemas/{order.name} is stale: run `python -m schemas.generate`")
    faults += [
        f"the schema of {topic} is not released: run `python -m schemas.generate --release`"
        for topic in unreleased()
    ]
    return faults


def unreleased() -> list[str]:
    """Topics whose schema differs from the latest released one in more than its docs."""
    latest = {entry["subject"]: json.loads(entry["schema"]) for entry in lock()}
    return [
        topic
        for topic, record in SUBJECTS.items()
        if plain(latest.get(f"{topic}-value", {})) != plain(resolved(record))
    ]


def release() -> list[str]:
    """Appends what `unreleased` names; returns a line for each."""
    entries = lock()
    lines = []
    for topic in unreleased():
        subject = f"{topic}-value"
        entry = {
            "id": max((e["id"] for e in entries), default=0) + 1,
            "subject": subject,
            "version": sum(e["subject"] == subject for e in entries) + 1,
            "schema": json.dumps(resolved(SUBJECTS[topic]), separators=(",", ":")),
        }
        entries.append(entry)
        lines.append(f"{subject} version {entry['version']}: id {entry['id']}")
    LOCK.write_text(json.dumps(entries, indent=1) + "\n")
    return lines


def released(subject: str) -> list[dict[str, Any]]:
    """All released schemas of a subject, oldest first."""
    return [json.loads(entry["schema"]) for entry in lock() if entry["subject"] == subject]


def lock() -> list[dict[str, Any]]:
    """The released schemas, oldest first."""
    if not LOCK.exists():
        return []
    entries: list[dict[str, Any]] = json.loads(LOCK.read_text())
    return entries


if __name__ == "__main__":
    missing = sorted(set(SUBJECTS.values()) - set(named()))
    if missing:
        raise SystemExit(f"no .avsc defines {', '.join(missing)}")
    raise SystemExit(main(sys.argv[1:]))
