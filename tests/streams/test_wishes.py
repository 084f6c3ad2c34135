"""What people ask of an account besides its money: judged by the book, admitted by the gate."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas.records import BookInput, IntentOutcome, Request
from streams.step import Refused
from tests.streams.book_world import INBOX, BookWorld
from tests.streams.desk_world import ACCOUNT


@pytest.mark.req("002-23", "002-43")
@pytest.mark.parametrize(
    "rows",
    [
        """# a wish becomes a proposal of class control, whose maker is the person
        request r1 SET_LEVERAGE symbol=BTCUSDT leverage=5.0
        expect  decision outcome=SET_LEVERAGE node=book actor=ann
        expect  proposal kind=SET_LEVERAGE class=control asked=0 maker=ann check_id=r1
        expect  proposal lane=bybit|bybit:12345678|BTCUSDT
        deliver
        expect  intent kind=SET_LEVERAGE amount=0 maker=ann
        expect  state state=READY""",
        """# never above the maximum, whoever asks
        request r1 SET_LEVERAGE symbol=BTCUSDT leverage=5.01
        expect  decision outcome=over_max_leverage actor=ann
        expect  no proposal""",
        """# a policy may say less
        policy  risk.max_leverage=2
        request r1 SET_LEVERAGE symbol=BTCUSDT leverage=2.01
        expect  decision outcome=over_max_leverage
        request r2 SET_LEVERAGE symbol=BTCUSDT leverage=2
        expect  proposal kind=SET_LEVERAGE""",
        """# a repeat is dropped, the same id for another wish is refused
        request r1 SET_LEVERAGE symbol=BTCUSDT leverage=3
        request r1 SET_LEVERAGE symbol=BTCUSDT leverage=3
        expect  nothing
        refused exists_different request_id request r1 SET_LEVERAGE symbol=BTCUSDT leverage=4""",
        """# so is one that was not granted
        request r1 SET_LEVERAGE symbol=BTCUSDT leverage=9
        request r1 SET_LEVERAGE symbol=BTCUSDT leverage=9
        expect  nothing""",
        """# the mode is the gate's
        control PAUSED
        request r1 SET_LEVERAGE symbol=BTCUSDT leverage=3
        deliver
        expect  answer state=REFUSED reason=paused final=true
        expect  no intent""",
        """# a frozen account allocates nothing, but its leverage may be lowered
        freeze  b1 on
        request r1 SET_LEVERAGE symbol=BTCUSDT leverage=1
        expect  proposal kind=SET_LEVERAGE""",
        """# the end of an order, by the venue's id or ours
        request r1 CANCEL_ORDER symbol=BTCUSDT order_id=abc
        expect  proposal kind=CANCEL_ORDER class=control maker=ann
        deliver
        expect  intent kind=CANCEL_ORDER
        request r2 CANCEL_ORDER symbol=BTCUSDT order_link_id=0123abc category=spot
        expect  proposal kind=CANCEL_ORDER""",
    ],
)
def test_wishes(rows: str) -> None:
    BookWorld().play(rows)


@pytest.mark.parametrize(
    "row",
    [
        "leverage request r SET_LEVERAGE symbol=BTCUSDT",
        "leverage request r SET_LEVERAGE symbol=BTCUSDT leverage=x",
        "leverage request r SET_LEVERAGE symbol=BTCUSDT leverage=-1",
        "leverage request r SET_LEVERAGE symbol=BTCUSDT leverage=1e1",
        "leverage request r SET_LEVERAGE symbol=BTCUSDT leverage=0.0",
        "symbol request r SET_LEVERAGE leverage=2",
        "symbol request r SET_LEVERAGE symbol=BTC|USDT leverage=2",
        "category request r SET_LEVERAGE symbol=BTCUSDT leverage=2 category=spot",
        "levrage request r SET_LEVERAGE symbol=BTCUSDT leverage=2 levrage=3",
        "order_id request r CANCEL_ORDER symbol=BTCUSDT",
        "order_id request r CANCEL_ORDER symbol=BTCUSDT order_id=a order_link_id=b",
        "order_id request r CANCEL_ORDER symbol=BTCUSDT order_id=a;b",
    ],
)
def test_a_wish_that_cannot_be_read_is_refused_by_its_field(row: str) -> None:
    BookWorld().play(f"refused params {row}")


def test_a_wish_is_somebodys() -> None:
    world = BookWorld()
    body = Request("r1", "SET_LEVERAGE", {"symbol": "BTCUSDT", "leverage": "2"}, (), "")
    with pytest.raises(Refused, match="a wish is somebody's"):
        world.to_book(INBOX, BookInput(body=body))


def asked(world: BookWorld) -> Any:
    """The intent that the gate makes of a wish."""
    world.play("request r1 SET_LEVERAGE symbol=BTCUSDT leverage=3\ndeliver")
    return world.said("intent")[0]


def ended(world: BookWorld, intent: Any, state: str, **facts: str) -> None:
    """What the intents node says of it at the end."""
    body = IntentOutcome(
        intent_id=intent.intent_id,
        decision_id=intent.decision_id,
        kind=intent.kind,
        class_=intent.class_,
        origin="book",
        account_id=ACCOUNT,
        lane=intent.lane,
        state=state,
        asked_e18=0,
        granted_e18=0,
        amount_done_e18=0,
        ccy=intent.ccy,
        venue_refs=(),
        facts=facts,
        final=True,
        at_ms=world.now_ms,
    )
    world.to_book(INBOX, BookInput(body=body))


@pytest.mark.req("002-55")
def test_a_changed_leverage_is_said_once_with_old_and_new() -> None:
    world = BookWorld()
    intent = asked(world)
    ended(world, intent, "CONFIRMED", leverage_before="10", leverage_after="3")
    (said,) = world.said("decision")
    body = json.loads(said.body)
    assert (said.outcome, said.decision_id) == ("leverage_changed", intent.decision_id)
    assert (body["symbol"], body["before"], body["after"]) == ("BTCUSDT", "10", "3")
    ended(world, intent, "CONFIRMED", leverage_before="10", leverage_after="3")
    assert world.out == []
    with pytest.raises(Refused, match="it ended as CONFIRMED"):
        ended(world, intent, "REJECTED")


def test_a_setting_that_was_so_already_is_no_change() -> None:
    world = BookWorld()
    ended(world, asked(world), "CONFIRMED", leverage_before="3", leverage_after="3")
    assert world.out == []


def test_an_outcome_nobody_asked_for_is_refused() -> None:
    world = BookWorld()
    intent = asked(world)
    other = BookWorld()
    with pytest.raises(Refused, match="nobody asked for it here"):
        ended(other, intent, "CONFIRMED")
