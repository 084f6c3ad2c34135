"""What Weir says was done with money, against the venue's own books: to the last unit.

Read are the venue's books, what lies on Weir's topics, and the tables as their changelogs leave
them; nothing of Weir's code decides here. An operation at the venue is known by its reference;
one that no confirmed leg names, and no parked one explains, is a double or a lost one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any

E18 = 10**18
MAIN = frozenset({"main", "only"})
"""The legs that move what was asked for."""
OPS = {"REPAY": "repays", "ADD_COLLATERAL": "adjusts"}
REFS = {"transfers": "transfer_id", "repays": "repay_id", "adjusts": "adjust_id"}
FINAL = frozenset({"CONFIRMED", "REJECTED", "REFUSED", "VOID", "EXPIRED", "REVERSED"})
LOOKS_MIN = 5
BY_USER = 1
FAULTS = ("double", "lost", "guessed", "wrong", "limits", "profit", "executions", "unexplained")
"""Of each there must be none."""

Effect = tuple[str, str, str]
"""Account, history, reference: one movement at the venue."""


@dataclass
class Evidence:
    """All that is compared. Values are JSON as `weir consume` prints it."""

    books: dict[str, Any]
    states: list[dict[str, Any]]
    attempts: list[dict[str, Any]]
    pnl: list[dict[str, Any]]
    intents: dict[str, Any]
    gate: dict[str, Any]
    gate_rows: list[tuple[str, Any]]
    book: dict[str, Any]
    daily_usd: Decimal
    absence_s: int


@dataclass
class Reckoning:
    """What was found; `faults` holds sentences by kind."""

    faults: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in FAULTS})
    parked: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def say(self, kind: str, sentence: str) -> None:
        """One thing that is wrong."""
        self.faults[kind].append(sentence)


def reckon(evidence: Evidence) -> Reckoning:
    """Everything; nothing may be open but what is parked."""
    found = Reckoning()
    for check in CHECKS:
        check(evidence, found)
    return found


def effects(evidence: Evidence, found: Reckoning) -> None:
    """Each movement at the venue belongs to one leg, each confirmed leg to one movement."""
    theirs = movements(evidence.books)
    claimed: Counter[Effect] = Counter()
    for intent, leg in legs(evidence):
        if leg["state"] != "CONFIRMED":
            continue
        at = effect_of(intent, leg)
        claimed[at] += 1
        found.counts[at[1]] += 1
        row = theirs.get(at)
        if row is None:
            found.say("lost", f"{at}: {intent['intent_id']} is confirmed, the venue has no row")
        elif units(row["amount"]) != int(leg["amount_e18"]):
            found.say("wrong", f"{at}: {leg['amount_e18']} units, the venue has {row['amount']}")
    for at, count in claimed.items():
        if count > 1:
            found.say("double", f"{at} is the effect of {count} legs")
    left = {at: row for at, row in theirs.items() if at not in claimed}
    for intent, leg in legs(evidence):
        if intent["state"] == "PARKED" and leg["state"] == "PARKED":
            _explain(intent, leg, left, found)
    ours = {(i["account_id"], leg["amount_e18"]) for i, leg in legs(evidence)}
    for at, row in left.items():
        known = (at[0], str(units(row["amount"]))) in ours
        found.say("double" if known else "lost", f"{at}, {row['amount']}: nobody's effect")


def _explain(
    intent: dict[str, Any], leg: dict[str, Any], left: dict[Effect, Any], found: Reckoning
) -> None:
    """What the venue's history says of a leg that waits for people; `left` loses its row."""
    account, history, _ = effect_of(intent, leg)
    mark = leg["absent_mark"] or leg["watermark"]
    rows = [
        at
        for at, row in left.items()
        if at[:2] == (account, history)
        and units(row["amount"]) == int(leg["amount_e18"])
        and row["time_ms"] >= int(mark["server_ms"]) - 2000
    ]
    said = ", ".join(ref for _, _, ref in rows) or "no row"
    where = f"{intent['intent_id']} {leg['leg']}#{leg['n']} ({intent['reason']})"
    found.parked.append(f"{where}: the venue's history has {said}")
    if len(rows) > 1:
        found.say("unexplained", f"{where}: {said}")
    for at in rows:
        del left[at]


