"""Each registered connector with its sandbox, as the contract suite asks about them all."""

from __future__ import annotations

import secrets
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar

import httpx

from agents.connectors.bank import Bank
from agents.connectors.port import Answer, Connector
from agents.connectors.registry import VENUES
from streams.effects import Call
from tests.connectors.effects import call, look, prepare, work


class Subject:
    """One connector, its account, and the other side's own count of what happened there."""

    name: ClassVar[str]
    ops: ClassVar[tuple[str, ...]]
    own_id: ClassVar[tuple[str, ...]]
    """Operations that carry our id: a second call with it moves nothing."""
    amount: ClassVar[str]
    paths: ClassVar[dict[str, str]]
    answered: ClassVar[dict[str, str]]
    connector: Connector
    settings: Any

    def ready(self, op: str, amount: str = "") -> tuple[dict[str, Any], dict[str, str]]:
        """An attempt of an operation that would pass, with its watermark read."""
        shared = self.work(op, amount or self.amount)
        return shared, self.connector.prepare(prepare(shared)).watermark

    def work(self, op: str, amount: str) -> dict[str, Any]:
        """What all effects of an attempt share."""
        return work(self.settings.account_id, op, amount)

    def call(self, shared: dict[str, Any], mark: dict[str, str]) -> Call:
        """The call of an attempt."""
        return call(shared, mark)

    def found(self, shared: dict[str, Any], mark: dict[str, str], ref: str = "") -> Answer:
        """What looking finds, once it is no longer being processed."""
        deadline_s = time.monotonic() + 10
        answer = self.connector.look(look(shared, mark, ref))
        while answer.class_ == "accepted" and time.monotonic() < deadline_s:
            answer = self.connector.look(look(shared, mark, ref))
        return answer

    def fault(self, op: str, kind: str, **more: Any) -> None:
        """Lets the next call of an operation go wrong."""
        raise NotImplementedError

    def done(self, op: str) -> int:
        """How many of an operation the other side has carried out."""
        raise NotImplementedError

    def others(self, count: int) -> list[Connector]:
        """Connectors of the same account that do not know of each other's pace."""
        settings = [replace(self.settings, timeout_s=2.0 + place) for place in range(count)]
        return [VENUES[self.name](one) for one in settings]


class BankSubject(Subject):
    """Sweeps of an account at the sandbox bank, whose fund already holds some."""

    name, amount = "bank", "50.12"
    ops = ("REVERSE_SWEEP", "SWEEP")
    own_id = ops
    paths: ClassVar = dict.fromkeys(ops, "/payments/v1/initiations")
    answered: ClassVar = dict.fromkeys(ops, "accepted")
    account, fund = "0123456789", "987654321"

    def __init__(self, endpoint: str, paced: bool = False) -> None:
        self.endpoint = endpoint
        self.settings = Bank(
            account_id=f"bank:{self.account}",
            endpoint=endpoint,
            client_id="sandbox-client",
            client_secret="sandbox-secret",
            agent="021000021",
            timeout_s=1.0 + secrets.randbelow(1000) / 1e6,  # a client of its own
            paced=paced,
        )
        self.connector = VENUES["bank"](self.settings)

    def work(self, op: str, amount: str) -> dict[str, Any]:
        return super().work(op, amount) | {"intent_id": secrets.token_hex(16)}

    def call(self, shared: dict[str, Any], mark: dict[str, str]) -> Call:
        now = datetime.now(UTC)
        order = {
            "order_id": shared["intent_id"],
            "created": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "direction": "OUT" if shared["op"] == "SWEEP" else "BACK",
            "source_account": self.account,
            "counterparty": f"026009593/{self.fund}",
            "counterparty_name": "GOVT FUND",
            "target_product": "FED_RRP",
            "value_date": now.date().isoformat(),
            "tag.bsa": "own",
            "tags_in": "remittance",
        }
        return call(shared, mark, order)

    def fault(self, op: str, kind: str, **more: Any) -> None:
        order = {"path": self.paths[op], "kind": kind, **more}
        httpx.post(f"{self.endpoint}/sandbox/faults", json=order).raise_for_status()

    def done(self, op: str) -> int:
        whole = httpx.get(f"{self.endpoint}/sandbox/books", timeout=10).json()
        assert whole["conserved"]
        debtor = self.account if op == "SWEEP" else self.fund
        return sum(one["state"] != "RJCT" and one["debtor"] == debtor for one in whole["payments"])

    def filled(self, amount: str = "100000") -> None:
        """Something lies in the fund."""
        shared, mark = self.ready("SWEEP", amount)
        self.connector.call(self.call(shared, mark), _yes)
        assert self.found(shared, mark).class_ == "done"


def _yes() -> None:
    """Nothing speaks against posting."""
