"""A small app that the engine's tests run as real worker processes: deposits and rates joined per
account.

Stage one keeps a running sum per account, yields it, and forwards large deposits to stage two under
one key; stage two numbers what it gets. An account asks to be woken once, and says so when it is. A
deposit of -1 breaks the agent, one of -2 is refused, one of -3 hangs a worker with a file `hang` in
its folder; "effect" asks for an effect that the worker writes down in a file.
"""

import asyncio
import json
import os
import sys
import time
from pathlib import Path

import faust
import msgspec

from agents import exact


class Account(msgspec.Struct, frozen=True):
    """A running sum, the count behind it, and the last rate seen."""

    total: int = 0
    count: int = 0
    rate: int = 0


class Desk(msgspec.Struct, frozen=True):
    """What stage two has numbered so far."""

    total: int = 0
    count: int = 0


class Json(faust.Codec):
    """JSON values; anything that is not JSON is a ValueError."""

    def _loads(self, data):
        if data == b"bug":
            raise KeyError("a decoder with a bug")
        return json.loads(data or b"")

    def _dumps(self, value):
        return json.dumps(value).encode()


def codec_of(cls):
    decode = msgspec.json.Decoder(cls).decode
    return {
        "dumps": lambda key, value: msgspec.json.encode(value),
        "loads": lambda key, data: decode(data),
    }


def order_dumps(order):
    return msgspec.json.encode(order)


def build(suffix: str, bootstrap: str, datadir: Path, **settings):
    """The app on topics whose names end in `suffix`."""
    config = exact.Config(
        bootstrap=bootstrap,
        datadir=datadir,
        order_topic=f"order-{suffix}",
        order_dumps=order_dumps,
        **settings,
    )
    app = exact.App(f"sums-{suffix}", config=config)
    deposits = app.topic(f"deposits-{suffix}", f"rates-{suffix}", value_serializer=Json())
    sums = app.topic(f"sums-{suffix}", value_serializer=Json())
    large = app.topic(f"large-{suffix}", value_serializer=Json())
    single = app.topic(f"single-{suffix}", value_serializer=Json())
    accounts = app.Table("accounts", source=deposits, **codec_of(Account))

    @app.agent(deposits)
    async def add(stream):
        async for event in stream.events():
            if event.topic == exact.TICK:
                await sums.send(value={"woken": event.key, "at": event.at_ms})
                continue
            if event.topic == exact.STARTED:
                await sums.send(value={"started": event.key})
                continue
            account = accounts.get(event.key, Account())
            if "rate" in event.value:
                accounts[event.key] = Account(account.total, account.count, event.value["rate"])
                continue
            amount = event.value["amount"]
            account = Account(account.total + amount, account.count + 1, account.rate)
            accounts[event.key] = account
            await sums.send(
                value={"id": event.value["id"], "total": account.total, "count": account.count}
            )
            if amount == -1:
                raise RuntimeError("this amount breaks the agent")
            if amount == -3 and (datadir / "hang").exists():
                await asyncio.sleep(3600)
            if amount == -2:
                event.refuse("amount", "amount=-2 is not a deposit")
                continue
            if event.value.get("wake_in_ms"):
                accounts.wake(event.key, event.at_ms + event.value["wake_in_ms"])
            if event.value.get("effect"):
                event.effect(event.value["id"])
            if amount > 900:
                await large.send(key="desk", value=event.value)

    _add_stage_two(app, suffix, large)

    @app.agent(single)
    async def copy(stream):
        """A source with one partition in the same app; no table."""
        async for value in stream:
            for partition in range(4):
                await sums.send(key="@copy", value=value, partition=partition)

    @app.effects
    async def carry(effects, before_commit_s):
        if "boom" in effects:
            raise ConnectionError("the outside does not answer")
        with (datadir / "effects.txt").open("a") as out:
            out.writelines(f"{effect}\n" for effect in effects)

    return app


def _add_stage_two(app: exact.App, suffix: str, large) -> None:
    numbered = app.topic(f"numbered-{suffix}", value_serializer=Json())
    desks = app.Table("desks", source=large, **codec_of(Desk))

    @app.agent(large, sink=[numbered])
    async def number(stream):
        async for value in stream:
            desk = desks.get("desk", Desk())
            desk = Desk(desk.total + value["amount"], desk.count + 1)
            desks["desk"] = desk
            yield {"id": value["id"], "number": desk.count, "total": desk.total}


def topics(suffix: str) -> dict[str, dict]:
    """Name -> {partitions, compact} of everything the app needs."""
    names = {name: 4 for name in ("deposits", "rates", "sums", "large", "numbered", "order")}
    names |= {"deposits-dlq": 4, "single": 1}
    out = {f"{name}-{suffix}": {"partitions": count} for name, count in names.items()}
    out |= {f"{name}-{suffix}.dlq": {"partitions": 4} for name in ("deposits", "rates", "large")}
    for table in ("accounts", "desks"):
        out[f"sums-{suffix}-{table}-changelog"] = {"partitions": 4, "compact": True}
    return out


def main() -> None:
    """Runs one worker; settings come as JSON in the first argument."""
    given = json.loads(sys.argv[1])
    stop_at, dawdle_s = given.pop("stop_at", None), given.pop("dawdle_s", None)
    given["datadir"] = Path(given["datadir"])
    app = build(given.pop("suffix"), given.pop("bootstrap"), **given)
    if stop_at:
        app.window(_stopper(app.engine.config.datadir, **stop_at))
    elif dawdle_s:
        app.window(lambda word: _dawdle(dawdle_s) if word == "offsets" else None)
    app.Worker(loglevel="INFO", redirect_stdouts=False).execute_from_commandline()


def _dawdle(seconds: float) -> None:
    over_s = time.monotonic() + seconds
    while time.monotonic() < over_s:
        time.sleep(0.05)


def _stopper(datadir: Path, word: str, signal: int, turn: int):
    """Ends or freezes this very process in the `turn`-th passage of a crash window."""
    seen = []

    def stop(here: str) -> None:
        if here == word:
            seen.append(here)
            if len(seen) == turn:
                (datadir / "stopped").write_text(here)
                os.kill(os.getpid(), signal)

    return stop


if __name__ == "__main__":
    main()
