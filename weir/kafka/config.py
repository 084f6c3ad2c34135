"""What the embedded broker is told: `server.properties` and the flags of its JVM.

Small on purpose (160 MB resident at its start, 380 MB after a demo): one machine, tests and demos.
What belongs to a topic is not here; the catalogue says it. Nothing here differs from a real cluster
in what a transaction, a group or a compacted topic guarantees.
"""

from pathlib import Path

JVM_FLAGS = (
    "-Xmx256m",
    "-XX:+UseSerialGC",
    "-XX:-UsePerfData",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
)

BRIEF_FLAGS = ("-XX:TieredStopAtLevel=1",)
"""For a broker of a minute: ready with the quick compiler. One that lives longer gets the thorough
one too, which has work for half a minute and then makes a transaction over 96 partitions take 35 ms
instead of 60.
"""

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}

# topics are declared in the catalogue, never made by a typing error
auto.create.topics.enable=false
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1

# a worker that was away for weeks must find its place again
offsets.retention.minutes=52560000
transactional.id.expiration.ms=2147483647

# how soon readers are free of a transaction whose worker died, and a first member gets its work
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
group.initial.rebalance.delay.ms=0
# a killed broker comes back as itself within this time
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500

# small
num.network.threads=1
num.io.threads=2
background.threads=2
log.cleaner.dedupe.buffer.size=4194304
log.cleaner.io.buffer.size=65536
offsets.topic.num.partitions=8
transaction.state.log.num.partitions=8
"""


def properties(port: int, controller_port: int, data: Path) -> str:
    """The text of `server.properties`."""
    return _PROPERTIES.format(port=port, controller_port=controller_port, data=data)
