"""A sandbox of the demo, venue or bank, as a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from weir.errors import WeirError
from weir.home import Home

READY_S = 30.0


@contextmanager
def sandbox(here: Home, module: str, words: list[str]) -> Iterator[Callable[[], str]]:
    """Starts a module and ends it with the block; yields what waits until it answers and gives its
    URL, so that several start at once.
    """
    name = module.rpartition(".")[2]
    port_file = here.root / f"{name}.port"
    port_file.unlink(missing_ok=True)
    here.logs.mkdir(parents=True, exist_ok=True)
    log = here.logs / f"sandbox-{name}.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", module, "--port-file", str(port_file), *words],
            stdout=out,
            stderr=out,
        )
    try:
        yield lambda: _ready(process, port_file, log)
    finally:
        process.terminate()
        process.wait(10)


def _ready(process: subprocess.Popen[bytes], port_file: Path, log: Path) -> str:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and process.poll() is None:
        if port_file.exists():
            url = f"http://127.0.0.1:{port_file.read_text().strip()}"
            try:
                httpx.get(f"{url}/sandbox/books?brief=1", timeout=1).raise_for_status()
            except httpx.HTTPError:
                time.sleep(0.05)
                continue
            return url
        time.sleep(0.05)
    end = log.read_text().strip().splitlines()[-1:]
    raise WeirError(f"the sandbox did not start: {' '.join(end) or 'it says nothing'}")
