"""The exact body of each call, decided before the call and committed with it.

Amounts are plain decimal text, rounded down to the venue's precision beforehand. The venue's loan
calls carry no id of ours, so there an amount never repeats within its lane for 24 hours: the amount
is how history is searched. Transfers, orders and payments carry our id, of which the other side
takes one only; all that a payment says is fixed here, also its time, so that a connector that
writes it twice writes the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from schemas.ids import order_link_id
from schemas.jsonform import iso
from schemas.money import floor_to, text_e18

FINGERPRINT_STEPS = 98
FINGERPRINT_MS = 24 * 3600 * 1000

Body = dict[str, str | int | bool]


class Terms(NamedTuple):
    """What a body is made of; `transfer_id` and the wallets are those of a transfer, `order` what a
    payment says of its order besides the parameters.
    """

    coin: str
    amount_e18: int
    intent_id: str = ""
    transfer_id: str = ""
    source: str = ""
    target: str = ""
    params: Mapping[str, str] = {}
    order: Mapping[str, str] = {}


def body(venue: str, op: str, terms: Terms) -> Body:
    """The body of one call. Raises KeyError for an operation this venue does not have."""
    return BODIES[venue, op](terms)


def order_of(body: str, now_ms: int, tags_in: str) -> dict[str, str]:
    """When an order was made, and its compliance tags with the element that is to carry them."""
    said: Any = msgspec.json.decode(body)
    tags = {f"{TAG}{name}": text for name, text in said["compliance_tags"].items()}
    return {**tags, "created": str(iso(now_ms)), "tags_in": tags_in}


def unfit(venue: str, op: str, params: Mapping[str, str]) -> str:
    """Why no such call can be made at the venue, or nothing."""
    if (venue, op) not in BODIES:
        return f"{venue} cannot {op}"
    for alternatives in NEEDED.get(op, ()):
        if not any(params.get(name) for name in alternatives):
            return f"{op} without {' or '.join(alternatives)}"
    for name, words in WORDS.items():
        if params.get(name, words[0]) not in words:
            return f"{op} with {name}={params[name]!r}"
    return ""


def request_bytes(body: Body) -> bytes:
    """The body as it goes over the wire: what the hash is taken of."""
    return json.dumps(body).encode()


def request_hash(body: Body) -> str:
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


TAG = "tag."
"""Before the name of a compliance tag in an order."""


def _transfer(terms: Terms) -> Body:
    return {
        "transferId": terms.transfer_id,
        "coin": terms.coin,
        "amount": text_e18(terms.amount_e18),
        "fromAccountType": terms.source,
        "toAccountType": terms.target,
    }


def _repay(terms: Terms) -> Body:
    return {"loanCurrency": terms.coin, "amount": text_e18(terms.amount_e18)}


def _add_collateral(terms: Terms) -> Body:
    return {"currency": terms.coin, "amount": text_e18(terms.amount_e18), "direction": "0"}


def _pay(terms: Terms) -> Body:
    named = {name: terms.params[name] for name in PAYMENT if name in terms.params}
    amount = {"ccy": terms.coin, "amount": text_e18(terms.amount_e18)}
    return {**named, **terms.order, **amount, "order_id": terms.intent_id}


PAYMENT = (
    "direction",
    "source_account",
    "counterparty",
    "counterparty_name",
    "target_product",
    "instrument",
    "value_date",
)
"""What of an order's parameters a payment says."""


def _set_leverage(terms: Terms) -> Body:
    leverage = terms.params["leverage"]
    return {**_contract(terms), "buyLeverage": leverage, "sellLeverage": leverage}


def _reduce_position(terms: Terms) -> Body:
    """A market order that can only make the position smaller, whatever became of it meanwhile."""
    return {
        **_contract(terms),
        "side": terms.params["side"],
        "orderType": "Market",
        "qty": text_e18(terms.amount_e18),
        "reduceOnly": True,
        "positionIdx": int(terms.params.get("position_idx", "0")),
        "orderLinkId": order_link_id(terms.intent_id),
    }


def _cancel_order(terms: Terms) -> Body:
    params = terms.params
    if params.get("order_id"):
        return {**_contract(terms), "orderId": params["order_id"]}
    return {**_contract(terms), "orderLinkId": params["order_link_id"]}


def _contract(terms: Terms) -> Body:
    return {"category": terms.params.get("category", "linear"), "symbol": terms.params["symbol"]}


BODIES: dict[tuple[str, str], Callable[[Terms], Body]] = {
    ("bybit", "TRANSFER"): _transfer,
    ("bybit", "REPAY"): _repay,
    ("bybit", "ADD_COLLATERAL"): _add_collateral,
    ("bybit", "SET_LEVERAGE"): _set_leverage,
    ("bybit", "REDUCE_POSITION"): _reduce_position,
    ("bybit", "CANCEL_ORDER"): _cancel_order,
    ("bank", "SWEEP"): _pay,
    ("bank", "REVERSE_SWEEP"): _pay,
}

NEEDED: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "SET_LEVERAGE": (("symbol",), ("leverage",)),
    "REDUCE_POSITION": (("symbol",), ("side",)),
    "CANCEL_ORDER": (("symbol",), ("order_id", "order_link_id")),
}
"""The parameters an operation has no body without: one of each group."""

WORDS: Mapping[str, tuple[str, ...]] = {
    "category": ("linear", "inverse", "spot"),
    "side": ("Buy", "Sell"),
    "position_idx": ("0", "1", "2"),
}
"""What a parameter may say; the first word is what leaving it out means."""
