"""YAML whose numbers are exact and in which no name stands twice."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

import yaml


def read_yaml(text: str) -> Any:
    """The content of a YAML text; its numbers are decimals, never binary floats. ValueError for
    what is none, and for a name that stands twice, of which YAML would take the last.
    """
    try:
        return yaml.load(text, Loader=_ExactLoader)
    except yaml.YAMLError as why:
        raise ValueError(f"is no YAML: {' '.join(str(why).split())}") from None
    except RecursionError:
        raise ValueError("is no YAML that can be read: it is nested too deeply") from None


class _ExactLoader(yaml.SafeLoader):
    """A SafeLoader whose numbers with a point are exact."""


def _decimal(loader: yaml.SafeLoader, node: Any) -> Decimal:
    text = str(loader.construct_scalar(node))
    try:
        number = Decimal(text.replace("_", ""))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise ValueError(f"{text}: must be a number (line {node.start_mark.line + 1})")
    return number


def _mapping(loader: yaml.SafeLoader, node: Any) -> Any:
    if not isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node)  # says what is wrong
    names = [loader.construct_object(name) for name, _ in node.value]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"{twice}: stands there twice (line {node.start_mark.line + 1})")
    return loader.construct_mapping(node, deep=True)


_ExactLoader.add_constructor("tag:yaml.org,2002:float", _decimal)
_ExactLoader.add_constructor("tag:yaml.org,2002:map", _mapping)
