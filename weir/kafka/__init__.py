"""Embedded Apache Kafka: a real broker (KRaft, one node) as a child JVM, its data in `WEIR_HOME`.

Not a mock, because transactions, compaction and replay by offset cannot be shown on one. The
broker listens on 127.0.0.1 only, keeps its port and its data over restarts, and is a process of
its own: it outlives the command that started it.
"""

from weir.kafka.broker import Broker, BrokerState, answers

__all__ = ["Broker", "BrokerState", "answers"]
