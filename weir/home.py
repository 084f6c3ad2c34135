"""Where Weir keeps its files on this machine, and the few settings of the machine itself.

What decides about money is never here: policies are records. A setting is read once, from the
environment (`WEIR_…`), when a command starts; paths hang below `WEIR_HOME`, `.weir` in the current
folder unless said otherwise.
"""

from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from weir.errors import WeirError


class Settings(BaseSettings):
    """The environment of one command."""

    model_config = SettingsConfigDict(env_prefix="WEIR_", extra="ignore", frozen=True)

    home: Path = Path(".weir")
    """Folder of everything that this machine keeps (`WEIR_HOME`)."""
    kafka: str | None = None
    """An outside cluster to use, `host:port[,host:port]` (`WEIR_KAFKA`); None: the embedded one."""
    registry: str | None = None
    """URL of an outside schema registry (`WEIR_REGISTRY`); None: the ids of the lock file."""
    partitions: int = Field(default=8, ge=1, le=1024)
    """Partitions of the topics of the nodes (`WEIR_PARTITIONS`); fixed once topics exist."""
    kafka_jars: Path | None = None
    """Folder with Kafka's jars, or an unpacked distribution (`WEIR_KAFKA_JARS`)."""


@dataclass(frozen=True)
class Home:
    """The layout of `WEIR_HOME`. Nothing is created by asking for a path."""

    root: Path

    @property
    def kafka(self) -> Path:
        """Data and configuration of the embedded broker."""
        return self.root / "kafka"

    @property
    def logs(self) -> Path:
        """One log file for each process that Weir starts."""
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """What runs now: a lock and a small JSON file for each process."""
        return self.root / "run"

    @property
    def state(self) -> Path:
        """Local state of the workers, one folder for each slot; can always be rebuilt."""
        return self.root / "state"


def settings() -> Settings:
    """The settings of the environment, or a sentence about the variable that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = error.errors()[0]
        name = "WEIR_" + str(wrong["loc"][0]).upper()
        raise WeirError(f"{name}={wrong['input']}: {wrong['msg']}") from error


def home() -> Home:
    """The home of this command."""
    return Home(settings().home.absolute())
