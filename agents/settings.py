"""What a worker process is told by its environment (`WEIR_…`); nothing here decides about money."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from agents.connectors.bank.config import Bank, Paths


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


class BankAccount(BaseModel, frozen=True, extra="forbid"):
    """One bank account and how it is reached; `account_id` is `bank:<number>`."""

    account_id: str
    endpoint: str
    client_id: str
    client_secret: SecretStr
    tenant: str = "sandbox"
    scope: str = "openid"
    api_id: str = ""
    """Its id in the bank's API, where that is not the number."""
    owner: str = "TREASURY LLC"
    """Name of its holder, as payments say it."""
    agent: str = Field(default="", pattern=r"^([0-9]{9}|[A-Z0-9]{8}|[A-Z0-9]{11})?$")
    """The bank that keeps it, by its nine digits or its BIC, as payments say it."""
    paths: Paths = Paths()
    paced: bool = True
    """false: a sandbox that was started without request limits."""
    intraday: Literal["camt", "api", "none"] = "camt"
    """How its balance of now is read: from the mailbox of camt messages, in JSON, or not."""
    prior_day: Literal["camt", "api", "none"] = "camt"
    """How the days that are over are read."""
    since: date | None = None
    """The first day that is asked for in JSON; None: yesterday, at the first start."""

    def bank(self) -> Bank:
        """What the bank's client works with. Raises ForbiddenEndpoint."""
        return Bank(
            account_id=self.account_id,
            endpoint=self.endpoint,
            client_id=self.client_id,
            client_secret=self.client_secret.get_secret_value(),
            tenant=self.tenant,
            scope=self.scope,
            api_id=self.api_id,
            owner=self.owner,
            agent=self.agent,
            paths=self.paths,
            paced=self.paced,
        )


class Readings(BaseSettings):
    """How often the outside is read, and what is read along: what a policy's ages must fit."""

    model_config = SettingsConfigDict(env_prefix="WEIR_", extra="ignore", frozen=True)

    settle_coin: str = "USDT"
    """The coin whose USD rate is read along with each account."""
    poll_s: float = Field(default=2.0, gt=0)
    """Between two readings of an account's loan, wallet and positions."""
    bank_poll_s: float = Field(default=10.0, gt=0)
    """Between two looks into a bank's mailbox, and at an account in JSON."""
    balance_limit_s: float = Field(default=3600.0, gt=0)
    """A bank that told no newer balance for so long is an alert, even if it answers."""


class WorkerSettings(Readings):
    """One worker. `venues` is JSON in the environment; without it nothing outside is called."""

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
    """Public keys of pipelines whose intents are carried out and whose copies of policy and
    controls count, besides the one of this home."""
    executor_keys: tuple[str, ...] = ()
    """Public keys of executors whose answers, and word that an intent has ended, count too."""
    web_keys: tuple[str, ...] = ()
    """Public keys of web processes whose word on what others pay counts, likewise."""
    metrics_port: int | None = Field(default=None, ge=1, le=65_000)
    """First port of `/metrics` for Prometheus: pipeline, executor, then those of the next slot."""
    checkpoint_s: float = Field(default=3600.0, gt=0)
    """Between two signed checkpoints of the audit."""
    venues: tuple[VenueAccount, ...] = ()
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
    banks: tuple[BankAccount, ...] = ()
    """Bank accounts, as JSON."""
    camt_folder: Path | None = None
    """A folder into which others lay camt files."""
