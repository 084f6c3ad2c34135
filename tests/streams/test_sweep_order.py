"""From a proposal of cash to a signed order: limits, approval, cut-off, and who pays."""

from __future__ import annotations

import base64
import json
from typing import Any, cast

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec.structs import replace

from agents.signatures import HEADER, INTENTS, ORDERS, signing
from schemas.jsonform import to_json
from schemas.records import Intent, Proposal, SweepOrder
from schemas.signing import PrivateKey
from streams import sweep_order, window
from streams.canonical import hash_of
from streams.handover import body_of
from streams.step import Entries
from tests.streams.sweep_world import FUND, Bank

VECTOR = "01975b5d-516a-77cf-b151-967e5b2b8a54"


@pytest.mark.req("004-11", "004-12", "004-13", "004-16", "004-17", "004-18", "004-38", "004-48")
def test_an_order_and_an_intent_go_out_under_one_id() -> None:
    world = Bank().play(f"""
        at      +16s
        sweep   {VECTOR} OUT 750000 event=+15s
        expect  intent amount=750000 kind=SWEEP class=sweep executed_by=weir intent_id={VECTOR}
        expect  order order_id={VECTOR} display_ref=SWP-2025-06-11-0001 source_account=0123456789
        expect  order account_id=bank:0123456789 direction=OUT target_product=TBILL_4W
        expect  order executed_by=weir instrument=TBILL_4W created_ts=1749600015000
        expect  cash state=READY granted=750000 final=false
    """)
    (emit,) = [one for one in world.out if getattr(one, "topic", "") == "sweep_intent"]
    order: SweepOrder = emit.value
    assert emit.timestamp_ms == order.created_ts_ms
    assert order.amount_usd_e4 == 7_500_000_000
    said = to_json(order)
    assert said["cutoff_utc"] == "2025-06-11T15:30:00.000Z"
    assert said["value_date"] == "2025-06-12"
    assert said["risk_checks"] == {"var_limit_bps": "10", "observed_var_bps": "8"}
    assert said["compliance_tags"] == {"bsa": "treasury-own-funds"}


@pytest.mark.req("004-12")
def test_people_count_the_orders_of_a_day_by_when_they_were_caused() -> None:
    Bank().play("""
        sweep  o1 OUT 10000
        expect order display_ref=SWP-2025-06-11-0001
        sweep  o2 OUT 10000
        expect order display_ref=SWP-2025-06-11-0002
        sweep  o2 OUT 10000
        expect nothing
        sweep  o3 OUT 9999.99
        expect cash state=REFUSED reason=below_min
        expect no order
        at     +1d
        sweep  o4 OUT 10000 p.cutoff_utc=2025-06-12T15:30:00.000Z deadline=+2365m
        expect order display_ref=SWP-2025-06-12-0001
        sweep  o5 OUT 10000 event=+23h p.cutoff_utc=2025-06-12T15:30:00.000Z deadline=+2365m
        expect order display_ref=SWP-2025-06-11-0003
    """)


def test_limits_are_those_of_sweeps() -> None:
    """5,000,000 a piece and 20,000,000 a day, clipped or refused; cents are what a bank takes."""
    Bank(approvals={"sweep_usd": "100000000"}).play("""
        sweep  o1 OUT 7000000.55
        expect order amount_usd_e4=50000000000
        expect intent amount=5000000
        sweep  o2 OUT 4999999.999
        expect intent amount=4999999.99
        sweep  o3 OUT 5000000
        sweep  o4 OUT 5000000
        sweep  o5 OUT 12345.67
        expect cash state=REFUSED reason=over_daily_limit
        at     +1s
        policy limits.sweep.over=refuse limits.sweep.daily_usd=100000000
        sweep  o6 OUT 5000000.01
        expect cash state=REFUSED reason=over_single_limit
        expect no order
        sweep  o7 BACK 5000000
        expect intent kind=REVERSE_SWEEP amount=5000000
        expect order direction=BACK
    """)


@pytest.mark.parametrize(("said", "confirmed"), [("CONFIRMED", 50_000), ("REJECTED", 0)])
def test_what_a_version_before_counted_is_counted_to_its_end(said: str, confirmed: int) -> None:
    """A reverse sweep that was under way when the version changed would hold the day for good."""
    world = Bank().play("sweep b1 BACK 50000")
    entries = Entries(world.gate, "desk")
    before = replace(entries.get("holds", "b1"), counted=True)  # as a row without the field is read
    entries.put("holds", before, "b1")
    window.opened(entries, before)
    world.play(f"""
        table   gate used sweep|2025-06-11 confirmed_usd=0 held_usd=50000
        outcome {said} of=b1 to=gate
        table   gate used sweep|2025-06-11 confirmed_usd={confirmed} held_usd=0
        table   gate rolling sweep confirmed_usd={confirmed} held_usd=0
    """)


