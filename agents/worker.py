"""What both workers share: the app with the engine's settings, a status file, the JSON log."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from pathlib import Path

import structlog

from agents import exact, keys, metrics
from agents.exact.status import status
from agents.settings import WorkerSettings
from agents.signatures import Trust
from agents.wiring import ORDER_TOPIC, order_dumps
from schemas.wire import SchemaIds, Wire
from tables.spec import PARTITION_KEY

STATUS_S = 0.5


def new_app(name: str, settings: WorkerSettings, wire: Wire) -> exact.App:
    """A Faust app on the engine, with its merge order on the contract's topic."""
    config = exact.Config(
        bootstrap=settings.bootstrap,
        datadir=settings.home / "state" / f"{name}-{settings.slot}",
        slot=settings.slot,
        commit_interval_s=settings.commit_interval_ms / 1000,
        batch_max=settings.batch_max,
        session_timeout_s=settings.session_timeout_s,
        header_prefix="treasury",
        order_topic=ORDER_TOPIC,
        order_dumps=order_dumps(wire),
        order_stamp_key=PARTITION_KEY,
    )
    app = exact.App(name, config=config)
    report = settings.home / "run" / "status" / f"{name}-{settings.slot}.json"

    if settings.metrics_port is not None:
        metrics.serve(app.engine, settings.metrics_port, name, settings.slot)

    @app.task
    async def write_status() -> None:
        report.parent.mkdir(parents=True, exist_ok=True)
        while not app.should_stop:
            _replace(report, json.dumps({"pid": os.getpid(), **status(app.engine)}))
            await asyncio.sleep(STATUS_S)

    return app


def wire_of(settings: WorkerSettings) -> Wire:
    """The codec with ids of the registry that is set, else of the lock file."""
    if settings.registry is None:
        return Wire(SchemaIds.from_lock())
    return Wire(SchemaIds.from_registry(settings.registry))


def trusting(settings: WorkerSettings) -> Trust:
    """How the keys of pipelines, executors and webs are read. Raises KeyFault for a key of the
    settings that is none: with it a worker must not start.
    """

    def pipelines() -> tuple[str, ...]:
        return keys.trusted(settings.home, settings.intent_keys)

    def executors() -> tuple[str, ...]:
        return keys.trusted(settings.home, settings.executor_keys, keys.EXECUTOR)

    def webs() -> tuple[str, ...]:
        return keys.trusted(settings.home, settings.web_keys, keys.WEB)

    pipelines(), executors(), webs()
    return Trust(pipelines, executors, webs)


def run(app: exact.App) -> None:
    """Runs the worker until it is told to stop. Does not return."""
    log_as_json()
    worker = app.Worker(loglevel="INFO", redirect_stdouts=False, override_logging=False, quiet=True)
    worker.spinner = None  # it would move the cursor of a log file
    worker.execute_from_commandline()


def log_as_json() -> None:
    """One JSON object per line on standard error, with whatever a log call gave as `extra`."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
        structlog.processors.format_exc_info,
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.EventRenamer("message"),
            structlog.processors.JSONRenderer(),
        ],
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in ("faust", "aiokafka", "mode"):
        logging.getLogger(name).setLevel(logging.ERROR)
    for name in ("httpx", "agents.exact.app", "agents.exact.group"):  # each request, each service
        logging.getLogger(name).setLevel(logging.WARNING)


def _replace(path: Path, text: str) -> None:
    scratch = path.with_suffix(".part")
    scratch.write_text(text)
    scratch.replace(path)
