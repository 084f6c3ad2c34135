"""The exact body of each call, decided before the call and committed with it.

Amounts are plain decimal text, rounded down to the venue's precision beforehand. An amount never
repeats within its lane for 24 hours where the venue's calls carry no id of ours, because then the
amount is how history is searched. An order to a bank carries our id, and all that its payment says
is fixed here, also its time: a connector that writes it twice writes the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from schemas.jsonform import iso
from schemas.money import floor_to, text_e18

FINGERPRINT_STEPS = 98
FINGERPRINT_MS = 24 * 3600 * 1000


def body(
    venue: str,
    op: str,
    coin: str,
    amount_e18: int,
    wallets: Wallets,
    order: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The body of one call. Raises KeyError for an operation this venue does not have."""
    return BODIES[venue, op](coin, text_e18(amount_e18), wallets, order or {})


def order_of(
    intent_id: str, params: Mapping[str, str], body: str, now_ms: int, tags_in: str
) -> dict[str, str]:
    """What an order says besides its amount: its id, when it was made, its parameters and tags."""
    said: Any = msgspec.json.decode(body)
    tags = {f"{TAG}{name}": text for name, text in said["compliance_tags"].items()}
    own = {"order_id": intent_id, "created": str(iso(now_ms)), "tags_in": tags_in}
    return {**params, **tags, **own}


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


TAG = "tag."
"""Before the name of a compliance tag in an order."""
Order = Mapping[str, str]


def _transfer(coin: str, amount: str, wallets: Wallets, _: Order) -> dict[str, str]:
    transfer_id, source, target = wallets
    return {
        "transferId": transfer_id,
        "coin": coin,
        "amount": amount,
        "fromAccountType": source,
        "toAccountType": target,
    }


def _repay(coin: str, amount: str, _: Wallets, __: Order) -> dict[str, str]:
    return {"loanCurrency": coin, "amount": amount}


def _add_collateral(coin: str, amount: str, _: Wallets, __: Order) -> dict[str, str]:
    return {"currency": coin, "amount": amount, "direction": "0"}


def _pay(coin: str, amount: str, _: Wallets, order: Order) -> dict[str, str]:
    tags = {name: text for name, text in order.items() if name.startswith(TAG)}
    named = {name: order[name] for name in PAYMENT if name in order}
    return {**named, **tags, "ccy": coin, "amount": amount}


PAYMENT = (
    "order_id",
    "created",
    "direction",
    "source_account",
    "counterparty",
    "counterparty_name",
    "target_product",
    "instrument",
    "value_date",
    "tags_in",
)
"""What of an order's parameters a payment says."""

BODIES: dict[tuple[str, str], Callable[[str, str, Wallets, Order], dict[str, str]]] = {
    ("bybit", "TRANSFER"): _transfer,
    ("bybit", "REPAY"): _repay,
    ("bybit", "ADD_COLLATERAL"): _add_collateral,
    ("bank", "SWEEP"): _pay,
    ("bank", "REVERSE_SWEEP"): _pay,
}
