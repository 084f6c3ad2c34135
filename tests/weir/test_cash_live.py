"""Cash as it runs: sources of the policy, PUT /policy, an order that others carry out, bad input.

One Weir for all tests of the file, which follow each other: what one puts in force the next finds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from agents import keys
from agents.wiring import partition_of
from schemas.policy import canonical, from_content, from_yaml
from schemas.signing import PrivateKey, signer, verify
from tests.agents.bank_files import balance, camt053, entry, statement
from tests.weir.cash_rig import ACCOUNT, Live, living, now, past_days, policy
from tests.weir.rig import PARTITIONS, until
from weir.home import Home

LETTERS, ERRORS = "balance_events.dlq", "__streams.errors."


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with living(Home(tmp_path_factory.mktemp("cash") / "home")) as found:
        yield found


@pytest.mark.req("000-45", "004-24", "003-89")
def test_a_watched_file_is_in_the_next_decision_and_a_bad_one_in_none(live: Live) -> None:
    first = live.decides_by("cash@1")
    assert (first["outcome"], first["meta"]["policy"]) == ("paused", "cash@1")

    live.say(policy(sweep={"liq_buffer_pct": 30}))
    until(live.trouble, "the fault is said")
    assert f"file {live.file}: sweep.liq_buffer_pct=30: must lie between 0 and 1" in live.trouble()
    assert {live.decided()["body"]["policy"] for _ in range(3)} == {"cash@1"}

    live.say(policy(sweep={"liq_buffer_pct": 0.25}))
    second = live.decides_by("cash@2")
    assert second["body"]["terms"]["sweep"]["liq_buffer_pct"] == "0.25"
    assert second["body"]["policy_hash"] != first["body"]["policy_hash"]
    until(lambda: not live.trouble(), "the alert is over")


@pytest.mark.req("004-24", "004-25")
def test_consul_is_in_the_next_decision_and_a_bad_field_in_none(live: Live) -> None:
    live.consul.put("weir/policy/sweep/min_sweep_usd", "20000")
    third = live.decides_by("cash@3")
    terms = third["body"]["terms"]["sweep"]
    assert (terms["min_sweep_usd"], terms["liq_buffer_pct"]) == ("20000", "0.25")
    said = live.ask("GET", "/policy", "read").json()
    assert (said["source"], said["author"].split()[0]) == ("consul", "consul")

    live.consul.put("weir/policy/sweep/lead_s", "-1")
    until(lambda: "sweep.lead_s=-1" in live.trouble(), "the fault is said")
    live.consul.delete("weir/policy/sweep/lead_s")
    live.consul.put("weir/policy/sweep/var_limit_bps", "10000")
    until(lambda: "risk_limit_never" in live.trouble(), "what the lint finds is said")
    assert live.decided()["body"]["policy"] == "cash@3"
    live.consul.delete("weir/policy/sweep/var_limit_bps")
    until(lambda: not live.trouble(), "the alert is over")
    assert any(index for index, _ in live.consul.queries), "it was asked to wait for a change"


@pytest.mark.req("004-24", "003-51")
def test_a_policy_is_put_over_http_and_stands_above_the_sources(live: Live) -> None:
    content = policy(sweep={"liq_buffer_pct": "0.20"})
    answer = live.put(content, **{"Idempotency-Key": "k1"})
    assert answer.status_code == 202, answer.text
    said = answer.json()
    assert said["changed"] is True
    assert {name: said["accepted"][name] for name in ("version", "source", "author")} == {
        "version": "cash@4",
        "source": "rest",
        "author": "policy",
    }
    again = live.put(content, **{"Idempotency-Key": "k1"})
    assert (again.json(), again.headers["idempotent-replayed"]) == (said, "true")
    assert live.put(policy(), **{"Idempotency-Key": "k1"}).json()["error"] == "exists_different"
    assert live.decides_by("cash@4")["body"]["terms"]["sweep"]["liq_buffer_pct"] == "0.2"

    shown = live.ask("GET", "/policy", "read")
    found = shown.json()
    assert found["policy"] == json.loads(canonical(from_content(content)))
    assert shown.headers["etag"] == f'"{found["hash"]}"'
    text = live.ask("GET", "/policy", "read", headers={"Accept": "application/yaml"}).text
    assert from_yaml(text) == from_content(content)

    yaml_again = live.ask(
        "PUT", "/policy", "policy", content=text, headers={"Content-Type": "application/yaml"}
    )
    assert (yaml_again.status_code, yaml_again.json()["changed"]) == (202, False)

    live.say(policy(sweep={"liq_buffer_pct": 0.99}))
    until(lambda: "cash@4, set by policy" in live.trouble(), "people stand above")
    assert live.in_force() == "cash@4"


def test_only_who_may_sets_it_and_only_what_was_seen_is_changed(live: Live) -> None:
    content = policy(sweep={"liq_buffer_pct": "0.40"})
    for scope, status in (("read", 403), ("balances", 403)):
        assert live.ask("PUT", "/policy", scope, json=content).status_code == status
    assert live.ask("GET", "/policy", "balances").status_code == 403
    answer = live.put(content, **{"If-Match": '"0000"'})
    assert (answer.status_code, answer.json()["error"]) == (412, "changed")
    tried = live.put(content, "?dry_run=true")
    assert (tried.status_code, tried.json()["would_be"]["version"]) == (200, "cash@5")
    assert live.in_force() == "cash@4"


@pytest.mark.req("004-03", "004-11", "004-39", "004-57")
def test_an_order_that_others_carry_out(live: Live) -> None:
    """Pulled, told, shown by the bank; our own connector to the bank is never called."""
    etag = live.ask("GET", "/policy", "read").headers["etag"]
    content = policy(sweep={"executed_by": "external", "min_sweep_usd": "10000"})
    assert live.put(content, **{"If-Match": etag}).status_code == 202
    live.decides_by("cash@5")
    for day in past_days(6):
        out = {"ref": f"D{day}", "amount": "-100000", "ccy": "USD", "booking_date": day}
        live.tell(f"S{day}", statement_date=day, balances=[], entries=[out])
    live.resume()
    decision = live.decided(500_000)
    while decision["outcome"] == "paused":
        decision = live.decided(500_000)
    assert decision["outcome"] == "SWEEP", decision
    order_id = decision["body"]["order"]["order_id"]

    def pulled(after: str | None = None) -> Any:
        query = {"amounts": "string"} | ({"after": after} if after else {})
        return live.ask("GET", "/sweep-intent", "read", params=query).json()

    page = until(lambda: found if (found := pulled())["orders"] else None, "the order is shown")
    (order,) = page["orders"]
    assert (order["order_id"], order["executed_by"]) == (order_id, "external")
    assert order["amount_usd"] == decision["body"]["order"]["amount"]
    signed = json.dumps(
        {name: said for name, said in order.items() if name != "signature"},
        sort_keys=True, separators=(",", ":"), ensure_ascii=False,
    )  # fmt: skip
    public = keys.pipeline(live.rig.home.root).public
    assert verify(order["signature"], signed.encode(), public)
    assert pulled(page["next"])["orders"] == []
    assert pulled()["orders"] == page["orders"]

    word = {"event_id": "e1", "order_id": order_id, "status": "ACSC", "at": now(),
            "amount_usd": order["amount_usd"], "bank_ref": "B-1"}  # fmt: skip
    for _ in range(2):
        assert live.ask("POST", "/webhooks/bank", "payments", json=word).status_code == 202

    def state() -> str:
        rows = live.rig.values("treasury.intent-states.v1")
        found = [row["state"] for row in rows if row["intent_id"] == order_id]
        return str(found[-1]) if found else ""

    until(lambda: state() == "CONFIRMED", lambda: f"the order is {state()}")
    attempts = live.rig.lines("treasury.attempts.v1")
    assert [(one["value"]["kind"], signer(one["headers"]["jws"])) for one in attempts] == [
        ("WEBHOOK", "web")
    ]
    assert live.rig.lines("treasury.attempts.v1.dlq") == []
    moved = {
        "ref": "E1",
        "amount": f"-{order['amount_usd']}",
        "ccy": "USD",
        "booking_date": past_days(1)[0],
        "end_to_end_id": order_id.replace("-", ""),
    }
    after = live.decided(30_000, entries=[moved])
    inputs = after["body"]["inputs"]
    assert (inputs["pending_out"], inputs["open_order"]) == ("0", "")
    assert [(one["product"], one["amount"]) for one in inputs["placements"]] == [
        ("FED_RRP", order["amount_usd"])
    ]
    assert live.rig.values("cash_positions")[-1]["pending_out"] == "0"
    assert live.bank.calls == []


def test_why_it_was_made_is_explained_from_the_log(live: Live) -> None:
    (decision,) = [one for one in live.decisions() if one["outcome"] == "SWEEP"]
    explained = live.rig.weir("explain", decision["decision_id"], "--json")
    assert explained.returncode == 0, explained.stderr
    found = json.loads(explained.stdout)
    assert found["reproduced"] is True
    places, partition = found["places"], partition_of(ACCOUNT, PARTITIONS)
    assert places["policy"]["topic"] == "orch_config_updates"
    assert (places["forecast"]["topic"], places["forecast"]["partition"]) == (
        "treasury.forecasts.v1",
        partition,
    )
    assert places["var"]["topic"] == "treasury.var.v1"
    assert any(name.startswith("calendar FED ") for name in places)
    assert found["flips"][0]["figure"] == "available"
    assert {line["node"] for line in found["later"]} == {"gate", "intents"}
    text = live.rig.weir("explain", decision["decision_id"]).stdout
    assert "working it out again gives the same record" in text
    assert "* sweep-seed-v1: SWEEP FED_RRP" in text


@pytest.mark.req("004-44")
def test_the_logs_tell_an_order_to_the_person_on_call(live: Live) -> None:
    """Both workers' logs are JSON alone, and one id finds an order in both and at the bank."""
    lines = [
        json.loads(line)
        for name in ("pipeline-0", "executor-0")
        for line in live.rig.log(name, 10_000).splitlines()
    ]
    assert all({"level", "logger", "timestamp", "message"} <= line.keys() for line in lines)
    (decision,) = [one for one in live.decisions() if one["outcome"] == "SWEEP"]
    order = decision["body"]["order"]
    told = [line for line in lines if line.get("order_id") == order["order_id"]]
    assert {line["trace_id"] for line in told} == {order["order_id"].replace("-", "")}
    assert {(line["decision_id"], line["decision"]) for line in told} == {
        (decision["decision_id"], "SWEEP")
    }
    states = [
        row["state"]
        for row in live.rig.values("treasury.intent-states.v1")
        if row["intent_id"] == order["order_id"]
    ]
    assert [line["state"] for line in told] == states
    assert (told[-1]["state"], told[-1]["done"], told[-1]["ccy"]) == (
        "CONFIRMED", order["amount"], "USD",
    )  # fmt: skip


