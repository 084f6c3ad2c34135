"""Scenarios side by side on one broker, each on its own topics: most of their time is waiting."""

import secrets
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from tests.agents.exact.rig import Rig

SIDE_BY_SIDE = 5


class Stage:
    """Runs scenarios beside each other; a test asks for its own by name."""

    def __init__(self, broker: str, folder: Path) -> None:
        self._broker, self._folder = broker, folder
        self._pool = ThreadPoolExecutor(SIDE_BY_SIDE)
        self._runs: dict[str, Future[Rig]] = {}
        self._rigs: list[Rig] = []

    def play(self, name: str, scenario: Callable[..., None], *arguments) -> None:
        self._runs[name] = self._pool.submit(self._play, name, scenario, *arguments)

    def _play(self, name: str, scenario: Callable[..., None], *arguments) -> Rig:
        rig = Rig(self._broker, f"c-{secrets.token_hex(4)}", self._folder / name)
        self._rigs.append(rig)
        try:
            scenario(rig, *arguments)
        finally:
            rig.close()
        return rig

    def __getitem__(self, name: str) -> Rig:
        return self._runs[name].result()

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)
        for rig in self._rigs:
            rig.close()
