"""`weir demo`: Kafka up, venue up, workers up, a hedging day, and then the books are compared."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import httpx
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec
from rich.console import Console
from rich.live import Live

from weir import lifecycle, topics
from weir.demo import judge, stage
from weir.demo.screen import picture, verdict
from weir.demo.watch import Watch
from weir.errors import WeirError
from weir.home import Home, settings
from weir.run import bootstrap, specs
from weir.supervisor import Event, Supervisor

QUIET_S = 2.0
LIMIT_S = 180.0
LINE_S = 5.0


def demo(day: stage.Day, as_json: bool) -> bool:
    """Runs the day; True when every number of Weir's equals the venue's."""
    console = Console(quiet=as_json, stderr=False)
    here = stage.empty_home()
    started = time.monotonic()

    def say(text: str) -> None:
        console.print(f"[dim]{time.monotonic() - started:5.1f} s[/dim]  {text}")

    if not settings().kafka:
        lifecycle.up()
    address = bootstrap(here)
    say(f"Kafka      {address}")
    made = topics.ensure(address, settings().partitions, 1)
    say(f"topics     {len(made)} created")
    _require_empty(address)
    with stage.venue(here, address, day) as url:
        say(f"venue      {url}, a sandbox with books of its own")
        policy = asyncio.run(stage.open_desk(address, day))
        say(f"policy     {policy.name}@1, mode ACTIVE")
        with _workers(here, address, url, day, say):
            lines, books = _trade(address, url, console, started)
    equal = all(line.equal for line in lines)
    seconds = time.monotonic() - started
    if as_json:
        print(json.dumps(_report(lines, books, equal, seconds)))
    else:
        console.print(verdict(lines))
        _closing_words(console, equal, len(lines), seconds)
    return equal


@contextmanager
def _workers(
    here: Home, address: str, url: str, day: stage.Day, say: Callable[[str], None]
) -> Iterator[None]:
    def tell(event: Event) -> None:
        say(f"{event.name:<10} {event.kind}, process {event.pid}")

    env = stage.worker_env(url, day)
    with Supervisor(here, specs(here, address, ["pipeline", "executor"], 0, env), tell):
        yield


def _trade(
    address: str, url: str, console: Console, started: float
) -> tuple[list[judge.Line], dict[str, Any]]:
    """Lets the hedger trade, shows it, and compares when everything has come to rest."""
    watch = Watch(address)
    httpx.post(f"{url}/sandbox/hedger/start", timeout=10).raise_for_status()
    redrawn = console.is_terminal
    with Live(console=console, auto_refresh=False) if redrawn else nullcontext() as live:
        printed = 0.0
        for books in _until_rest(watch, url, started):
            now = time.monotonic()
            with watch.lock:
                screen = picture(watch.accounts, books, now - started)
            if live is not None:
                live.update(screen, refresh=True)
            elif now - printed > LINE_S:
                printed = now
                console.print(screen)
    books = httpx.get(f"{url}/sandbox/books", timeout=10).json()
    watch.close()
    lines = [
        line
        for number, book in books["accounts"].items()
        for line in judge.compare(f"bybit:{number}", watch.accounts[f"bybit:{number}"], book)
    ]
    return lines, books


def _until_rest(watch: Watch, url: str, started: float) -> Iterator[dict[str, Any]]:
    """Yields the venue's books (brief) until every fill is booked and nothing has moved for a
    while.
    """
    moved, seen_changes = time.monotonic(), -1
    while True:
        books: dict[str, Any] = httpx.get(f"{url}/sandbox/books?brief=1", timeout=10).json()
        watch.check()
        yield books
        hedger = books["hedger"]
        if hedger.get("error"):
            raise WeirError(f"the hedger stopped: {hedger['error']}")
        if hedger["done"] and _at_rest(watch, books):
            changes = _movements(watch)
            if changes != seen_changes:
                moved, seen_changes = time.monotonic(), changes
            if time.monotonic() - moved > QUIET_S:
                return
        else:
            seen_changes = -1
        if time.monotonic() - started > LIMIT_S:
            raise WeirError(f"the day did not come to rest within {LIMIT_S:.0f} s")
        time.sleep(0.2)


def _at_rest(watch: Watch, books: dict[str, Any]) -> bool:
    """Every execution has its pnl, every intent its end."""
    with watch.lock:
        for number, book in books["accounts"].items():
            seen = watch.accounts.get(f"bybit:{number}")
            if seen is None or seen.open_intents:
                return False
            if len(seen.exec_ids) < book["counts"]["executions"]:
                return False
    return True


def _movements(watch: Watch) -> int:
    """Counts what must stand still; polls go on and do not count."""
    with watch.lock:
        return sum(
            sum(seen.exec_ids.values()) + seen.actions.total() + len(seen.intents)
            for seen in watch.accounts.values()
        )


def _require_empty(address: str) -> None:
    """A demo compares whole books, so it wants topics without a past."""
    if not settings().kafka:
        return
    admin = AdminClient({"bootstrap.servers": address, "log_level": 3})
    where = [TopicPartition("hedge-executions", p) for p in range(settings().partitions)]
    asked = admin.list_offsets({one: OffsetSpec.latest() for one in where})
    if any(answer.result().offset > 0 for answer in asked.values()):
        raise WeirError(f"hedge-executions on {address} is not empty; the demo wants a fresh Kafka")


def _report(
    lines: list[judge.Line], books: dict[str, Any], equal: bool, seconds: float
) -> dict[str, Any]:
    counts = [book["counts"] for book in books["accounts"].values()]
    return {
        "equal": equal,
        "seconds": round(seconds, 1),
        "fills": books["hedger"]["fills"],
        "duplicates_sent": books["hedger"]["duplicates"],
        "operations": {
            name: sum(count[name] for count in counts)
            for name in ("transfers", "repays", "adjusts")
        },
        "comparisons": [line.plain() for line in lines],
    }


def _closing_words(console: Console, equal: bool, compared: int, seconds: float) -> None:
    if equal:
        console.print(f"[bold green]Equal[/] in {compared} comparisons, {seconds:.0f} s.")
    else:
        console.print("[bold red]Not equal[/]: Weir and the venue disagree above.")
    if settings().kafka:
        return
    console.print(
        "\nKafka stays up, with everything that happened on it:\n"
        "  .venv/bin/weir topics                                     the catalogue\n"
        "  .venv/bin/weir consume treasury.allocations.v1 --until 3  decisions, and why\n"
        "  .venv/bin/weir consume treasury.intents.v1 --until 3      money on its way\n"
        "  .venv/bin/weir replay --check                             the same day again\n"
        "  PRICES=minutes.csv make demo                              your own prices\n"
        "  .venv/bin/weir down                                       stop it",
        highlight=False,
    )