@pytest.mark.req("004-03", "004-39", "000-72")
def test_an_order_that_waits_is_taken_back_when_the_money_has_gone(live: Live) -> None:
    """Above a million somebody must sign; before anybody has, a customer draws."""
    order_id = live.decided(3_000_000)["body"]["order"]["order_id"]

    def states() -> list[str]:
        rows = live.rig.values("treasury.intent-states.v1")
        return [f"{row['state']} {row['reason']}" for row in rows if row["intent_id"] == order_id]

    until(lambda: states() == ["AWAITING None"], lambda: f"the order is {states()}")
    live.decided(5_000)
    until(lambda: states()[1:] == ["VOID withdrawn"], lambda: f"the order is {states()}")
    taken = [one for one in live.decisions() if one["outcome"] == "withdrawn"]
    assert [one["body"]["withdrawal"]["order"] for one in taken] == [order_id]
    page = live.ask("GET", "/sweep-intent", "read").json()
    assert order_id not in [one["order_id"] for one in page["orders"]], "it was shown to nobody"
    assert live.rig.weir("holds").stdout.startswith("nothing waits")
    text = live.rig.weir("explain", taken[0]["decision_id"]).stdout
    assert f"action    takes back {taken[0]['body']['withdrawal']['amount']} USD" in text
    assert "working it out again gives the same record" in text


