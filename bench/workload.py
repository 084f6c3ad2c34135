"""The engine's benchmark work: fills fold into average-price positions and join the last loan of
their account.

    python -m bench.workload '{"suffix": ..., "bootstrap": ..., "datadir": ..., "slot": 0}'

runs one worker.

Per fill: one pnl record; with a gain and a known loan also one allocation. With `chain` every
allocation goes on to a second stage under one key, which numbers it. Numbers are integers of
10^-18; records are Avro with the Confluent header, written by straight-line code made from the
schemas below.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

import faust
import msgspec

from agents import exact
from bench.avro import Record, codec
from schemas.money import E18, divide_half_even

D, S, T, L = "decimal", "string", "timestamp", "long"
SIDES, ACTIONS = ("Buy", "Sell"), ("add_collateral", "repay", "split")
EXECUTION = Record(
    1,
    "Execution",
    {"exec_id": S, "account": S, "symbol": S, "side": SIDES}
    | {"price": D, "qty": D, "fee": D, "exec_time": T},
)
LOAN = Record(
    2,
    "LoanState",
    {"loan_id": S, "account": S}
    | {"principal": D, "collateral_value": D, "interest_rate": D, "as_of": T},
)
PNL = Record(
    3,
    "PnlRecord",
    {"exec_id": S, "account": S, "symbol": S}
    | {"gross": D, "fee": D, "net": D, "realised_total": D, "exec_time": T},
)
ALLOCATION = Record(
    4,
    "Allocation",
    {"id": S, "account": S, "action": ACTIONS, "repay": D, "collateral": D, "ltv": D},
)
NUMBERED = Record(5, "Numbered", {"id": S, "amount": D, "desk_total": D, "n": L})
RECORDS = (EXECUTION, LOAN, PNL, ALLOCATION, NUMBERED)

Execution, LoanState, PnlRecord, Allocation, Numbered = (record.type for record in RECORDS)
LOADS, DUMPS = codec(RECORDS)


class Account(msgspec.Struct, frozen=True):
    """Positions as symbol -> (quantity, average), running realised profit, last loan, counts."""

    positions: dict[str, tuple[int, int]]
    realised: int = 0
    loan: tuple[int, int] | None = None
    fills: int = 0
    allocations: int = 0
    allocated: int = 0


class Desk(msgspec.Struct, frozen=True):
    """Stage two: how much, how many."""

    total: int = 0
    n: int = 0


def account_dumps(_: str, state: Account) -> bytes:
    positions = {symbol: [str(q), str(a)] for symbol, (q, a) in state.positions.items()}
    loan = state.loan and [str(part) for part in state.loan]
    rest = [str(state.realised), loan, state.fills, state.allocations, str(state.allocated)]
    return _json([positions, *rest])


def account_loads(_: str, data: bytes) -> Account:
    positions, realised, loan, fills, allocations, allocated = _parse(data)
    return Account(
        {symbol: (int(q), int(a)) for symbol, (q, a) in positions.items()},
        int(realised),
        loan and (int(loan[0]), int(loan[1])),
        fills,
        allocations,
        int(allocated),
    )


def desk_dumps(_: str, state: Desk) -> bytes:
    return _json([str(state.total), state.n])


def desk_loads(_: str, data: bytes) -> Desk:
    total, n = _parse(data)
    return Desk(int(total), n)


_json = msgspec.json.Encoder().encode
_parse = msgspec.json.Decoder().decode
_HIGH, _LOW = 45 * E18 // 100, 35 * E18 // 100


def fold(state: Account, fill: Any) -> tuple[dict[str, tuple[int, int]], int]:
    """New positions and the gross profit of one fill."""
    quantity, average = state.positions.get(fill.symbol, (0, 0))
    change = fill.qty if fill.side == "Buy" else -fill.qty
    after, gross = quantity + change, 0
    if quantity == 0 or (quantity > 0) == (change > 0):
        value = abs(quantity) * average + abs(change) * fill.price
        average = divide_half_even(value, abs(after))
    else:
        closed = min(abs(quantity), abs(change))
        sign = 1 if quantity > 0 else -1
        gross = divide_half_even((fill.price - average) * closed * sign, E18)
        if after == 0:
            average = 0
        elif (after > 0) != (quantity > 0):
            average = fill.price
    return {**state.positions, fill.symbol: (after, average)}, gross


def allocate(loan: tuple[int, int], net: int) -> tuple[str, int, int, int]:
    """(action, repay, collateral, ltv) of one gain."""
    ltv = divide_half_even(loan[0] * E18, loan[1])
    if ltv > _HIGH:
        return "add_collateral", 0, divide_half_even(net * 95, 100), ltv
    if ltv < _LOW:
        return "repay", divide_half_even(net * 90, 100), 0, ltv
    half = divide_half_even(net * 45, 100)
    return "split", half, half, ltv


class Avro(faust.Codec):
    """The schemas above; the header's id chooses."""

    def _loads(self, data: bytes) -> Any:
        return LOADS(data)

    def _dumps(self, value: Any) -> bytes:
        return DUMPS(value)


