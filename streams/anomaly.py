"""What is unusual about money that goes out: told as an alert and in the gate's decision, never
refused.

* an amount: (x - mean)^2 > sigma^2 * variance of the class's last confirmed operations, x above
  their mean. With n operations, sum S and sum of squares Q both sides are multiplied by n^2, which
  leaves whole numbers and no root: (n*x - S)^2 > sigma^2 * (n*Q - S^2). Silent while the window is
  not full; of equal amounts the deviation is 0 and any larger one is unusual.
* a pace: more operations granted within an hour than the policy calls usual, desk-wide. It is the
  only one that ends.
* a beneficiary who was never paid before, until an operation in their favour is confirmed; what
  comes back to the account itself pays nobody.
* a person who asks for money or lets it out outside office hours.

Dollars times 10^18 at the rate of the admission.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from schemas.money import E18, floor_to, text_e18
from schemas.policy_anomaly import Anomaly, minutes
from schemas.records import Approval, Proposal
from streams import alerts, waiting
from streams.step import Emit, Entries, Event, InForce
from tables.anomaly import Pace, Paid, Usual
from tables.gate import Hold

AMOUNT, PACE, BENEFICIARY, OFFICE_HOURS = "amount", "ops_per_hour", "beneficiary", "office_hours"
BY_RULE = "weir:"
"""How the maker of a proposal begins that no person asked for."""
HOUR_MS, MINUTE_MS, DAY_MS = 3_600_000, 60_000, 86_400_000


def proposed(
    entries: Entries, event: Event, in_force: InForce, proposal: Proposal, hold: Hold
) -> list[Any]:
    """The alerts of a proposal that was just answered; of one that may move money, all four."""
    if in_force.policy is None:
        return []
    rule = in_force.policy.anomaly
    labels = {
        "intent_id": proposal.intent_id,
        "decision_id": proposal.decision_id,
        "account": proposal.account_id,
        "class": proposal.class_,
        "maker": proposal.maker,
    }
    what = f"{proposal.kind} {proposal.intent_id} of {proposal.account_id}"
    outputs: list[Any] = []
    if not proposal.maker.startswith(BY_RULE) and _is_closed(rule, event.timestamp_ms):
        text = f"{proposal.maker} asked for {what} {_outside(rule, event.timestamp_ms)}"
        outputs.append(_once(event, OFFICE_HOURS, proposal.intent_id, text, labels))
    if hold.granted_e18 == 0:
        return outputs
    name = proposal.beneficiary
    if name not in (None, proposal.account_id) and entries.get("paid", str(name)) is None:
        amount = f"{text_e18(hold.granted_e18)} {proposal.ccy}"
        text = f"{what}: {amount} go to {name}, who was never paid before"
        outputs.append(_once(event, BENEFICIARY, proposal.intent_id, text, labels))
    far = _far(rule, entries.get("usual", hold.class_) or Usual(), hold.held_usd_e18)
    if far:
        text = f"{what}: {text_e18(hold.held_usd_e18)} USD are {far} {hold.class_} operations"
        outputs.append(_once(event, AMOUNT, proposal.intent_id, text, labels))
    return outputs + _paced(entries, event, rule, what, labels)


def approved(event: Event, in_force: InForce, approval: Approval) -> list[Any]:
    """The alert of a signature that counts, by the time it came: the time it names is the signer's
    own choice.
    """
    if in_force.policy is None or not _is_closed(in_force.policy.anomaly, event.at_ms):
        return []
    name, intent_id = approval.approver, approval.intent_id
    text = f"{name} approved {intent_id} {_outside(in_force.policy.anomaly, event.at_ms)}"
    labels = {"intent_id": intent_id, "approver": name}
    return [_once(event, OFFICE_HOURS, f"{intent_id}|{name}", text, labels)]


def confirmed(
    entries: Entries, event: Event, in_force: InForce, intent_id: str, hold: Hold
) -> None:
    """Takes an operation that has just been confirmed into what is usual."""
    if in_force.policy is None or hold.confirmed_usd_e18 == 0:
        return
    usual: Usual = entries.get("usual", hold.class_) or Usual()
    kept = (*usual.moved_usd_e18, hold.confirmed_usd_e18)[-in_force.policy.anomaly.window_ops :]
    entries.put("usual", Usual(kept), hold.class_)
    paid = hold.beneficiary not in ("", hold.account_id)
    if paid and entries.get("paid", hold.beneficiary) is None:
        entries.put("paid", Paid(intent_id, event.at_ms), hold.beneficiary)


def calmed(entries: Entries, event: Event) -> list[Any]:
    """The end of a pace that was too high, when its time has come."""
    pace: Pace = entries.get("pace") or Pace()
    if not 0 < pace.until_ms <= event.at_ms:
        return []
    entries.put("pace", replace(pace, until_ms=0))
    return alerts.resolve(entries, event, _name(PACE), "the last hour has a usual number again")


def patterns(outputs: list[Any]) -> list[str]:
    """The names of what was found, for the record of the decision."""
    return [one.value.labels["pattern"] for one in outputs if isinstance(one, Emit)]


def _paced(
    entries: Entries, event: Event, rule: Anomaly, what: str, labels: dict[str, str]
) -> list[Any]:
    most = rule.ops_per_hour
    pace: Pace = entries.get("pace") or Pace()
    granted_ms = (*pace.granted_ms, event.at_ms)[-most - 1 :]
    within = tuple(one for one in granted_ms if one > event.at_ms - HOUR_MS)
    if len(within) <= most:
        entries.put("pace", replace(pace, granted_ms=within))
        return []
    entries.put("pace", Pace(within, within[0] + HOUR_MS))
    text = f"more than {most} operations were granted within an hour, the last: {what}"
    labels = {**labels, "pattern": PACE}
    fired = alerts.fire(entries, event, _name(PACE), text, labels=labels)
    return [*fired, *waiting.wake(entries, event.at_ms)] if fired else []


def _far(rule: Anomaly, usual: Usual, usd_e18: int) -> str:
    """In words by how much an amount is above what is usual; empty if it is not."""
    moved = usual.moved_usd_e18[-rule.window_ops :]
    count, total = len(moved), sum(moved)
    above = count * usd_e18 - total
    if count < rule.window_ops or above <= 0:
        return ""
    spread = count * sum(one * one for one in moved) - total * total
    if above * above * E18 * E18 <= rule.sigma_e18 * rule.sigma_e18 * spread:
        return ""
    mean = text_e18(floor_to(total // count, 2))
    sigma = text_e18(rule.sigma_e18)
    return f"more than {sigma} standard deviations above the mean {mean} of the last {count}"


def _is_closed(rule: Anomaly, time_ms: int) -> bool:
    opens, closes = minutes(rule.office_hours_utc)
    at_ms = time_ms % DAY_MS
    since, before = opens * MINUTE_MS <= at_ms, at_ms < closes * MINUTE_MS
    return not (since and before if opens < closes else since or before)


def _outside(rule: Anomaly, time_ms: int) -> str:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time_ms)
    when = at.strftime("%Y-%m-%d %H:%M:%S")
    return f"at {when}, outside the office hours {rule.office_hours_utc} UTC"


def _once(event: Event, pattern: str, of: str, text: str, labels: dict[str, str]) -> Emit:
    labels = {**labels, "pattern": pattern}
    return alerts.once(event, f"{_name(pattern)}|{of}", text, labels=labels)


def _name(pattern: str) -> str:
    return f"anomaly|{pattern}"