def test_the_same_by_ourselves_does_call_the_bank(live: Live) -> None:
    """So that the silence above means something."""
    content = policy(sweep={"executed_by": "weir", "min_sweep_usd": "10000"})
    assert live.put(content).status_code == 202
    live.decides_by("cash@6")
    assert live.decided(600_000)["outcome"] == "SWEEP"
    until(lambda: live.bank.calls, "the bank is called")


CLOSED = balance("CLBD", "5")
FUTURE = balance("CLBD", "5", at="<DtTm>2031-01-05T10:00:00Z</DtTm>")
ENTITIES = b"""<!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">&b;</Document>"""
BAD = {
    "1-unknown-account": (
        camt053(statement(CLOSED, account="999")), "unknown_account"),
    "2-unbalanced": (camt053(statement(balance("OPBD", "1"), CLOSED)), "unbalanced"),
    "3-future": (camt053(statement(FUTURE), msg_id="F"), "future"),
    "4-five-megabytes": (b"<" + b"a" * 5_000_000, "too_large"),
    "5-entities": (ENTITIES, "dtd"),
    "6-currency": (
        camt053(statement(CLOSED.replace("USD", "EUR")), msg_id="C"), "currency"),
    "7-first": (camt053(statement(CLOSED, entry("1", "CRDT", "Z1"), statement_id="D")), ""),
    "8-other-content": (
        camt053(statement(CLOSED, entry("2", "CRDT", "Z1"), statement_id="D")), "exists_different"),
}  # fmt: skip
"""File name: what a bank lays into the folder, and why it is refused."""


