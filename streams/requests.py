"""The exact body of each call, decided before the call and committed with it.

Amounts are plain decimal text, rounded down to the venue's precision beforehand. An amount never
repeats within its lane for 24 hours: the venue's loan calls carry no id of ours, so the amount is
how history is searched.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable

from schemas.money import floor_to, text_e18

FINGERPRINT_STEPS = 98
FINGERPRINT_MS = 24 * 3600 * 1000


def body(venue: str, op: str, coin: str, amount_e18: int, wallets: Wallets) -> dict[str, str]:
    """The body of one call. Raises KeyError for an operation this venue does not have."""
    return BODIES[venue, op](coin, text_e18(amount_e18), wallets)


def knows(venue: str, op: str) -> bool:
    """Whether the operation exists at the venue."""
    return (venue, op) in BODIES


def request_bytes(body: dict[str, str]) -> bytes:
    """The body as it goes over the wire: what the hash is taken of."""
    return json.dumps(body).encode()


def request_hash(body: dict[str, str]) -> str:
    """sha256 of the exact bytes sent, in hex."""
    return hashlib.sha256(request_bytes(body)).hexdigest()


def choose(most_e18: int, precision: int, used: Iterable[int]) -> int | None:
    """The largest amount of at most `most_e18` that is not in `used`, or None if all tried are.

    Rounds down to the venue's precision and then lowers by at most 98 units of the last place; 0
    when nothing is left after rounding.
    """
    unit: int = 10 ** (18 - precision)
    top = floor_to(most_e18, precision)
    if top <= 0:
        return 0
    taken = set(used)
    for steps in range(FINGERPRINT_STEPS + 1):
        amount = top - steps * unit
        if amount > 0 and amount not in taken:
            return amount
    return None


Wallets = tuple[str, str, str]
"""transferId, source wallet, target wallet."""


def _transfer(coin: str, amount: str, wallets: Wallets) -> dict[str, str]:
    transfer_id, source, target = wallets
    return {
        "transferId": transfer_id,
        "coin": coin,
        "amount": amount,
        "fromAccountType": source,
        "toAccountType": target,
    }


def _repay(coin: str, amount: str, _: Wallets) -> dict[str, str]:
    return {"loanCurrency": coin, "amount": amount}


def _add_collateral(coin: str, amount: str, _: Wallets) -> dict[str, str]:
    return {"currency": coin, "amount": amount, "direction": "0"}


BODIES: dict[tuple[str, str], Callable[[str, str, Wallets], dict[str, str]]] = {
    ("bybit", "TRANSFER"): _transfer,
    ("bybit", "REPAY"): _repay,
    ("bybit", "ADD_COLLATERAL"): _add_collateral,
}
