"""A key for caches over large values: the very same object, so that nothing large is compared."""

from __future__ import annotations

from typing import Any


class Same:
    """Equal to another only when both hold one object; it keeps that object alive."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.value is other.value
