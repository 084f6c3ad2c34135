"""The published schema of a sweep order: not stale, true of real orders, its version honest."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from schemas import order_schema
from schemas.contracts import resolved
from schemas.generate import check, released
from schemas.jsonform import to_json
from tests.streams.sweep_world import Bank

SCHEMA = json.loads(order_schema.FILE.read_text())
FIELDS = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)


def golden(row: str = "sweep o1 OUT 750000.5") -> dict[str, Any]:
    """An order as REST shows it with amounts as text."""
    (order,) = Bank().play(row).said("order")
    said = to_json(order)
    del said["meta"]
    return said | {"signature": "e30..c2ln"}


@pytest.mark.req("004-19")
def test_the_committed_file_is_what_the_contract_gives() -> None:
    assert check() == []
    assert order_schema.FILE.read_text() == order_schema.text(released(order_schema.SUBJECT))
    Draft202012Validator.check_schema(SCHEMA)
    version = order_schema.version(released(order_schema.SUBJECT))
    assert SCHEMA["$id"] == f"urn:weir:sweep-order:{version}"


@pytest.mark.req("004-14", "004-15", "004-19")
def test_real_orders_fit_with_amounts_as_text_and_as_numbers() -> None:
    for row in ("sweep o1 OUT 750000.5", "sweep o2 BACK 10000 target_product=FED_RRP"):
        said = golden(row)
        FIELDS.validate(said)
        FIELDS.validate(said | {"amount_usd": Decimal(said["amount_usd"])})
        FIELDS.validate(said | {"amount_usd": "9999999999999999.9999", "instrument": None})


@pytest.mark.parametrize(
    "change",
    [
        {"target_product": "TBILL_5W"},
        {"direction": "UNKNOWN"},
        {"amount_usd": "1e6"},
        {"amount_usd": "1.00005"},
        {"amount_usd": None},
        {"cutoff_utc": 5},
        {"risk_checks": {"var_limit_bps": "10"}},
        {"compliance_tags": {"a": 1}},
        {"approvals": "ann"},
        {"executed_by": "both"},
    ],
)
def test_what_is_no_order_does_not_fit(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        FIELDS.validate(golden() | change)
    name = next(iter(change))
    with pytest.raises(ValidationError, match="is a required property"):
        FIELDS.validate({key: value for key, value in golden().items() if key != name})


def changed(what: str) -> Any:
    """The contract with one change."""
    schema = copy.deepcopy(resolved("SweepOrder"))
    by_name = {field["name"]: field for field in schema["fields"]}
    if what == "doc":
        by_name["amount_usd"]["doc"] = "said otherwise"
    elif what == "field more":
        schema["fields"].append({"name": "note", "type": ["null", "string"], "default": None})
    elif what == "symbol more":
        by_name["target_product"]["type"]["symbols"].append("TBILL_8W")
    elif what == "field gone":
        schema["fields"].remove(by_name["display_ref"])
    elif what == "symbol gone":
        by_name["target_product"]["type"]["symbols"].remove("CARBON_NOTE")
    elif what == "other type":
        by_name["value_date"]["type"] = "string"
    elif what == "more places":
        by_name["amount_usd"]["type"] |= {"scale": 6}
    elif what == "now null":
        by_name["display_ref"]["type"] = ["null", "string"]
    elif what == "nested":
        by_name["risk_checks"]["type"]["fields"].pop()
    return schema


@pytest.mark.req("004-19")
@pytest.mark.parametrize(
    ("what", "version"),
    [
        ("field more", "1.1.0"),
        ("symbol more", "1.1.0"),
        ("field gone", "2.0.0"),
        ("symbol gone", "2.0.0"),
        ("other type", "2.0.0"),
        ("more places", "2.0.0"),
        ("now null", "2.0.0"),
        ("nested", "2.0.0"),
    ],
)
def test_what_breaks_a_reader_is_a_major_version(what: str, version: str) -> None:
    first = resolved("SweepOrder")
    assert order_schema.version([first]) == "1.0.0"
    assert order_schema.version([first, changed(what)]) == version
    assert order_schema.version([first, changed("field more"), changed("field gone")]) == "2.0.0"


def test_an_unreleased_change_counts_and_another_doc_does_not() -> None:
    assert json.loads(order_schema.text([changed("field gone")]))["$id"].endswith(":1.1.0")
    assert json.loads(order_schema.text([changed("doc")]))["$id"].endswith(":1.0.0")