def told(evidence: Evidence, found: Reckoning) -> None:
    """The states topic, the node's table and the venue tell one story of each intent."""
    last = {value["intent_id"]: value for value in evidence.states}
    blocked = {intent["lane"] for intent in intents(evidence) if intent["state"] == "PARKED"}
    entries = {intent["intent_id"]: intent for intent in intents(evidence)}
    for intent_id, intent in entries.items():
        state = last.get(intent_id)
        if state is None:
            found.say("lost", f"{intent_id}: no record tells of it")
            continue
        same = [(leg["leg"], leg["state"], leg["n"]) for leg in intent["legs"]]
        if (state["state"], same) != (
            intent["state"],
            [(leg["leg"], leg["state"], leg["n"]) for leg in state["legs"]],
        ):
            found.say("wrong", f"{intent_id}: topic {state['state']}, table {intent['state']}")
        done = next((g for g in intent["legs"] if g["leg"] in MAIN), None)
        confirmed = intent["state"] in ("CONFIRMED", "REVERSED") and done is not None
        wanted = int(done["amount_e18"]) if confirmed and done else 0
        if units(state["amount_done"]) != wanted:
            found.say("wrong", f"{intent_id}: {state['amount_done']} done, the leg {wanted} units")
        waits = intent["state"] == "READY" and intent["lane"] in blocked
        if intent["state"] not in FINAL and intent["state"] != "PARKED" and not waits:
            found.say("lost", f"{intent_id} is left in {intent['state']}")
    for intent_id, state in last.items():
        found.counts[f"intents {state['state']}"] += 1
        if intent_id not in entries and state["state"] not in FINAL:
            found.say("lost", f"{intent_id} is {state['state']} and never reached its lane")


def proofs(evidence: Evidence, found: Reckoning) -> None:
    """Nothing ended and nothing was sent again without a record that proves it."""
    said: dict[tuple[str, str, int], list[dict[str, Any]]] = defaultdict(list)
    for row in evidence.attempts:
        said[row["intent_id"], row["leg"], row["n"]].append(row)
    for intent, leg in legs(evidence):
        for n in range(1, leg["n"] + 1):
            rows = said[intent["intent_id"], leg["leg"], n]
            sent = [row for row in rows if row["kind"] == "ATTEMPT"]
            where = f"{intent['intent_id']} {leg['leg']}#{n}"
            found.counts["attempts"] += len(sent)
            if len(sent) > 1:
                found.say("double", f"{where} was begun {len(sent)} times")
            if n < leg["n"] and not _proven_absent(rows, evidence.absence_s):
                found.say("guessed", f"{where} was followed by another without proof")
            elif n == leg["n"] and not _proven_end(leg, rows):
                found.say("guessed", f"{where} ended as {leg['state']} without proof")


def _proven_absent(rows: list[dict[str, Any]], absence_s: int) -> bool:
    """A word that it was not executed, or enough complete looks over enough of the venue's time."""
    if any(r["kind"] == "RESULT" and r["class"] in ("transient", "not_sent") for r in rows):
        found = [r for r in rows if r["kind"] == "EVIDENCE" and r["class"] in ("done", "accepted")]
        return not found
    begun = next((row for row in rows if row["kind"] == "ATTEMPT"), None)
    looks = [
        int(row["facts"]["server_ms"])
        for row in rows
        if row["kind"] == "EVIDENCE" and row["class"] == "unknown" and row["facts"]
    ]
    if begun is None or len(looks) < LOOKS_MIN:
        return False
    return max(looks) - int(begun["watermark"]["server_ms"]) >= absence_s * 1000


def _proven_end(leg: dict[str, Any], rows: list[dict[str, Any]]) -> bool:
    heard = {(row["kind"], row["class"]) for row in rows}
    classes = {class_ for kind, class_ in heard if kind in ("RESULT", "EVIDENCE")}
    if leg["state"] == "CONFIRMED":
        refs = {row["venue_ref"] for row in rows if row["class"] == "done"}
        return leg["venue_ref"] in refs
    begun = ("ATTEMPT", None) in heard
    if leg["state"] == "REJECTED":
        return bool(classes & {"refused", "transient"}) or not begun
    if leg["state"] in ("EXPIRED", "VOID"):
        return not begun
    return True


def limits(evidence: Evidence, found: Reckoning) -> None:
    """The gate's use of each day is what the venue moved; at no time was it above the limit."""
    theirs = movements(evidence.books)
    done: dict[str, int] = {}
    for intent, leg in legs(evidence):
        row = theirs.get(effect_of(intent, leg))
        if leg["leg"] == "main" and leg["state"] == "CONFIRMED" and row is not None:
            done[intent["intent_id"]] = units(row["amount"])
    used_of_days(evidence, done, "loan", found)


def used_of_days(evidence: Evidence, done: dict[str, int], class_: str, found: Reckoning) -> None:
    """What the gate has in use, from what each intent moved in the other side's books; what came
    back to us uses nothing.
    """
    days: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for key, hold in evidence.gate.items():
        part, _, intent_id = key.partition("|desk|")
        if part != "holds":
            continue
        rate, final = int(hold["rate_e18"]), hold["final"]
        confirmed = ceil_usd(done.get(intent_id, 0), rate)
        held = 0 if final else ceil_usd(int(hold["granted_e18"]), rate)
        if (int(hold["confirmed_usd_e18"]), int(hold["held_usd_e18"])) != (confirmed, held):
            found.say("limits", f"hold {intent_id}: {hold}, the books say {confirmed}, {held}")
        if hold["kind"] == "REVERSE_SWEEP":
            confirmed, held = 0, 0
        for name in (f"used|desk|{hold['class_']}|{hold['day']}", f"rolling|desk|{hold['class_']}"):
            days[name][0] += confirmed
            days[name][1] += held
    for name, wanted in days.items():
        used = evidence.gate.get(name, {"confirmed_usd_e18": "0", "held_usd_e18": "0"})
        have = [int(used["confirmed_usd_e18"]), int(used["held_usd_e18"])]
        if have != wanted:
            found.say("limits", f"{name}: {have} units, the books say {wanted}")
        found.counts[f"{name} usd"] = wanted[0] // E18
    for key, used in evidence.gate_rows:
        if key.startswith(f"used|desk|{class_}|") and used is not None:
            sum_e18 = int(used["confirmed_usd_e18"]) + int(used["held_usd_e18"])
            if sum_e18 > evidence.daily_usd * E18:
                found.say("limits", f"{key} was {sum_e18}, above {evidence.daily_usd}")


