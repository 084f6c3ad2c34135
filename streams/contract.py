"""The arithmetic in which the three categories differ, by the name of the category."""

from __future__ import annotations

from typing import Protocol

from streams import inverse, linear, spot


class Contract(Protocol):
    """What a quantity is worth, and what it earns: see `streams.linear` and `streams.inverse`."""

    def value_e18(self, qty_e18: int, price_e18: int, multiplier_e18: int) -> int: ...
    def profit_e18(self, long: bool, entry_e18: int, exit_e18: int) -> int: ...
    def exit_e18(self, long: bool, entry_e18: int, profit: int) -> int: ...
    def price_e18(self, qty_e18: int, worth_e18: int, multiplier_e18: int) -> int: ...


CONTRACTS: dict[str, Contract] = {"linear": linear, "inverse": inverse, "spot": spot}
