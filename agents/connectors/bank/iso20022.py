"""ISO 20022 messages, read safely and checked against the ISO schemas.

No entity is expanded, no document type accepted, no network asked, and nothing larger than
`XML_BYTES_MAX` looked into. A message of a version whose schema is not kept is refused, not
guessed. What is read here is valid by its schema, so the paths below a `Part` mean what the
standard says.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock

from lxml import etree

import schemas
from streams.step import Refused

XML_BYTES_MAX = 4 * 1024 * 1024
NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:"
SCHEMAS = Path(schemas.__file__).parent / "iso20022"
_validating = Lock()  # a schema keeps the errors of its last validation


@dataclass(frozen=True)
class Part:
    """One element. Paths are names joined by `/`, without namespace."""

    element: etree._Element

    def text(self, path: str) -> str | None:
        """The text of the first element there, stripped; None where there is none."""
        found = self.element.findtext(_qualified(path))
        return (found or "").strip() or None

    def part(self, path: str) -> Part | None:
        """The first element there."""
        found = self.element.find(_qualified(path))
        return None if found is None else Part(found)

    def parts(self, path: str) -> list[Part]:
        """All elements there, in their order."""
        return [Part(found) for found in self.element.findall(_qualified(path))]

    def attribute(self, name: str) -> str | None:
        """An attribute of this element."""
        found: str | None = self.element.get(name)
        return found


@dataclass(frozen=True)
class Message:
    """One message: its name (`camt.053.001.08`) and what stands in its Document."""

    name: str
    body: Part


def message(data: bytes, kinds: Collection[str]) -> Message:
    """Reads a message of one of these kinds (`camt.053`, `pain.002`, ...).

    Raises Refused: too_large, malformed, dtd, kind, version or invalid.
    """
    if len(data) > XML_BYTES_MAX:
        raise Refused("too_large", "bytes", len(data), f"at most {XML_BYTES_MAX} are read")
    root = _root(data)
    name = _name(root)
    if name is None or name.rpartition(".001.")[0] not in kinds:
        raise Refused("kind", "document", root.tag[:100], f"{' or '.join(kinds)} was expected")
    schema = _schema(name)
    if schema is None:
        raise Refused("version", "xmlns", name, "no schema of this version is kept")
    with _validating:
        if not schema.validate(root):
            wrong = schema.error_log[0]
            why = wrong.message.replace(f"{{{NAMESPACE}{name}}}", "")
            raise Refused("invalid", "line", wrong.line, why)
    return Message(name, Part(root[0]))


def _root(data: bytes) -> etree._Element:
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as why:
        raise Refused("malformed", "line", why.lineno, why.msg or "no XML") from why
    except ValueError as why:  # no text at all, or one that names an encoding it is not in
        raise Refused("malformed", "document", data[:40], str(why)) from why
    if root.getroottree().docinfo.doctype:
        raise Refused("dtd", "doctype", root.getroottree().docinfo.doctype[:100], "is not accepted")
    return root


def _name(root: etree._Element) -> str | None:
    name = etree.QName(root)
    if name.localname != "Document" or not (name.namespace or "").startswith(NAMESPACE):
        return None
    return str(name.namespace).removeprefix(NAMESPACE)


@lru_cache(maxsize=64)
def _schema(name: str) -> etree.XMLSchema | None:
    path = SCHEMAS / f"{name}.xsd"
    if path.parent != SCHEMAS or not path.exists():
        return None
    return etree.XMLSchema(etree.parse(path))


def _qualified(path: str) -> str:
    return "/".join(f"{{*}}{name}" for name in path.split("/"))
