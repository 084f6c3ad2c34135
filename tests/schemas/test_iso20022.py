"""The ISO schemas are those that were published, and what is read with them is safe."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from lxml import etree

from agents.connectors.bank.iso20022 import SCHEMAS, XML_BYTES_MAX, message
from streams.step import Refused

SUMS = dict(reversed(line.split()) for line in (SCHEMAS / "SHA256SUMS").read_text().splitlines())
CAMT = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE Document [<!ENTITY a "ha ha ha ha ">'
    + "".join(f'<!ENTITY {chr(n)} "{f"&{chr(n - 1)};" * 10}">' for n in range(98, 110))
    + f']><Document xmlns="{CAMT}">&m;</Document>'
)
OUTSIDE = f'<!DOCTYPE Document SYSTEM "file:///etc/passwd"><Document xmlns="{CAMT}"/>'
HARMLESS = f'<!DOCTYPE Document [<!ENTITY b "c">]><Document xmlns="{CAMT}">&b;</Document>'


def test_every_schema_is_unchanged() -> None:
    found = {path.name: path for path in SCHEMAS.glob("*.xsd")}
    assert found.keys() == SUMS.keys()
    for name, path in found.items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == SUMS[name], name


@pytest.mark.parametrize("name", sorted(SUMS))
def test_every_schema_is_one_and_is_of_its_message(name: str) -> None:
    tree = etree.parse(SCHEMAS / name)
    etree.XMLSchema(tree)
    wanted = f"urn:iso:std:iso:20022:tech:xsd:{Path(name).stem}"
    assert tree.getroot().get("targetNamespace") == wanted


def test_camt_is_known_from_version_02_to_14() -> None:
    wanted = {f"camt.05{n}.001.{version:02d}.xsd" for n in (2, 3) for version in range(2, 15)}
    assert wanted <= SUMS.keys()


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"", "malformed"),
        (b"  ", "malformed"),
        (b"\xff\xfe<", "malformed"),
        (b"{}", "malformed"),
        (b"<a>" * 100_000, "malformed"),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', "malformed"),
        (LAUGHS.encode(), "malformed"),
        (LAUGHS.replace("&m;</D", "</D").replace("<Doc", '<Doc a="&m;"').encode(), "malformed"),
        (LAUGHS.replace("&m;</D", "</D").encode(), "dtd"),
        (OUTSIDE.encode(), "dtd"),
        (HARMLESS.encode(), "dtd"),
        (HARMLESS.encode("utf-16"), "dtd"),
        (b"<a/>", "kind"),
        (b'<Document xmlns="urn:example"/>', "kind"),
        (f'<Document xmlns="{CAMT.replace("053", "054")}"/>'.encode(), "kind"),
        (f'<Document xmlns="{CAMT[:-2]}99"/>'.encode(), "version"),
        (f'<Document xmlns="{CAMT[:-2]}01"/>'.encode(), "version"),
        (f'<Document xmlns="{CAMT[:-2]}../../README"/>'.encode(), "version"),
        (f'<Document xmlns="{CAMT}"/>'.encode(), "invalid"),
        (f'<Document xmlns="{CAMT}"><BkToCstmrStmt/></Document>'.encode(), "invalid"),
        (b"<" + b"a" * 5_000_000 + b"/>", "too_large"),
        (b" " * XML_BYTES_MAX + b" ", "too_large"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_reason(data: bytes, cause: str) -> None:
    with pytest.raises(Refused) as refused:
        message(data, ("camt.052", "camt.053"))
    assert refused.value.cause == cause
    assert refused.value.field
