"""The picture as lines for a terminal, what needs attention first in its line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from weir.status import Picture
from weir.status.cluster import Cluster, Lag
from weir.status.workers import Worker


def text(picture: Picture) -> str:
    """All lines."""
    lines = [_kafka(picture.kafka), f"registry   {picture.registry or 'does not run'}"]
    lines += map(_worker, picture.workers)
    if picture.cluster is not None:
        lines += _cluster(picture.cluster)
    return "\n".join(lines)


def _kafka(kafka: dict[str, Any]) -> str:
    answering = "answers" if kafka["answers"] else "does not answer"
    if kafka["outside"]:
        return f"broker     {kafka['bootstrap']} (outside): {answering}"
    if kafka["pid"] is None:
        return f"broker     does not run in {kafka['home']}; `weir up` starts it"
    size_mb = kafka["data_bytes"] / 1e6
    state = f"{answering}, process {kafka['pid']}, {size_mb:.1f} MB of data"
    return f"broker     {kafka['bootstrap']}: {state}"


def _worker(worker: Worker) -> str:
    told = [f"{name} {value}" for name, value in worker.record.items() if value is not None]
    if worker.told is None:
        return f"{worker.name:<10} {worker.state}: {', '.join(told)}"
    seen = worker.as_json()
    facts = [
        f"pid {seen['pid']}",
        _many(seen["restarts"] or 0, "restart"),
        f"generation {seen['generation']}",
        f"{len(seen['partitions'])} partitions",
        f"loop {_ago(seen['loop_age_ms'])}, commit {_ago(seen['commit_age_ms'])}",
        f"{_many(seen['events'], 'event')}, {seen['refused']:,} refused",
    ]
    if seen["exit"] is not None:
        facts.insert(2, f"last exit {seen['exit']}")
    if seen["transactions"]:
        quantiles = f"{seen['transaction_ms_p50']} / {seen['transaction_ms_p99']} ms (p50 / p99)"
        facts.append(f"transactions {quantiles}")
    line = f"{worker.name:<10} {worker.state}: {', '.join(facts)}"
    if seen["paused"]:
        line += f"\n           PAUSED: {', '.join(seen['paused'])}: an input broke it three times"
    return line


def _cluster(cluster: Cluster) -> Iterator[str]:
    if cluster.missing:
        shown = ", ".join(cluster.missing[:3])
        more = f" and {len(cluster.missing) - 3} more" if len(cluster.missing) > 3 else ""
        yield f"topics     missing {shown}{more}; `weir topics create` makes them"
        return
    if cluster.groups is None:
        yield "group      not known: the group coordinator does not answer (yet)"
    for group in cluster.groups or ():
        held = f"{_many(group.members, 'worker')}, {group.partitions} partitions"
        yield f"group      {group.app}: {group.state}, {held}"
    behind = [lag for lag in cluster.lags if lag.records or not lag.exact]
    yield from map(_lag, behind)
    if not behind and cluster.groups is not None:
        yield "lag        none: every committed record is folded"
    for mode in cluster.modes:
        who = ", ".join(mode.actors)
        yield f"mode       {mode.scope} {mode.mode}, epoch {mode.epoch}, {mode.at}, {who}: " + (
            mode.reason
        )
    if not any(mode.scope == "all" for mode in cluster.modes):
        yield "mode       all PAUSED: there is no control record"
    yield from _policy(cluster)
    decision = cluster.decision
    if decision is None:
        yield "decision   none yet"
    else:
        yield (
            f"decision   {decision.at} {decision.node} {decision.key}: {decision.outcome}"
            f" ({decision.policy}, {decision.decision_id})"
        )


def _policy(cluster: Cluster) -> Iterator[str]:
    seen = cluster.policy
    if seen is None:
        yield "policy     none: profit is booked, nothing is allocated"
    else:
        yield f"policy     {seen.version}, hash {seen.hash[:12]}, {seen.at}, {seen.author}"
    for other in cluster.refused_policies:
        what = f"REFUSED {other.version}: {other.why}" if other.why else f"{other.version} waits"
        yield f"           {what} (orch_config_updates[0]@{other.offset})"


def _lag(lag: Lag) -> str:
    where = ", ".join(f"{partition}: {count:,}" for partition, count in lag.partitions.items())
    least = "" if lag.exact else "at least "
    count = _many(lag.records, "record")
    return f"lag        {lag.topic}: {least}{count} ({lag.app}; partition {where or 'unknown'})"


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _ago(age_ms: int | None) -> str:
    if age_ms is None:
        return "never"
    return f"{age_ms} ms ago" if age_ms < 1000 else f"{age_ms / 1000:.1f} s ago"
