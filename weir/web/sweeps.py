"""`GET /sweep-intent?after=<cursor>`: an outside bank connector pulls the sweep orders.

Without a cursor it begins with the first order there is. The answer has at most `limit` orders and
names the cursor to go on with; one that is asked for again gives the same orders again, and those
committed since (where the limit cuts: the oldest of them). Whoever carries
orders out must know an `order_id` it has seen, and may act only on those whose `executed_by` says
`external` and whose signature verifies.

Weak points, which a caller must know:
* a pull is at least once: an answer that is lost is asked for again;
* a pause of ours does not call back an order that was pulled before it;
* amounts are JSON numbers with all their digits, but many parsers read them as binary floats:
  `amounts=string` gives text, and only of text the signed bytes can be made again;
* orders of one page are sorted by the time they were caused; across pages a late one may be older.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response

from schemas.jsonform import to_json
from weir.orders.cursor import BadCursor, Cursor
from weir.orders.pull import Found, Gone, Page, Unreadable
from weir.web.auth import needs
from weir.web.errors import Problem

router = APIRouter()
_encode = msgspec.json.Encoder(decimal_format="number").encode
AMOUNTS = ("amount_usd",)
RISK = ("var_limit_bps", "observed_var_bps")


@router.get("/sweep-intent", dependencies=[Depends(needs("read"))])
def pull(
    request: Request,
    after: Annotated[str | None, Query(max_length=4000)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    amounts: Literal["number", "string"] = "number",
) -> Response:
    """Orders after a cursor, and the next cursor."""
    try:
        page: Page = request.app.state.services.orders.page(
            None if after is None else Cursor.of(after), limit
        )
    except BadCursor as why:
        raise Problem(422, "cursor", "after", after, str(why)) from why
    except Gone as why:
        raise Problem(410, "gone", "after", after, str(why)) from why
    except Unreadable as why:
        raise Problem(503, "unreadable", "", "", f"ask again: {why}") from why
    said = {
        "orders": [shown(one, amounts) for one in page.orders],
        "next": page.following.text(),
        "more": page.more,
    }
    return Response(_encode(said), media_type="application/json")


def shown(found: Found, amounts: Literal["number", "string"]) -> dict[str, Any]:
    """One order as its JSON Schema has it."""
    said = to_json(found.order)
    del said["meta"]
    if amounts == "number":
        said |= {name: Decimal(said[name]) for name in AMOUNTS}
        said["risk_checks"] = {name: _number(said["risk_checks"][name]) for name in RISK}
    return said | {"signature": found.signature}


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
