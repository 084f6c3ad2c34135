"""Balances of a bank account: which of a bank's figures counts, and when it is replaced.

The available balance is ITAV, else one the bank names without a code, else CLAV, else a booked one
(ITBD, CLBD). An older as-of never replaces a newer one; another amount with the same as-of is a
contradiction and is refused, unless the bank restates the very statement it came from. What cannot
be used is refused whole: no part of it is known afterwards.
"""

from __future__ import annotations

from hashlib import sha256

import msgspec
from msgspec.structs import replace

from schemas.records import BalanceEvent, BankBalance
from streams.newyork import DAY_MS, FIRST_YEAR, day_number, day_of
from streams.step import Entries, Event, InForce, Refused
from tables.allocation import Coordinates
from tables.cash import Balance, Recent

CCY = "USD"
UNNAMED = "AVAIL"
AVAIL = ("ITAV", UNNAMED, "CLAV", "ITBD", "CLBD")
"""Usable as the available balance, the best first."""
BOOKED = ("ITBD", "CLBD")
BOOK = "BOOK"
DERIVED = "derived-"
"""How the reference of an entry begins that has none of the bank's own."""
AHEAD_MAX_MS = 60_000
E4_TO_E18 = 10**14
RECENT = 8
TOTAL_E4_MAX = 10**19
"""The most that all entries of one message may move: sums of days then fit every record."""
_FIRST_DAY, _LAST_DAY = day_number(FIRST_YEAR, 1, 1), day_number(3000, 1, 1) - 1
_encode = msgspec.json.Encoder().encode


def check(event: Event, in_force: InForce) -> None:
    """Refuses a message that cannot be used, naming why."""
    value: BalanceEvent = event.value
    if "|" in event.key:  # keys of the table are joined by it
        raise Refused("invalid", "account_id", event.key, "is no number of an account")
    if in_force.policy is not None:
        account = in_force.policy.account(event.key)
        if account is None or account.kind != "bank":
            raise Refused("unknown_account", "account_id", event.key, "no bank account of ours")
    if not value.msg_id:
        raise Refused("missing", "msg_id", value.msg_id, "a repeat could not be told")
    for ccy in [one.ccy for one in value.balances] + [one.ccy for one in value.entries]:
        if ccy != CCY:
            raise Refused("currency", "ccy", ccy, f"the account is kept in {CCY}")
    for as_of_ms in (value.as_of_ms, *(one.as_of_ms for one in value.balances)):
        if as_of_ms > event.at_ms + AHEAD_MAX_MS:
            raise Refused("future", "as_of", as_of_ms, f"it is {event.at_ms}")
        if as_of_ms < (_FIRST_DAY + 1) * DAY_MS:  # in New York it is still the year before
            raise Refused("range", "as_of", as_of_ms, f"before {FIRST_YEAR}")
    _check_dates(event, value)
    if sum(abs(one.amount_e4) for one in value.entries) >= TOTAL_E4_MAX:
        raise Refused("overflow", "entries", len(value.entries), "more than any account holds")


def hash_of(value: BalanceEvent) -> str:
    """What a message says, whichever way it came."""
    said = (value.msg_id, value.statement_date, value.balances, value.entries, value.avail_usd_e4)
    return sha256(_encode((*said, value.as_of_ms))).hexdigest()


def is_repeat(entries: Entries, value: BalanceEvent, said: str) -> bool:
    """Whether the message came before; refused when it said something else then. Remembers it."""
    recent: Recent = entries.get("recent") or Recent()
    if value.msg_id in recent.msg_ids:
        if recent.hashes[recent.msg_ids.index(value.msg_id)] == said:
            return True
        raise Refused("exists_different", "msg_id", value.msg_id, "said something else before")
    ids, hashes = (*recent.msg_ids, value.msg_id), (*recent.hashes, said)
    entries.put("recent", Recent(ids[-RECENT:], hashes[-RECENT:]))
    return False


def take(entries: Entries, event: Event) -> bool:
    """Folds the balances of a message; whether the account's changed."""
    value: BalanceEvent = event.value
    named = list(value.balances)
    if value.avail_usd_e4 is not None:
        named.append(BankBalance(UNNAMED, value.avail_usd_e4, CCY, value.as_of_ms))
    changed = False
    for kind, codes in (("avail", AVAIL), ("booked", BOOKED)):
        best = _best(named, codes)
        if best is not None:
            changed |= _replace(entries, event, kind, codes, best)
    return changed


def _best(named: list[BankBalance], codes: tuple[str, ...]) -> BankBalance | None:
    """The balance of the best code; of several of one code the newest."""
    known = [one for one in named if one.code in codes]
    if not known:
        return None
    best = min(known, key=lambda one: (codes.index(one.code), -one.as_of_ms))
    for other in known:
        same = (other.code, other.as_of_ms) == (best.code, best.as_of_ms)
        if same and other.amount_e4 != best.amount_e4:
            raise Refused("exists_different", "balances", other.code, "two amounts in one message")
    return best


def _replace(
    entries: Entries, event: Event, kind: str, codes: tuple[str, ...], best: BankBalance
) -> bool:
    old: Balance | None = entries.get("balances", kind)
    value: BalanceEvent = event.value
    new = Balance(
        code=best.code,
        amount_e18=best.amount_e4 * E4_TO_E18,
        as_of_ms=best.as_of_ms,
        source=Coordinates(event.topic, event.partition, event.offset),
        statement_day=value.statement_date,
    )
    if old is not None and old.as_of_ms >= new.as_of_ms:
        if old.as_of_ms > new.as_of_ms or codes.index(old.code) < codes.index(new.code):
            return False
        restated = value.statement_date is not None and value.statement_date == old.statement_day
        if old.code == new.code and old.amount_e18 != new.amount_e18 and not restated:
            why = f"{old.code} at the same as_of was another amount"
            raise Refused("exists_different", "balances", best.amount_e4, why)
        if replace(old, source=new.source) == new:
            return False
    entries.put("balances", new, kind)
    return True


def _check_dates(event: Event, value: BalanceEvent) -> None:
    today = day_of(event.at_ms)
    dates = [("statement_date", value.statement_date)]
    for entry in value.entries:
        dates.append(("value_date", entry.value_date))
        dates.append(("booking_date", entry.booking_date))
        if entry.status == BOOK and entry.booking_date is not None and entry.booking_date > today:
            raise Refused("future", "booking_date", entry.booking_date, "booked on a day to come")
        if not entry.ref:
            raise Refused("missing", "ref", entry.ref, "a repeat could not be told")
    for name, day in dates:
        if day is not None and not _FIRST_DAY <= day <= _LAST_DAY:
            raise Refused("range", name, day, f"must lie between {FIRST_YEAR} and 2999")
    if value.statement_date is not None and value.statement_date > today:
        raise Refused("future", "statement_date", value.statement_date, "closes a day to come")