@pytest.mark.req("003-89")
def test_what_a_bank_says_wrongly_is_a_dead_letter_and_decides_nothing(live: Live) -> None:
    for name, (content, _) in BAD.items():
        (live.folder / f".{name}").write_bytes(content)
        (live.folder / f".{name}").rename(live.folder / f"{name}.xml")

    def causes() -> list[str]:
        return sorted(one["headers"]["treasury.outcome"] for one in live.rig.lines(LETTERS))

    wanted = sorted(cause for _, cause in BAD.values() if cause)
    until(lambda: causes() == wanted, lambda: f"{causes()} are {wanted}", 40)
    live.decided(100_000)
    letters = [one["headers"] for one in live.rig.lines(LETTERS)]
    places = {
        (int(said[f"{ERRORS}partition"]), int(said[f"{ERRORS}offset"]))
        for said in letters
        if said[f"{ERRORS}topic"] == "balance_events"
    }
    assert len(places) == 4, "the others never became records"
    triggers = [one["body"]["inputs"]["trigger"] for one in live.decisions()]
    assert not places & {(one["partition"], one["offset"]) for one in triggers
                         if one["topic"] == "balance_events"}  # fmt: skip
    assert {one["key"] for one in live.decisions()} == {ACCOUNT}


@pytest.mark.req("000-73")
def test_once_an_admin_is_named_one_must_sign_what_is_put(live: Live) -> None:
    olaf, eve = PrivateKey.new("olaf"), PrivateKey.new("eve")
    people = [{"id": "olaf", "roles": ["admin"], "public_key": olaf.public}]
    for name in ("ann", "bob"):
        key = PrivateKey.new(name).public
        signs = {"roles": ["operate", "approve"], "classes": ["sweep"], "max_usd": "5000000"}
        people.append({"id": name, "public_key": key, **signs})
    unheard = live.put(policy(people=people), **{"X-JWS-Signature": eve.sign(b"x")}).json()
    assert unheard["accepted"]["author"] == "policy", "as long as nobody could verify it"
    until(lambda: live.in_force() == "cash@7", "the admin is named")

    content = policy(people=people, sweep={"liq_buffer_pct": "0.45"})
    answer = live.put(content)
    assert (answer.status_code, answer.json()["error"]) == (403, "signature")
    draft = live.put(content, "?dry_run=true").json()
    assert draft["would_be"]["version"] == "cash@8"
    assert draft["seen"]["simulation"]["orders"]["extra"] == 0
    wrong = policy(people=people[:1])
    refused = live.put(wrong, "?dry_run=true")
    assert (refused.status_code, refused.json()["error"]) == (422, "objections")
    assert "cannot_resume: nobody operates" in refused.text
    said = live.put(wrong, "?dry_run=true&despite=olaf+is+alone+today").json()["seen"]
    assert said["despite"] == "olaf is alone today"
    for key, error in ((eve, "unknown_person"), (PrivateKey.new("olaf"), "signature")):
        forged = key.sign(draft["to_sign"].encode())
        refused = live.put(content, **{"X-JWS-Signature": forged})
        assert (refused.status_code, refused.json()["error"]) == (403, error)
    jws = olaf.sign(draft["to_sign"].encode())
    other = policy(people=people, sweep={"liq_buffer_pct": "0.99"})
    assert live.put(other, **{"X-JWS-Signature": jws}).status_code == 403
    done = live.put(content, **{"X-JWS-Signature": jws})
    assert (done.status_code, done.json()["accepted"]["author"]) == (202, "olaf by policy")
    assert live.decides_by("cash@8")["body"]["terms"]["sweep"]["liq_buffer_pct"] == "0.45"
    assert live.ask("GET", "/policy", "read").json()["signed_by"] == ["olaf"]
