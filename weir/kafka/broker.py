"""Start, find and stop the embedded broker of a home.

Ready means that the broker answered a metadata request, not that a port is open. The first start
takes a free port, every later one the same port again, because clients remember it. Java's class
data archive (a faster start) is written by the JVM when the first broker stops, beside the jars.
"""

import base64
import os
import shutil
import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from weir.errors import WeirError
from weir.home import Home, settings
from weir.kafka.config import BRIEF_FLAGS, JVM_FLAGS, properties
from weir.kafka.jars import Java, find, find_java
from weir.ports import HOST, free_port, is_free, listens
from weir.processes import Slot, end, spawn, wait_until

START_PATIENCE_S = 60.0
STOP_GRACE_S = 20.0


@dataclass(frozen=True)
class BrokerState:
    """What is known of the embedded broker without asking it to do anything."""

    bootstrap: str | None
    """`127.0.0.1:port`, None before the first start."""
    pid: int | None
    """None when it does not run."""
    answers: bool
    data_bytes: int


class Broker:
    """The embedded broker of one home."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.slot = Slot(home, "broker")

    @property
    def bootstrap(self) -> str | None:
        """Its address, remembered from the first start on."""
        port = self._port()
        return f"{HOST}:{port}" if port else None

    def up(
        self, port: int | None = None, *, attached: bool = False, brief: bool | None = None
    ) -> str:
        """Make it run and return its address; a broker that runs is only waited for.

        `port` moves it (0: to a new free one). An attached one ends with the calling process, and
        is therefore compiled for a `brief` life unless that is denied.
        """
        if self.slot.is_held():
            running = self._port()
            if port and port != running:
                raise WeirError(f"the broker runs on port {running}; stop it before moving it")
            if self._becomes_ready():
                return f"{HOST}:{running}"  # else it was just dying
        chosen = self._choose_port(port)
        java, jars = find_java(), find(settings().kafka_jars)
        self._configure(chosen)
        archive = _Archive.beside(jars, java)
        env = {**os.environ, "CLASSPATH": os.pathsep.join(map(str, jars))}
        if not (self._data / "meta.properties").exists():
            self._format(java, archive, env)
        life = BRIEF_FLAGS if (attached if brief is None else brief) else ()
        flags = (*JVM_FLAGS, *life, *archive.flags())
        argv = [java.path, *flags, "kafka.Kafka", str(self._properties)]
        process = spawn(self.slot, argv, env=env, attached=attached)
        self.slot.write({"pid": process.pid, "archive": archive.pending()})
        if self._becomes_ready():
            return f"{HOST}:{chosen}"
        raise WeirError(
            f"the broker ended with status {process.wait()}; the end of {self.slot.log_path}:\n"
            f"{self.slot.last_lines()}"
        )

    def down(self, *, wipe: bool = False) -> bool:
        """Stop it, and with `wipe` forget its data and its port; True when it ran."""
        ran = self.slot.is_held()
        record = self.slot.read()
        if end(self.slot, STOP_GRACE_S) and ran:
            _Archive.adopt(record.get("archive"))
        if wipe:
            shutil.rmtree(self.home.kafka, ignore_errors=True)
        return ran

    def status(self) -> BrokerState:
        """Whether it runs and answers, its address and the size of its data."""
        runs = self.slot.is_held()
        address = self.bootstrap
        files = self.home.kafka.rglob("*")
        return BrokerState(
            bootstrap=address,
            pid=self.slot.read().get("pid") if runs else None,
            answers=bool(runs and address and answers(address, 2.0)),
            data_bytes=sum(_size(file) for file in files),
        )

    @property
    def _data(self) -> Path:
        return self.home.kafka / "data"

    @property
    def _properties(self) -> Path:
        return self.home.kafka / "server.properties"

    @property
    def _port_file(self) -> Path:
        return self.home.kafka / "port"

    def _port(self) -> int | None:
        try:
            return int(self._port_file.read_text())
        except FileNotFoundError:
            return None

    def _choose_port(self, port: int | None) -> int:
        wanted = self._port() if port is None else port
        if not wanted:
            return free_port()
        if is_free(wanted):
            return wanted
        raise WeirError(
            f"port {wanted} of the broker of {self.home.root} is taken by another program; end "
            f"that one, or move the broker with `weir up --port 0`"
        )

    def _configure(self, port: int) -> None:
        self._data.mkdir(parents=True, exist_ok=True)
        text = properties(port, free_port(besides=port), self._data)
        self._properties.write_text(text)
        self._port_file.write_text(f"{port}\n")

    def _format(self, java: Java, archive: "_Archive", env: dict[str, str]) -> None:
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        tool = ("kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "--config")
        flags = (*JVM_FLAGS, *BRIEF_FLAGS, *archive.flags(reading_only=True))
        argv = [java.path, *flags, *tool, str(self._properties)]
        done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise WeirError(f"Kafka cannot use {self._data}:\n{done.stdout}{done.stderr}")

    def _becomes_ready(self) -> bool:
        """Wait for a metadata answer; False when the broker dies instead."""
        address = self.bootstrap
        if address is None:
            raise WeirError(f"a broker runs in {self.home.root} but its port is not recorded")

        def settled() -> bool:
            return not self.slot.is_held() or (listens(address) and answers(address, 0.5))

        if wait_until(settled, START_PATIENCE_S, pause_s=0.05):
            return self.slot.is_held()
        raise WeirError(
            f"the broker at {address} does not answer; the end of {self.slot.log_path}:\n"
            f"{self.slot.last_lines()}"
        )


def answers(address: str, patience_s: float) -> bool:
    """Whether a cluster at this address answers a metadata request with a live broker."""
    admin = AdminClient({"bootstrap.servers": address, "log_level": 0, "reconnect.backoff.ms": 20})
    try:
        return bool(admin.list_topics(timeout=patience_s).brokers)
    except KafkaException:
        return False


@dataclass(frozen=True)
class _Archive:
    """Java's class data archive for exactly these jars and this Java: 0.7 s to start, not 1.5."""

    path: Path
    writable: bool

    @classmethod
    def beside(cls, jars: list[Path], java: Java) -> "_Archive":
        folder = jars[0].parent
        return cls(folder / f"broker-{java.version}.jsa", os.access(folder, os.W_OK))

    def flags(self, *, reading_only: bool = False) -> list[str]:
        if self.path.exists():  # a stale one is ignored by the JVM
            return [f"-XX:SharedArchiveFile={self.path}", "-Xlog:cds=off", "-Xlog:cds+dynamic=off"]
        pending = None if reading_only else self.pending()
        return [f"-XX:ArchiveClassesAtExit={pending}", "-Xlog:cds=off"] if pending else []

    def pending(self) -> str | None:
        """Where a JVM of this process writes a new archive when it stops, if it should."""
        if self.path.exists() or not self.writable:
            return None
        return f"{self.path}.{os.getpid()}"

    @staticmethod
    def adopt(pending: str | None) -> None:
        """Put an archive that a broker wrote to its end in place."""
        if pending and Path(pending).exists():
            written = Path(pending)
            written.replace(written.with_suffix(""))


def _size(file: Path) -> int:
    try:
        return file.stat().st_blocks * 512  # Kafka's indexes are mostly holes
    except FileNotFoundError:
        return 0
