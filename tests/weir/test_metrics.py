"""Prometheus sees each worker: its own numbers, and how long ago every feed was heard."""

from __future__ import annotations

import httpx
from prometheus_client.parser import text_string_to_metric_families

from agents.metrics import port_of
from streams.topology import EXECUTOR, PIPELINE
from tests.weir.day import Day


def scraped(port: int) -> dict[tuple[str, ...], float]:
    """Every sample by its name and the values of its labels."""
    text = httpx.get(f"http://127.0.0.1:{port}/metrics").raise_for_status().text
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_pipeline_counts_what_it_folds(day: Day) -> None:
    seen = scraped(day.metrics["pipeline"])
    assert seen["treasury_worker_ready", PIPELINE, "0"] == 1
    assert seen["treasury_worker_events_total", PIPELINE, "0"] > 0
    assert seen["treasury_worker_transactions_total", PIPELINE, "0"] > 0
    assert 0 < seen["treasury_transaction_seconds_p50", PIPELINE, "0"] < 10
    assert ("treasury_worker_dead_letters_total", PIPELINE, "0") in seen


def test_the_executor_shows_the_age_of_every_feed(day: Day) -> None:
    seen = scraped(day.metrics["executor"])
    assert seen["treasury_worker_ready", EXECUTOR, "0"] == 1
    for number in day.sandbox.accounts:
        for feed in ("loan", "wallet"):
            assert 0 <= seen["treasury_feed_age_seconds", f"bybit:{number}", feed] < 30


def test_workers_of_one_machine_have_ports_side_by_side() -> None:
    ports = [port_of(9400, app, slot) for slot in (0, 1) for app in (PIPELINE, EXECUTOR)]
    assert ports == [9400, 9401, 9402, 9403]
