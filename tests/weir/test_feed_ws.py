"""The venue's own feed as the only source of executions, while its executor is killed."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.weir.rig import Rig, Sandbox, rig, until
from weir.home import Home

DAY = ("--feed", "venue", "--accounts", "2", "--fills", "600", "--rate", "60")
KILLS = 3


def fed_by_the_venue(sandbox: Sandbox) -> dict[str, str]:
    """The executor's environment: it reads executions, often."""
    venues = [{**account, "feed": "ws"} for account in json.loads(sandbox.venues)]
    return {"WEIR_VENUES": json.dumps(venues), "WEIR_BACKFILL_S": "5"}


def marks(running: Rig) -> list[str]:
    """The accounts whose feed has begun."""
    return [path.stem for path in (running.home.root / "feeds").glob("*.json")]


@pytest.mark.req("000-02", "000-35")
def test_every_execution_of_the_venue_is_booked_though_the_executor_is_killed(home: Home) -> None:
    with rig(home) as running:
        sandbox = Sandbox(running, *DAY)
        running.weir("topics", "create")
        running.run("pipeline")
        running.run("executor", **fed_by_the_venue(sandbox))
        running.await_ready("pipeline")
        running.await_ready("executor")
        until(lambda: len(marks(running)) == 2, "both feeds have begun")
        sandbox.trade()
        for number in range(1, KILLS + 1):
            until(
                lambda number=number: sandbox.books()["hedger"]["fills"] > 120 * number,
                "the day goes on",
            )
            running.await_ready("executor", besides=running.kill("executor"))
        until(lambda: sandbox.books()["hedger"]["done"], "the day is over")
        books = sandbox.books()
        ids = {one for each in books["accounts"].values() for one in each["executions"]["ids"]}

        def booked() -> list[dict[str, Any]]:
            rows = running.values("treasury.pnl.v1")
            return rows if {row["exec_id"] for row in rows} >= ids else []

        rows = until(booked, lambda: f"all is booked\n{running.log('executor-0')}")
        written = {row["exec_id"] for row in running.values("hedge-executions")}
        alerts = running.values("treasury.alerts.v1")
    assert written == ids == {row["exec_id"] for row in rows}
    for number, account in books["accounts"].items():
        last = [row for row in rows if row["account_id"] == f"bybit:{number}"][-1]
        realised = Decimal(last["realised_total"])
        assert abs(realised - Decimal(account["pnl"]["realised_exact"])) < Decimal("1e-12")
    assert books["limits"]["refused"] == {}
    newest = {alert["key"]: alert["state"] for alert in alerts}
    assert {newest[f"feed|bybit:100001|{feed}"] for feed in ("executions", "loan")} == {"resolved"}
