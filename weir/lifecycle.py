"""What `weir up` and `weir down` do, and the sentences they print."""

import shutil

from weir.errors import WeirError
from weir.home import Home, home, settings
from weir.kafka import Broker
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


def _others(here: Home) -> list[Slot]:
    """The slots of this home besides broker and registry."""
    names = sorted(path.stem for path in here.run.glob("*.json"))
    return [Slot(here, name) for name in names if name not in ("broker", "registry")]
