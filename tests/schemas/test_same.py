"""Large values as cache keys: only the very same object is the same."""

from __future__ import annotations

from functools import lru_cache

from schemas.policy import Account, Policy
from schemas.same import Same


def test_equal_values_that_are_two_objects_are_two_keys():
    one, other = ("a" * 9,), ("".join("a" for _ in range(9)),)
    asked: list[int] = []

    @lru_cache
    def seen(same: Same) -> int:
        asked.append(1)
        return len(same.value)

    assert one == other
    assert Same(one) == Same(one)
    assert Same(one) != Same(other)
    assert Same(one) != one
    assert [seen(Same(one)), seen(Same(one)), seen(Same(other))] == [1, 1, 1]
    assert len(asked) == 2


def test_a_policy_with_other_accounts_finds_those_and_not_the_old_ones():
    first = Policy(accounts=(Account(account_id="bybit:1"),))
    assert first.account("bybit:1") == first.accounts[0]
    second = first.model_copy(update={"accounts": (Account(account_id="bybit:2"),)})
    assert second.account("bybit:1") is None
    assert second.account("bybit:2") == second.accounts[0]
    assert first.account("bybit:2") is None
