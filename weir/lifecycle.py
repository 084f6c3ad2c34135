"""What `weir up`, `weir down` and `weir status` do, and the sentences they print."""

import shutil
from collections.abc import Iterator

from weir.errors import WeirError
from weir.home import Home, home, settings
from weir.kafka import Broker, answers
from weir.processes import Slot
from weir.registry import Registry


def up(port: int | None = None) -> str:
    """Start what is not running yet; how to reach it and look at it."""
    given = settings()
    if given.kafka:
        return f"Kafka is the outside cluster {given.kafka}: nothing to start."
    here = home()
    registry = Registry(here)
    if not given.registry:
        registry.start()  # while the broker starts
    try:
        address = Broker(here).up(port)
    except BaseException:
        registry.stop()
        raise
    if not given.registry:
        registry.wait()
    url = given.registry or registry.url
    return "\n".join(
        [
            f"Kafka      {address}",
            f"registry   {url}",
            f"files      {here.root}",
            "",
            f"Look:      kcat -L -b {address}",
            f"           kcat -C -b {address} -t TOPIC -o beginning -e",
            "           weir status",
            "Stop:      weir down   (data stay; --wipe forgets them)",
        ]
    )


def down(*, wipe: bool = False) -> str:
    """Stop broker and registry; with `wipe` forget everything of this home."""
    if settings().kafka:
        return f"Kafka is the outside cluster {settings().kafka}: nothing to stop."
    here = home()
    working = [slot.name for slot in _others(here) if slot.is_held()]
    if working and wipe:
        raise WeirError(f"{', '.join(working)} still runs in {here.root}: stop it before wiping")
    registry_ran = Registry(here).stop()
    broker_ran = Broker(here).down(wipe=wipe)
    said = "stopped" if registry_ran or broker_ran else "nothing was running"
    if wipe:
        for folder in (here.state, here.logs, here.run):
            shutil.rmtree(folder, ignore_errors=True)
        said += f", {here.root} wiped"
    if working:
        said += f"; still running, without Kafka: {', '.join(working)}"
    return said


def status() -> tuple[bool, str]:
    """Whether Kafka answers, and a line for each thing that is known."""
    outside = settings().kafka
    if outside:
        alive = answers(outside, 3.0)
        return alive, f"broker     {outside} (outside): {_answering(alive)}"
    here = home()
    broker = Broker(here).status()
    if broker.pid is None:
        lines = [f"broker     does not run in {here.root}; `weir up` starts it"]
    else:
        size_mb = broker.data_bytes / 1e6
        state = f"{_answering(broker.answers)}, process {broker.pid}, {size_mb:.1f} MB of data"
        lines = [f"broker     {broker.bootstrap}: {state}"]
    lines.append(f"registry   {settings().registry or Registry(here).url or 'does not run'}")
    lines.extend(_processes(here))
    return broker.answers, "\n".join(lines)


def _processes(here: Home) -> Iterator[str]:
    """A line for each other process that has, or had, a slot in this home."""
    for slot in _others(here):
        state = "runs" if slot.is_held() else "stopped"
        told = (f"{key} {value}" for key, value in slot.read().items() if value is not None)
        yield f"{slot.name:<10} {state}: {', '.join(told)}"


def _others(here: Home) -> list[Slot]:
    """The slots of this home besides broker and registry."""
    names = sorted(path.stem for path in here.run.glob("*.json"))
    return [Slot(here, name) for name in names if name not in ("broker", "registry")]


def _answering(alive: bool) -> str:
    return "answers" if alive else "does not answer"