def build(suffix: str, bootstrap: str, datadir: Path, *, chain: bool, **settings: Any) -> exact.App:
    """The app of one worker; `suffix` ends the names of all topics."""
    config = exact.Config(
        bootstrap=bootstrap,
        datadir=datadir,
        order_topic=f"order-{suffix}",
        order_dumps=msgspec.json.encode,
        **settings,
    )
    app = exact.App(f"w-{suffix}", config=config)
    avro = Avro()
    source = app.topic(f"executions-{suffix}", f"loans-{suffix}", value_serializer=avro)
    pnl = app.topic(f"pnl-{suffix}", value_serializer=avro)
    allocations = app.topic(f"allocations-{suffix}", value_serializer=avro)
    desk = app.topic(f"desk-{suffix}", value_serializer=avro)
    numbered = app.topic(f"numbered-{suffix}", value_serializer=avro)
    accounts = app.Table("accounts", source=source, dumps=account_dumps, loads=account_loads)

    @app.agent(source, sink=[pnl])
    async def book(stream: Any) -> Any:
        async for x in stream:
            state = accounts.get(x.account) or Account({})
            if type(x) is LoanState:
                loan = x.principal, x.collateral_value
                accounts[x.account] = msgspec.structs.replace(state, loan=loan)
                continue
            positions, gross = fold(state, x)
            net = gross - x.fee
            realised, given, amount = state.realised + net, state.allocations, state.allocated
            if net > 0 and state.loan is not None:
                action, repay, collateral, ltv = allocate(state.loan, net)
                record = Allocation(x.exec_id, x.account, action, repay, collateral, ltv)
                given, amount = given + 1, amount + repay + collateral
                allocations.send_soon(value=record)
                if chain:
                    desk.send_soon(key="desk", value=record)
            accounts[x.account] = Account(
                positions, realised, state.loan, state.fills + 1, given, amount
            )
            yield PnlRecord(
                x.exec_id, x.account, x.symbol, gross, x.fee, net, realised, x.exec_time
            )

    if chain:
        desks = app.Table("desks", source=desk, dumps=desk_dumps, loads=desk_loads)

        @app.agent(desk, sink=[numbered])
        async def limits(stream: Any) -> Any:
            async for a in stream:
                amount = a.repay + a.collateral
                old = desks.get("desk") or Desk()
                new = desks["desk"] = Desk(old.total + amount, old.n + 1)
                yield Numbered(a.id, amount, new.total, new.n)

    return app


def topics(suffix: str) -> dict[str, bool]:
    """Name -> compacted, of everything the app needs; all have eight partitions."""
    names = ("executions", "loans", "pnl", "allocations", "desk", "numbered", "order")
    plain = dict.fromkeys((f"{name}-{suffix}" for name in names), False)
    changelogs = (f"w-{suffix}-{table}-changelog" for table in ("accounts", "desks"))
    return plain | dict.fromkeys(changelogs, True)


def generate(count: int, seed: int, start: int = 0) -> Any:
    """Yields (topic stem, record): fills of 1,000 accounts, a loan for each hundred of them."""
    chance = random.Random(seed)
    for i in range(start, start + count):
        account = f"acc-{chance.randrange(1000):03d}"
        now_ms = time.time_ns() // 1_000_000
        if i % 100 == 0:
            principal = chance.randrange(2 * 10**22, 6 * 10**22)
            yield "loans", LoanState(f"l{i}", account, principal, 10**23, 5 * 10**16, now_ms)
        yield (
            "executions",
            Execution(
                f"x{i:09d}",
                account,
                ("BTC-PERP", "ETH-PERP", "SOL-PERP", "XRP-PERP")[chance.randrange(4)],
                SIDES[chance.randrange(2)],
                chance.randrange(10**21, 5 * 10**22),
                chance.randrange(10**15, 10**19),
                chance.randrange(10**14, 10**17),
                now_ms,
            ),
        )


def main() -> None:
    """One worker; with `pause_s` it dawdles at random inside each crash window of a transaction."""
    given = json.loads(sys.argv[1])
    pause_s, stop_at = given.pop("pause_s", 0), given.pop("stop_at", None)
    given["datadir"] = Path(given["datadir"])
    app = build(given.pop("suffix"), given.pop("bootstrap"), **given)
    if stop_at:
        app.window(_stopper(given["datadir"], **stop_at))
    elif pause_s:
        app.window(lambda word: time.sleep(random.random() * pause_s))
    app.Worker(loglevel="WARN", redirect_stdouts=False).execute_from_commandline()


def _stopper(datadir: Path, word: str, signal: int, turn: int) -> Any:
    seen: list[str] = []

    def stop(here: str) -> None:
        if here == word:
            seen.append(here)
            if len(seen) == turn:
                (datadir / "stopped").write_text(str(time.time()))
                os.kill(os.getpid(), signal)

    return stop


if __name__ == "__main__":
    main()
