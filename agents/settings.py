"""What a worker process is told by its environment (`WEIR_…`); nothing here decides about money."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class VenueAccount(BaseModel, frozen=True, extra="forbid"):
    """One account at a venue and how it is reached; `account_id` is `bybit:<number>`."""

    account_id: str
    api_key: str
    api_secret: SecretStr
    endpoint: str
    feed: Literal["ws", "none"] = "none"
    """ws: its executions are read from the venue; none: someone else writes them."""
    categories: tuple[Literal["linear", "inverse", "spot"], ...] = ("linear",)
    """What the account trades."""
    since: AwareDatetime | None = None
    """The first execution that counts; None: from the first start of the feed on."""


class WorkerSettings(BaseSettings):
    """One worker. `venues` is JSON in the environment; without it nothing outside is called."""

    model_config = SettingsConfigDict(env_prefix="WEIR_", extra="ignore", frozen=True)

    bootstrap: str
    """Kafka, `host:port[,host:port]`."""
    registry: str | None = None
    """URL of an outside schema registry; None: the ids of the lock file."""
    home: Path = Path(".weir")
    slot: int = Field(default=0, ge=0)
    """The worker's stable number; one live process holds it."""
    partitions: int = Field(default=8, ge=1, le=1024)
    commit_interval_ms: int = Field(default=20, ge=1, le=1000)
    batch_max: int = Field(default=4000, ge=1)
    session_timeout_s: float = Field(default=6.0, ge=1.0)
    intent_keys: tuple[str, ...] = ()
    """Public keys of pipelines whose intents are carried out, besides the one of this home."""
    checkpoint_s: float = Field(default=3600.0, gt=0)
    """Between two signed checkpoints of the audit."""
    venues: tuple[VenueAccount, ...] = ()
    settle_coin: str = "USDT"
    """The coin whose USD rate is read along with each account."""
    poll_s: float = Field(default=2.0, gt=0)
    """Between two readings of an account's loan, wallet and positions."""
    backfill_s: float = Field(default=180.0, gt=0)
    """Between two readings of an account's list of executions when no gap was seen."""
    feed_limit_s: float = Field(default=60.0, gt=0)
    """A feed that was not heard for so long is an alert."""
    policy_file: Path | None = None
    """A YAML or JSON file that is watched: its content is the base of the policy."""
    consul: str | None = None
    """Address of a Consul agent whose keys are laid over file and environment."""
    consul_prefix: str = "weir/policy"
    consul_token: SecretStr | None = None
    policy_signer: str | None = None
    """Name of the key of this home that signs policies of these sources, once an admin must."""