def profit(evidence: Evidence, found: Reckoning) -> None:
    """L is what the venue moved and what open intents may still move; B what each keeps."""
    moved: dict[str, int] = defaultdict(int)
    theirs = movements(evidence.books)
    for intent, leg in legs(evidence):
        row = theirs.get(effect_of(intent, leg))
        if leg["leg"] == "main" and leg["state"] == "CONFIRMED" and row is not None:
            moved[intent["account_id"]] += units(row["amount"])
    for intent in intents(evidence):
        if intent["state"] not in FINAL:
            moved[intent["account_id"]] += int(intent["granted_e18"])
    kept: dict[str, int] = defaultdict(int)
    for key, operation in evidence.book.items():
        part, _, rest = key.partition("|")
        account = rest.partition("|")[0]
        if part == "operations":
            claim = sum(int(leg["claim_e18"]) for leg in operation["legs"])
            factor = Fraction(int(operation["factor_e18"]), E18)
            kept[account] += -((-claim * (1 - factor)) // factor)
    for account in (f"bybit:{number}" for number in evidence.books["accounts"]):
        book = evidence.book.get(f"pnl_book|{account}|USDT")
        have = (int(book["allocated_e18"]), int(book["retained_e18"])) if book else (0, 0)
        wanted = moved[account], kept[account]
        if have != wanted:
            found.say("profit", f"{account}: L, B are {have} units, the venue says {wanted}")
        found.counts["allocated usdt"] += wanted[0] // E18


def executions(evidence: Evidence, found: Reckoning) -> None:
    """Every execution of the venue is booked once, and they add up to its profit."""
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for value in evidence.pnl:
        rows[value["account_id"]].append(value)
    for account in evidence.books["accounts"].values():
        mine = rows[account["account_id"]]
        found.counts["executions"] += len(mine)
        booked = Counter(value["exec_id"] for value in mine)
        if booked != Counter(account["executions"]["ids"]):
            odd = booked - Counter(account["executions"]["ids"])
            lost = Counter(account["executions"]["ids"]) - booked
            found.say("executions", f"{account['account_id']}: too many {odd}, missing {lost}")
        ours = [sum(Decimal(value[name]) for value in mine) for name in ("fees", "funding")]
        ours.append(Decimal(mine[-1]["realised_total"]) if mine else Decimal(0))
        theirs = [account["pnl"][name] for name in ("fees", "funding", "realised_exact")]
        if list(map(_places, ours)) != [_places(Decimal(text)) for text in theirs]:
            found.say("executions", f"{account['account_id']}: {ours}, the venue says {theirs}")


CHECKS = (effects, told, proofs, limits, profit, executions)


def movements(books: dict[str, Any]) -> dict[Effect, dict[str, Any]]:
    """All that was moved at the venue on our word, by account, history and reference."""
    return {
        (account["account_id"], history, str(row[field])): row
        for account in books["accounts"].values()
        for history, field in REFS.items()
        for row in account[history]
        if row.get("type", BY_USER) == BY_USER and row.get("direction", 0) == 0
    }


def intents(evidence: Evidence) -> Iterable[dict[str, Any]]:
    """The entries of the intents node."""
    return (value for key, value in evidence.intents.items() if key.startswith("intents|"))


def legs(evidence: Evidence) -> Iterable[tuple[dict[str, Any], dict[str, Any]]]:
    """Every leg with its intent."""
    return ((intent, leg) for intent in intents(evidence) for leg in intent["legs"])


def effect_of(intent: dict[str, Any], leg: dict[str, Any]) -> Effect:
    """Where a leg's effect stands in the venue's books."""
    history = OPS.get(intent["kind"], "transfers") if leg["leg"] == "main" else "transfers"
    return intent["account_id"], history, leg["venue_ref"]


def units(text: str) -> int:
    """Decimal text in units of 10^-18."""
    return int(Fraction(text) * E18)


def ceil_usd(amount_e18: int, rate_e18: int) -> int:
    """An amount in dollars, rounded up to the last unit."""
    return -(-amount_e18 * rate_e18 // E18)


def _places(value: Decimal) -> Decimal:
    """At the venue's eight places."""
    return value.quantize(Decimal(1).scaleb(-8), rounding=ROUND_HALF_EVEN)
