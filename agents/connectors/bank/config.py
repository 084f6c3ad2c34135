"""Where one bank account is reached, and the guard that keeps real money out of reach.

Banks differ in their paths, so every path is a setting; the defaults are Finastra's where they are
documented (accounts, login) and the sandbox's own where they are not (documents, payments).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from agents.connectors.endpoint import ForbiddenEndpoint, is_sandbox


@dataclass(frozen=True)
class Paths:
    """Where a bank answers what. `{tenant}` and `{id}` are filled in."""

    discovery: str = "/login/v1/{tenant}/.well-known/openid-configuration"
    """OpenID configuration: its `token_endpoint` gives the tokens."""
    accounts: str = "/corporate/channels/accounts/me/v1/accounts"
    """Below it `/{id}/balances` and `/{id}/statement`."""
    documents: str = "/statements/v1/documents"
    """The mailbox of camt messages: `?after=N&limit=N`, and `/{id}` for one."""
    initiations: str = "/payments/v1/initiations"
    """POST pain.001; below it `/{message id}` answers pain.002."""
    transactions: str = "/payments/v1/transactions"
    """Below it `/{end-to-end id}` answers pain.002."""


@dataclass(frozen=True)
class Bank:
    """One account: `account_id` is `bank:<number>`; `api_id` is its id in the bank's API. `owner`
    is the name of its holder and `agent` the bank that keeps it, by its nine digits or its BIC, as
    payments name them.

    `timeout_s` is for one request; `paced` is false only for a sandbox without request limits.
    """

    account_id: str
    endpoint: str
    client_id: str
    client_secret: str = field(repr=False)
    tenant: str = "sandbox"
    scope: str = "openid"
    api_id: str = ""
    owner: str = "TREASURY LLC"
    agent: str = ""
    paths: Paths = Paths()
    timeout_s: float = 10.0
    paced: bool = True

    def __post_init__(self) -> None:
        guard(self.account_id, self.endpoint)

    @property
    def number(self) -> str:
        """The bare account number, leading zeros kept."""
        return self.account_id.partition(":")[2]


def guard(account_id: str, endpoint: str) -> None:
    """Refuses every endpoint that could cost money. Raises ForbiddenEndpoint."""
    if is_sandbox(endpoint):
        return
    raise ForbiddenEndpoint(
        f"account {account_id}: endpoint {endpoint!r} is refused; this version calls only a"
        " sandbox bank on this machine (http://127.0.0.1:PORT)"
    )
