"""An explanation as a person reads it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from schemas.jsonform import iso
from weir.explain.flip import Flip
from weir.explain.reasons import Alternative, Reasons


def text(found: Reasons) -> str:
    """The explanation in plain lines."""
    return "\n".join(_lines(found))


def _lines(found: Reasons) -> Iterator[str]:
    said, place = found.said, found.place
    yield f"decision  {found.decision_id}"
    yield f"recorded  {_place(place)}"
    yield f"account   {said['inputs']['account_id']} at {iso(said['inputs']['at_ms'])}"
    yield f"rule      {said['rule']}, policy {said['policy']} ({said['policy_hash'][:12]})"
    yield f"action    {said['action']}: {said['reason']}"
    for part in said["parts"]:
        yield f"          {part['kind']} {part['asked']} (intent {part['intent_id']})"
    yield ""
    yield "inputs"
    yield from (f"  {line}" for line in _inputs(said["inputs"]))
    if said["flags"]:
        yield f"  flags      {', '.join(said['flags'])}"
    if not found.arithmetic:
        yield ""
        yield "no policy was in force: nothing was computed"
    else:
        yield ""
        yield "step by step"
        yield from (f"  {s.what}: {s.how} = {s.result}" for s in found.arithmetic)
        again = "gives the same decision" if found.reproduced else "DIFFERS FROM THE RECORD"
        yield f"  working it out again {again}"
        yield ""
        yield "the other action"
        yield f"  {_counterfactual(said['counterfactual'])}"
        yield "every rule with these inputs"
        yield from (f"  {_alternative(one, said['rule'])}" for one in found.alternatives)
        yield "what would change the action"
        yield from _flips(found.flips)
    if "distance" in said:
        yield "distance"
        for name, far in said["distance"].items():
            years = far["years_by_interest"] or "no number of"
            yield f"  {name} at {far['ltv']}: collateral falls by {far['fall']}, or {years} years"
    for line in found.later:
        yield f"later     {line['node']}: {line['outcome']} at {line['at']} ({_place(line)})"


def _inputs(inputs: dict[str, Any]) -> Iterator[str]:
    loan, wallets, yielded = inputs["loan"], inputs["wallets"], inputs["yield"]
    yield f"trigger    {_place(inputs['trigger'])}"
    yield f"mode       {inputs['mode']}"
    yield f"available  {inputs['available']}"
    if loan is None:
        yield "loan       never seen"
    else:
        yield (
            f"loan       ltv {loan['ltv_ratio']}, debt {loan['debt_usd']} USD, collateral"
            f" {loan['collateral_usd']} USD, yearly rate {loan['apr']}, {loan['age_ms']} ms old"
            f" ({_place(loan)})"
        )
    if wallets is None:
        yield "wallet     never seen"
    else:
        held = ", ".join(f"{units} {coin}" for coin, units in wallets["transferable"].items())
        yield f"wallet     {held or 'empty'} ({_place(wallets)})"
    if yielded is not None:
        yield f"yield      {yielded['rate']} ({_place(yielded)})"
    if inputs["frozen"]:
        yield f"frozen by  {', '.join(inputs['frozen'])}"


def _counterfactual(other: dict[str, Any]) -> str:
    if other["ltv_after"] is None:
        return "nothing to compare with"
    return f"{other['action']} would have led to a loan to value of {other['ltv_after']}"


def _alternative(one: Alternative, rule: str) -> str:
    mark = "*" if one.rule == rule else " "
    amounts = f"repay {one.repay}, pledge {one.pledge}, keep {one.kept}"
    tax = f", tax {one.tax_a_year}" if one.tax_a_year != "0" else ""
    return (
        f"{mark} {one.rule}: {one.action} ({one.reason}); {amounts};"
        f" loan to value {one.ltv_after or 'unknown'}; earns {one.earned_a_year} a year{tax}"
    )


def _flips(flips: tuple[Flip, ...]) -> Iterator[str]:
    if not flips:
        yield "  no change of loan to value or rate alone"
    for flip in flips:
        yield f"  {flip.figure} {flip.change} (from {flip.now} to {flip.to}): {flip.action}"


def _place(place: dict[str, Any]) -> str:
    return f"{place['topic']} {place['partition']}:{place['offset']}"
