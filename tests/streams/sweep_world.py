"""A gate with a bank account: `sweep o1 OUT 750000` is a proposal of the cash node."""

from __future__ import annotations

from typing import Any

from schemas.money import parse_e18
from schemas.records import DeskInput, Meta, Proposal, Source, Withdrawal
from schemas.sweep_params import SweepParams
from tests.streams.desk_world import T0_MS, span_ms
from tests.streams.people_world import Desk, person
from tests.table import Row

BANK = "bank:0123456789"
FUND = "026009593/987654321"
PEOPLE = [
    person("ann", "approve", classes=("sweep",), most="5000000"),
    person("bob", "approve", classes=("sweep",), most="5000000"),
]
PARTS = {"OUT": "SWEEP", "BACK": "REVERSE_SWEEP"}


def params(direction: str = "OUT", **more: Any) -> SweepParams:
    """What a sweep carries: the day of the scenario, the cut-off of 15:30."""
    said = {
        "direction": direction,
        "target_product": "TBILL_4W",
        "value_day": T0_MS // 86_400_000 + 1,
        "cutoff_ms": T0_MS + span_ms("+930m"),
        "source_account": BANK.removeprefix("bank:"),
        "counterparty": FUND,
        "counterparty_name": "GOVT FUND",
        "var_limit_bps_e18": parse_e18("10"),
        "observed_var_bps_e18": parse_e18("8"),
        "window": "00:00-15:00",
        "instrument": "TBILL_4W",
    }
    return SweepParams(**{**said, **more})


class Bank(Desk):
    """The world of the gate with sweeps."""

    def __init__(self, **policy: Any) -> None:
        super().__init__(
            **{
                "people": PEOPLE,
                "accounts": [{"account_id": BANK, "kind": "bank"}],
                "screening": {"mode": "allowlist", "allow": [FUND]},
                **policy,
            }
        )

    def sweep(self, row: Row) -> None:
        """`sweep o1 OUT 750000 deadline=+15h`, and any parameter of SweepParams by its name."""
        intent_id, direction, asked = row.words
        fields = dict(row.fields)
        caused_ms = self.time(row, "event")
        own = {
            name: fields.pop(name) for name in ("target_product", "instrument") if name in fields
        }
        text = params(direction, **own).text()
        text |= {name[2:]: value for name, value in fields.items() if name.startswith("p.")}
        for name in fields.get("without", "").split(","):
            text.pop(name, None)
        proposal = Proposal(
            meta=Meta("0" * 32, caused_ms, "weir-default@1", Source("t", 0, 0)),
            intent_id=intent_id,
            decision_id=f"d-{intent_id}",
            origin="cash",
            origin_key=BANK,
            class_="sweep",
            kind=fields.get("kind", PARTS[direction]),
            account_id=fields.get("account", BANK),
            lane=f"bank|{BANK}|USD",
            asked_e18=parse_e18(asked),
            room_e18=parse_e18(fields.get("room", asked)),
            ccy=fields.get("ccy", "USD"),
            precision=int(fields.get("precision", "2")),
            params=text,
            maker=fields.get("maker", "weir:weir-default@1"),
            valid_until_ms=self.now_ms + span_ms(fields.get("valid", "+1h")),
            deadline_ms=T0_MS + span_ms(fields.get("deadline", "+925m")),
            compliance_tags={"bsa": "treasury-own-funds"},
            beneficiary=fields.get("beneficiary", FUND if direction == "OUT" else BANK),
        )
        self.proposals.append(proposal)
        self.to_gate("treasury.proposals.v1", proposal, at_ms=caused_ms)

    def withdraw(self, row: Row) -> None:
        """`withdraw o1`: cash takes it back, unless the row says another node or account."""
        (intent_id,), fields = row.words, row.fields
        body = Withdrawal(
            intent_id=intent_id,
            decision_id=f"w-{intent_id}",
            origin=fields.get("origin", "cash"),
            origin_key=fields.get("key", BANK),
            reason=fields.get("reason", "floor_breach"),
            at_ms=self.now_ms,
        )
        stamp = Meta("0" * 32, self.now_ms, "weir-default@1", Source("balance_events", 0, 0))
        self.to_gate("treasury.desk-inputs.v1", DeskInput(meta=stamp, body=body))
