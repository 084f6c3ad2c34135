"""`weir run`: the workers under a supervisor, each in its slot, on topics that are as declared."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from weir import topics
from weir.errors import WeirError
from weir.home import Home, home, settings
from weir.kafka import Broker, answers
from weir.supervisor import Event, Spec, Supervisor

WORKERS = {"pipeline": "agents.pipeline", "executor": "agents.executor"}
_ANSWER_S = 10.0


def run(
    workers: Iterable[str], slot: int, say: Callable[[str], None], policy: Path | None = None
) -> None:
    """Runs the workers named (both when none is) until SIGTERM or Ctrl-C; the executor watches the
    policy file, if one is given.
    """
    if policy is not None and not policy.is_file():
        raise WeirError(f"--policy {policy}: there is no such file")
    here = home()
    address = bootstrap(here)
    topics.ensure(address, settings().partitions, replication=1)
    watched = {} if policy is None else {"WEIR_POLICY_FILE": str(policy.absolute())}
    chosen = specs(here, address, list(workers) or list(WORKERS), slot, watched)

    def tell(event: Event) -> None:
        again = f", again in {event.again_in_s:.1f} s" if event.again_in_s is not None else ""
        code = f" with status {event.status}" if event.status is not None else ""
        say(f"{event.name} {event.kind}{code} (process {event.pid}){again}")

    supervisor = Supervisor(here, chosen, tell)
    say(f"Kafka {address}; logs in {here.logs}; Ctrl-C stops")
    supervisor.run()


def specs(
    here: Home, address: str, workers: list[str], slot: int, env: dict[str, str] | None = None
) -> list[Spec]:
    """The child commands of these workers. Raises WeirError for a name that is no worker."""
    unknown = [name for name in workers if name not in WORKERS]
    if unknown:
        raise WeirError(f"{unknown[0]!r} is no worker; there are {', '.join(WORKERS)}")
    ours = {
        "WEIR_BOOTSTRAP": address,
        "WEIR_HOME": str(here.root),
        "WEIR_SLOT": str(slot),
        "WEIR_PARTITIONS": str(settings().partitions),
        **(env or {}),
    }
    return [Spec(f"{name}-{slot}", (sys.executable, "-m", WORKERS[name]), ours) for name in workers]


def bootstrap(here: Home) -> str:
    """The Kafka to work on; raises WeirError, saying how to start one, if it does not answer."""
    outside, state = settings().kafka, Broker(here).status()
    address = outside or (state.bootstrap if state.pid else None)
    if address is None:
        why = "`weir up` starts one, WEIR_KAFKA names another"
        raise WeirError(f"no broker runs in {here.root}: {why}")
    if not answers(address, _ANSWER_S):
        hint = "is the cluster up?" if outside else "its log is in the folder `logs`"
        raise WeirError(f"Kafka at {address} does not answer: {hint}")
    return address
