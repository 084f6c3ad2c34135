"""The whole path as other programs see it: executions in, one operation at the venue out."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from schemas.signing import signer
from tests.weir.day import WORKED, Day
from tests.weir.rig import fill_line, until

LEGS = {"REPAY": "repays", "ADD_COLLATERAL": "adjusts"}
REFS = {"repays": "repay_id", "adjusts": "adjust_id"}


@pytest.fixture(scope="module")
def books(day: Day) -> Any:
    """The venue's books when nothing is open any more."""
    return day.settled()


@pytest.mark.req("000-02", "000-03", "000-13", "000-31", "000-32", "000-34", "003-36")
def test_fills_become_profit_though_the_worker_is_killed_between_them(day: Day) -> None:
    assert "hedge-executions" in day.said["topics"].stdout.split()
    assert day.said["first"].stderr == "2 records on hedge-executions\n"
    assert day.said["rest"].stderr == "3 records on hedge-executions\n"
    rows = [json.loads(line) for line in day.said["pnl"].stdout.splitlines()]
    assert [row["key"] for row in rows] == [WORKED] * 5
    names = ("exec_id", "gross_pnl", "fees", "funding", "trade_view_net", "realised_total")
    assert [tuple(row["value"][name] for name in names) for row in rows] == [
        ("w1", "0", "0.12", "0", "0", "-0.12"),
        ("w2", "0", "0.078", "0", "0", "-0.198"),
        ("w3", "45", "0.126", "0", "44.775", "44.676"),
        ("w4", "-30", "0.135", "0", "-30.18", "14.541"),
        ("w5", "0", "0", "0.05", "-0.05", "14.491"),
    ]
    places = [json.loads(line)["value"] for line in day.said["positions"].stdout.splitlines()]
    sizes = [(row["size"], row["entry_price"], row["open_fees"]) for row in places]
    assert sizes[0] == ("2", "100", "0.12")
    assert sizes[3] == ("-1", "90", "0.054")


@pytest.mark.req("000-30", "000-33", "003-81")
def test_once_flat_the_cash_view_and_the_trade_view_are_equal(day: Day) -> None:
    """The short of the worked example is bought back at 80, a fee of 0.04 is paid."""

    def rows() -> list[dict[str, Any]]:
        pnl = [v for v in day.rig.values("treasury.pnl.v1") if v["account_id"] == WORKED]
        return pnl if len(pnl) == 6 else []

    found = until(rows, "the sixth row")
    assert (found[-1]["net_pnl"], found[-1]["trade_view_net"]) == ("9.96", "9.906")
    views = sum(Decimal(row["trade_view_net"]) for row in found)
    assert found[-1]["realised_total"] == "24.451" == str(views)


@pytest.mark.req("000-02", "000-04", "000-13", "000-49")
def test_every_execution_is_booked_once_and_adds_up_to_the_venues_profit(
    day: Day, books: Any
) -> None:
    booked: dict[str, list[dict[str, Any]]] = {}
    for value in day.rig.values("treasury.pnl.v1"):
        booked.setdefault(value["account_id"], []).append(value)
    assert books["hedger"]["duplicates"] > 0
    for account in books["accounts"].values():
        rows = booked[account["account_id"]]
        assert Counter(row["exec_id"] for row in rows) == Counter(account["executions"]["ids"])
        realised = Decimal(rows[-1]["realised_total"])
        assert abs(realised - Decimal(account["pnl"]["realised_exact"])) < Decimal("1e-12")
        fees = sum(Decimal(row["fees"]) for row in rows)
        assert fees == Decimal(account["pnl"]["fees"])


@pytest.mark.req("000-01", "000-08", "000-09", "000-10", "000-25", "000-49")
def test_confirmed_operations_are_the_venues_operations(day: Day, books: Any) -> None:
    confirmed = [one for one in day.intents().values() if one["state"] == "CONFIRMED"]
    assert len(confirmed) >= 2
    for account in books["accounts"].values():
        ours: dict[str, dict[str, Decimal]] = {"transfers": {}, "repays": {}, "adjusts": {}}
        for one in confirmed:
            if one["account_id"] != account["account_id"]:
                continue
            amount = Decimal(one["amount_done"])
            transfer, main = one["legs"]
            ours["transfers"][transfer["venue_ref"]] = amount
            ours[LEGS[one["kind"]]][main["venue_ref"]] = amount
        theirs = {
            kind: {str(row[ref]): Decimal(row["amount"]) for row in account[kind]}
            for kind, ref in (REFS | {"transfers": "transfer_id"}).items()
        }
        assert ours == theirs
        assert account["counts"] == {
            "executions": len(account["executions"]["ids"]),
            **{kind: len(rows) for kind, rows in ours.items()},
            **dict.fromkeys(("orders", "cancels", "settings"), 0),
        }


