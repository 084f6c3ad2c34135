"""What the intents node wants done outside: read before, call once, look afterwards.

An effect is a value. The engine hands it to the runner only after the transaction that holds the
attempt has committed; the runner answers with a record on treasury.attempts.v1 that carries the
effect's id. Amounts are units of 10^-18. `kind` is the intent's, `op` the leg's: TRANSFER, REPAY,
ADD_COLLATERAL, SET_LEVERAGE, REDUCE_POSITION, CANCEL_ORDER, SWEEP or REVERSE_SWEEP. `source` and
`target` are the wallets of a transfer, `params` the intent's own (symbol, side, leverage, which
order). `executed_by` names the side that calls: what another side carries out must never be called.
"""

from __future__ import annotations

import msgspec


class Work(msgspec.Struct, frozen=True):
    """What every effect knows of its attempt."""

    effect_id: str
    lane: str
    intent_id: str
    leg: str
    n: int
    kind: str
    op: str
    account_id: str
    coin: str
    amount_e18: int
    transfer_id: str
    source: str
    target: str
    params: dict[str, str]
    executed_by: str


class Prepare(Work, frozen=True):
    """Read what a call will be judged by: last id, debt, balances, venue time. Answer: PREPARED.

    `absent_mark` is set when an earlier attempt was declared without effect: rows after it that
    look like that attempt are reported as `late_ref`.
    """

    absent_mark: dict[str, str]


class Call(Work, frozen=True):
    """Post once: `body` as it stands, whose bytes have the hash `request_hash`. Answer: RESULT."""

    watermark: dict[str, str]
    body: dict[str, str | int | bool]
    request_hash: str
    pause_epoch: int
    control_age_max_s: int
    call_start_s: int
    deadline_ms: int | None


class Look(Work, frozen=True):
    """Read what became of a call, by its reference or by its watermark. Answer: EVIDENCE."""

    watermark: dict[str, str]
    venue_ref: str


Effect = Prepare | Call | Look
