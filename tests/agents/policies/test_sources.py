"""Sources that change, and what becomes of it on the log: files on disk, Consul over HTTP."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from agents import keys
from agents.policies.assembly import run_policy_sources
from agents.policies.seen import findings
from agents.policies.update import next_version
from agents.settings import WorkerSettings
from agents.standing import POLICIES, Standing, Told
from schemas.policy import from_content, parse
from schemas.records import Alert, PolicyUpdate
from tests.agents.policies.consul import serving

PATIENCE_S = 8.0


class Log:
    """The two topics in memory: what is written stands, as the relay would judge it."""

    def __init__(self) -> None:
        self.updates: list[PolicyUpdate] = []
        self.alerts: list[Alert] = []
        self.written_s: list[float] = []

    async def write(
        self, topic: str, record: Any, *, key: str | None = None, headers: Any = None
    ) -> int:
        if topic == POLICIES:
            self.updates.append(record)
            self.written_s.append(time.monotonic())
        else:
            self.alerts.append(record)
        return len(self.updates)

    def standing(self) -> Standing:
        told = [Told(POLICIES, n, one.at_ms, one) for n, one in enumerate(self.updates)]
        return Standing.of(told)

    @property
    def said(self) -> str:
        """What the last alert says."""
        return self.alerts[-1].text if self.alerts else ""

    def set(self, content: dict[str, Any], *, author: str = "ann", source: Any = "rest") -> None:
        at_ms = time.time_ns() // 1_000_000
        policy = from_content(content)
        self.updates.append(next_version(self.standing(), policy, source, author, [], at_ms))


async def until(look: Callable[[], Any], what: str) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not look():
        assert time.monotonic() < deadline_s, what
        await asyncio.sleep(0.02)


@asynccontextmanager
async def running(log: Log, home: Path, env: dict[str, str] | None = None, **more: Any) -> Any:
    """The sources of these settings, watched."""
    stop = asyncio.Event()
    settings = WorkerSettings(bootstrap="none:1", home=home, **more)
    task = asyncio.create_task(run_policy_sources(settings, log, log.standing, stop, env or {}))
    try:
        yield
    finally:
        stop.set()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.mark.req("000-45", "002-139", "003-89")
async def test_a_watched_file_becomes_versions_and_a_bad_one_changes_nothing(
    log: Log, tmp_path: Path
) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("name: ours\n")
    async with running(log, tmp_path, policy_file=file):
        await until(lambda: log.updates, "the first version")
        first = log.updates[0]
        assert (first.name, first.version, first.source) == ("ours", 1, "file")
        assert first.author == f"file {file}"

        file.write_text("name: ours\nallocation: {ltv_high: 45}\n")
        await until(lambda: "must lie between 0 and 1" in log.said, "the fault is said")
        assert f"file {file}: allocation.ltv_high=45" in log.said
        file.write_text("")
        await until(lambda: "is empty" in log.said, "an empty file is no policy")
        file.unlink()
        await until(lambda: "is missing" in log.said, "a missing file is no policy")
        assert log.updates == [first]

        scratch = tmp_path / "new"
        scratch.write_text("name: ours\nallocation: {ltv_high: 0.5}\n")
        os.replace(scratch, file)
        await until(lambda: len(log.updates) == 2, "the second version")
        await until(lambda: log.alerts[-1].state == "resolved", "the alert is over")
    second = log.updates[1]
    assert (second.version, second.previous_hash) == (2, first.hash)
    assert parse(second.body).allocation.ltv_high_e18 == 5 * 10**17


@pytest.mark.req("004-24", "004-25")
async def test_a_change_in_consul_is_a_version_within_a_second(log: Log, tmp_path: Path) -> None:
    with serving() as store:
        store.put("weir/policy/", None)
        async with running(log, tmp_path, consul=store.url):
            await until(lambda: log.updates, "the first version, of nothing but defaults")
            changed_s = time.monotonic()
            store.put("weir/policy/guards/loan_age_max_s", "90")
            await until(lambda: len(log.updates) == 2, "the change")
            assert log.written_s[1] - changed_s < 1
            assert parse(log.updates[1].body).guards.loan_age_max_s == 90
            assert log.updates[1].source == "consul"

            store.put("weir/policy/guards/loan_age_max_s", "-1")
            await until(lambda: "guards.loan_age_max_s=-1" in log.said, "the fault is said")
            store.put("weir/policy-of-others/x", "1")
            store.delete("weir/policy/guards/loan_age_max_s")
            await until(lambda: len(log.updates) == 3, "the default is back")
        assert parse(log.updates[2].body).guards.loan_age_max_s == 120
        blocking = [query for query in store.queries if query[0]]
        assert blocking
        assert {wait for _, wait in blocking} == {"55s"}
        assert len(store.queries) < 15


async def test_a_consul_in_which_nothing_lies_is_no_word(log: Log, tmp_path: Path) -> None:
    """It has lost its data, or the token may not read: Consul answers both as if nothing were
    there, and the shipped defaults would be in force. A folder, or an empty document, is a word.
    """
    with serving() as store:
        async with running(log, tmp_path, consul=store.url):
            await until(lambda: "nothing lies there" in log.said, "an empty store is a fault")
            assert not log.updates
            store.put("weir/policy", "guards: {loan_age_max_s: 90}")
            await until(lambda: log.updates, "the first version")
            store.delete("weir/policy")
            await until(lambda: log.alerts[-1].state == "firing", "all is gone")
            assert len(log.updates) == 1
            store.put("weir/policy", "{}")
            await until(lambda: len(log.updates) == 2, "that is a word")
    assert parse(log.updates[1].body).guards.loan_age_max_s == 120


async def test_consul_that_fails_or_goes_back_is_asked_anew(log: Log, tmp_path: Path) -> None:
    with serving(token="secret") as store:
        store.put("weir/policy", "name: kv")
        async with running(log, tmp_path, consul=store.url, consul_token="secret"):
            await until(lambda: log.updates, "the first version")
            store.refuse(1)
            await until(lambda: "No cluster leader" in log.said, "the failure is said")
            await until(lambda: log.alerts[-1].state == "resolved", "it answers again")
            store.rewind(3)
            store.put("weir/policy", "name: kv\nlimits: {window: rolling_24h}")
            await until(lambda: len(log.updates) == 2, "a change after the index went back")
            await until(lambda: [index for index, _ in store.queries].count(0) == 3, "from nothing")
        async with running(log, tmp_path, consul=store.url):
            await until(lambda: "HTTP 403" in log.said, "a missing token is said")
    async with running(log, tmp_path, consul="http://127.0.0.1:9"):
        await until(lambda: "ConnectError" in log.said, "an agent that is away is said")
    assert len(log.updates) == 2


@pytest.mark.req("004-24")
async def test_file_below_environment_below_consul_below_people(log: Log, tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("guards: {loan_age_max_s: 11, mark_age_max_s: 11, balance_age_max_s: 11}")
    env = {
        "WEIR_POLICY__GUARDS__MARK_AGE_MAX_S": "12",
        "WEIR_POLICY__GUARDS__BALANCE_AGE_MAX_S": "12",
    }

    def guards() -> tuple[int, int, int]:
        said = parse(log.updates[-1].body).guards
        return said.loan_age_max_s, said.mark_age_max_s, said.balance_age_max_s

    with serving() as store:
        store.put("weir/policy/guards/balance_age_max_s", "13")
        async with running(log, tmp_path, env, policy_file=file, consul=store.url):
            await until(lambda: log.updates, "all three as one version")
            assert guards() == (11, 12, 13)
            assert len(log.updates) == 1
            file.write_text("guards: {loan_age_max_s: 15, mark_age_max_s: 5, balance_age_max_s: 5}")
            await until(lambda: len(log.updates) == 2, "the file's change")
            assert (guards(), log.updates[-1].source) == ((15, 12, 13), "file")

            log.set({"name": "people"})
            store.put("weir/policy/guards/balance_age_max_s", "14")
            await until(lambda: "people@3, set by ann" in log.said, "people stand above")
            assert len(log.updates) == 3
            log.set({"name": "people"}, source="file")
            await until(lambda: len(log.updates) == 5, "released, the sources speak again")
            assert guards() == (15, 12, 14)


@pytest.mark.req("003-52")
async def test_what_the_lint_calls_an_error_comes_from_no_source(log: Log, tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("name: ours\nallocation: {spread_min: 2}\n")
    env = {"WEIR_POLICY__GUARDS__LOAN_AGE_MAX_S": "2"}
    async with running(log, tmp_path, env, policy_file=file):
        await until(lambda: "rate_in_percent" in log.said, "it is said")
        assert f"file {file}: rate_in_percent: a loan would have to cost 200 %" in log.said
        assert "(allocation.spread_min=2)" in log.said
        assert "environment: stale_between_polls" in log.said, "each with its source"
        assert (log.updates, log.alerts[-1].severity) == ([], "critical")

        log.set({"name": "theirs"}, source="consul")
        file.write_text("name: ours\n")
        await until(lambda: "rate_in_percent" not in log.said, "one of the two is mended")
        assert "stale_between_polls" in log.said
    assert [one.name for one in log.updates] == ["theirs"], "the policy in force stays"


@pytest.mark.req("003-52")
async def test_no_way_round_by_a_mix_of_sources_that_are_fine_alone(
    log: Log, tmp_path: Path
) -> None:
    """The least order from Consul, the limit from the file: together nothing is ever placed."""
    file = tmp_path / "policy.yaml"
    limit = "{min_usd: 1, single_usd: 5000, daily_usd: 5000, over: refuse}"
    file.write_text(f"limits: {{sweep: {limit}}}\nsweep: {{min_sweep_usd: 4000}}")
    with serving() as store:
        store.put("weir/policy/", None)
        async with running(log, tmp_path, policy_file=file, consul=store.url):
            await until(lambda: log.updates, "the first version")
            store.put("weir/policy/sweep/min_sweep_usd", "6000")
            where = f"file {file}, consul {store.url}/v1/kv/weir/policy: least_above_single"
            await until(lambda: where in log.said, "both are named")
            assert len(log.updates) == 1
            store.put("weir/policy/sweep/min_sweep_usd", "5000")
            await until(lambda: len(log.updates) == 2, "mended, it counts")
            await until(lambda: log.alerts[-1].state == "resolved", "the alert is over")


async def test_what_a_person_set_despite_an_error_is_not_repeated_by_a_source(
    log: Log, tmp_path: Path
) -> None:
    """Released, the same policy of the sources is in force and stays; a change is linted."""
    wrong: dict[str, Any] = {"allocation": {"spread_min": 2}}
    log.set(wrong)
    log.set(wrong, source="file")
    file = tmp_path / "policy.yaml"
    file.write_text("allocation: {spread_min: 2}")
    async with running(log, tmp_path, policy_file=file):
        await until(lambda: log.alerts and log.alerts[-1].state == "resolved", "it stands")
        file.write_text("allocation: {spread_min: 3}")
        await until(lambda: "rate_in_percent" in log.said, "another is not set")
    assert len(log.updates) == 2


@pytest.mark.req("003-57")
async def test_warnings_are_logged_and_stand_in_the_record(
    log: Log, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("name: ours\n")
    async with running(log, tmp_path, policy_file=file):
        await until(lambda: log.updates, "a warning keeps nothing out")
        await until(lambda: log.alerts, "all is told")
    record = log.updates[0]
    assert "warning: breach_takes_all" in findings(record)
    said = json.loads(record.simulation or "")
    assert said["policy_hash"] == record.hash
    assert (said["objections"], said["despite"], said["simulation"]) == ([], None, None)
    assert said["why_not_simulated"] == "it comes from a watched source"
    assert log.alerts[-1].state == "resolved"
    logged = capsys.readouterr().out
    assert "policy_lint" in logged
    assert "breach_takes_all" in logged


async def test_a_bad_environment_keeps_every_source_out(log: Log, tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("name: ours")
    env = {"WEIR_POLICY__SWEEP": "x", "VAR_LIMIT_BPS": "3"}
    async with running(log, tmp_path, env, policy_file=file):
        await until(lambda: "environment: sweep: is set twice" in log.said, "the fault")
    assert log.updates == []


@pytest.mark.req("000-73")
async def test_once_an_admin_is_named_the_sources_need_the_key_of_one(
    log: Log, tmp_path: Path
) -> None:
    watch, eve = keys.create(tmp_path, "watch"), keys.create(tmp_path, "eve")
    ann, bob = (keys.create(tmp_path, name).public for name in ("ann", "bob"))
    people = [
        f"{{id: watch, roles: [admin], public_key: {watch.public}}}",
        f"{{id: ann, roles: [operate], public_key: {ann}}}",
        f"{{id: bob, roles: [operate], public_key: {bob}}}",
    ]
    file, text = tmp_path / "policy.yaml", f"people: [{', '.join(people)}]\nname: ours\n"
    file.write_text(text)
    async with running(log, tmp_path, policy_file=file):
        await until(lambda: log.updates, "the first version names the admin")
        file.write_text(text + "limits: {window: rolling_24h}\n")
        await until(lambda: "an admin must sign a policy" in log.said, "unsigned is refused")
    async with running(log, tmp_path, policy_file=file, policy_signer=eve.name):
        await until(lambda: "is not in the policy" in log.said, "nobody's key is refused")
    async with running(log, tmp_path, policy_file=file, policy_signer="nobody"):
        await until(lambda: "no key of nobody" in log.said, "a missing key is said")
    assert len(log.updates) == 1
    async with running(log, tmp_path, policy_file=file, policy_signer=watch.name):
        await until(lambda: len(log.updates) == 2, "signed, it counts")
    assert log.standing().update == log.updates[1]


async def test_without_a_source_nothing_is_written(log: Log, tmp_path: Path) -> None:
    settings = WorkerSettings(bootstrap="none:1", home=tmp_path)
    await run_policy_sources(settings, log, log.standing, asyncio.Event(), {"HOME": "/"})
    assert (log.updates, log.alerts) == ([], [])
