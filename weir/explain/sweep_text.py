"""The explanation of a sweep as a person reads it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from schemas.jsonform import iso
from weir.explain.flip import Flip
from weir.explain.sweeps import Alternative, SweepReasons


def text(found: SweepReasons) -> str:
    """The explanation in plain lines."""
    return "\n".join(_lines(found))


def _lines(found: SweepReasons) -> Iterator[str]:
    said, inputs = found.said, found.said["inputs"]
    policy = f"{said['policy']} ({said['policy_hash'][:12]})"
    yield f"decision  {found.decision_id}"
    yield f"recorded  {_place(found.place)}"
    yield f"account   {inputs['account_id']} at {iso(inputs['at_ms'])}"
    yield f"rule      {said['rule']}, policy {policy}{_at(found.places.get('policy'))}"
    yield f"action    {_action(said)}"
    yield ""
    yield "inputs"
    yield from (f"  {line}" for line in _inputs(inputs, found.places))
    yield ""
    if not found.arithmetic:
        yield "no policy was in force: nothing was computed"
    else:
        yield "step by step"
        yield from (f"  {s.what}: {s.how} = {s.result}" for s in found.arithmetic)
        again = "gives the same record" if found.reproduced else "DIFFERS FROM THE RECORD"
        yield f"  working it out again {again}"
        yield ""
        yield "both rules with these inputs"
        yield from (f"  {_alternative(one, said['rule'])}" for one in found.alternatives)
        yield "what would change the action"
        yield from _flips(found.flips)
    for line in found.later:
        yield f"later     {line['node']}: {line['outcome']} at {line['at']} ({_place(line)})"


def _action(said: dict[str, Any]) -> str:
    order, taken = said["order"], said.get("withdrawal")
    if taken is not None:
        why = f"{taken['reason']}, {taken['room']} can go"
        return f"takes back {taken['amount']} USD: {why} (order {taken['order']})"
    if order is None:
        return f"hold: {said['outcome']}"
    back = f", back {order['matures_on']}" if order["matures_on"] else ""
    return (
        f"{said['outcome']} {order['product']} {order['amount']} USD before {order['cutoff']},"
        f" moves {order['value_date']}{back} (order {order['order_id']})"
    )


def _inputs(inputs: dict[str, Any], places: dict[str, Any]) -> Iterator[str]:
    yield f"trigger    {_place(inputs['trigger'])}"
    yield f"mode       {inputs['mode']}"
    for name in ("available", "booked"):
        known = inputs[name]
        if known is None:
            yield f"{name:<10} never told"
        else:
            as_of = iso(known["as_of_ms"])
            yield f"{name:<10} {known['amount']} {known['code']} as of {as_of} ({_place(known)})"
    yield f"pending    {inputs['pending_out']} going out, {inputs['pending_in']} coming in"
    for one in inputs.get("pending_later", ()):
        yield f"           of it {one['amount']} (above 0: out) only on {one['moves_on']}"
    for one in inputs.get("pending_unsure", ()):
        yield f"           of it {one['amount']} (above 0: out) the balance may count already"
    forecast, risk = inputs["forecast"], inputs["risk"]
    if forecast is None:
        yield "forecast   none"
    else:
        how = f"{forecast['method']} over {forecast['sample']}"
        usual = f"p50 {forecast['p50']}, p95 {forecast['p95']} ({how})"
        yield f"forecast   {forecast['for_date']}: {usual}{_at(places.get('forecast'))}"
    if risk is None:
        yield "risk       never measured"
    else:
        bps = "" if risk["var_bps"] is None else f" = {risk['var_bps']} bps"
        yield (
            f"risk       VaR {risk['var']}{bps}, expected shortfall {risk['es']}, {risk['n']} days"
            f" {risk['status']}{_at(places.get('var'))}"
        )
    for name in sorted(name for name in places if name.startswith("calendar ")):
        yield f"{name}{_at(places[name])}"
    for one in inputs["placements"]:
        until = f"matures {one['matures_on']}" if one["matures_on"] else "until it is called back"
        yield f"placed     {one['product']} {one['amount']}, {until} (order {one['order']})"
    if inputs["open_order"]:
        unsent = inputs.get("unsent")
        rest = f", {unsent['amount']} that has not gone out" if unsent else ""
        yield f"open       {inputs['open_order']}{rest}"
    if inputs["waits"]["kind"]:
        yield f"waits      {inputs['waits']['kind']} after {inputs['waits']['reason']}"
    if inputs["placed_today"] or inputs["brought_back_today"]:
        done = "placed" if inputs["placed_today"] else "brought back"
        yield f"today      money was {done}"
    if inputs["frozen"]:
        yield f"frozen by  {', '.join(inputs['frozen'])}"


def _alternative(one: Alternative, rule: str) -> str:
    mark = "*" if one.rule == rule else " "
    if one.reason:
        return f"{mark} {one.rule}: {one.action} ({one.reason})"
    return f"{mark} {one.rule}: {one.action} {one.product} {one.amount}, moves {one.value_date}"


def _flips(flips: tuple[Flip, ...]) -> Iterator[str]:
    if not flips:
        yield "  no change of balance or cut-off alone"
    for flip in flips:
        yield f"  {flip.figure} {flip.change} (from {flip.now} to {flip.to}): {flip.action}"


def _at(place: dict[str, Any] | None) -> str:
    return "" if place is None else f" ({_place(place)})"


def _place(place: dict[str, Any]) -> str:
    return f"{place['topic']} {place['partition']}:{place['offset']}"
