"""What Weir says was done with money at the bank, against the bank's own books: to the cent.

Read are the bank's books, what lies on Weir's topics, and the tables as their changelogs leave
them; nothing of Weir's code decides here. A payment is known by the id the bank got with it, which
is its order's.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

from bench.reckoning import (
    Evidence,
    Reckoning,
    intents,
    legs,
    proofs,
    told,
    units,
    used_of_days,
)

OUT, BACK = "SWEEP", "REVERSE_SWEEP"
REPEATED = frozenset({"DU01", "DU04"})
SETTLED, REJECTED = "ACSC", "RJCT"
PAID = frozenset({"CONFIRMED", "REVERSED"})


@dataclass
class BankEvidence(Evidence):
    """Also what is known of cash: the table's entries, and the last position of each account."""

    cash: dict[str, Any]
    positions: dict[str, Any]
    fund: str


def reckon(evidence: BankEvidence) -> Reckoning:
    """Everything; nothing may be open."""
    found = Reckoning()
    evidence.attempts = _of_last_attempt(evidence)
    for check in (payments, told, proofs, limits, positions, placed):
        check(evidence, found)  # type: ignore[operator]
    return found


def _of_last_attempt(evidence: BankEvidence) -> list[dict[str, Any]]:
    """An entry names an order, whichever attempt it was: it proves the end of the last one."""
    last = {intent["intent_id"]: leg["n"] for intent, leg in legs(evidence)}
    return [
        {**row, "n": last.get(row["intent_id"], row["n"])}
        if (row["facts"] or {}).get("source") == "statement"
        else row
        for row in evidence.attempts
    ]


def payments(evidence: BankEvidence, found: Reckoning) -> None:
    """Each order that ended as paid moved its amount once; no other did; and the bank moved nothing
    that was no order.
    """
    rows = _by_order(evidence)
    ours = {_id(intent["intent_id"]): intent for intent in intents(evidence)}
    for name, intent in ours.items():
        settled = [row for row in rows.get(name, ()) if row["state"] == SETTLED]
        where = f"{intent['kind']} {intent['intent_id']} {intent['state']}"
        found.counts[f"{intent['kind']} {intent['state']}"] += 1
        if len(settled) > 1 or any(row["booked"] > 1 for row in settled):
            found.say("double", f"{where}: the bank paid {len(settled)} times")
        if (intent["state"] in PAID) != bool(settled):
            found.say("lost", f"{where}: the bank has {[row['state'] for row in rows[name]]}")
        for row in settled:
            _compare(evidence, intent, row, where, found)
    for name, said in rows.items():
        if name not in ours:
            found.say("unexplained", f"{name}: the bank has {said}, nobody's order")
    found.counts["messages repeated"] = sum(
        row["reason"] in REPEATED for row in evidence.books["payments"]
    )
    if not evidence.books["conserved"]:
        found.say("wrong", "the bank's books do not add up")


def _compare(
    evidence: BankEvidence,
    intent: dict[str, Any],
    row: dict[str, Any],
    where: str,
    found: Reckoning,
) -> None:
    number = intent["account_id"].partition(":")[2]
    sides = (number, evidence.fund) if intent["kind"] == OUT else (evidence.fund, number)
    if (row["debtor"], row["creditor"]) != sides:
        found.say("wrong", f"{where}: from {row['debtor']} to {row['creditor']}")
    if units(row["amount"]) != int(intent["legs"][-1]["amount_e18"]):
        found.say("wrong", f"{where}: {intent['legs'][-1]['amount_e18']} units, {row['amount']}")
    if row["returned"] != (intent["state"] == "REVERSED"):
        found.say("wrong", f"{where}: returned is {row['returned']} at the bank")


def limits(evidence: BankEvidence, found: Reckoning) -> None:
    """The gate's use of each day is what the bank moved; a return frees nothing of it."""
    rows = _by_order(evidence)
    done = {
        intent["intent_id"]: units(row["amount"])
        for intent in intents(evidence)
        for row in rows.get(_id(intent["intent_id"]), ())
        if row["state"] == SETTLED
    }
    used_of_days(evidence, done, "sweep", found)


def positions(evidence: BankEvidence, found: Reckoning) -> None:
    """The last position of each account is the bank's balance, with nothing under way."""
    for number, account in _accounts(evidence):
        position = evidence.positions.get(f"bank:{number}")
        if position is None:
            found.say("lost", f"{number}: no position was told")
            continue
        have = [position[n] for n in ("avail_usd", "booked_usd", "pending_out", "pending_in")]
        wanted = [account["available"], account["booked"], "0", "0"]
        if [units(text) for text in have] != [units(text) for text in wanted]:
            found.say("wrong", f"{number}: {have}, the bank says {wanted}")
        if account["pending"]:
            found.say("lost", f"{number}: {account['pending']} is under way at the bank")


def placed(evidence: BankEvidence, found: Reckoning) -> None:
    """What each account has placed is what it sent, less what came back and what was returned."""
    theirs: Counter[str] = Counter()
    for row in evidence.books["payments"]:
        if row["state"] == SETTLED and not row["returned"]:
            out = row["creditor"] == evidence.fund
            number = row["debtor"] if out else row["creditor"]
            theirs[number] += units(row["amount"]) if out else -units(row["amount"])
    ours: dict[str, int] = defaultdict(int)
    states = {intent["intent_id"]: intent["state"] for intent in intents(evidence)}
    for key, order in evidence.cash.items():
        part, _, rest = key.partition("|")
        if part != "orders":
            continue
        ours[rest.partition("|")[0].removeprefix("bank:")] += int(order["left_e18"])
        if states.get(order["intent_id"], order["state"]) != order["state"]:
            found.say("wrong", f"{order['intent_id']}: cash says {order['state']}")
        if int(order["taken_e18"]):
            found.say("wrong", f"{order['intent_id']}: {order['taken_e18']} units are still taken")
    for number, _ in _accounts(evidence):
        if ours[number] != theirs[number]:
            found.say("wrong", f"{number}: {ours[number]} placed, the bank {theirs[number]} units")
    found.counts["placed usd"] = sum(theirs.values()) // 10**18
    if sum(theirs.values()) != units(evidence.books["accounts"][evidence.fund]["booked"]):
        found.say("wrong", f"the fund holds {evidence.books['accounts'][evidence.fund]['booked']}")


def _accounts(evidence: BankEvidence) -> list[tuple[str, dict[str, Any]]]:
    accounts = evidence.books["accounts"].items()
    return [(number, one) for number, one in accounts if one["kind"] == "dda"]


def _by_order(evidence: BankEvidence) -> dict[str, list[dict[str, Any]]]:
    """The bank's payments by order; a repetition that it refused as such is none."""
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in evidence.books["payments"]:
        if row["reason"] not in REPEATED:
            rows[row["end_to_end_id"]].append(row)
    return rows


def _id(order_id: str) -> str:
    """As the bank gets it."""
    return order_id.replace("-", "").lower()
