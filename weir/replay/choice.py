"""What a person asks to be replayed: a range, and of it some nodes or what lies on some topics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from streams.node import Node
from streams.topology import NODES
from weir.errors import WeirError
from weir.replay.span import WHOLE, Span


@dataclass(frozen=True)
class Choice:
    """All nodes and all outputs, unless some are named.

    A topic that nodes write stands for these nodes, and only what lies on it is compared. One that
    is only read stands for the node that reads it.
    """

    span: Span = WHOLE
    nodes: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()

    def nodes_and_sinks(self, by_name: Mapping[str, Node]) -> tuple[frozenset[str], list[str]]:
        """The nodes that take part, and the topics whose records are compared. WeirError for a
        name that is neither.
        """
        for name in self.nodes:
            if name not in by_name:
                raise WeirError(f"--node {name}: there are {', '.join(by_name)}")
        only, sinks = set(self.nodes), {sink for name in self.nodes for sink in by_name[name].sinks}
        for topic in self.topics:
            writers = {name for name, node in by_name.items() if topic in node.sinks}
            readers = {name for name, node in by_name.items() if topic in node.sources}
            if not writers | readers:
                raise WeirError(f"--topic {topic}: no node reads or writes it; see `weir topics`")
            only |= writers or readers
            sinks |= {topic} if writers else {s for name in readers for s in by_name[name].sinks}
        if not only:
            only = set(by_name)
            sinks = {sink for node in by_name.values() for sink in node.sinks}
        return frozenset(only), sorted(sinks)

    def sinks(self, nodes: Iterable[Node] = NODES) -> list[str]:
        """The topics whose records are compared."""
        return self.nodes_and_sinks({node.name: node for node in nodes})[1]


ALL = Choice()
