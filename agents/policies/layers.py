"""The layers of a policy and how they become one: field by field, the higher one wins.

A layer is what one source says, as the nested mapping of a policy file. A single field, as the
environment and Consul have it, is named by its path (`sweep.liq_buffer_pct`) or by the name a
source document gave it (`LIQ_BUFFER_PCT`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from agents.policies.update import Source
from schemas.exact_yaml import read_yaml
from schemas.policy import Policy, from_content

ORDER: tuple[Source, ...] = ("file", "env", "consul")
"""Sources by precedence, the strongest last."""

SEED_NAMES = {
    "LIQ_BUFFER_PCT": "sweep.liq_buffer_pct",
    "VAR_LIMIT_BPS": "sweep.var_limit_bps",
    "SWEEP_CUTOFFS_UTC": "sweep.cutoffs_utc",
    "TARGET_LADDER_DAYS": "sweep.target_ladder_days",
    "MIN_SWEEP_USD": "sweep.min_sweep_usd",
}
"""Names of the source documents, and the field each one means."""

VARIABLE = "WEIR_POLICY__"
"""`WEIR_POLICY__SWEEP__LIQ_BUFFER_PCT=0.25` sets one field."""


class Layer(NamedTuple):
    """What one source says now; `where` names it for people."""

    source: Source
    where: str
    content: Mapping[str, Any]


class Fault(NamedTuple):
    """A source that cannot be used now, and why."""

    source: Source
    where: str
    why: str


def document(text: str) -> dict[str, Any]:
    """The content of a YAML or JSON document. Raises ValueError.

    An empty one is refused: it is what a file looks like while somebody writes it, and it would put
    every default in force.
    """
    content = read_yaml(text)
    if content is None:
        raise ValueError("is empty")
    if not isinstance(content, dict) or not all(isinstance(name, str) for name in content):
        raise ValueError("must be a mapping of sections")
    return content


def fields(said: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The content of single fields given as (path, text). Raises ValueError.

    A text stays text, which every field reads exactly; lists and mappings are written as in YAML's
    flow style, and `null` is null.
    """
    content: dict[str, Any] = {}
    for path, text in sorted(said):
        *parents, name = SEED_NAMES.get(path, path).split(".")
        place = content
        for parent in parents:
            place = place.setdefault(parent, {})
            if not isinstance(place, dict):
                raise ValueError(f"{path}: {parent} is set as a whole and in part")
        if name in place:
            raise ValueError(f"{path}: is set twice")
        try:
            place[name] = _value(text)
        except ValueError as why:
            raise ValueError(f"{path}: {why}") from None
    return content


def environment(variables: Mapping[str, str]) -> dict[str, Any]:
    """What an environment says about the policy. Raises ValueError."""
    named = [(name, text) for name, text in variables.items() if name in SEED_NAMES]
    paths = [
        (name.removeprefix(VARIABLE).lower().replace("__", "."), text)
        for name, text in variables.items()
        if name.startswith(VARIABLE)
    ]
    return fields(named + paths)


def merged(layers: Iterable[Layer]) -> Policy:
    """The policy of all layers. Raises ValueError, naming the layer and the field."""
    content: dict[str, Any] = {}
    ordered = sorted(layers, key=lambda layer: ORDER.index(layer.source))
    for layer in ordered:
        content = over(content, layer.content)
    try:
        return from_content(content)
    except ValueError as why:
        raise ValueError(f"{_author(str(why), ordered)}: {why}") from None


def over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` laid over `below`: mappings merge, everything else is replaced."""
    result = dict(below)
    for name, value in above.items():
        known: Any = result.get(name)
        nested = isinstance(known, Mapping) and isinstance(value, Mapping)
        result[name] = over(known, value) if nested else value
    return result


def speakers(layers: Iterable[Layer], paths: Iterable[str]) -> str:
    """The layers that say something about one of these fields, by name; all of them where none
    does, because what they leave out is a default.
    """
    ordered = sorted(layers, key=lambda layer: ORDER.index(layer.source))
    fields = [path.split(".") for path in paths]
    named = [one for one in ordered if any(_says(one.content, path) for path in fields)]
    return ", ".join(layer.where for layer in named or ordered)


def _value(text: str) -> Any:
    if text[:1] in ("[", "{"):
        return read_yaml(text)
    return None if text == "null" else text


def _author(fault: str, ordered: list[Layer]) -> str:
    """The strongest layer that says something about the field a fault begins with."""
    path = fault.partition(":")[0].partition("=")[0].split(".")
    for layer in ordered[::-1]:
        if _says(layer.content, path):
            return layer.where
    return ", ".join(layer.where for layer in ordered)


def _says(content: Mapping[str, Any], path: Iterable[str]) -> bool:
    """Whether a field is set there, or a list or map that holds it."""
    place: Any = content
    for name in path:
        if not isinstance(place, Mapping) or name not in place:
            return False
        place = place[name]
        if not isinstance(place, Mapping):
            return True
    return False
