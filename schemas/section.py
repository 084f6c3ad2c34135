"""What every section of the policy is made of: exact numbers, no unknown fields, nothing that
changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    model_validator,
)

from schemas.money import E18, parse_e18, text_e18


def _money(value: Any) -> int:
    number = parse_e18(value)
    if number < 0:
        raise ValueError("must not be negative")
    return number


def _ratio(value: Any) -> int:
    number = parse_e18(value)
    if not 0 <= number <= E18:
        raise ValueError("must lie between 0 and 1")
    return number


_TEXT = PlainSerializer(text_e18, return_type=str)
Money = Annotated[int, BeforeValidator(_money), _TEXT]
Ratio = Annotated[int, BeforeValidator(_ratio), _TEXT]
Seconds = Annotated[int, Field(ge=0)]
Places = Annotated[int, Field(ge=0, le=18)]


class Section(BaseModel):
    """Frozen, no unknown fields; a field `x_e18` is written `x`."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=lambda name: name.removesuffix("_e18"),
        serialize_by_alias=True,
    )
    RETIRED: ClassVar[frozenset[str]] = frozenset()
    """Fields of earlier policies that nothing reads: a policy that has one is good, and says
    nothing by it.
    """

    @model_validator(mode="before")
    @classmethod
    def _without_retired(cls, said: Any) -> Any:
        if not isinstance(said, Mapping) or cls.RETIRED.isdisjoint(said):
            return said
        return {name: value for name, value in said.items() if name not in cls.RETIRED}