@pytest.mark.req("000-53")
@pytest.mark.parametrize("window", ["utc_day", "rolling_24h"])
def test_money_comes_back_though_the_limit_of_the_day_is_used_up(window: str) -> None:
    """The daily limit bounds what goes out; what is needed back must not wait for tomorrow, and
    what came back is no reason to send more.
    """
    Bank(approvals={"sweep_usd": "100000000"}).play(f"""
        policy  limits.window={window}
        sweep   b1 BACK 5000000
        sweep   o1 OUT 5000000
        sweep   o2 OUT 5000000
        sweep   o3 OUT 5000000
        sweep   o4 OUT 4990000
        sweep   o5 OUT 5000000
        expect  order order_id=o5 amount_usd_e4=100000000
        sweep   o6 OUT 10000
        expect  cash state=REFUSED reason=over_daily_limit
        at      +5h
        sweep   b2 BACK 120000
        expect  order direction=BACK amount_usd_e4=1200000000
        sweep   b3 BACK 7000000
        expect  cash state=READY granted=5000000
        sweep   b4 BACK 9999.99
        expect  cash state=REFUSED reason=below_min
        table   gate used sweep|2025-06-11 confirmed_usd=0 held_usd=20000000
        table   gate rolling sweep confirmed_usd=0 held_usd=20000000
        outcome CONFIRMED of=b1 to=gate
        outcome CONFIRMED of=b2 to=gate done=119999.99
        outcome REJECTED of=b3 to=gate
        table   gate holds b2 state=CONFIRMED held_usd=0 confirmed_usd=119999.99
        table   gate holds b3 state=REJECTED held_usd=0
        table   gate used sweep|2025-06-11 confirmed_usd=0 held_usd=20000000
        table   gate rolling sweep confirmed_usd=0 held_usd=20000000
        sweep   o7 OUT 10000
        expect  cash state=REFUSED reason=over_daily_limit
    """)


@pytest.mark.req("000-54")
def test_above_the_threshold_the_order_waits_and_carries_who_let_it_out() -> None:
    world = Bank(approvals={"sweep_usd": "1000000"}).play("""
        sweep   o1 OUT 1000000.01
        expect  cash state=AWAITING granted=1000000.01
        expect  no order
        at      +90m
        approve o1 by=ann
        expect  cash state=READY
        expect  order order_id=o1 created_ts=1749600000000 display_ref=SWP-2025-06-11-0001
        expect  intent intent_id=o1
        sweep   o2 OUT 1000000
        expect  order order_id=o2
        policy  approvals.dual_usd=2000000
        sweep   o3 OUT 3000000
        approve o3 by=ann
        expect  no order
        approve o3 by=bob
        expect  order order_id=o3
    """)
    (order,) = world.said("order")
    assert order.approvals == ("ann", "bob")


@pytest.mark.req("004-22")
def test_the_cut_off_less_the_lead_is_the_last_moment() -> None:
    Bank(approvals={"sweep_usd": "1000000", "ttl_s": 86400}).play("""
        at      +924m
        sweep   o1 OUT 1500000
        expect  wake +925m
        at      +925m
        approve o1 by=ann
        letter  not_awaiting intent_id
        tick    gate now
        expect  cash state=EXPIRED reason=expired final=true
        expect  no order
        sweep   o2 OUT 20000
        expect  cash state=REFUSED reason=past_cutoff
    """)


@pytest.mark.req("000-72")
def test_reducing_lets_money_back_and_nothing_out() -> None:
    Bank().play("""
        control REDUCING scope=class:sweep
        sweep   o1 OUT 20000
        expect  cash state=REFUSED reason=paused
        sweep   o2 BACK 20000
        expect  order direction=BACK
        control PAUSED
        sweep   o3 BACK 20000
        expect  cash state=REFUSED reason=paused
    """)


def test_money_goes_where_the_policy_says_it_may() -> None:
    Bank(screening={"mode": "allowlist", "allow": []}).play("""
        sweep  o1 OUT 20000
        expect cash state=REFUSED reason=screening
        sweep  o2 BACK 20000
        expect cash state=READY
    """)


