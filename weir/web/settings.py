"""What the web process is told by its environment (`WEIR_…`)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

Scope = Literal["read", "balances", "payments", "policy"]


class Token(BaseModel, frozen=True, extra="forbid"):
    """Who may ask, and for what: `read` what Weir says, push `balances`, tell what became of
    `payments`, set the `policy`.
    """

    name: str
    token: Annotated[SecretStr, Field(min_length=16)]
    scopes: frozenset[Scope]


class WebSettings(BaseSettings):
    """One web process. Without a token it answers nobody but on `/healthz`."""

    model_config = SettingsConfigDict(env_prefix="WEIR_", extra="ignore", frozen=True)

    bootstrap: str
    """Kafka, `host:port[,host:port]`."""
    home: Path = Path(".weir")
    partitions: int = Field(default=8, ge=1, le=1024)
    web_host: str = "127.0.0.1"
    web_port: int = Field(default=8080, ge=0, le=65535)
    """0: a free one."""
    web_tokens: tuple[Token, ...] = ()
    """JSON in the environment: name, token, scopes."""
