"""`weir demo`: Kafka up, venue and bank up, workers up, a hedging day and a bank day at once, and
then the books are compared.
"""

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

from agents.keys import trusted
from weir import lifecycle, topics
from weir.demo import bank_judge, judge, stage
from weir.demo.bank import ACCOUNT_ID, BankDay
from weir.demo.screen import picture, verdict
from weir.demo.watch import Seen, Watch
from weir.errors import WeirError
from weir.home import Home, settings
from weir.run import bootstrap, specs
from weir.supervisor import Event, Supervisor

INPUTS = ("hedge-executions", "balance_events")
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
    with stage.sandboxes(here, address, day) as (url, bank_url):
        say(f"venue      {url}, a sandbox with books of its own")
        say(f"bank       {bank_url}, another one, with a year of statements")
        policy = asyncio.run(stage.open_desk(address, day))
        say(f"policy     {policy.name}@1, mode ACTIVE")
        env = stage.worker_env(url, bank_url, day)
        with _workers(here, address, env, say):
            lines, books = _live(here, address, url, BankDay(bank_url), console, started)
    equal = all(line.equal for line in lines)
    seconds = time.monotonic() - started
    if as_json:
        print(json.dumps(_report(lines, books, equal, seconds)))
    else:
        for side in ("venue", "bank"):
            console.print(verdict([one for one in lines if one.side == side], side))
        _closing_words(console, equal, len(lines), seconds)
    return equal


@contextmanager
def _workers(
    here: Home, address: str, env: dict[str, str], say: Callable[[str], None]
) -> Iterator[None]:
    def tell(event: Event) -> None:
        say(f"{event.name:<10} {event.kind}, process {event.pid}")

    with Supervisor(here, specs(here, address, ["pipeline", "executor"], 0, env), tell):
        yield


def _live(
    here: Home, address: str, url: str, bank_day: BankDay, console: Console, started: float
) -> tuple[list[judge.Line], dict[str, Any]]:
    """Lets the hedger trade and the bank's customers draw, shows it, and compares when everything
    has come to rest.
    """
    watch = Watch(address, lambda: trusted(here.root, ()))
    httpx.post(f"{url}/sandbox/hedger/start", timeout=10).raise_for_status()
    redrawn = console.is_terminal
    with Live(console=console, auto_refresh=False) if redrawn else nullcontext() as live:
        printed = 0.0
        for books, bank in _until_rest(watch, url, bank_day, started):
            now = time.monotonic()
            with watch.lock:
                screen = picture(watch.accounts, books, bank, now - started, bank_day.chapter)
            if live is not None:
                live.update(screen, refresh=True)
            elif now - printed > LINE_S:
                printed = now
                console.print(screen)
    books = httpx.get(f"{url}/sandbox/books", timeout=10).json()
    bank, flows = bank_day.books(), bank_day.flows()
    watch.close()
    lines = [
        line
        for number, book in books["accounts"].items()
        for line in judge.compare(f"bybit:{number}", watch.accounts[f"bybit:{number}"], book)
    ]
    lines += bank_judge.compare(watch.accounts[ACCOUNT_ID], bank, flows)
    return lines, books


def _until_rest(
    watch: Watch, url: str, bank_day: BankDay, started: float
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yields the venue's books (brief) and the bank's until every fill is booked, the bank's day is
    over, and nothing has moved for a while.
    """
    moved, seen_changes = time.monotonic(), -1
    while True:
        books: dict[str, Any] = httpx.get(f"{url}/sandbox/books?brief=1", timeout=10).json()
        bank = bank_day.books()
        watch.check()
        yield books, bank
        with watch.lock:
            over = bank_day.goes_on(watch.accounts.get(ACCOUNT_ID, Seen()), bank)
        hedger = books["hedger"]
        if hedger.get("error"):
            raise WeirError(f"the hedger stopped: {hedger['error']}")
        if hedger["done"] and over and _at_rest(watch, books):
            changes = _movements(watch) + bank["movements"]
            if changes != seen_changes:
                moved, seen_changes = time.monotonic(), changes
            if time.monotonic() - moved > QUIET_S:
                return
        else:
            seen_changes = -1
        if time.monotonic() - started > LIMIT_S:
            where = f"{hedger['fills']} fills are traded; at the bank: {bank_day.chapter}"
            raise WeirError(f"the day did not come to rest within {LIMIT_S:.0f} s: {where}")
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
    where = [
        TopicPartition(topic, number) for topic in INPUTS for number in range(settings().partitions)
    ]
    asked = admin.list_offsets({one: OffsetSpec.latest() for one in where})
    full = sorted({one.topic for one, answer in asked.items() if answer.result().offset > 0})
    if full:
        raise WeirError(f"{full[0]} on {address} is not empty; the demo wants a fresh Kafka")


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
        console.print("[bold red]Not equal[/]: the books disagree above.")
    if settings().kafka:
        return
    console.print(
        "\nKafka stays up, with everything that happened on it:\n"
        "  .venv/bin/weir topics                                     the catalogue\n"
        "  .venv/bin/weir consume treasury.allocations.v1 --until 3  decisions, and why\n"
        "  .venv/bin/weir consume treasury.intents.v1 --until 3      money on its way\n"
        "  .venv/bin/weir consume sweep_intent --until 2             signed orders\n"
        "  .venv/bin/weir replay --check                             the same day again\n"
        "  PRICES=minutes.csv make demo                              your own prices\n"
        "  .venv/bin/weir down                                       stop it",
        highlight=False,
    )