def test_who_pays_is_fixed_with_the_grant() -> None:
    """The policy may change while an order waits: the side that was named stays the only one."""
    Bank(approvals={"sweep_usd": "1000000"}).play("""
        policy  sweep.executed_by=external
        sweep   o1 OUT 1500000
        policy  sweep.executed_by=weir
        approve o1 by=ann
        expect  order executed_by=external
        expect  intent executed_by=external
        sweep   o2 OUT 20000
        expect  order executed_by=weir
    """)


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("o OUT 20000 ccy=USDT", "ccy"),
        ("o OUT 20000 precision=5", "precision"),
        ("o OUT 20000 without=counterparty", "params"),
        ("o OUT 20000 p.value_date=soon", "params"),
        ("o OUT 20000 p.target_product=TBILL_5W", "target_product"),
        ("o OUT 20000 p.direction=BACK", "direction"),
        ("o OUT 20000 kind=REVERSE_SWEEP", "direction"),
        ("o OUT 20000 account=bank:999", "source_account"),
        ("o OUT 20000 beneficiary=bank:0123456789", "beneficiary"),
        (f"o BACK 20000 beneficiary={FUND}", "beneficiary"),
        ("o OUT 20000 deadline=+931m", "deadline"),
    ],
)
def test_a_sweep_that_could_be_no_order_is_a_dead_letter(row: str, field: str) -> None:
    cause = {"ccy": "currency_mismatch", "precision": "range"}.get(field, "params")
    Bank().play(f"refused {cause} {field} sweep {row}")


def order_of(world: Bank) -> tuple[SweepOrder, Intent]:
    (order,), (intent,) = world.said("order"), world.said("intent")
    return order, intent


@pytest.mark.req("004-03")
def test_whoever_has_the_public_key_can_check_an_order_and_any_change_shows() -> None:
    """Only the standard library and `cryptography`: what a bank's connector would use."""
    key = PrivateKey.new("pipeline")
    order, _ = order_of(Bank().play("sweep o1 OUT 750000.5"))
    header, _, signature = signing(key)[ORDERS]("", order, b"")[HEADER].split(".")
    assert json.loads(_raw(header)) == {"alg": "Ed25519", "kid": "pipeline"}
    public = Ed25519PublicKey.from_public_bytes(_raw(key.public))

    said = {name: value for name, value in to_json(order).items() if name != "meta"}
    assert said["amount_usd"] == "750000.5"

    def check(content: dict[str, Any]) -> None:
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        payload = base64.urlsafe_b64encode(text.encode()).rstrip(b"=")
        public.verify(_raw(signature), header.encode() + b"." + payload)

    check(said)
    changes = {
        "amount_usd": "750000.6",
        "executed_by": "external",
        "source_account": "123456789",
        "compliance_tags": {},
        "display_ref": "SWP-2025-06-11-0002",
    }
    for name, value in changes.items():
        with pytest.raises(InvalidSignature):
            check(said | {name: value})
    data = sweep_order.payload(order)
    for place in range(len(data)):
        flipped = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        payload = base64.urlsafe_b64encode(flipped).rstrip(b"=")
        with pytest.raises(InvalidSignature):
            public.verify(_raw(signature), header.encode() + b"." + payload)


def test_the_signature_of_an_intent_is_none_of_an_order() -> None:
    signed = signing(PrivateKey.new("pipeline"))
    order, intent = order_of(Bank().play("sweep o1 OUT 750000"))
    assert {INTENTS, ORDERS} <= set(signed)
    assert signed[INTENTS]("", intent, b"bytes") != signed[ORDERS]("", order, b"bytes")
    body = body_of(cast(Proposal, intent), intent.amount_e18, intent.executed_by)
    assert intent.body_hash == hash_of(body)


def _raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.mark.parametrize(
    ("asked", "more", "granted"),
    [
        ("6000000", "", "5000000"),  # without a rate the amount is the face
        ("4999900", "", "4999900"),
        # 5,016,300 of face at 4.20 % for 28 days
        ("6000000", "p.discount_rate=0.042 p.matures_on=2025-07-10", "4999913.42"),
        ("549997.45", "p.discount_rate=0.042 p.matures_on=2025-07-10", "549997.45"),
    ],
)
def test_a_limit_cuts_a_bill_to_what_is_sold_of_it(asked: str, more: str, granted: str) -> None:
    Bank(approvals={"sweep_usd": "9000000"}).play(f"""
        sweep  o1 OUT {asked} {more}
        expect intent amount={granted}
        expect cash granted={granted}
    """)


def test_other_products_and_what_comes_back_are_cut_to_cents() -> None:
    Bank(approvals={"sweep_usd": "9000000"}).play("""
        policy limits.sweep.single_usd=5000050.01
        sweep  o1 OUT 6000000 target_product=FED_RRP
        expect intent amount=5000050.01
        sweep  o2 BACK 6000000
        expect intent amount=5000050.01
        sweep  o3 OUT 6000000
        expect intent amount=5000000
    """)