@pytest.mark.req("000-56")
def test_a_lost_answer_is_found_in_the_venues_history_and_nothing_is_sent_twice(
    day: Day, books: Any
) -> None:
    fired = books["faults"]["fired"]
    assert (fired["drop_before"], fired["drop_after"]) == (1, 3)
    said: dict[tuple[str, str, int], list[tuple[str, str | None]]] = {}
    for row in day.rig.values("treasury.attempts.v1"):
        at = row["intent_id"], row["leg"], row["n"]
        said.setdefault(at, []).append((row["kind"], row["class"]))
    lost = [rows for rows in said.values() if ("RESULT", "unknown") in rows or _no_answer(rows)]
    found = [rows for rows in lost if ("EVIDENCE", "done") in rows]
    absent = [rows for rows in lost if rows[-1] == ("EVIDENCE", "unknown")]
    assert len(found) == 3  # they arrived, only the answers did not: history proves each
    assert len(absent) == 1  # it never arrived: five looks prove that before it is sent again
    assert absent[0].count(("EVIDENCE", "unknown")) >= 5


@pytest.mark.req("000-57", "000-72")
def test_every_answer_is_signed_by_who_gives_it_and_believed(day: Day, books: Any) -> None:
    told = {
        (line["value"]["kind"], signer(line["headers"].get("jws", "")))
        for line in day.rig.lines("treasury.attempts.v1")
    }
    kinds = ("PREPARED", "ATTEMPT", "RESULT", "EVIDENCE")
    assert told == {(kind, "executor") for kind in kinds}
    assert day.rig.lines("treasury.attempts.v1.dlq") == []


@pytest.mark.req("000-28", "000-62")
def test_each_call_has_its_attempt_on_the_log_before_its_result(day: Day, books: Any) -> None:
    legs: dict[tuple[str, str, int], list[str]] = {}
    for row in day.rig.values("treasury.attempts.v1"):
        legs.setdefault((row["intent_id"], row["leg"], row["n"]), []).append(row["kind"])
    for kinds in legs.values():
        assert kinds.count("ATTEMPT") == 1
        assert kinds.index("ATTEMPT") < min(kinds.index(kind) for kind in _answers(kinds))
    sent = sum(len(account[kind]) for account in books["accounts"].values() for kind in REFS)
    assert sent == sum(1 for _, leg, _ in legs if leg == "main")
    decided = [json.loads(one["body"]) for one in _attempts_decided(day)]
    assert Counter((one["intent_id"], one["leg"], one["attempt"]) for one in decided) == Counter(
        legs.keys()
    )


def _attempts_decided(day: Day) -> list[dict[str, Any]]:
    found = day.rig.values("treasury.decisions.v1")
    return [one for one in found if (one["node"], one["kind"]) == ("intents", "ATTEMPT")]


@pytest.mark.req("003-82")
def test_entries_at_two_prices_have_one_average(day: Day) -> None:
    rows = [("a1", "0.5", "5000"), ("a2", "0.3", "6000")]
    day.rig.send(
        "hedge-executions",
        [fill_line("bybit:average", name, "Buy", qty, price, "0") for name, qty, price in rows],
    )

    def shown() -> list[str]:
        found = day.rig.values("treasury.positions.v1")
        return [one["entry_price"] for one in found if one["account_id"] == "bybit:average"]

    assert until(lambda: shown()[1:], "the second entry") == ["5375"]


@pytest.mark.req("000-16", "000-46", "003-31", "003-56", "003-85")
def test_the_policy_changes_at_a_place_of_the_log(day: Day, books: Any) -> None:
    policies: dict[str, list[str]] = {}
    for row in day.rig.values("treasury.pnl.v1"):
        policies.setdefault(row["account_id"], []).append(row["meta"]["policy"])
    worked = policies.pop(WORKED)
    assert (worked[0], worked[-1]) == ("none", "test@2")
    for account in books["accounts"].values():
        found = policies[account["account_id"]]
        assert found == sorted(found)
        assert set(found) <= {"test@1", "test@2"}


def _answers(kinds: list[str]) -> list[str]:
    found = [kind for kind in kinds if kind in ("RESULT", "EVIDENCE")]
    assert found, kinds
    return found


def _no_answer(rows: list[tuple[str, str | None]]) -> bool:
    """The executor died before it could write what the call gave."""
    return "RESULT" not in {kind for kind, _ in rows}
