"""Generated from schemas/avro by `python -m schemas.generate`: edit the .avsc."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from schemas.varint import (
    LEN,
    array,
    bound,
    branch,
    day,
    decimal_map,
    integer,
    length,
    long,
    read_array,
    read_bytes,
    read_decimal,
    read_decimal_map,
    read_long,
    read_string,
    read_string_map,
    read_strings,
    read_symbol,
    string_map,
    strings,
)

_int = int.from_bytes

_SEVERITY = ('UNKNOWN', 'info', 'warning', 'critical')
_SEVERITY_BYTE = {'info': LEN[1], 'warning': LEN[2], 'critical': LEN[3]}
_SEVERITY_OF = {2: 'info', 4: 'warning', 6: 'critical'}

_ALERT_STATE = ('UNKNOWN', 'firing', 'resolved')
_ALERT_STATE_BYTE = {'firing': LEN[1], 'resolved': LEN[2]}
_ALERT_STATE_OF = {2: 'firing', 4: 'resolved'}

_ALLOCATION_ACTION = ('UNKNOWN', 'repay_principal', 'add_collateral', 'split', 'hold')
_ALLOCATION_ACTION_BYTE = {'repay_principal': LEN[1], 'add_collateral': LEN[2], 'split': LEN[3], 'hold': LEN[4]}
_ALLOCATION_ACTION_OF = {2: 'repay_principal', 4: 'add_collateral', 6: 'split', 8: 'hold'}

_VERDICT = ('UNKNOWN', 'approve', 'deny', 'revoke')
_VERDICT_BYTE = {'approve': LEN[1], 'deny': LEN[2], 'revoke': LEN[3]}
_VERDICT_OF = {2: 'approve', 4: 'deny', 6: 'revoke'}

_ATTEMPT_KIND = ('UNKNOWN', 'PREPARED', 'ATTEMPT', 'RESULT', 'EVIDENCE', 'WEBHOOK', 'HUMAN')
_ATTEMPT_KIND_BYTE = {'PREPARED': LEN[1], 'ATTEMPT': LEN[2], 'RESULT': LEN[3], 'EVIDENCE': LEN[4], 'WEBHOOK': LEN[5], 'HUMAN': LEN[6]}
_ATTEMPT_KIND_OF = {2: 'PREPARED', 4: 'ATTEMPT', 6: 'RESULT', 8: 'EVIDENCE', 10: 'WEBHOOK', 12: 'HUMAN'}

_ATTEMPT_CLASS = ('UNKNOWN', 'accepted', 'done', 'refused', 'transient', 'not_sent', 'unknown')
_ATTEMPT_CLASS_BYTE = {'accepted': LEN[1], 'done': LEN[2], 'refused': LEN[3], 'transient': LEN[4], 'not_sent': LEN[5], 'unknown': LEN[6]}
_ATTEMPT_CLASS_OF = {2: 'accepted', 4: 'done', 6: 'refused', 8: 'transient', 10: 'not_sent', 12: 'unknown'}

_BALANCE_SOURCE = ('UNKNOWN', 'camt052', 'camt053', 'api', 'webhook')
_BALANCE_SOURCE_BYTE = {'camt052': LEN[1], 'camt053': LEN[2], 'api': LEN[3], 'webhook': LEN[4]}
_BALANCE_SOURCE_OF = {2: 'camt052', 4: 'camt053', 6: 'api', 8: 'webhook'}

_CORRECTION_KIND = ('UNKNOWN', 'OPENING', 'RECON_ADJUST', 'LATE', 'RESTATE')
_CORRECTION_KIND_BYTE = {'OPENING': LEN[1], 'RECON_ADJUST': LEN[2], 'LATE': LEN[3], 'RESTATE': LEN[4]}
_CORRECTION_KIND_OF = {2: 'OPENING', 4: 'RECON_ADJUST', 6: 'LATE', 8: 'RESTATE'}

_CALENDAR_NAME = ('UNKNOWN', 'FED', 'SIFMA')
_CALENDAR_NAME_BYTE = {'FED': LEN[1], 'SIFMA': LEN[2]}
_CALENDAR_NAME_OF = {2: 'FED', 4: 'SIFMA'}

_MODE = ('UNKNOWN', 'ACTIVE', 'REDUCING', 'PAUSED')
_MODE_BYTE = {'ACTIVE': LEN[1], 'REDUCING': LEN[2], 'PAUSED': LEN[3]}
_MODE_OF = {2: 'ACTIVE', 4: 'REDUCING', 6: 'PAUSED'}

_DECISION_KIND = ('UNKNOWN', 'DECISION', 'APPROVAL', 'ATTEMPT', 'RESULT', 'CONTROL', 'POLICY', 'RECON')
_DECISION_KIND_BYTE = {'DECISION': LEN[1], 'APPROVAL': LEN[2], 'ATTEMPT': LEN[3], 'RESULT': LEN[4], 'CONTROL': LEN[5], 'POLICY': LEN[6], 'RECON': LEN[7]}
_DECISION_KIND_OF = {2: 'DECISION', 4: 'APPROVAL', 6: 'ATTEMPT', 8: 'RESULT', 10: 'CONTROL', 12: 'POLICY', 14: 'RECON'}

_EXECUTION_KIND = ('UNKNOWN', 'FILL', 'CLOSED_TRADE')
_EXECUTION_KIND_BYTE = {'FILL': LEN[1], 'CLOSED_TRADE': LEN[2]}
_EXECUTION_KIND_OF = {2: 'FILL', 4: 'CLOSED_TRADE'}

_CATEGORY = ('UNKNOWN', 'linear', 'inverse', 'spot')
_CATEGORY_BYTE = {'linear': LEN[1], 'inverse': LEN[2], 'spot': LEN[3]}
_CATEGORY_OF = {2: 'linear', 4: 'inverse', 6: 'spot'}

_SIDE = ('UNKNOWN', 'Buy', 'Sell')
_SIDE_BYTE = {'Buy': LEN[1], 'Sell': LEN[2]}
_SIDE_OF = {2: 'Buy', 4: 'Sell'}

_EXECUTION_SOURCE = ('UNKNOWN', 'ws', 'rest', 'manual')
_EXECUTION_SOURCE_BYTE = {'ws': LEN[1], 'rest': LEN[2], 'manual': LEN[3]}
_EXECUTION_SOURCE_OF = {2: 'ws', 4: 'rest', 6: 'manual'}

_ORIGIN = ('UNKNOWN', 'book', 'cash', 'buffers')
_ORIGIN_BYTE = {'book': LEN[1], 'cash': LEN[2], 'buffers': LEN[3]}
_ORIGIN_OF = {2: 'book', 4: 'cash', 6: 'buffers'}

_INTENT_CLASS = ('UNKNOWN', 'loan', 'transfer', 'conversion', 'sweep', 'deleverage', 'control')
_INTENT_CLASS_BYTE = {'loan': LEN[1], 'transfer': LEN[2], 'conversion': LEN[3], 'sweep': LEN[4], 'deleverage': LEN[5], 'control': LEN[6]}
_INTENT_CLASS_OF = {2: 'loan', 4: 'transfer', 6: 'conversion', 8: 'sweep', 10: 'deleverage', 12: 'control'}

_INTENT_KIND = ('UNKNOWN', 'REPAY', 'ADD_COLLATERAL', 'TRANSFER', 'CONVERT', 'SWEEP', 'REVERSE_SWEEP', 'SET_LEVERAGE', 'REDUCE_POSITION', 'CANCEL_ORDER')
_INTENT_KIND_BYTE = {'REPAY': LEN[1], 'ADD_COLLATERAL': LEN[2], 'TRANSFER': LEN[3], 'CONVERT': LEN[4], 'SWEEP': LEN[5], 'REVERSE_SWEEP': LEN[6], 'SET_LEVERAGE': LEN[7], 'REDUCE_POSITION': LEN[8], 'CANCEL_ORDER': LEN[9]}
_INTENT_KIND_OF = {2: 'REPAY', 4: 'ADD_COLLATERAL', 6: 'TRANSFER', 8: 'CONVERT', 10: 'SWEEP', 12: 'REVERSE_SWEEP', 14: 'SET_LEVERAGE', 16: 'REDUCE_POSITION', 18: 'CANCEL_ORDER'}

_EXECUTED_BY = ('UNKNOWN', 'weir', 'external')
_EXECUTED_BY_BYTE = {'weir': LEN[1], 'external': LEN[2]}
_EXECUTED_BY_OF = {2: 'weir', 4: 'external'}

_SEED_STATUS = ('UNKNOWN', 'NEW', 'SENT', 'ACK', 'FAILED')
_SEED_STATUS_BYTE = {'NEW': LEN[1], 'SENT': LEN[2], 'ACK': LEN[3], 'FAILED': LEN[4]}
_SEED_STATUS_OF = {2: 'NEW', 4: 'SENT', 6: 'ACK', 8: 'FAILED'}

_LOT_METHOD = ('UNKNOWN', 'ALL', 'FIFO', 'LIFO', 'HIFO', 'ACB')
_LOT_METHOD_BYTE = {'ALL': LEN[1], 'FIFO': LEN[2], 'LIFO': LEN[3], 'HIFO': LEN[4], 'ACB': LEN[5]}
_LOT_METHOD_OF = {2: 'ALL', 4: 'FIFO', 6: 'LIFO', 8: 'HIFO', 10: 'ACB'}

_LOT_ACTION = ('UNKNOWN', 'open', 'close', 'restated')
_LOT_ACTION_BYTE = {'open': LEN[1], 'close': LEN[2], 'restated': LEN[3]}
_LOT_ACTION_OF = {2: 'open', 4: 'close', 6: 'restated'}

_POLICY_SOURCE = ('UNKNOWN', 'file', 'env', 'consul', 'rest')
_POLICY_SOURCE_BYTE = {'file': LEN[1], 'env': LEN[2], 'consul': LEN[3], 'rest': LEN[4]}
_POLICY_SOURCE_OF = {2: 'file', 4: 'env', 6: 'consul', 8: 'rest'}

_RISK_EVENT_TYPE = ('UNKNOWN', 'DRAWDOWN_BREACH', 'LEVERAGE_EXCEEDED', 'MARGIN_WARNING', 'MARGIN_CRITICAL', 'LIQUIDATION', 'ADL', 'STATE_RECOVERED', 'POST_CHECK_FAILED', 'DISTANCE')
_RISK_EVENT_TYPE_BYTE = {'DRAWDOWN_BREACH': LEN[1], 'LEVERAGE_EXCEEDED': LEN[2], 'MARGIN_WARNING': LEN[3], 'MARGIN_CRITICAL': LEN[4], 'LIQUIDATION': LEN[5], 'ADL': LEN[6], 'STATE_RECOVERED': LEN[7], 'POST_CHECK_FAILED': LEN[8], 'DISTANCE': LEN[9]}
_RISK_EVENT_TYPE_OF = {2: 'DRAWDOWN_BREACH', 4: 'LEVERAGE_EXCEEDED', 6: 'MARGIN_WARNING', 8: 'MARGIN_CRITICAL', 10: 'LIQUIDATION', 12: 'ADL', 14: 'STATE_RECOVERED', 16: 'POST_CHECK_FAILED', 18: 'DISTANCE'}

_SWEEP_DIRECTION = ('UNKNOWN', 'OUT', 'BACK')
_SWEEP_DIRECTION_BYTE = {'OUT': LEN[1], 'BACK': LEN[2]}
_SWEEP_DIRECTION_OF = {2: 'OUT', 4: 'BACK'}

_SWEEP_PRODUCT = ('UNKNOWN', 'FED_RRP', 'TBILL_4W', 'CARBON_NOTE')
_SWEEP_PRODUCT_BYTE = {'FED_RRP': LEN[1], 'TBILL_4W': LEN[2], 'CARBON_NOTE': LEN[3]}
_SWEEP_PRODUCT_OF = {2: 'FED_RRP', 4: 'TBILL_4W', 6: 'CARBON_NOTE'}

_TRADE_STATUS = ('UNKNOWN', 'OPEN', 'CLOSED')
_TRADE_STATUS_BYTE = {'OPEN': LEN[1], 'CLOSED': LEN[2]}
_TRADE_STATUS_OF = {2: 'OPEN', 4: 'CLOSED'}

_ACTION_RESULT = ('UNKNOWN', 'DONE', 'PARTIAL', 'FAILED')
_ACTION_RESULT_BYTE = {'DONE': LEN[1], 'PARTIAL': LEN[2], 'FAILED': LEN[3]}
_ACTION_RESULT_OF = {2: 'DONE', 4: 'PARTIAL', 6: 'FAILED'}

_VAR_STATUS = ('UNKNOWN', 'OK', 'INSUFFICIENT')
_VAR_STATUS_BYTE = {'OK': LEN[1], 'INSUFFICIENT': LEN[2]}
_VAR_STATUS_OF = {2: 'OK', 4: 'INSUFFICIENT'}

class WalletBalance(msgspec.Struct, frozen=True, gc=False):
    """One coin in one wallet."""

    wallet: str
    coin: str
    balance_e18: int
    transferable_e18: int

class SnapshotPosition(msgspec.Struct, frozen=True, gc=False):
    """One open position as the venue shows it."""

    symbol: str
    idx: int
    size_e18: int
    entry_e18: int
    mark_e18: int
    upnl_e18: int
    im_e18: int
    mm_e18: int
    liq_e18: int | None = None
    leverage_e18: int | None = None

class OpenOrder(msgspec.Struct, frozen=True, gc=False):
    """One open order as the venue shows it."""

    order_id: str
    link_id: str
    symbol: str
    side: str
    qty_e18: int
    filled_e18: int
    reduce_only: bool
    price_e18: int | None = None

class AccountSnapshot(msgspec.Struct, frozen=True, gc=False):
    """Wallets, positions and orders of one account at one poll."""

    account_id: str
    wallets: tuple[WalletBalance, ...]
    positions: tuple[SnapshotPosition, ...]
    open_orders: tuple[OpenOrder, ...]
    margin_mode: str
    equity_e18: int
    as_of_ms: int

class Alert(msgspec.Struct, frozen=True, gc=False):
    """Something a person should know, and later that it is over; the latest record of a key is its state."""

    key: str
    severity: str
    state: str
    text: str
    labels: dict[str, str]
    since_ms: int

class Counterfactual(msgspec.Struct, frozen=True, gc=False):
    """What the other choice would have led to."""

    action: str
    ltv_after_e18: int

class Source(msgspec.Struct, frozen=True, gc=False):
    """The place of one record on a log."""

    topic: str
    partition: int
    offset: int

class Meta(msgspec.Struct, frozen=True, gc=False):
    """Where a node's output comes from. All outputs of one event share event_id and source."""

    event_id: str
    event_time_ms: int
    policy: str
    source: Source

class AllocationDecision(msgspec.Struct, frozen=True, gc=False):
    """What was decided about the available profit of an account, and why."""

    meta: Meta
    decision_id: str
    account_id: str
    rule: str
    action: str
    reason: str
    available_e18: int
    factor_e18: int
    kept_e18: int
    clipped_e18: int
    intent_ids: tuple[str, ...]
    amount_e18: int | None = None
    repay_amount_e18: int | None = None
    collateral_amount_e18: int | None = None
    ltv_e18: int | None = None
    loan_apr_e18: int | None = None
    collateral_yield_e18: int | None = None
    ltv_after_est_e18: int | None = None
    counterfactual: Counterfactual | None = None
    loan_as_of_ms: int | None = None
    loan_age_ms: int | None = None

class Approval(msgspec.Struct, frozen=True, gc=False):
    """A checker's signed word on one intent."""

    intent_id: str
    body_hash: str
    verdict: str
    approver: str
    role: str
    jws: str
    expires_ms: int
    at_ms: int

class AttemptRecord(msgspec.Struct, frozen=True, gc=False):
    """One step of carrying an intent out: what was read, sent, answered or found."""

    attempt_id: str
    intent_id: str
    leg: str
    n: int
    kind: str
    at_ms: int
    meta: Meta | None = None
    amount_e18: int | None = None
    watermark: dict[str, str] | None = None
    request_hash: str | None = None
    class_: str | None = None
    venue_ref: str | None = None
    amount_done_e18: int | None = None
    facts: dict[str, str] | None = None
    code: str | None = None
    message: str | None = None
    raw: bytes | None = None

class AuditRecord(msgspec.Struct, frozen=True, gc=False):
    """One link of an audit chain. Its hash is sha256 over the bytes of prev_hash and the canonical JSON of this record without prev_hash and hash."""

    meta: Meta
    chain_id: str
    seq: int
    prev_hash: str
    hash: str
    kind: str
    decision_id: str
    actor: str
    body: str

class BankBalance(msgspec.Struct, frozen=True, gc=False):
    """One balance of a bank account."""

    code: str
    amount_e4: int
    ccy: str
    as_of_ms: int

class BankEntry(msgspec.Struct, frozen=True, gc=False):
    """One entry of a bank account."""

    ref: str
    amount_e4: int
    ccy: str
    status: str
    reversal: bool
    booking_date: int | None = None
    value_date: int | None = None
    end_to_end_id: str | None = None

class BalanceEvent(msgspec.Struct, frozen=True, gc=False):
    """What a bank says about one account: one statement or report, all its pages together."""

    account_id: str
    source: str
    msg_id: str
    balances: tuple[BankBalance, ...]
    entries: tuple[BankEntry, ...]
    as_of_ms: int
    statement_date: int | None = None
    avail_usd_e4: int | None = None
    raw: bytes | None = None

class Correction(msgspec.Struct, frozen=True, gc=False):
    """A correction of the book."""

    correction_id: str
    kind: str
    break_id: str | None = None
    symbol: str | None = None
    position_idx: int | None = None
    size_e18: int | None = None
    entry_price_e18: int | None = None
    row: bytes | None = None
    category: str | None = None
    settle_ccy: str | None = None
    multiplier_e18: int | None = None

class Freeze(msgspec.Struct, frozen=True, gc=False):
    """Stops or frees a node's proposals because of a break."""

    break_id: str
    on: bool
    reason: str

class Yield(msgspec.Struct, frozen=True, gc=False):
    """Yearly yield of a collateral coin."""

    coin: str
    yield_e18: int
    as_of_ms: int

class BreakAccept(msgspec.Struct, frozen=True, gc=False):
    """People accept a difference that reconciliation found."""

    break_id: str
    actors: tuple[str, ...]
    note: str

class ControlCopy(msgspec.Struct, frozen=True, gc=False):
    """A control in a node's inbox, one copy in each partition."""

    scope: str
    mode: str
    epoch: int
    reason: str
    at_ms: int

class IntentOutcome(msgspec.Struct, frozen=True, gc=False):
    """What became of a proposal, told to the node that made it."""

    intent_id: str
    decision_id: str
    kind: str
    class_: str
    origin: str
    account_id: str
    lane: str
    state: str
    asked_e18: int
    granted_e18: int
    amount_done_e18: int
    ccy: str
    venue_refs: tuple[str, ...]
    facts: dict[str, str]
    final: bool
    at_ms: int
    leg: str | None = None
    reason: str | None = None
    amount_out_e18: int | None = None
    fee_e18: int | None = None

class PolicyCopy(msgspec.Struct, frozen=True, gc=False):
    """A policy in a node's inbox, one copy in each partition."""

    name: str
    version: int
    hash: str
    body: str

class Request(msgspec.Struct, frozen=True, gc=False):
    """A wish of a person or a service. Only the node it is addressed to acts on it."""

    request_id: str
    verb: str
    params: dict[str, str]
    actors: tuple[str, ...]
    reason: str

class BookInput(msgspec.Struct, frozen=True, gc=False):
    """The inbox of the book: copies of policy and controls, requests, outcomes, corrections."""

    body: PolicyCopy | ControlCopy | Request | IntentOutcome | Correction | Freeze | Yield | BreakAccept
    meta: Meta | None = None

class ScheduledFlow(msgspec.Struct, frozen=True, gc=False):
    """A payment that is known before it happens."""

    flow_id: str
    account_id: str
    amount_e4: int
    due_ms: int
    cancelled: bool

class Calendar(msgspec.Struct, frozen=True, gc=False):
    """The closed days of one year, one copy in each partition. A later record replaces the earlier."""

    calendar: str
    year: int
    closed: tuple[int, ...]

class CashInput(msgspec.Struct, frozen=True, gc=False):
    """The inbox of cash: copies of policy, controls and calendars, requests, outcomes, known payments."""

    body: PolicyCopy | ControlCopy | Request | IntentOutcome | Freeze | ScheduledFlow | Calendar
    meta: Meta | None = None

class CashPosition(msgspec.Struct, frozen=True, gc=False):
    """The cash of one bank account, after each change."""

    meta: Meta
    account_id: str
    as_of_ms: int
    avail_usd_e4: int
    pending_out_e4: int
    pending_in_e4: int
    investable_usd_e4: int
    stale: bool
    booked_usd_e4: int | None = None
    target_float_e4: int | None = None
    var_bps_e18: int | None = None

class ChainHead(msgspec.Struct, frozen=True, gc=False):
    """The last record of an audit chain at the time of a checkpoint."""

    chain_id: str
    seq: int
    hash: str

class Checkpoint(msgspec.Struct, frozen=True, gc=False):
    """A signed Merkle root over the heads of all audit chains: no record before it can go unnoticed."""

    root_hash: str
    heads: tuple[ChainHead, ...]
    at_ms: int
    jws: str

class Control(msgspec.Struct, frozen=True, gc=False):
    """A change of mode for one scope, by a person or by an alarm."""

    scope: str
    mode: str
    epoch: int
    reason: str
    actors: tuple[str, ...]
    jws: tuple[str, ...]
    at_ms: int
    meta: Meta | None = None

class Decision(msgspec.Struct, frozen=True, gc=False):
    """A decision with all that led to it; the audit chain is made of these."""

    meta: Meta
    decision_id: str
    node: str
    key: str
    kind: str
    actor: str
    outcome: str
    body: str
    rule: str | None = None

class UsdRate(msgspec.Struct, frozen=True, gc=False):
    """What one unit of a currency is worth in USD."""

    ccy: str
    rate_e18: int
    as_of_ms: int

class Withdrawal(msgspec.Struct, frozen=True, gc=False):
    """A node takes back what it proposed and what has not gone out. Signed."""

    intent_id: str
    decision_id: str
    origin: str
    origin_key: str
    reason: str
    at_ms: int

class DeskInput(msgspec.Struct, frozen=True, gc=False):
    """The inbox of the gate: copies of policy and controls, requests, outcomes, rates, withdrawals."""

    body: PolicyCopy | ControlCopy | Request | IntentOutcome | UsdRate | Withdrawal
    meta: Meta | None = None

class Forecast(msgspec.Struct, frozen=True, gc=False):
    """The outflow expected within the next day; once the day is over, with what really went out."""

    meta: Meta
    account_id: str
    for_date: int
    p50_e4: int
    p95_e4: int
    method: str
    sample: int
    horizon_h: int = 24
    actual_e4: int | None = None
    error_e18: int | None = None

class HedgeExecution(msgspec.Struct, frozen=True, gc=False):
    """One execution of the hedger at a venue: a fill, a fee, a funding payment, or a closed trade."""

    exec_id: str
    account_id: str
    venue: str
    kind: str
    category: str
    symbol: str
    side: str
    exec_type: str
    qty_e18: int
    price_e18: int
    fee_e18: int
    fee_ccy: str
    settle_ccy: str
    exec_time_ms: int
    source: str
    position_idx: int | None = None
    value_e18: int | None = None
    closed_size_e18: int | None = None
    multiplier_e18: int = 1000000000000000000
    entry_price_e18: int | None = None
    exit_price_e18: int | None = None
    size_e18: int | None = None
    funding_e18: int | None = None
    order_id: str | None = None
    order_link_id: str | None = None
    seq: int | None = None
    is_maker: bool | None = None
    mark_price_e18: int | None = None
    revision: int = 0

class Intent(msgspec.Struct, frozen=True, gc=False):
    """An operation the gate has admitted. The amount is an upper bound."""

    meta: Meta
    intent_id: str
    decision_id: str
    origin: str
    origin_key: str
    class_: str
    kind: str
    account_id: str
    lane: str
    amount_e18: int
    ccy: str
    precision: int
    params: dict[str, str]
    maker: str
    approvals: tuple[str, ...]
    body_hash: str
    pause_epoch: int
    executed_by: str
    deadline_ms: int
    compliance_tags: dict[str, str]
    beneficiary: str | None = None

class Leg(msgspec.Struct, frozen=True, gc=False):
    """State of one leg of an intent."""

    leg: str
    state: str
    n: int
    venue_ref: str | None = None

class IntentState(msgspec.Struct, frozen=True, gc=False):
    """The life of one intent, after each change."""

    meta: Meta
    intent_id: str
    decision_id: str
    kind: str
    account_id: str
    lane: str
    amount_e18: int
    ccy: str
    body: str
    body_hash: str
    state: str
    seed_status: str
    legs: tuple[Leg, ...]
    amount_done_e18: int
    updated_ms: int
    reason: str | None = None

class Revoke(msgspec.Struct, frozen=True, gc=False):
    """An intent that must not go out any more: its approval, or what proposed it, was taken back."""

    intent_id: str
    approver: str
    reason: str

class IntentInput(msgspec.Struct, frozen=True, gc=False):
    """The inbox of the intents node: copies of policy and controls, requests, revocations."""

    body: PolicyCopy | ControlCopy | Request | Revoke
    meta: Meta | None = None

class Debt(msgspec.Struct, frozen=True, gc=False):
    """What is owed in one coin."""

    coin: str
    principal_e18: int
    interest_e18: int
    usd_e18: int
    hourly_rate_e18: int
    fixed: bool

class Collateral(msgspec.Struct, frozen=True, gc=False):
    """What is pledged in one coin."""

    coin: str
    amount_e18: int
    usd_e18: int
    ratio_e18: int | None = None

class LoanState(msgspec.Struct, frozen=True, gc=False):
    """The loan of one account at one poll. The first six figures are of the coin in allocation.settle_ccy."""

    account_id: str
    loan_id: str
    coin: str
    principal_amount_e18: int
    accrued_interest_e18: int
    interest_rate_e18: int
    hourly_rate_e18: int
    debts: tuple[Debt, ...]
    total_debt_usd_e18: int
    collateral_value_e18: int
    ltv_ratio_e18: int
    collaterals: tuple[Collateral, ...]
    as_of_ms: int
    col_res: int | None = None

class LotEvent(msgspec.Struct, frozen=True, gc=False):
    """One lot opened or (a part of it) closed under one cost method. The last event of one method, lot and execution is valid; a quantity of 0 says that it no longer happened. Fees are not in it."""

    meta: Meta
    account_id: str
    method: str
    asset: str
    action: str
    qty_e18: int
    cost_e18: int
    opened_at_ms: int
    lot_id: str
    exec_id: str
    revision: int
    proceeds_e18: int | None = None
    gain_e18: int | None = None
    closed_at_ms: int | None = None
    ccy: str = ''

class Run(msgspec.Struct, frozen=True, gc=False):
    """Consecutive records of one topic."""

    topic: str
    from_: int
    to: int

class MergeRun(msgspec.Struct, frozen=True, gc=False):
    """The order in which one node and partition took its inputs in one transaction."""

    node: str
    partition: int
    at_ms: int
    policy: str
    policy_hash: str
    code: str
    runs: tuple[Run, ...]
    table_hash: str

class PnLRecord(msgspec.Struct, frozen=True, gc=False):
    """What one execution did to the profit of its account."""

    meta: Meta
    exec_id: str
    account_id: str
    symbol: str
    position_idx: int
    cause: str
    gross_pnl_e18: int
    fees_e18: int
    funding_e18: int
    net_pnl_e18: int
    trade_view_net_e18: int
    realised_total_e18: int
    available_e18: int
    shortfall_e18: int
    hwm_e18: int
    ccy: str
    revision: int
    flags: tuple[str, ...]
    timestamp_ms: int
    fee_native_e18: int | None = None
    fee_ccy: str | None = None
    delta_gross_e18: int | None = None
    delta_fees_e18: int | None = None
    delta_funding_e18: int | None = None
    delta_net_e18: int | None = None
    category: str | None = None
    recon_pnl_e18: int | None = None

class PolicyUpdate(msgspec.Struct, frozen=True, gc=False):
    """One version of one policy, whole."""

    name: str
    version: int
    hash: str
    body: str
    source: str
    author: str
    signatures: tuple[str, ...]
    previous_hash: str
    at_ms: int
    simulation: str | None = None

class Position(msgspec.Struct, frozen=True, gc=False):
    """One position of the book after its last change."""

    meta: Meta
    account_id: str
    symbol: str
    idx: int
    size_e18: int
    entry_price_e18: int
    realized_pnl_e18: int
    open_fees_e18: int
    last_updated_ms: int
    unrealized_pnl_e18: int | None = None
    mark_e18: int | None = None
    weight_e18: int | None = None
    drift_e18: int | None = None
    category: str | None = None

class Proposal(msgspec.Struct, frozen=True, gc=False):
    """An operation a node asks for; it has reserved the amount in its own state."""

    meta: Meta
    intent_id: str
    decision_id: str
    origin: str
    origin_key: str
    class_: str
    kind: str
    account_id: str
    lane: str
    asked_e18: int
    room_e18: int
    ccy: str
    precision: int
    params: dict[str, str]
    maker: str
    valid_until_ms: int
    deadline_ms: int
    compliance_tags: dict[str, str]
    beneficiary: str | None = None
    check_id: str | None = None

class RiskEvent(msgspec.Struct, frozen=True, gc=False):
    """Something that happened to an account without or against its owner's will."""

    meta: Meta
    type: str
    account_id: str
    timestamp_ms: int
    level_e18: int | None = None
    drawdown_e18: int | None = None
    peak_e18: int | None = None
    equity_e18: int | None = None
    value_e18: int | None = None
    symbol: str | None = None

class RiskChecks(msgspec.Struct, frozen=True, gc=False):
    """The figures an order was decided with."""

    var_limit_bps_e18: int
    observed_var_bps_e18: int | None = None

class SweepOrder(msgspec.Struct, frozen=True, gc=False):
    """An order to place money of a bank account, or to bring it back. Signed."""

    meta: Meta
    order_id: str
    display_ref: str
    source_account: str
    account_id: str
    direction: str
    target_product: str
    amount_usd_e4: int
    cutoff_utc_ms: int
    value_date: int
    risk_checks: RiskChecks
    created_ts_ms: int
    executed_by: str
    approvals: tuple[str, ...]
    compliance_tags: dict[str, str]
    instrument: str | None = None

class Trade(msgspec.Struct, frozen=True, gc=False):
    """One trade from flat to flat: written when it opens and when it closes."""

    meta: Meta
    id: str
    account_id: str
    symbol: str
    side: str
    entry_price_e18: int
    quantity_e18: int
    entry_time_ms: int
    fee_paid_e18: int
    funding_paid_e18: int
    realized_pnl_e18: int
    status: str
    cause: str
    revision: int
    exit_price_e18: int | None = None
    exit_time_ms: int | None = None
    category: str | None = None
    ccy: str | None = None

class TreasuryAction(msgspec.Struct, frozen=True, gc=False):
    """What became of a decision that moves money, once each of its intents is final."""

    meta: Meta
    decision_id: str
    account_id: str
    action_type: str
    amounts_e18: dict[str, int]
    ccy: str
    loan_state_before: LoanState
    transaction_ids: tuple[str, ...]
    result: str
    timestamp_ms: int
    loan_state_after: LoanState | None = None

class Var(msgspec.Struct, frozen=True, gc=False):
    """Value at risk of the net flows of one bank account."""

    meta: Meta
    account_id: str
    n: int
    status: str
    var_usd_e4: int
    es_usd_e4: int
    method: str
    as_of_ms: int
    base_usd_e4: int | None = None
    var_bps_e18: int | None = None
    band_low_e4: int | None = None
    band_high_e4: int | None = None
    last_day: int | None = None
    last_net_usd_e4: int | None = None

def encode_wallet_balance(prefix: bytes, v: WalletBalance) -> bytes:
    s0 = v.wallet.encode()
    n0 = len(s0)
    s1 = v.coin.encode()
    n1 = len(s1)
    d2 = v.balance_e18
    n2 = (d2.bit_length() + 8) >> 3
    if n2 > 15:
        bound(d2, 38, "balance")
    d3 = v.transferable_e18
    n3 = (d3.bit_length() + 8) >> 3
    if n3 > 15:
        bound(d3, 38, "transferable")
    return b"".join(
        (
            prefix,
            (LEN[n0] if n0 < 64 else long(n0)),
            s0,
            (LEN[n1] if n1 < 64 else long(n1)),
            s1,
            LEN[n2],
            d2.to_bytes(n2, "big", signed=True),
            LEN[n3],
            d3.to_bytes(n3, "big", signed=True),
        )
    )

def read_wallet_balance(data: bytes, pos: int) -> tuple[WalletBalance, int]:
    n = data[pos]
    if n & 129:
        f_wallet, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_wallet = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_coin, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_coin = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_balance_e18, pos = read_decimal(data, pos, 38, "balance")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_balance_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_transferable_e18, pos = read_decimal(data, pos, 38, "transferable")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_transferable_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    return WalletBalance(
        f_wallet,
        f_coin,
        f_balance_e18,
        f_transferable_e18,
    ), pos

def encode_snapshot_position(prefix: bytes, v: SnapshotPosition) -> bytes:
    s0 = v.symbol.encode()
    n0 = len(s0)
    d2 = v.size_e18
    n2 = (d2.bit_length() + 8) >> 3
    if n2 > 15:
        bound(d2, 38, "size")
    d3 = v.entry_e18
    n3 = (d3.bit_length() + 8) >> 3
    if n3 > 15:
        bound(d3, 38, "entry")
    d4 = v.mark_e18
    n4 = (d4.bit_length() + 8) >> 3
    if n4 > 15:
        bound(d4, 38, "mark")
    d5 = v.upnl_e18
    n5 = (d5.bit_length() + 8) >> 3
    if n5 > 15:
        bound(d5, 38, "upnl")
    d6 = v.im_e18
    n6 = (d6.bit_length() + 8) >> 3
    if n6 > 15:
        bound(d6, 38, "im")
    d7 = v.mm_e18
    n7 = (d7.bit_length() + 8) >> 3
    if n7 > 15:
        bound(d7, 38, "mm")
    o8 = v.liq_e18
    if o8 is None:
        p8 = b"\0"
    else:
        d8 = o8
        n8 = (d8.bit_length() + 8) >> 3
        if n8 > 15:
            bound(d8, 38, "liq")
        p8 = b"\2" + LEN[n8] + d8.to_bytes(n8, "big", signed=True)
    o9 = v.leverage_e18
    if o9 is None:
        p9 = b"\0"
    else:
        d9 = o9
        n9 = (d9.bit_length() + 8) >> 3
        if n9 > 15:
            bound(d9, 38, "leverage")
        p9 = b"\2" + LEN[n9] + d9.to_bytes(n9, "big", signed=True)
    return b"".join(
        (
            prefix,
            (LEN[n0] if n0 < 64 else long(n0)),
            s0,
            integer(v.idx),
            LEN[n2],
            d2.to_bytes(n2, "big", signed=True),
            LEN[n3],
            d3.to_bytes(n3, "big", signed=True),
            LEN[n4],
            d4.to_bytes(n4, "big", signed=True),
            LEN[n5],
            d5.to_bytes(n5, "big", signed=True),
            LEN[n6],
            d6.to_bytes(n6, "big", signed=True),
            LEN[n7],
            d7.to_bytes(n7, "big", signed=True),
            p8,
            p9,
        )
    )

def read_snapshot_position(data: bytes, pos: int) -> tuple[SnapshotPosition, int]:
    n = data[pos]
    if n & 129:
        f_symbol, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_symbol = data[pos:end].decode()
        pos = end
    f_idx, pos = read_long(data, pos)
    n = data[pos]
    if n > 30 or n & 1:
        f_size_e18, pos = read_decimal(data, pos, 38, "size")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_size_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_entry_e18, pos = read_decimal(data, pos, 38, "entry")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_entry_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_mark_e18, pos = read_decimal(data, pos, 38, "mark")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_mark_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_upnl_e18, pos = read_decimal(data, pos, 38, "upnl")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_upnl_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_im_e18, pos = read_decimal(data, pos, 38, "im")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_im_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_mm_e18, pos = read_decimal(data, pos, 38, "mm")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_mm_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    f_liq_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("liq", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_liq_e18, pos = read_decimal(data, pos, 38, "liq")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_liq_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    f_leverage_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("leverage", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_leverage_e18, pos = read_decimal(data, pos, 38, "leverage")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_leverage_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    return SnapshotPosition(
        f_symbol,
        f_idx,
        f_size_e18,
        f_entry_e18,
        f_mark_e18,
        f_upnl_e18,
        f_im_e18,
        f_mm_e18,
        f_liq_e18,
        f_leverage_e18,
    ), pos

def encode_open_order(prefix: bytes, v: OpenOrder) -> bytes:
    s0 = v.order_id.encode()
    n0 = len(s0)
    s1 = v.link_id.encode()
    n1 = len(s1)
    s2 = v.symbol.encode()
    n2 = len(s2)
    d4 = v.qty_e18
    n4 = (d4.bit_length() + 8) >> 3
    if n4 > 15:
        bound(d4, 38, "qty")
    d5 = v.filled_e18
    n5 = (d5.bit_length() + 8) >> 3
    if n5 > 15:
        bound(d5, 38, "filled")
    o6 = v.price_e18
    if o6 is None:
        p6 = b"\0"
    else:
        d6 = o6
        n6 = (d6.bit_length() + 8) >> 3
        if n6 > 15:
            bound(d6, 38, "price")
        p6 = b"\2" + LEN[n6] + d6.to_bytes(n6, "big", signed=True)
    return b"".join(
        (
            prefix,
            (LEN[n0] if n0 < 64 else long(n0)),
            s0,
            (LEN[n1] if n1 < 64 else long(n1)),
            s1,
            (LEN[n2] if n2 < 64 else long(n2)),
            s2,
            _SIDE_BYTE[v.side],
            LEN[n4],
            d4.to_bytes(n4, "big", signed=True),
            LEN[n5],
            d5.to_bytes(n5, "big", signed=True),
            p6,
            (b"\1" if v.reduce_only else b"\0"),
        )
    )

def read_open_order(data: bytes, pos: int) -> tuple[OpenOrder, int]:
    n = data[pos]
    if n & 129:
        f_order_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_order_id = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_link_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_link_id = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_symbol, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_symbol = data[pos:end].decode()
        pos = end
    symbol = _SIDE_OF.get(data[pos])
    if symbol is None:
        f_side, pos = read_symbol(data, pos, _SIDE, "side")
    else:
        f_side = symbol
        pos += 1
    n = data[pos]
    if n > 30 or n & 1:
        f_qty_e18, pos = read_decimal(data, pos, 38, "qty")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_qty_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_filled_e18, pos = read_decimal(data, pos, 38, "filled")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_filled_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    f_price_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("price", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_price_e18, pos = read_decimal(data, pos, 38, "price")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_price_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    n = data[pos]
    if n > 1:
        raise branch("reduce_only", n)
    f_reduce_only = n == 1
    pos += 1
    return OpenOrder(
        f_order_id,
        f_link_id,
        f_symbol,
        f_side,
        f_qty_e18,
        f_filled_e18,
        f_reduce_only,
        f_price_e18,
    ), pos

def encode_account_snapshot(prefix: bytes, v: AccountSnapshot) -> bytes:
    s0 = v.account_id.encode()
    n0 = len(s0)
    s4 = v.margin_mode.encode()
    n4 = len(s4)
    d5 = v.equity_e18
    n5 = (d5.bit_length() + 8) >> 3
    if n5 > 15:
        bound(d5, 38, "equity")
    return b"".join(
        (
            prefix,
            (LEN[n0] if n0 < 64 else long(n0)),
            s0,
            array(v.wallets, encode_wallet_balance),
            array(v.positions, encode_snapshot_position),
            array(v.open_orders, encode_open_order),
            (LEN[n4] if n4 < 64 else long(n4)),
            s4,
            LEN[n5],
            d5.to_bytes(n5, "big", signed=True),
            long(v.as_of_ms),
        )
    )

def decode_account_snapshot(data: bytes, pos: int) -> AccountSnapshot:
    n = data[pos]
    if n & 129:
        f_account_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_account_id = data[pos:end].decode()
        pos = end
    f_wallets, pos = read_array(data, pos, read_wallet_balance)
    f_positions, pos = read_array(data, pos, read_snapshot_position)
    f_open_orders, pos = read_array(data, pos, read_open_order)
    n = data[pos]
    if n & 129:
        f_margin_mode, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_margin_mode = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_equity_e18, pos = read_decimal(data, pos, 38, "equity")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_equity_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    f_as_of_ms, pos = read_long(data, pos)
    if pos != len(data):
        raise length(pos, len(data))
    return AccountSnapshot(
        f_account_id,
        f_wallets,
        f_positions,
        f_open_orders,
        f_margin_mode,
        f_equity_e18,
        f_as_of_ms,
    )

def encode_alert(prefix: bytes, v: Alert) -> bytes:
    s0 = v.key.encode()
    n0 = len(s0)
    s3 = v.text.encode()
    n3 = len(s3)
    return b"".join(
        (
            prefix,
            (LEN[n0] if n0 < 64 else long(n0)),
            s0,
            _SEVERITY_BYTE[v.severity],
            _ALERT_STATE_BYTE[v.state],
            (LEN[n3] if n3 < 64 else long(n3)),
            s3,
            string_map(v.labels),
            long(v.since_ms),
        )
    )

def decode_alert(data: bytes, pos: int) -> Alert:
    n = data[pos]
    if n & 129:
        f_key, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_key = data[pos:end].decode()
        pos = end
    symbol = _SEVERITY_OF.get(data[pos])
    if symbol is None:
        f_severity, pos = read_symbol(data, pos, _SEVERITY, "severity")
    else:
        f_severity = symbol
        pos += 1
    symbol = _ALERT_STATE_OF.get(data[pos])
    if symbol is None:
        f_state, pos = read_symbol(data, pos, _ALERT_STATE, "state")
    else:
        f_state = symbol
        pos += 1
    n = data[pos]
    if n & 129:
        f_text, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_text = data[pos:end].decode()
        pos = end
    f_labels, pos = read_string_map(data, pos)
    f_since_ms, pos = read_long(data, pos)
    if pos != len(data):
        raise length(pos, len(data))
    return Alert(
        f_key,
        f_severity,
        f_state,
        f_text,
        f_labels,
        f_since_ms,
    )

def encode_counterfactual(prefix: bytes, v: Counterfactual) -> bytes:
    d1 = v.ltv_after_e18
    n1 = (d1.bit_length() + 8) >> 3
    if n1 > 15:
        bound(d1, 38, "ltv_after")
    return b"".join(
        (
            prefix,
            _ALLOCATION_ACTION_BYTE[v.action],
            LEN[n1],
            d1.to_bytes(n1, "big", signed=True),
        )
    )

def read_counterfactual(data: bytes, pos: int) -> tuple[Counterfactual, int]:
    symbol = _ALLOCATION_ACTION_OF.get(data[pos])
    if symbol is None:
        f_action, pos = read_symbol(data, pos, _ALLOCATION_ACTION, "action")
    else:
        f_action = symbol
        pos += 1
    n = data[pos]
    if n > 30 or n & 1:
        f_ltv_after_e18, pos = read_decimal(data, pos, 38, "ltv_after")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_ltv_after_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    return Counterfactual(
        f_action,
        f_ltv_after_e18,
    ), pos

def encode_source(prefix: bytes, v: Source) -> bytes:
    s0 = v.topic.encode()
    n0 = len(s0)
    return b"".join(
        (
            prefix,
            (LEN[n0] if n0 < 64 else long(n0)),
            s0,
            integer(v.partition),
            long(v.offset),
        )
    )

def read_source(data: bytes, pos: int) -> tuple[Source, int]:
    n = data[pos]
    if n & 129:
        f_topic, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_topic = data[pos:end].decode()
        pos = end
    f_partition, pos = read_long(data, pos)
    f_offset, pos = read_long(data, pos)
    return Source(
        f_topic,
        f_partition,
        f_offset,
    ), pos

def encode_meta(prefix: bytes, v: Meta) -> bytes:
    s0 = v.event_id.encode()
    n0 = len(s0)
    s2 = v.policy.encode()
    n2 = len(s2)
    return b"".join(
        (
            prefix,
            (LEN[n0] if n0 < 64 else long(n0)),
            s0,
            long(v.event_time_ms),
            (LEN[n2] if n2 < 64 else long(n2)),
            s2,
            encode_source(b"", v.source),
        )
    )


_last_meta: tuple[Meta | None, bytes] = (None, b"")


def remembered_meta(v: Meta) -> bytes:
    global _last_meta
    last, data = _last_meta
    if v is last:
        return data
    data = encode_meta(b"", v)
    _last_meta = (v, data)
    return data

def read_meta(data: bytes, pos: int) -> tuple[Meta, int]:
    n = data[pos]
    if n & 129:
        f_event_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_event_id = data[pos:end].decode()
        pos = end
    f_event_time_ms, pos = read_long(data, pos)
    n = data[pos]
    if n & 129:
        f_policy, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_policy = data[pos:end].decode()
        pos = end
    f_source, pos = read_source(data, pos)
    return Meta(
        f_event_id,
        f_event_time_ms,
        f_policy,
        f_source,
    ), pos

def encode_allocation_decision(prefix: bytes, v: AllocationDecision) -> bytes:
    s1 = v.decision_id.encode()
    n1 = len(s1)
    s2 = v.account_id.encode()
    n2 = len(s2)
    s3 = v.rule.encode()
    n3 = len(s3)
    o5 = v.amount_e18
    if o5 is None:
        p5 = b"\0"
    else:
        d5 = o5
        n5 = (d5.bit_length() + 8) >> 3
        if n5 > 15:
            bound(d5, 38, "amount")
        p5 = b"\2" + LEN[n5] + d5.to_bytes(n5, "big", signed=True)
    o6 = v.repay_amount_e18
    if o6 is None:
        p6 = b"\0"
    else:
        d6 = o6
        n6 = (d6.bit_length() + 8) >> 3
        if n6 > 15:
            bound(d6, 38, "repay_amount")
        p6 = b"\2" + LEN[n6] + d6.to_bytes(n6, "big", signed=True)
    o7 = v.collateral_amount_e18
    if o7 is None:
        p7 = b"\0"
    else:
        d7 = o7
        n7 = (d7.bit_length() + 8) >> 3
        if n7 > 15:
            bound(d7, 38, "collateral_amount")
        p7 = b"\2" + LEN[n7] + d7.to_bytes(n7, "big", signed=True)
    s8 = v.reason.encode()
    n8 = len(s8)
    d9 = v.available_e18
    n9 = (d9.bit_length() + 8) >> 3
    if n9 > 15:
        bound(d9, 38, "available")
    d10 = v.factor_e18
    n10 = (d10.bit_length() + 8) >> 3
    if n10 > 15:
        bound(d10, 38, "factor")
    d11 = v.kept_e18
    n11 = (d11.bit_length() + 8) >> 3
    if n11 > 15:
        bound(d11, 38, "kept")
    d12 = v.clipped_e18
    n12 = (d12.bit_length() + 8) >> 3
    if n12 > 15:
        bound(d12, 38, "clipped")
    o13 = v.ltv_e18
    if o13 is None:
        p13 = b"\0"
    else:
        d13 = o13
        n13 = (d13.bit_length() + 8) >> 3
        if n13 > 15:
            bound(d13, 38, "ltv")
        p13 = b"\2" + LEN[n13] + d13.to_bytes(n13, "big", signed=True)
    o14 = v.loan_apr_e18
    if o14 is None:
        p14 = b"\0"
    else:
        d14 = o14
        n14 = (d14.bit_length() + 8) >> 3
        if n14 > 15:
            bound(d14, 38, "loan_apr")
        p14 = b"\2" + LEN[n14] + d14.to_bytes(n14, "big", signed=True)
    o15 = v.collateral_yield_e18
    if o15 is None:
        p15 = b"\0"
    else:
        d15 = o15
        n15 = (d15.bit_length() + 8) >> 3
        if n15 > 15:
            bound(d15, 38, "collateral_yield")
        p15 = b"\2" + LEN[n15] + d15.to_bytes(n15, "big", signed=True)
    o16 = v.ltv_after_est_e18
    if o16 is None:
        p16 = b"\0"
    else:
        d16 = o16
        n16 = (d16.bit_length() + 8) >> 3
        if n16 > 15:
            bound(d16, 38, "ltv_after_est")
        p16 = b"\2" + LEN[n16] + d16.to_bytes(n16, "big", signed=True)
    o17 = v.counterfactual
    if o17 is None:
        p17 = b"\0"
    else:
        p17 = b"\2" + encode_counterfactual(b"", o17)
    o18 = v.loan_as_of_ms
    if o18 is None:
        p18 = b"\0"
    else:
        p18 = b"\2" + long(o18)
    o19 = v.loan_age_ms
    if o19 is None:
        p19 = b"\0"
    else:
        p19 = b"\2" + long(o19)
    return b"".join(
        (
            prefix,
            remembered_meta(v.meta),
            (LEN[n1] if n1 < 64 else long(n1)),
            s1,
            (LEN[n2] if n2 < 64 else long(n2)),
            s2,
            (LEN[n3] if n3 < 64 else long(n3)),
            s3,
            _ALLOCATION_ACTION_BYTE[v.action],
            p5,
            p6,
            p7,
            (LEN[n8] if n8 < 64 else long(n8)),
            s8,
            LEN[n9],
            d9.to_bytes(n9, "big", signed=True),
            LEN[n10],
            d10.to_bytes(n10, "big", signed=True),
            LEN[n11],
            d11.to_bytes(n11, "big", signed=True),
            LEN[n12],
            d12.to_bytes(n12, "big", signed=True),
            p13,
            p14,
            p15,
            p16,
            p17,
            p18,
            p19,
            strings(v.intent_ids),
        )
    )

def decode_allocation_decision(data: bytes, pos: int) -> AllocationDecision:
    f_meta, pos = read_meta(data, pos)
    n = data[pos]
    if n & 129:
        f_decision_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_decision_id = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_account_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_account_id = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_rule, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_rule = data[pos:end].decode()
        pos = end
    symbol = _ALLOCATION_ACTION_OF.get(data[pos])
    if symbol is None:
        f_action, pos = read_symbol(data, pos, _ALLOCATION_ACTION, "action")
    else:
        f_action = symbol
        pos += 1
    f_amount_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("amount", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_amount_e18, pos = read_decimal(data, pos, 38, "amount")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_amount_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    f_repay_amount_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("repay_amount", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_repay_amount_e18, pos = read_decimal(data, pos, 38, "repay_amount")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_repay_amount_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    f_collateral_amount_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("collateral_amount", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_collateral_amount_e18, pos = read_decimal(data, pos, 38, "collateral_amount")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_collateral_amount_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    n = data[pos]
    if n & 129:
        f_reason, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_reason = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_available_e18, pos = read_decimal(data, pos, 38, "available")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_available_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_factor_e18, pos = read_decimal(data, pos, 38, "factor")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_factor_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_kept_e18, pos = read_decimal(data, pos, 38, "kept")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_kept_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_clipped_e18, pos = read_decimal(data, pos, 38, "clipped")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_clipped_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    f_ltv_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("ltv", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_ltv_e18, pos = read_decimal(data, pos, 38, "ltv")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_ltv_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    f_loan_apr_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("loan_apr", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_loan_apr_e18, pos = read_decimal(data, pos, 38, "loan_apr")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_loan_apr_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    f_collateral_yield_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("collateral_yield", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_collateral_yield_e18, pos = read_decimal(data, pos, 38, "collateral_yield")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_collateral_yield_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    f_ltv_after_est_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("ltv_after_est", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_ltv_after_est_e18, pos = read_decimal(data, pos, 38, "ltv_after_est")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_ltv_after_est_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    f_counterfactual: Counterfactual | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("counterfactual", n)
        f_counterfactual, pos = read_counterfactual(data, pos)
    f_loan_as_of_ms: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("loan_as_of", n)
        f_loan_as_of_ms, pos = read_long(data, pos)
    f_loan_age_ms: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("loan_age_ms", n)
        f_loan_age_ms, pos = read_long(data, pos)
    f_intent_ids, pos = read_strings(data, pos)
    if pos != len(data):
        raise length(pos, len(data))
    return AllocationDecision(
        f_meta,
        f_decision_id,
        f_account_id,
        f_rule,
        f_action,
        f_reason,
        f_available_e18,
        f_factor_e18,
        f_kept_e18,
        f_clipped_e18,
        f_intent_ids,
        f_amount_e18,
        f_repay_amount_e18,
        f_collateral_amount_e18,
        f_ltv_e18,
        f_loan_apr_e18,
        f_collateral_yield_e18,
        f_ltv_after_est_e18,
        f_counterfactual,
        f_loan_as_of_ms,
        f_loan_age_ms,
    )

def encode_approval(prefix: bytes, v: Approval) -> bytes:
    s0 = v.intent_id.encode()
    n0 = len(s0)
    s1 = v.body_hash.encode()
    n1 = len(s1)
    s3 = v.approver.encode()
    n3 = len(s3)
    s4 = v.role.encode()
    n4 = len(s4)
    s5 = v.jws.encode()
    n5 = len(s5)
    return b"".join(
        (
            prefix,
            (LEN[n0] if n0 < 64 else long(n0)),
            s0,
            (LEN[n1] if n1 < 64 else long(n1)),
            s1,
            _VERDICT_BYTE[v.verdict],
            (LEN[n3] if n3 < 64 else long(n3)),
            s3,
            (LEN[n4] if n4 < 64 else long(n4)),
            s4,
            (LEN[n5] if n5 < 64 else long(n5)),
            s5,
            long(v.expires_ms),
            long(v.at_ms),
        )
    )

def decode_approval(data: bytes, pos: int) -> Approval:
    n = data[pos]
    if n & 129:
        f_intent_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_intent_id = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_body_hash, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_body_hash = data[pos:end].decode()
        pos = end
    symbol = _VERDICT_OF.get(data[pos])
    if symbol is None:
        f_verdict, pos = read_symbol(data, pos, _VERDICT, "verdict")
    else:
        f_verdict = symbol
        pos += 1
    n = data[pos]
    if n & 129:
        f_approver, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_approver = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_role, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_role = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_jws, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_jws = data[pos:end].decode()
        pos = end
    f_expires_ms, pos = read_long(data, pos)
    f_at_ms, pos = read_long(data, pos)
    if pos != len(data):
        raise length(pos, len(data))
    return Approval(
        f_intent_id,
        f_body_hash,
        f_verdict,
        f_approver,
        f_role,
        f_jws,
        f_expires_ms,
        f_at_ms,
    )

def encode_attempt_record(prefix: bytes, v: AttemptRecord) -> bytes:
    o0 = v.meta
    if o0 is None:
        p0 = b"\0"
    else:
        p0 = b"\2" + remembered_meta(o0)
    s1 = v.attempt_id.encode()
    n1 = len(s1)
    s2 = v.intent_id.encode()
    n2 = len(s2)
    s3 = v.leg.encode()
    n3 = len(s3)
    o6 = v.amount_e18
    if o6 is None:
        p6 = b"\0"
    else:
        d6 = o6
        n6 = (d6.bit_length() + 8) >> 3
        if n6 > 15:
            bound(d6, 38, "amount")
        p6 = b"\2" + LEN[n6] + d6.to_bytes(n6, "big", signed=True)
    o7 = v.watermark
    if o7 is None:
        p7 = b"\0"
    else:
        p7 = b"\2" + string_map(o7)
    o8 = v.request_hash
    if o8 is None:
        p8 = b"\0"
    else:
        s8 = o8.encode()
        n8 = len(s8)
        p8 = b"\2" + (LEN[n8] if n8 < 64 else long(n8)) + s8
    o9 = v.class_
    if o9 is None:
        p9 = b"\0"
    else:
        p9 = b"\2" + _ATTEMPT_CLASS_BYTE[o9]
    o10 = v.venue_ref
    if o10 is None:
        p10 = b"\0"
    else:
        s10 = o10.encode()
        n10 = len(s10)
        p10 = b"\2" + (LEN[n10] if n10 < 64 else long(n10)) + s10
    o11 = v.amount_done_e18
    if o11 is None:
        p11 = b"\0"
    else:
        d11 = o11
        n11 = (d11.bit_length() + 8) >> 3
        if n11 > 15:
            bound(d11, 38, "amount_done")
        p11 = b"\2" + LEN[n11] + d11.to_bytes(n11, "big", signed=True)
    o12 = v.facts
    if o12 is None:
        p12 = b"\0"
    else:
        p12 = b"\2" + string_map(o12)
    o13 = v.code
    if o13 is None:
        p13 = b"\0"
    else:
        s13 = o13.encode()
        n13 = len(s13)
        p13 = b"\2" + (LEN[n13] if n13 < 64 else long(n13)) + s13
    o14 = v.message
    if o14 is None:
        p14 = b"\0"
    else:
        s14 = o14.encode()
        n14 = len(s14)
        p14 = b"\2" + (LEN[n14] if n14 < 64 else long(n14)) + s14
    o15 = v.raw
    if o15 is None:
        p15 = b"\0"
    else:
        s15 = o15
        n15 = len(s15)
        p15 = b"\2" + (LEN[n15] if n15 < 64 else long(n15)) + s15
    return b"".join(
        (
            prefix,
            p0,
            (LEN[n1] if n1 < 64 else long(n1)),
            s1,
            (LEN[n2] if n2 < 64 else long(n2)),
            s2,
            (LEN[n3] if n3 < 64 else long(n3)),
            s3,
            integer(v.n),
            _ATTEMPT_KIND_BYTE[v.kind],
            p6,
            p7,
            p8,
            p9,
            p10,
            p11,
            p12,
            p13,
            p14,
            p15,
            long(v.at_ms),
        )
    )

def decode_attempt_record(data: bytes, pos: int) -> AttemptRecord:
    f_meta: Meta | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("meta", n)
        f_meta, pos = read_meta(data, pos)
    n = data[pos]
    if n & 129:
        f_attempt_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_attempt_id = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_intent_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_intent_id = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_leg, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_leg = data[pos:end].decode()
        pos = end
    f_n, pos = read_long(data, pos)
    symbol = _ATTEMPT_KIND_OF.get(data[pos])
    if symbol is None:
        f_kind, pos = read_symbol(data, pos, _ATTEMPT_KIND, "kind")
    else:
        f_kind = symbol
        pos += 1
    f_amount_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("amount", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_amount_e18, pos = read_decimal(data, pos, 38, "amount")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_amount_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    f_watermark: dict[str, str] | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("watermark", n)
        f_watermark, pos = read_string_map(data, pos)
    f_request_hash: str | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("request_hash", n)
        n = data[pos]
        if n & 129:
            f_request_hash, pos = read_string(data, pos)
        else:
            pos += 1
            end = pos + (n >> 1)
            f_request_hash = data[pos:end].decode()
            pos = end
    f_class_: str | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("class", n)
        symbol = _ATTEMPT_CLASS_OF.get(data[pos])
        if symbol is None:
            f_class_, pos = read_symbol(data, pos, _ATTEMPT_CLASS, "class")
        else:
            f_class_ = symbol
            pos += 1
    f_venue_ref: str | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("venue_ref", n)
        n = data[pos]
        if n & 129:
            f_venue_ref, pos = read_string(data, pos)
        else:
            pos += 1
            end = pos + (n >> 1)
            f_venue_ref = data[pos:end].decode()
            pos = end
    f_amount_done_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("amount_done", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_amount_done_e18, pos = read_decimal(data, pos, 38, "amount_done")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_amount_done_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    f_facts: dict[str, str] | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("facts", n)
        f_facts, pos = read_string_map(data, pos)
    f_code: str | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("code", n)
        n = data[pos]
        if n & 129:
            f_code, pos = read_string(data, pos)
        else:
            pos += 1
            end = pos + (n >> 1)
            f_code = data[pos:end].decode()
            pos = end
    f_message: str | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("message", n)
        n = data[pos]
        if n & 129:
            f_message, pos = read_string(data, pos)
        else:
            pos += 1
            end = pos + (n >> 1)
            f_message = data[pos:end].decode()
            pos = end
    f_raw: bytes | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("raw", n)
        n = data[pos]
        if n & 129:
            f_raw, pos = read_bytes(data, pos)
        else:
            pos += 1
            end = pos + (n >> 1)
            f_raw = data[pos:end]
            pos = end
    f_at_ms, pos = read_long(data, pos)
    if pos != len(data):
        raise length(pos, len(data))
    return AttemptRecord(
        f_attempt_id,
        f_intent_id,
        f_leg,
        f_n,
        f_kind,
        f_at_ms,
        f_meta,
        f_amount_e18,
        f_watermark,
        f_request_hash,
        f_class_,
        f_venue_ref,
        f_amount_done_e18,
        f_facts,
        f_code,
        f_message,
        f_raw,
    )

def encode_audit_record(prefix: bytes, v: AuditRecord) -> bytes:
    s1 = v.chain_id.encode()
    n1 = len(s1)
    s3 = v.prev_hash.encode()
    n3 = len(s3)
    s4 = v.hash.encode()
    n4 = len(s4)
    s6 = v.decision_id.encode()
    n6 = len(s6)
    s7 = v.actor.encode()
    n7 = len(s7)
    s8 = v.body.encode()
    n8 = len(s8)
    return b"".join(
        (
            prefix,
            remembered_meta(v.meta),
            (LEN[n1] if n1 < 64 else long(n1)),
            s1,
            long(v.seq),
            (LEN[n3] if n3 < 64 else long(n3)),
            s3,
            (LEN[n4] if n4 < 64 else long(n4)),
            s4,
            _DECISION_KIND_BYTE[v.kind],
            (LEN[n6] if n6 < 64 else long(n6)),
            s6,
            (LEN[n7] if n7 < 64 else long(n7)),
            s7,
            (LEN[n8] if n8 < 64 else long(n8)),
            s8,
        )
    )

def decode_audit_record(data: bytes, pos: int) -> AuditRecord:
    f_meta, pos = read_meta(data, pos)
    n = data[pos]
    if n & 129:
        f_chain_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_chain_id = data[pos:end].decode()
        pos = end
    f_seq, pos = read_long(data, pos)
    n = data[pos]
    if n & 129:
        f_prev_hash, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_prev_hash = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_hash, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_hash = data[pos:end].decode()
        pos = end
    symbol = _DECISION_KIND_OF.get(data[pos])
    if symbol is None:
        f_kind, pos = read_symbol(data, pos, _DECISION_KIND, "kind")
    else:
        f_kind = symbol
        pos += 1
    n = data[pos]
    if n & 129:
        f_decision_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_decision_id = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_actor, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_actor = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_body, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_body = data[pos:end].decode()
        pos = end
    if pos != len(data):
        raise length(pos, len(data))
    return AuditRecord(
        f_meta,
        f_chain_id,
        f_seq,
        f_prev_hash,
        f_hash,
        f_kind,
        f_decision_id,
        f_actor,
        f_body,
    )

def encode_bank_balance(prefix: bytes, v: BankBalance) -> bytes:
    s0 = v.code.encode()
    n0 = len(s0)
    d1 = v.amount_e4
    n1 = (d1.bit_length() + 8) >> 3
    if n1 > 8:
        bound(d1, 20, "amount")
    s2 = v.ccy.encode()
    n2 = len(s2)
    return b"".join(
        (
            prefix,
            (LEN[n0] if n0 < 64 else long(n0)),
            s0,
            LEN[n1],
            d1.to_bytes(n1, "big", signed=True),
            (LEN[n2] if n2 < 64 else long(n2)),
            s2,
            long(v.as_of_ms),
        )
    )

def read_bank_balance(data: bytes, pos: int) -> tuple[BankBalance, int]:
    n = data[pos]
    if n & 129:
        f_code, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_code = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n > 16 or n & 1:
        f_amount_e4, pos = read_decimal(data, pos, 20, "amount")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_amount_e4 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n & 129:
        f_ccy, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_ccy = data[pos:end].decode()
        pos = end
    f_as_of_ms, pos = read_long(data, pos)
    return BankBalance(
        f_code,
        f_amount_e4,
        f_ccy,
        f_as_of_ms,
    ), pos

def encode_bank_entry(prefix: bytes, v: BankEntry) -> bytes:
    s0 = v.ref.encode()
    n0 = len(s0)
    d1 = v.amount_e4
    n1 = (d1.bit_length() + 8) >> 3
    if n1 > 8:
        bound(d1, 20, "amount")
    s2 = v.ccy.encode()
    n2 = len(s2)
    s3 = v.status.encode()
    n3 = len(s3)
    o4 = v.booking_date
    if o4 is None:
        p4 = b"\0"
    else:
        p4 = b"\2" + integer(o4)
    o5 = v.value_date
    if o5 is None:
        p5 = b"\0"
    else:
        p5 = b"\2" + integer(o5)
    o6 = v.end_to_end_id
    if o6 is None:
        p6 = b"\0"
    else:
        s6 = o6.encode()
        n6 = len(s6)
        p6 = b"\2" + (LEN[n6] if n6 < 64 else long(n6)) + s6
    return b"".join(
        (
            prefix,
            (LEN[n0] if n0 < 64 else long(n0)),
            s0,
            LEN[n1],
            d1.to_bytes(n1, "big", signed=True),
            (LEN[n2] if n2 < 64 else long(n2)),
            s2,
            (LEN[n3] if n3 < 64 else long(n3)),
            s3,
            p4,
            p5,
            p6,
            (b"\1" if v.reversal else b"\0"),
        )
    )

def read_bank_entry(data: bytes, pos: int) -> tuple[BankEntry, int]:
    n = data[pos]
    if n & 129:
        f_ref, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_ref = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n > 16 or n & 1:
        f_amount_e4, pos = read_decimal(data, pos, 20, "amount")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_amount_e4 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n & 129:
        f_ccy, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_ccy = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_status, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_status = data[pos:end].decode()
        pos = end
    f_booking_date: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("booking_date", n)
        f_booking_date, pos = read_long(data, pos)
    f_value_date: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("value_date", n)
        f_value_date, pos = read_long(data, pos)
    f_end_to_end_id: str | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("end_to_end_id", n)
        n = data[pos]
        if n & 129:
            f_end_to_end_id, pos = read_string(data, pos)
        else:
            pos += 1
            end = pos + (n >> 1)
            f_end_to_end_id = data[pos:end].decode()
            pos = end
    n = data[pos]
    if n > 1:
        raise branch("reversal", n)
    f_reversal = n == 1
    pos += 1
    return BankEntry(
        f_ref,
        f_amount_e4,
        f_ccy,
        f_status,
        f_reversal,
        f_booking_date,
        f_value_date,
        f_end_to_end_id,
    ), pos

def encode_balance_event(prefix: bytes, v: BalanceEvent) -> bytes:
    s0 = v.account_id.encode()
    n0 = len(s0)
    s2 = v.msg_id.encode()
    n2 = len(s2)
    o3 = v.statement_date
    if o3 is None:
        p3 = b"\0"
    else:
        p3 = b"\2" + integer(o3)
    o6 = v.avail_usd_e4
    if o6 is None:
        p6 = b"\0"
    else:
        d6 = o6
        n6 = (d6.bit_length() + 8) >> 3
        if n6 > 8:
            bound(d6, 20, "avail_usd")
        p6 = b"\2" + LEN[n6] + d6.to_bytes(n6, "big", signed=True)
    o8 = v.raw
    if o8 is None:
        p8 = b"\0"
    else:
        s8 = o8
        n8 = len(s8)
        p8 = b"\2" + (LEN[n8] if n8 < 64 else long(n8)) + s8
    return b"".join(
        (
            prefix,
            (LEN[n0] if n0 < 64 else long(n0)),
            s0,
            _BALANCE_SOURCE_BYTE[v.source],
            (LEN[n2] if n2 < 64 else long(n2)),
            s2,
            p3,
            array(v.balances, encode_bank_balance),
            array(v.entries, encode_bank_entry),
            p6,
            long(v.as_of_ms),
            p8,
        )
    )

def decode_balance_event(data: bytes, pos: int) -> BalanceEvent:
    n = data[pos]
    if n & 129:
        f_account_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_account_id = data[pos:end].decode()
        pos = end
    symbol = _BALANCE_SOURCE_OF.get(data[pos])
    if symbol is None:
        f_source, pos = read_symbol(data, pos, _BALANCE_SOURCE, "source")
    else:
        f_source = symbol
        pos += 1
    n = data[pos]
    if n & 129:
        f_msg_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_msg_id = data[pos:end].decode()
        pos = end
    f_statement_date: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("statement_date", n)
        f_statement_date, pos = read_long(data, pos)
    f_balances, pos = read_array(data, pos, read_bank_balance)
    f_entries, pos = read_array(data, pos, read_bank_entry)
    f_avail_usd_e4: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("avail_usd", n)
        n = data[pos]
        if n > 16 or n & 1:
            f_avail_usd_e4, pos = read_decimal(data, pos, 20, "avail_usd")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_avail_usd_e4 = _int(data[pos:end], "big", signed=True)
            pos = end
    f_as_of_ms, pos = read_long(data, pos)
    f_raw: bytes | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("raw", n)
        n = data[pos]
        if n & 129:
            f_raw, pos = read_bytes(data, pos)
        else:
            pos += 1
            end = pos + (n >> 1)
            f_raw = data[pos:end]
            pos = end
    if pos != len(data):
        raise length(pos, len(data))
    return BalanceEvent(
        f_account_id,
        f_source,
        f_msg_id,
        f_balances,
        f_entries,
        f_as_of_ms,
        f_statement_date,
        f_avail_usd_e4,
        f_raw,
    )

def encode_correction(prefix: bytes, v: Correction) -> bytes:
    s0 = v.correction_id.encode()
    n0 = len(s0)
    o2 = v.break_id
    if o2 is None:
        p2 = b"\0"
    else:
        s2 = o2.encode()
        n2 = len(s2)
        p2 = b"\2" + (LEN[n2] if n2 < 64 else long(n2)) + s2
    o3 = v.symbol
    if o3 is None:
        p3 = b"\0"
    else:
        s3 = o3.encode()
        n3 = len(s3)
        p3 = b"\2" + (LEN[n3] if n3 < 64 else long(n3)) + s3
    o4 = v.position_idx
    if o4 is None:
        p4 = b"\0"
    else:
        p4 = b"\2" + integer(o4)
    o5 = v.size_e18
    if o5 is None:
        p5 = b"\0"
    else:
        d5 = o5
        n5 = (d5.bit_length() + 8) >> 3
        if n5 > 15:
            bound(d5, 38, "size")
        p5 = b"\2" + LEN[n5] + d5.to_bytes(n5, "big", signed=True)
    o6 = v.entry_price_e18
    if o6 is None:
        p6 = b"\0"
    else:
        d6 = o6
        n6 = (d6.bit_length() + 8) >> 3
        if n6 > 15:
            bound(d6, 38, "entry_price")
        p6 = b"\2" + LEN[n6] + d6.to_bytes(n6, "big", signed=True)
    o7 = v.row
    if o7 is None:
        p7 = b"\0"
    else:
        s7 = o7
        n7 = len(s7)
        p7 = b"\2" + (LEN[n7] if n7 < 64 else long(n7)) + s7
    o8 = v.category
    if o8 is None:
        p8 = b"\0"
    else:
        p8 = b"\2" + _CATEGORY_BYTE[o8]
    o9 = v.settle_ccy
    if o9 is None:
        p9 = b"\0"
    else:
        s9 = o9.encode()
        n9 = len(s9)
        p9 = b"\2" + (LEN[n9] if n9 < 64 else long(n9)) + s9
    o10 = v.multiplier_e18
    if o10 is None:
        p10 = b"\0"
    else:
        d10 = o10
        n10 = (d10.bit_length() + 8) >> 3
        if n10 > 15:
            bound(d10, 38, "multiplier")
        p10 = b"\2" + LEN[n10] + d10.to_bytes(n10, "big", signed=True)
    return b"".join(
        (
            prefix,
            (LEN[n0] if n0 < 64 else long(n0)),
            s0,
            _CORRECTION_KIND_BYTE[v.kind],
            p2,
            p3,
            p4,
            p5,
            p6,
            p7,
            p8,
            p9,
            p10,
        )
    )

def read_correction(data: bytes, pos: int) -> tuple[Correction, int]:
    n = data[pos]
    if n & 129:
        f_correction_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_correction_id = data[pos:end].decode()
        pos = end
    symbol = _CORRECTION_KIND_OF.get(data[pos])
    if symbol is None:
        f_kind, pos = read_symbol(data, pos, _CORRECTION_KIND, "kind")
    else:
        f_kind = symbol
        pos += 1
    f_break_id: str | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("break_id", n)
        n = data[pos]
        if n & 129:
            f_break_id, pos = read_string(data, pos)
        else:
            pos += 1
            end = pos + (n >> 1)
            f_break_id = data[pos:end].decode()
            pos = end
    f_symbol: str | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("symbol", n)
        n = data[pos]
        if n & 129:
            f_symbol, pos = read_string(data, pos)
        else:
            pos += 1
            end = pos + (n >> 1)
            f_symbol = data[pos:end].decode()
            pos = end
    f_position_idx: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("position_idx", n)
        f_position_idx, pos = read_long(data, pos)
    f_size_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("size", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_size_e18, pos = read_decimal(data, pos, 38, "size")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_size_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    f_entry_price_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("entry_price", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_entry_price_e18, pos = read_decimal(data, pos, 38, "entry_price")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_entry_price_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    f_row: bytes | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("row", n)
        n = data[pos]
        if n & 129:
            f_row, pos = read_bytes(data, pos)
        else:
            pos += 1
            end = pos + (n >> 1)
            f_row = data[pos:end]
            pos = end
    f_category: str | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("category", n)
        symbol = _CATEGORY_OF.get(data[pos])
        if symbol is None:
            f_category, pos = read_symbol(data, pos, _CATEGORY, "category")
        else:
            f_category = symbol
            pos += 1
    f_settle_ccy: str | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("settle_ccy", n)
        n = data[pos]
        if n & 129:
            f_settle_ccy, pos = read_string(data, pos)
        else:
            pos += 1
            end = pos + (n >> 1)
            f_settle_ccy = data[pos:end].decode()
            pos = end
    f_multiplier_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("multiplier", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_multiplier_e18, pos = read_decimal(data, pos, 38, "multiplier")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_multiplier_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    return Correction(
        f_correction_id,
        f_kind,
        f_break_id,
        f_symbol,
        f_position_idx,
        f_size_e18,
        f_entry_price_e18,
        f_row,
        f_category,
        f_settle_ccy,
        f_multiplier_e18,
    ), pos

def encode_freeze(prefix: bytes, v: Freeze) -> bytes:
    s0 = v.break_id.encode()
    n0 = len(s0)
    s2 = v.reason.encode()
    n2 = len(s2)
    return b"".join(
        (
            prefix,
            (LEN[n0] if n0 < 64 else long(n0)),
            s0,
            (b"\1" if v.on else b"\0"),
            (LEN[n2] if n2 < 64 else long(n2)),
            s2,
        )
    )

def read_freeze(data: bytes, pos: int) -> tuple[Freeze, int]:
    n = data[pos]
    if n & 129:
        f_break_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_break_id = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n > 1:
        raise branch("on", n)
    f_on = n == 1
    pos += 1
    n = data[pos]
    if n & 129:
        f_reason, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_reason = data[pos:end].decode()
        pos = end
    return Freeze(
        f_break_id,
        f_on,
        f_reason,
    ), pos

def encode_yield(prefix: bytes, v: Yield) -> bytes:
    s0 = v.coin.encode()
    n0 = len(s0)
    d1 = v.yield_e18
    n1 = (d1.bit_length() + 8) >> 3
    if n1 > 15:
        bound(d1, 38, "yield")
    return b"".join(
        (
            prefix,
            (LEN[n0] if n0 < 64 else long(n0)),
            s0,
            LEN[n1],
            d1.to_bytes(n1, "big", signed=True),
            long(v.as_of_ms),
        )
    )

def read_yield(data: bytes, pos: int) -> tuple[Yield, int]:
    n = data[pos]
    if n & 129:
        f_coin, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_coin = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_yield_e18, pos = read_decimal(data, pos, 38, "yield")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_yield_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    f_as_of_ms, pos = read_long(data, pos)
    return Yield(
        f_coin,
        f_yield_e18,
        f_as_of_ms,
    ), pos

def encode_break_accept(prefix: bytes, v: BreakAccept) -> bytes:
    s0 = v.break_id.encode()
    n0 = len(s0)
    s2 = v.note.encode()
    n2 = len(s2)
    return b"".join(
        (
            prefix,
            (LEN[n0] if n0 < 64 else long(n0)),
            s0,
            strings(v.actors),
            (LEN[n2] if n2 < 64 else long(n2)),
            s2,
        )
    )

def read_break_accept(data: bytes, pos: int) -> tuple[BreakAccept, int]:
    n = data[pos]
    if n & 129:
        f_break_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_break_id = data[pos:end].decode()
        pos = end
    f_actors, pos = read_strings(data, pos)
    n = data[pos]
    if n & 129:
        f_note, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_note = data[pos:end].decode()
        pos = end
    return BreakAccept(
        f_break_id,
        f_actors,
        f_note,
    ), pos

def encode_control_copy(prefix: bytes, v: ControlCopy) -> bytes:
    s0 = v.scope.encode()
    n0 = len(s0)
    s3 = v.reason.encode()
    n3 = len(s3)
    return b"".join(
        (
            prefix,
            (LEN[n0] if n0 < 64 else long(n0)),
            s0,
            _MODE_BYTE[v.mode],
            long(v.epoch),
            (LEN[n3] if n3 < 64 else long(n3)),
            s3,
            long(v.at_ms),
        )
    )

def read_control_copy(data: bytes, pos: int) -> tuple[ControlCopy, int]:
    n = data[pos]
    if n & 129:
        f_scope, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_scope = data[pos:end].decode()
        pos = end
    symbol = _MODE_OF.get(data[pos])
    if symbol is None:
        f_mode, pos = read_symbol(data, pos, _MODE, "mode")
    else:
        f_mode = symbol
        pos += 1
    f_epoch, pos = read_long(data, pos)
    n = data[pos]
    if n & 129:
        f_reason, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_reason = data[pos:end].decode()
        pos = end
    f_at_ms, pos = read_long(data, pos)
    return ControlCopy(
        f_scope,
        f_mode,
        f_epoch,
        f_reason,
        f_at_ms,
    ), pos

def encode_intent_outcome(prefix: bytes, v: IntentOutcome) -> bytes:
    s0 = v.intent_id.encode()
    n0 = len(s0)
    s1 = v.decision_id.encode()
    n1 = len(s1)
    s5 = v.account_id.encode()
    n5 = len(s5)
    s6 = v.lane.encode()
    n6 = len(s6)
    s7 = v.state.encode()
    n7 = len(s7)
    o8 = v.leg
    if o8 is None:
        p8 = b"\0"
    else:
        s8 = o8.encode()
        n8 = len(s8)
        p8 = b"\2" + (LEN[n8] if n8 < 64 else long(n8)) + s8
    o9 = v.reason
    if o9 is None:
        p9 = b"\0"
    else:
        s9 = o9.encode()
        n9 = len(s9)
        p9 = b"\2" + (LEN[n9] if n9 < 64 else long(n9)) + s9
    d10 = v.asked_e18
    n10 = (d10.bit_length() + 8) >> 3
    if n10 > 15:
        bound(d10, 38, "asked")
    d11 = v.granted_e18
    n11 = (d11.bit_length() + 8) >> 3
    if n11 > 15:
        bound(d11, 38, "granted")
    d12 = v.amount_done_e18
    n12 = (d12.bit_length() + 8) >> 3
    if n12 > 15:
        bound(d12, 38, "amount_done")
    s13 = v.ccy.encode()
    n13 = len(s13)
    o14 = v.amount_out_e18
    if o14 is None:
        p14 = b"\0"
    else:
        d14 = o14
        n14 = (d14.bit_length() + 8) >> 3
        if n14 > 15:
            bound(d14, 38, "amount_out")
        p14 = b"\2" + LEN[n14] + d14.to_bytes(n14, "big", signed=True)
    o15 = v.fee_e18
    if o15 is None:
        p15 = b"\0"
    else:
        d15 = o15
        n15 = (d15.bit_length() + 8) >> 3
        if n15 > 15:
            bound(d15, 38, "fee")
        p15 = b"\2" + LEN[n15] + d15.to_bytes(n15, "big", signed=True)
    return b"".join(
        (
            prefix,
            (LEN[n0] if n0 < 64 else long(n0)),
            s0,
            (LEN[n1] if n1 < 64 else long(n1)),
            s1,
            _INTENT_KIND_BYTE[v.kind],
            _INTENT_CLASS_BYTE[v.class_],
            _ORIGIN_BYTE[v.origin],
            (LEN[n5] if n5 < 64 else long(n5)),
            s5,
            (LEN[n6] if n6 < 64 else long(n6)),
            s6,
            (LEN[n7] if n7 < 64 else long(n7)),
            s7,
            p8,
            p9,
            LEN[n10],
            d10.to_bytes(n10, "big", signed=True),
            LEN[n11],
            d11.to_bytes(n11, "big", signed=True),
            LEN[n12],
            d12.to_bytes(n12, "big", signed=True),
            (LEN[n13] if n13 < 64 else long(n13)),
            s13,
            p14,
            p15,
            strings(v.venue_refs),
            string_map(v.facts),
            (b"\1" if v.final else b"\0"),
            long(v.at_ms),
        )
    )

def read_intent_outcome(data: bytes, pos: int) -> tuple[IntentOutcome, int]:
    n = data[pos]
    if n & 129:
        f_intent_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_intent_id = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_decision_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_decision_id = data[pos:end].decode()
        pos = end
    symbol = _INTENT_KIND_OF.get(data[pos])
    if symbol is None:
        f_kind, pos = read_symbol(data, pos, _INTENT_KIND, "kind")
    else:
        f_kind = symbol
        pos += 1
    symbol = _INTENT_CLASS_OF.get(data[pos])
    if symbol is None:
        f_class_, pos = read_symbol(data, pos, _INTENT_CLASS, "class")
    else:
        f_class_ = symbol
        pos += 1
    symbol = _ORIGIN_OF.get(data[pos])
    if symbol is None:
        f_origin, pos = read_symbol(data, pos, _ORIGIN, "origin")
    else:
        f_origin = symbol
        pos += 1
    n = data[pos]
    if n & 129:
        f_account_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_account_id = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_lane, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_lane = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_state, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_state = data[pos:end].decode()
        pos = end
    f_leg: str | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("leg", n)
        n = data[pos]
        if n & 129:
            f_leg, pos = read_string(data, pos)
        else:
            pos += 1
            end = pos + (n >> 1)
            f_leg = data[pos:end].decode()
            pos = end
    f_reason: str | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("reason", n)
        n = data[pos]
        if n & 129:
            f_reason, pos = read_string(data, pos)
        else:
            pos += 1
            end = pos + (n >> 1)
            f_reason = data[pos:end].decode()
            pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_asked_e18, pos = read_decimal(data, pos, 38, "asked")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_asked_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_granted_e18, pos = read_decimal(data, pos, 38, "granted")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_granted_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_amount_done_e18, pos = read_decimal(data, pos, 38, "amount_done")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_amount_done_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n & 129:
        f_ccy, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_ccy = data[pos:end].decode()
        pos = end
    f_amount_out_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("amount_out", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_amount_out_e18, pos = read_decimal(data, pos, 38, "amount_out")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_amount_out_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    f_fee_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("fee", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_fee_e18, pos = read_decimal(data, pos, 38, "fee")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_fee_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    f_venue_refs, pos = read_strings(data, pos)
    f_facts, pos = read_string_map(data, pos)
    n = data[pos]
    if n > 1:
        raise branch("final", n)
    f_final = n == 1
    pos += 1
    f_at_ms, pos = read_long(data, pos)
    return IntentOutcome(
        f_intent_id,
        f_decision_id,
        f_kind,
        f_class_,
        f_origin,
        f_account_id,
        f_lane,
        f_state,
        f_asked_e18,
        f_granted_e18,
        f_amount_done_e18,
        f_ccy,
        f_venue_refs,
        f_facts,
        f_final,
        f_at_ms,
        f_leg,
        f_reason,
        f_amount_out_e18,
        f_fee_e18,
    ), pos

def encode_policy_copy(prefix: bytes, v: PolicyCopy) -> bytes:
    s0 = v.name.encode()
    n0 = len(s0)
    s2 = v.hash.encode()
    n2 = len(s2)
    s3 = v.body.encode()
    n3 = len(s3)
    return b"".join(
        (
            prefix,
            (LEN[n0] if n0 < 64 else long(n0)),
            s0,
            integer(v.version),
            (LEN[n2] if n2 < 64 else long(n2)),
            s2,
            (LEN[n3] if n3 < 64 else long(n3)),
            s3,
        )
    )

def read_policy_copy(data: bytes, pos: int) -> tuple[PolicyCopy, int]:
    n = data[pos]
    if n & 129:
        f_name, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_name = data[pos:end].decode()
        pos = end
    f_version, pos = read_long(data, pos)
    n = data[pos]
    if n & 129:
        f_hash, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_hash = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_body, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_body = data[pos:end].decode()
        pos = end
    return PolicyCopy(
        f_name,
        f_version,
        f_hash,
        f_body,
    ), pos

def encode_request(prefix: bytes, v: Request) -> bytes:
    s0 = v.request_id.encode()
    n0 = len(s0)
    s1 = v.verb.encode()
    n1 = len(s1)
    s4 = v.reason.encode()
    n4 = len(s4)
    return b"".join(
        (
            prefix,
            (LEN[n0] if n0 < 64 else long(n0)),
            s0,
            (LEN[n1] if n1 < 64 else long(n1)),
            s1,
            string_map(v.params),
            strings(v.actors),
            (LEN[n4] if n4 < 64 else long(n4)),
            s4,
        )
    )

def read_request(data: bytes, pos: int) -> tuple[Request, int]:
    n = data[pos]
    if n & 129:
        f_request_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_request_id = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_verb, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_verb = data[pos:end].decode()
        pos = end
    f_params, pos = read_string_map(data, pos)
    f_actors, pos = read_strings(data, pos)
    n = data[pos]
    if n & 129:
        f_reason, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_reason = data[pos:end].decode()
        pos = end
    return Request(
        f_request_id,
        f_verb,
        f_params,
        f_actors,
        f_reason,
    ), pos

_BOOK_INPUT_BODY_WRITE: dict[type, tuple[bytes, Callable[[bytes, Any], bytes]]] = {
    PolicyCopy: (LEN[0], encode_policy_copy),
    ControlCopy: (LEN[1], encode_control_copy),
    Request: (LEN[2], encode_request),
    IntentOutcome: (LEN[3], encode_intent_outcome),
    Correction: (LEN[4], encode_correction),
    Freeze: (LEN[5], encode_freeze),
    Yield: (LEN[6], encode_yield),
    BreakAccept: (LEN[7], encode_break_accept),
}


def encode_book_input(prefix: bytes, v: BookInput) -> bytes:
    o0 = v.meta
    if o0 is None:
        p0 = b"\0"
    else:
        p0 = b"\2" + remembered_meta(o0)
    b1, w1 = _BOOK_INPUT_BODY_WRITE[type(v.body)]
    return b"".join(
        (
            prefix,
            p0,
            w1(b1, v.body),
        )
    )

_BOOK_INPUT_BODY_READ: dict[int, Callable[[bytes, int], tuple[Any, int]]] = {
    0: read_policy_copy,
    2: read_control_copy,
    4: read_request,
    6: read_intent_outcome,
    8: read_correction,
    10: read_freeze,
    12: read_yield,
    14: read_break_accept,
}


def decode_book_input(data: bytes, pos: int) -> BookInput:
    f_meta: Meta | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("meta", n)
        f_meta, pos = read_meta(data, pos)
    reader = _BOOK_INPUT_BODY_READ.get(data[pos])
    if reader is None:
        raise branch("body", data[pos])
    f_body, pos = reader(data, pos + 1)
    if pos != len(data):
        raise length(pos, len(data))
    return BookInput(
        f_body,
        f_meta,
    )

def encode_scheduled_flow(prefix: bytes, v: ScheduledFlow) -> bytes:
    s0 = v.flow_id.encode()
    n0 = len(s0)
    s1 = v.account_id.encode()
    n1 = len(s1)
    d2 = v.amount_e4
    n2 = (d2.bit_length() + 8) >> 3
    if n2 > 8:
        bound(d2, 20, "amount")
    return b"".join(
        (
            prefix,
            (LEN[n0] if n0 < 64 else long(n0)),
            s0,
            (LEN[n1] if n1 < 64 else long(n1)),
            s1,
            LEN[n2],
            d2.to_bytes(n2, "big", signed=True),
            long(v.due_ms),
            (b"\1" if v.cancelled else b"\0"),
        )
    )

def read_scheduled_flow(data: bytes, pos: int) -> tuple[ScheduledFlow, int]:
    n = data[pos]
    if n & 129:
        f_flow_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_flow_id = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_account_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_account_id = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n > 16 or n & 1:
        f_amount_e4, pos = read_decimal(data, pos, 20, "amount")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_amount_e4 = _int(data[pos:end], "big", signed=True)
        pos = end
    f_due_ms, pos = read_long(data, pos)
    n = data[pos]
    if n > 1:
        raise branch("cancelled", n)
    f_cancelled = n == 1
    pos += 1
    return ScheduledFlow(
        f_flow_id,
        f_account_id,
        f_amount_e4,
        f_due_ms,
        f_cancelled,
    ), pos

def encode_calendar(prefix: bytes, v: Calendar) -> bytes:
    return b"".join(
        (
            prefix,
            _CALENDAR_NAME_BYTE[v.calendar],
            integer(v.year),
            array(v.closed, day),
        )
    )

def read_calendar(data: bytes, pos: int) -> tuple[Calendar, int]:
    symbol = _CALENDAR_NAME_OF.get(data[pos])
    if symbol is None:
        f_calendar, pos = read_symbol(data, pos, _CALENDAR_NAME, "calendar")
    else:
        f_calendar = symbol
        pos += 1
    f_year, pos = read_long(data, pos)
    f_closed, pos = read_array(data, pos, read_long)
    return Calendar(
        f_calendar,
        f_year,
        f_closed,
    ), pos

_CASH_INPUT_BODY_WRITE: dict[type, tuple[bytes, Callable[[bytes, Any], bytes]]] = {
    PolicyCopy: (LEN[0], encode_policy_copy),
    ControlCopy: (LEN[1], encode_control_copy),
    Request: (LEN[2], encode_request),
    IntentOutcome: (LEN[3], encode_intent_outcome),
    Freeze: (LEN[4], encode_freeze),
    ScheduledFlow: (LEN[5], encode_scheduled_flow),
    Calendar: (LEN[6], encode_calendar),
}


def encode_cash_input(prefix: bytes, v: CashInput) -> bytes:
    o0 = v.meta
    if o0 is None:
        p0 = b"\0"
    else:
        p0 = b"\2" + remembered_meta(o0)
    b1, w1 = _CASH_INPUT_BODY_WRITE[type(v.body)]
    return b"".join(
        (
            prefix,
            p0,
            w1(b1, v.body),
        )
    )

_CASH_INPUT_BODY_READ: dict[int, Callable[[bytes, int], tuple[Any, int]]] = {
    0: read_policy_copy,
    2: read_control_copy,
    4: read_request,
    6: read_intent_outcome,
    8: read_freeze,
    10: read_scheduled_flow,
    12: read_calendar,
}


def decode_cash_input(data: bytes, pos: int) -> CashInput:
    f_meta: Meta | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("meta", n)
        f_meta, pos = read_meta(data, pos)
    reader = _CASH_INPUT_BODY_READ.get(data[pos])
    if reader is None:
        raise branch("body", data[pos])
    f_body, pos = reader(data, pos + 1)
    if pos != len(data):
        raise length(pos, len(data))
    return CashInput(
        f_body,
        f_meta,
    )

def encode_cash_position(prefix: bytes, v: CashPosition) -> bytes:
    s1 = v.account_id.encode()
    n1 = len(s1)
    d3 = v.avail_usd_e4
    n3 = (d3.bit_length() + 8) >> 3
    if n3 > 8:
        bound(d3, 20, "avail_usd")
    o4 = v.booked_usd_e4
    if o4 is None:
        p4 = b"\0"
    else:
        d4 = o4
        n4 = (d4.bit_length() + 8) >> 3
        if n4 > 8:
            bound(d4, 20, "booked_usd")
        p4 = b"\2" + LEN[n4] + d4.to_bytes(n4, "big", signed=True)
    d5 = v.pending_out_e4
    n5 = (d5.bit_length() + 8) >> 3
    if n5 > 8:
        bound(d5, 20, "pending_out")
    d6 = v.pending_in_e4
    n6 = (d6.bit_length() + 8) >> 3
    if n6 > 8:
        bound(d6, 20, "pending_in")
    o7 = v.target_float_e4
    if o7 is None:
        p7 = b"\0"
    else:
        d7 = o7
        n7 = (d7.bit_length() + 8) >> 3
        if n7 > 8:
            bound(d7, 20, "target_float")
        p7 = b"\2" + LEN[n7] + d7.to_bytes(n7, "big", signed=True)
    d8 = v.investable_usd_e4
    n8 = (d8.bit_length() + 8) >> 3
    if n8 > 8:
        bound(d8, 20, "investable_usd")
    o9 = v.var_bps_e18
    if o9 is None:
        p9 = b"\0"
    else:
        d9 = o9
        n9 = (d9.bit_length() + 8) >> 3
        if n9 > 15:
            bound(d9, 38, "var_bps")
        p9 = b"\2" + LEN[n9] + d9.to_bytes(n9, "big", signed=True)
    return b"".join(
        (
            prefix,
            remembered_meta(v.meta),
            (LEN[n1] if n1 < 64 else long(n1)),
            s1,
            long(v.as_of_ms),
            LEN[n3],
            d3.to_bytes(n3, "big", signed=True),
            p4,
            LEN[n5],
            d5.to_bytes(n5, "big", signed=True),
            LEN[n6],
            d6.to_bytes(n6, "big", signed=True),
            p7,
            LEN[n8],
            d8.to_bytes(n8, "big", signed=True),
            p9,
            (b"\1" if v.stale else b"\0"),
        )
    )

def decode_cash_position(data: bytes, pos: int) -> CashPosition:
    f_meta, pos = read_meta(data, pos)
    n = data[pos]
    if n & 129:
        f_account_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_account_id = data[pos:end].decode()
        pos = end
    f_as_of_ms, pos = read_long(data, pos)
    n = data[pos]
    if n > 16 or n & 1:
        f_avail_usd_e4, pos = read_decimal(data, pos, 20, "avail_usd")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_avail_usd_e4 = _int(data[pos:end], "big", signed=True)
        pos = end
    f_booked_usd_e4: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("booked_usd", n)
        n = data[pos]
        if n > 16 or n & 1:
            f_booked_usd_e4, pos = read_decimal(data, pos, 20, "booked_usd")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_booked_usd_e4 = _int(data[pos:end], "big", signed=True)
            pos = end
    n = data[pos]
    if n > 16 or n & 1:
        f_pending_out_e4, pos = read_decimal(data, pos, 20, "pending_out")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_pending_out_e4 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 16 or n & 1:
        f_pending_in_e4, pos = read_decimal(data, pos, 20, "pending_in")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_pending_in_e4 = _int(data[pos:end], "big", signed=True)
        pos = end
    f_target_float_e4: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("target_float", n)
        n = data[pos]
        if n > 16 or n & 1:
            f_target_float_e4, pos = read_decimal(data, pos, 20, "target_float")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_target_float_e4 = _int(data[pos:end], "big", signed=True)
            pos = end
    n = data[pos]
    if n > 16 or n & 1:
        f_investable_usd_e4, pos = read_decimal(data, pos, 20, "investable_usd")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_investable_usd_e4 = _int(data[pos:end], "big", signed=True)
        pos = end
    f_var_bps_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("var_bps", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_var_bps_e18, pos = read_decimal(data, pos, 38, "var_bps")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_var_bps_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    n = data[pos]
    if n > 1:
        raise branch("stale", n)
    f_stale = n == 1
    pos += 1
    if pos != len(data):
        raise length(pos, len(data))
    return CashPosition(
        f_meta,
        f_account_id,
        f_as_of_ms,
        f_avail_usd_e4,
        f_pending_out_e4,
        f_pending_in_e4,
        f_investable_usd_e4,
        f_stale,
        f_booked_usd_e4,
        f_target_float_e4,
        f_var_bps_e18,
    )

def encode_chain_head(prefix: bytes, v: ChainHead) -> bytes:
    s0 = v.chain_id.encode()
    n0 = len(s0)
    s2 = v.hash.encode()
    n2 = len(s2)
    return b"".join(
        (
            prefix,
            (LEN[n0] if n0 < 64 else long(n0)),
            s0,
            long(v.seq),
            (LEN[n2] if n2 < 64 else long(n2)),
            s2,
        )
    )

def read_chain_head(data: bytes, pos: int) -> tuple[ChainHead, int]:
    n = data[pos]
    if n & 129:
        f_chain_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_chain_id = data[pos:end].decode()
        pos = end
    f_seq, pos = read_long(data, pos)
    n = data[pos]
    if n & 129:
        f_hash, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_hash = data[pos:end].decode()
        pos = end
    return ChainHead(
        f_chain_id,
        f_seq,
        f_hash,
    ), pos

def encode_checkpoint(prefix: bytes, v: Checkpoint) -> bytes:
    s0 = v.root_hash.encode()
    n0 = len(s0)
    s3 = v.jws.encode()
    n3 = len(s3)
    return b"".join(
        (
            prefix,
            (LEN[n0] if n0 < 64 else long(n0)),
            s0,
            array(v.heads, encode_chain_head),
            long(v.at_ms),
            (LEN[n3] if n3 < 64 else long(n3)),
            s3,
        )
    )

def decode_checkpoint(data: bytes, pos: int) -> Checkpoint:
    n = data[pos]
    if n & 129:
        f_root_hash, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_root_hash = data[pos:end].decode()
        pos = end
    f_heads, pos = read_array(data, pos, read_chain_head)
    f_at_ms, pos = read_long(data, pos)
    n = data[pos]
    if n & 129:
        f_jws, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_jws = data[pos:end].decode()
        pos = end
    if pos != len(data):
        raise length(pos, len(data))
    return Checkpoint(
        f_root_hash,
        f_heads,
        f_at_ms,
        f_jws,
    )

def encode_control(prefix: bytes, v: Control) -> bytes:
    o0 = v.meta
    if o0 is None:
        p0 = b"\0"
    else:
        p0 = b"\2" + remembered_meta(o0)
    s1 = v.scope.encode()
    n1 = len(s1)
    s4 = v.reason.encode()
    n4 = len(s4)
    return b"".join(
        (
            prefix,
            p0,
            (LEN[n1] if n1 < 64 else long(n1)),
            s1,
            _MODE_BYTE[v.mode],
            long(v.epoch),
            (LEN[n4] if n4 < 64 else long(n4)),
            s4,
            strings(v.actors),
            strings(v.jws),
            long(v.at_ms),
        )
    )

def decode_control(data: bytes, pos: int) -> Control:
    f_meta: Meta | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("meta", n)
        f_meta, pos = read_meta(data, pos)
    n = data[pos]
    if n & 129:
        f_scope, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_scope = data[pos:end].decode()
        pos = end
    symbol = _MODE_OF.get(data[pos])
    if symbol is None:
        f_mode, pos = read_symbol(data, pos, _MODE, "mode")
    else:
        f_mode = symbol
        pos += 1
    f_epoch, pos = read_long(data, pos)
    n = data[pos]
    if n & 129:
        f_reason, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_reason = data[pos:end].decode()
        pos = end
    f_actors, pos = read_strings(data, pos)
    f_jws, pos = read_strings(data, pos)
    f_at_ms, pos = read_long(data, pos)
    if pos != len(data):
        raise length(pos, len(data))
    return Control(
        f_scope,
        f_mode,
        f_epoch,
        f_reason,
        f_actors,
        f_jws,
        f_at_ms,
        f_meta,
    )

def encode_decision(prefix: bytes, v: Decision) -> bytes:
    s1 = v.decision_id.encode()
    n1 = len(s1)
    s2 = v.node.encode()
    n2 = len(s2)
    s3 = v.key.encode()
    n3 = len(s3)
    s5 = v.actor.encode()
    n5 = len(s5)
    o6 = v.rule
    if o6 is None:
        p6 = b"\0"
    else:
        s6 = o6.encode()
        n6 = len(s6)
        p6 = b"\2" + (LEN[n6] if n6 < 64 else long(n6)) + s6
    s7 = v.outcome.encode()
    n7 = len(s7)
    s8 = v.body.encode()
    n8 = len(s8)
    return b"".join(
        (
            prefix,
            remembered_meta(v.meta),
            (LEN[n1] if n1 < 64 else long(n1)),
            s1,
            (LEN[n2] if n2 < 64 else long(n2)),
            s2,
            (LEN[n3] if n3 < 64 else long(n3)),
            s3,
            _DECISION_KIND_BYTE[v.kind],
            (LEN[n5] if n5 < 64 else long(n5)),
            s5,
            p6,
            (LEN[n7] if n7 < 64 else long(n7)),
            s7,
            (LEN[n8] if n8 < 64 else long(n8)),
            s8,
        )
    )

def decode_decision(data: bytes, pos: int) -> Decision:
    f_meta, pos = read_meta(data, pos)
    n = data[pos]
    if n & 129:
        f_decision_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_decision_id = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_node, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_node = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_key, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_key = data[pos:end].decode()
        pos = end
    symbol = _DECISION_KIND_OF.get(data[pos])
    if symbol is None:
        f_kind, pos = read_symbol(data, pos, _DECISION_KIND, "kind")
    else:
        f_kind = symbol
        pos += 1
    n = data[pos]
    if n & 129:
        f_actor, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_actor = data[pos:end].decode()
        pos = end
    f_rule: str | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("rule", n)
        n = data[pos]
        if n & 129:
            f_rule, pos = read_string(data, pos)
        else:
            pos += 1
            end = pos + (n >> 1)
            f_rule = data[pos:end].decode()
            pos = end
    n = data[pos]
    if n & 129:
        f_outcome, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_outcome = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_body, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_body = data[pos:end].decode()
        pos = end
    if pos != len(data):
        raise length(pos, len(data))
    return Decision(
        f_meta,
        f_decision_id,
        f_node,
        f_key,
        f_kind,
        f_actor,
        f_outcome,
        f_body,
        f_rule,
    )

def encode_usd_rate(prefix: bytes, v: UsdRate) -> bytes:
    s0 = v.ccy.encode()
    n0 = len(s0)
    d1 = v.rate_e18
    n1 = (d1.bit_length() + 8) >> 3
    if n1 > 15:
        bound(d1, 38, "rate")
    return b"".join(
        (
            prefix,
            (LEN[n0] if n0 < 64 else long(n0)),
            s0,
            LEN[n1],
            d1.to_bytes(n1, "big", signed=True),
            long(v.as_of_ms),
        )
    )

def read_usd_rate(data: bytes, pos: int) -> tuple[UsdRate, int]:
    n = data[pos]
    if n & 129:
        f_ccy, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_ccy = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_rate_e18, pos = read_decimal(data, pos, 38, "rate")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_rate_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    f_as_of_ms, pos = read_long(data, pos)
    return UsdRate(
        f_ccy,
        f_rate_e18,
        f_as_of_ms,
    ), pos

def encode_withdrawal(prefix: bytes, v: Withdrawal) -> bytes:
    s0 = v.intent_id.encode()
    n0 = len(s0)
    s1 = v.decision_id.encode()
    n1 = len(s1)
    s3 = v.origin_key.encode()
    n3 = len(s3)
    s4 = v.reason.encode()
    n4 = len(s4)
    return b"".join(
        (
            prefix,
            (LEN[n0] if n0 < 64 else long(n0)),
            s0,
            (LEN[n1] if n1 < 64 else long(n1)),
            s1,
            _ORIGIN_BYTE[v.origin],
            (LEN[n3] if n3 < 64 else long(n3)),
            s3,
            (LEN[n4] if n4 < 64 else long(n4)),
            s4,
            long(v.at_ms),
        )
    )

def read_withdrawal(data: bytes, pos: int) -> tuple[Withdrawal, int]:
    n = data[pos]
    if n & 129:
        f_intent_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_intent_id = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_decision_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_decision_id = data[pos:end].decode()
        pos = end
    symbol = _ORIGIN_OF.get(data[pos])
    if symbol is None:
        f_origin, pos = read_symbol(data, pos, _ORIGIN, "origin")
    else:
        f_origin = symbol
        pos += 1
    n = data[pos]
    if n & 129:
        f_origin_key, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_origin_key = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_reason, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_reason = data[pos:end].decode()
        pos = end
    f_at_ms, pos = read_long(data, pos)
    return Withdrawal(
        f_intent_id,
        f_decision_id,
        f_origin,
        f_origin_key,
        f_reason,
        f_at_ms,
    ), pos

_DESK_INPUT_BODY_WRITE: dict[type, tuple[bytes, Callable[[bytes, Any], bytes]]] = {
    PolicyCopy: (LEN[0], encode_policy_copy),
    ControlCopy: (LEN[1], encode_control_copy),
    Request: (LEN[2], encode_request),
    IntentOutcome: (LEN[3], encode_intent_outcome),
    UsdRate: (LEN[4], encode_usd_rate),
    Withdrawal: (LEN[5], encode_withdrawal),
}


def encode_desk_input(prefix: bytes, v: DeskInput) -> bytes:
    o0 = v.meta
    if o0 is None:
        p0 = b"\0"
    else:
        p0 = b"\2" + remembered_meta(o0)
    b1, w1 = _DESK_INPUT_BODY_WRITE[type(v.body)]
    return b"".join(
        (
            prefix,
            p0,
            w1(b1, v.body),
        )
    )

_DESK_INPUT_BODY_READ: dict[int, Callable[[bytes, int], tuple[Any, int]]] = {
    0: read_policy_copy,
    2: read_control_copy,
    4: read_request,
    6: read_intent_outcome,
    8: read_usd_rate,
    10: read_withdrawal,
}


def decode_desk_input(data: bytes, pos: int) -> DeskInput:
    f_meta: Meta | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("meta", n)
        f_meta, pos = read_meta(data, pos)
    reader = _DESK_INPUT_BODY_READ.get(data[pos])
    if reader is None:
        raise branch("body", data[pos])
    f_body, pos = reader(data, pos + 1)
    if pos != len(data):
        raise length(pos, len(data))
    return DeskInput(
        f_body,
        f_meta,
    )

def encode_forecast(prefix: bytes, v: Forecast) -> bytes:
    s1 = v.account_id.encode()
    n1 = len(s1)
    d4 = v.p50_e4
    n4 = (d4.bit_length() + 8) >> 3
    if n4 > 8:
        bound(d4, 20, "p50")
    d5 = v.p95_e4
    n5 = (d5.bit_length() + 8) >> 3
    if n5 > 8:
        bound(d5, 20, "p95")
    s6 = v.method.encode()
    n6 = len(s6)
    o8 = v.actual_e4
    if o8 is None:
        p8 = b"\0"
    else:
        d8 = o8
        n8 = (d8.bit_length() + 8) >> 3
        if n8 > 8:
            bound(d8, 20, "actual")
        p8 = b"\2" + LEN[n8] + d8.to_bytes(n8, "big", signed=True)
    o9 = v.error_e18
    if o9 is None:
        p9 = b"\0"
    else:
        d9 = o9
        n9 = (d9.bit_length() + 8) >> 3
        if n9 > 15:
            bound(d9, 38, "error")
        p9 = b"\2" + LEN[n9] + d9.to_bytes(n9, "big", signed=True)
    return b"".join(
        (
            prefix,
            remembered_meta(v.meta),
            (LEN[n1] if n1 < 64 else long(n1)),
            s1,
            integer(v.for_date),
            integer(v.horizon_h),
            LEN[n4],
            d4.to_bytes(n4, "big", signed=True),
            LEN[n5],
            d5.to_bytes(n5, "big", signed=True),
            (LEN[n6] if n6 < 64 else long(n6)),
            s6,
            integer(v.sample),
            p8,
            p9,
        )
    )

def decode_forecast(data: bytes, pos: int) -> Forecast:
    f_meta, pos = read_meta(data, pos)
    n = data[pos]
    if n & 129:
        f_account_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_account_id = data[pos:end].decode()
        pos = end
    f_for_date, pos = read_long(data, pos)
    f_horizon_h, pos = read_long(data, pos)
    n = data[pos]
    if n > 16 or n & 1:
        f_p50_e4, pos = read_decimal(data, pos, 20, "p50")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_p50_e4 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 16 or n & 1:
        f_p95_e4, pos = read_decimal(data, pos, 20, "p95")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_p95_e4 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n & 129:
        f_method, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_method = data[pos:end].decode()
        pos = end
    f_sample, pos = read_long(data, pos)
    f_actual_e4: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("actual", n)
        n = data[pos]
        if n > 16 or n & 1:
            f_actual_e4, pos = read_decimal(data, pos, 20, "actual")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_actual_e4 = _int(data[pos:end], "big", signed=True)
            pos = end
    f_error_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("error", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_error_e18, pos = read_decimal(data, pos, 38, "error")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_error_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    if pos != len(data):
        raise length(pos, len(data))
    return Forecast(
        f_meta,
        f_account_id,
        f_for_date,
        f_p50_e4,
        f_p95_e4,
        f_method,
        f_sample,
        f_horizon_h,
        f_actual_e4,
        f_error_e18,
    )

def encode_hedge_execution(prefix: bytes, v: HedgeExecution) -> bytes:
    s0 = v.exec_id.encode()
    n0 = len(s0)
    s1 = v.account_id.encode()
    n1 = len(s1)
    s2 = v.venue.encode()
    n2 = len(s2)
    s5 = v.symbol.encode()
    n5 = len(s5)
    o6 = v.position_idx
    if o6 is None:
        p6 = b"\0"
    else:
        p6 = b"\2" + integer(o6)
    s8 = v.exec_type.encode()
    n8 = len(s8)
    d9 = v.qty_e18
    n9 = (d9.bit_length() + 8) >> 3
    if n9 > 15:
        bound(d9, 38, "qty")
    d10 = v.price_e18
    n10 = (d10.bit_length() + 8) >> 3
    if n10 > 15:
        bound(d10, 38, "price")
    o11 = v.value_e18
    if o11 is None:
        p11 = b"\0"
    else:
        d11 = o11
        n11 = (d11.bit_length() + 8) >> 3
        if n11 > 15:
            bound(d11, 38, "value")
        p11 = b"\2" + LEN[n11] + d11.to_bytes(n11, "big", signed=True)
    d12 = v.fee_e18
    n12 = (d12.bit_length() + 8) >> 3
    if n12 > 15:
        bound(d12, 38, "fee")
    s13 = v.fee_ccy.encode()
    n13 = len(s13)
    s14 = v.settle_ccy.encode()
    n14 = len(s14)
    o15 = v.closed_size_e18
    if o15 is None:
        p15 = b"\0"
    else:
        d15 = o15
        n15 = (d15.bit_length() + 8) >> 3
        if n15 > 15:
            bound(d15, 38, "closed_size")
        p15 = b"\2" + LEN[n15] + d15.to_bytes(n15, "big", signed=True)
    d16 = v.multiplier_e18
    n16 = (d16.bit_length() + 8) >> 3
    if n16 > 15:
        bound(d16, 38, "multiplier")
    o17 = v.entry_price_e18
    if o17 is None:
        p17 = b"\0"
    else:
        d17 = o17
        n17 = (d17.bit_length() + 8) >> 3
        if n17 > 15:
            bound(d17, 38, "entry_price")
        p17 = b"\2" + LEN[n17] + d17.to_bytes(n17, "big", signed=True)
    o18 = v.exit_price_e18
    if o18 is None:
        p18 = b"\0"
    else:
        d18 = o18
        n18 = (d18.bit_length() + 8) >> 3
        if n18 > 15:
            bound(d18, 38, "exit_price")
        p18 = b"\2" + LEN[n18] + d18.to_bytes(n18, "big", signed=True)
    o19 = v.size_e18
    if o19 is None:
        p19 = b"\0"
    else:
        d19 = o19
        n19 = (d19.bit_length() + 8) >> 3
        if n19 > 15:
            bound(d19, 38, "size")
        p19 = b"\2" + LEN[n19] + d19.to_bytes(n19, "big", signed=True)
    o20 = v.funding_e18
    if o20 is None:
        p20 = b"\0"
    else:
        d20 = o20
        n20 = (d20.bit_length() + 8) >> 3
        if n20 > 15:
            bound(d20, 38, "funding")
        p20 = b"\2" + LEN[n20] + d20.to_bytes(n20, "big", signed=True)
    o21 = v.order_id
    if o21 is None:
        p21 = b"\0"
    else:
        s21 = o21.encode()
        n21 = len(s21)
        p21 = b"\2" + (LEN[n21] if n21 < 64 else long(n21)) + s21
    o22 = v.order_link_id
    if o22 is None:
        p22 = b"\0"
    else:
        s22 = o22.encode()
        n22 = len(s22)
        p22 = b"\2" + (LEN[n22] if n22 < 64 else long(n22)) + s22
    o23 = v.seq
    if o23 is None:
        p23 = b"\0"
    else:
        p23 = b"\2" + long(o23)
    o25 = v.is_maker
    if o25 is None:
        p25 = b"\0"
    else:
        p25 = b"\2" + (b"\1" if o25 else b"\0")
    o26 = v.mark_price_e18
    if o26 is None:
        p26 = b"\0"
    else:
        d26 = o26
        n26 = (d26.bit_length() + 8) >> 3
        if n26 > 15:
            bound(d26, 38, "mark_price")
        p26 = b"\2" + LEN[n26] + d26.to_bytes(n26, "big", signed=True)
    return b"".join(
        (
            prefix,
            (LEN[n0] if n0 < 64 else long(n0)),
            s0,
            (LEN[n1] if n1 < 64 else long(n1)),
            s1,
            (LEN[n2] if n2 < 64 else long(n2)),
            s2,
            _EXECUTION_KIND_BYTE[v.kind],
            _CATEGORY_BYTE[v.category],
            (LEN[n5] if n5 < 64 else long(n5)),
            s5,
            p6,
            _SIDE_BYTE[v.side],
            (LEN[n8] if n8 < 64 else long(n8)),
            s8,
            LEN[n9],
            d9.to_bytes(n9, "big", signed=True),
            LEN[n10],
            d10.to_bytes(n10, "big", signed=True),
            p11,
            LEN[n12],
            d12.to_bytes(n12, "big", signed=True),
            (LEN[n13] if n13 < 64 else long(n13)),
            s13,
            (LEN[n14] if n14 < 64 else long(n14)),
            s14,
            p15,
            LEN[n16],
            d16.to_bytes(n16, "big", signed=True),
            p17,
            p18,
            p19,
            p20,
            p21,
            p22,
            p23,
            long(v.exec_time_ms),
            p25,
            p26,
            _EXECUTION_SOURCE_BYTE[v.source],
            integer(v.revision),
        )
    )

def decode_hedge_execution(data: bytes, pos: int) -> HedgeExecution:
    n = data[pos]
    if n & 129:
        f_exec_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_exec_id = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_account_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_account_id = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_venue, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_venue = data[pos:end].decode()
        pos = end
    symbol = _EXECUTION_KIND_OF.get(data[pos])
    if symbol is None:
        f_kind, pos = read_symbol(data, pos, _EXECUTION_KIND, "kind")
    else:
        f_kind = symbol
        pos += 1
    symbol = _CATEGORY_OF.get(data[pos])
    if symbol is None:
        f_category, pos = read_symbol(data, pos, _CATEGORY, "category")
    else:
        f_category = symbol
        pos += 1
    n = data[pos]
    if n & 129:
        f_symbol, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_symbol = data[pos:end].decode()
        pos = end
    f_position_idx: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("position_idx", n)
        f_position_idx, pos = read_long(data, pos)
    symbol = _SIDE_OF.get(data[pos])
    if symbol is None:
        f_side, pos = read_symbol(data, pos, _SIDE, "side")
    else:
        f_side = symbol
        pos += 1
    n = data[pos]
    if n & 129:
        f_exec_type, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_exec_type = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_qty_e18, pos = read_decimal(data, pos, 38, "qty")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_qty_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_price_e18, pos = read_decimal(data, pos, 38, "price")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_price_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    f_value_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("value", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_value_e18, pos = read_decimal(data, pos, 38, "value")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_value_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_fee_e18, pos = read_decimal(data, pos, 38, "fee")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_fee_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n & 129:
        f_fee_ccy, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_fee_ccy = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_settle_ccy, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_settle_ccy = data[pos:end].decode()
        pos = end
    f_closed_size_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("closed_size", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_closed_size_e18, pos = read_decimal(data, pos, 38, "closed_size")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_closed_size_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_multiplier_e18, pos = read_decimal(data, pos, 38, "multiplier")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_multiplier_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    f_entry_price_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("entry_price", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_entry_price_e18, pos = read_decimal(data, pos, 38, "entry_price")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_entry_price_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    f_exit_price_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("exit_price", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_exit_price_e18, pos = read_decimal(data, pos, 38, "exit_price")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_exit_price_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    f_size_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("size", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_size_e18, pos = read_decimal(data, pos, 38, "size")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_size_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    f_funding_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("funding", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_funding_e18, pos = read_decimal(data, pos, 38, "funding")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_funding_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    f_order_id: str | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("order_id", n)
        n = data[pos]
        if n & 129:
            f_order_id, pos = read_string(data, pos)
        else:
            pos += 1
            end = pos + (n >> 1)
            f_order_id = data[pos:end].decode()
            pos = end
    f_order_link_id: str | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("order_link_id", n)
        n = data[pos]
        if n & 129:
            f_order_link_id, pos = read_string(data, pos)
        else:
            pos += 1
            end = pos + (n >> 1)
            f_order_link_id = data[pos:end].decode()
            pos = end
    f_seq: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("seq", n)
        f_seq, pos = read_long(data, pos)
    f_exec_time_ms, pos = read_long(data, pos)
    f_is_maker: bool | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("is_maker", n)
        n = data[pos]
        if n > 1:
            raise branch("is_maker", n)
        f_is_maker = n == 1
        pos += 1
    f_mark_price_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("mark_price", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_mark_price_e18, pos = read_decimal(data, pos, 38, "mark_price")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_mark_price_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    symbol = _EXECUTION_SOURCE_OF.get(data[pos])
    if symbol is None:
        f_source, pos = read_symbol(data, pos, _EXECUTION_SOURCE, "source")
    else:
        f_source = symbol
        pos += 1
    f_revision, pos = read_long(data, pos)
    if pos != len(data):
        raise length(pos, len(data))
    return HedgeExecution(
        f_exec_id,
        f_account_id,
        f_venue,
        f_kind,
        f_category,
        f_symbol,
        f_side,
        f_exec_type,
        f_qty_e18,
        f_price_e18,
        f_fee_e18,
        f_fee_ccy,
        f_settle_ccy,
        f_exec_time_ms,
        f_source,
        f_position_idx,
        f_value_e18,
        f_closed_size_e18,
        f_multiplier_e18,
        f_entry_price_e18,
        f_exit_price_e18,
        f_size_e18,
        f_funding_e18,
        f_order_id,
        f_order_link_id,
        f_seq,
        f_is_maker,
        f_mark_price_e18,
        f_revision,
    )

def encode_intent(prefix: bytes, v: Intent) -> bytes:
    s1 = v.intent_id.encode()
    n1 = len(s1)
    s2 = v.decision_id.encode()
    n2 = len(s2)
    s4 = v.origin_key.encode()
    n4 = len(s4)
    s7 = v.account_id.encode()
    n7 = len(s7)
    s8 = v.lane.encode()
    n8 = len(s8)
    o9 = v.beneficiary
    if o9 is None:
        p9 = b"\0"
    else:
        s9 = o9.encode()
        n9 = len(s9)
        p9 = b"\2" + (LEN[n9] if n9 < 64 else long(n9)) + s9
    d10 = v.amount_e18
    n10 = (d10.bit_length() + 8) >> 3
    if n10 > 15:
        bound(d10, 38, "amount")
    s11 = v.ccy.encode()
    n11 = len(s11)
    s14 = v.maker.encode()
    n14 = len(s14)
    s16 = v.body_hash.encode()
    n16 = len(s16)
    return b"".join(
        (
            prefix,
            remembered_meta(v.meta),
            (LEN[n1] if n1 < 64 else long(n1)),
            s1,
            (LEN[n2] if n2 < 64 else long(n2)),
            s2,
            _ORIGIN_BYTE[v.origin],
            (LEN[n4] if n4 < 64 else long(n4)),
            s4,
            _INTENT_CLASS_BYTE[v.class_],
            _INTENT_KIND_BYTE[v.kind],
            (LEN[n7] if n7 < 64 else long(n7)),
            s7,
            (LEN[n8] if n8 < 64 else long(n8)),
            s8,
            p9,
            LEN[n10],
            d10.to_bytes(n10, "big", signed=True),
            (LEN[n11] if n11 < 64 else long(n11)),
            s11,
            integer(v.precision),
            string_map(v.params),
            (LEN[n14] if n14 < 64 else long(n14)),
            s14,
            strings(v.approvals),
            (LEN[n16] if n16 < 64 else long(n16)),
            s16,
            long(v.pause_epoch),
            _EXECUTED_BY_BYTE[v.executed_by],
            long(v.deadline_ms),
            string_map(v.compliance_tags),
        )
    )

def decode_intent(data: bytes, pos: int) -> Intent:
    f_meta, pos = read_meta(data, pos)
    n = data[pos]
    if n & 129:
        f_intent_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_intent_id = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_decision_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_decision_id = data[pos:end].decode()
        pos = end
    symbol = _ORIGIN_OF.get(data[pos])
    if symbol is None:
        f_origin, pos = read_symbol(data, pos, _ORIGIN, "origin")
    else:
        f_origin = symbol
        pos += 1
    n = data[pos]
    if n & 129:
        f_origin_key, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_origin_key = data[pos:end].decode()
        pos = end
    symbol = _INTENT_CLASS_OF.get(data[pos])
    if symbol is None:
        f_class_, pos = read_symbol(data, pos, _INTENT_CLASS, "class")
    else:
        f_class_ = symbol
        pos += 1
    symbol = _INTENT_KIND_OF.get(data[pos])
    if symbol is None:
        f_kind, pos = read_symbol(data, pos, _INTENT_KIND, "kind")
    else:
        f_kind = symbol
        pos += 1
    n = data[pos]
    if n & 129:
        f_account_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_account_id = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_lane, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_lane = data[pos:end].decode()
        pos = end
    f_beneficiary: str | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("beneficiary", n)
        n = data[pos]
        if n & 129:
            f_beneficiary, pos = read_string(data, pos)
        else:
            pos += 1
            end = pos + (n >> 1)
            f_beneficiary = data[pos:end].decode()
            pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_amount_e18, pos = read_decimal(data, pos, 38, "amount")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_amount_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n & 129:
        f_ccy, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_ccy = data[pos:end].decode()
        pos = end
    f_precision, pos = read_long(data, pos)
    f_params, pos = read_string_map(data, pos)
    n = data[pos]
    if n & 129:
        f_maker, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_maker = data[pos:end].decode()
        pos = end
    f_approvals, pos = read_strings(data, pos)
    n = data[pos]
    if n & 129:
        f_body_hash, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_body_hash = data[pos:end].decode()
        pos = end
    f_pause_epoch, pos = read_long(data, pos)
    symbol = _EXECUTED_BY_OF.get(data[pos])
    if symbol is None:
        f_executed_by, pos = read_symbol(data, pos, _EXECUTED_BY, "executed_by")
    else:
        f_executed_by = symbol
        pos += 1
    f_deadline_ms, pos = read_long(data, pos)
    f_compliance_tags, pos = read_string_map(data, pos)
    if pos != len(data):
        raise length(pos, len(data))
    return Intent(
        f_meta,
        f_intent_id,
        f_decision_id,
        f_origin,
        f_origin_key,
        f_class_,
        f_kind,
        f_account_id,
        f_lane,
        f_amount_e18,
        f_ccy,
        f_precision,
        f_params,
        f_maker,
        f_approvals,
        f_body_hash,
        f_pause_epoch,
        f_executed_by,
        f_deadline_ms,
        f_compliance_tags,
        f_beneficiary,
    )

def encode_leg(prefix: bytes, v: Leg) -> bytes:
    s0 = v.leg.encode()
    n0 = len(s0)
    s1 = v.state.encode()
    n1 = len(s1)
    o3 = v.venue_ref
    if o3 is None:
        p3 = b"\0"
    else:
        s3 = o3.encode()
        n3 = len(s3)
        p3 = b"\2" + (LEN[n3] if n3 < 64 else long(n3)) + s3
    return b"".join(
        (
            prefix,
            (LEN[n0] if n0 < 64 else long(n0)),
            s0,
            (LEN[n1] if n1 < 64 else long(n1)),
            s1,
            integer(v.n),
            p3,
        )
    )

def read_leg(data: bytes, pos: int) -> tuple[Leg, int]:
    n = data[pos]
    if n & 129:
        f_leg, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_leg = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_state, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_state = data[pos:end].decode()
        pos = end
    f_n, pos = read_long(data, pos)
    f_venue_ref: str | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("venue_ref", n)
        n = data[pos]
        if n & 129:
            f_venue_ref, pos = read_string(data, pos)
        else:
            pos += 1
            end = pos + (n >> 1)
            f_venue_ref = data[pos:end].decode()
            pos = end
    return Leg(
        f_leg,
        f_state,
        f_n,
        f_venue_ref,
    ), pos

def encode_intent_state(prefix: bytes, v: IntentState) -> bytes:
    s1 = v.intent_id.encode()
    n1 = len(s1)
    s2 = v.decision_id.encode()
    n2 = len(s2)
    s4 = v.account_id.encode()
    n4 = len(s4)
    s5 = v.lane.encode()
    n5 = len(s5)
    d6 = v.amount_e18
    n6 = (d6.bit_length() + 8) >> 3
    if n6 > 15:
        bound(d6, 38, "amount")
    s7 = v.ccy.encode()
    n7 = len(s7)
    s8 = v.body.encode()
    n8 = len(s8)
    s9 = v.body_hash.encode()
    n9 = len(s9)
    s10 = v.state.encode()
    n10 = len(s10)
    d13 = v.amount_done_e18
    n13 = (d13.bit_length() + 8) >> 3
    if n13 > 15:
        bound(d13, 38, "amount_done")
    o14 = v.reason
    if o14 is None:
        p14 = b"\0"
    else:
        s14 = o14.encode()
        n14 = len(s14)
        p14 = b"\2" + (LEN[n14] if n14 < 64 else long(n14)) + s14
    return b"".join(
        (
            prefix,
            remembered_meta(v.meta),
            (LEN[n1] if n1 < 64 else long(n1)),
            s1,
            (LEN[n2] if n2 < 64 else long(n2)),
            s2,
            _INTENT_KIND_BYTE[v.kind],
            (LEN[n4] if n4 < 64 else long(n4)),
            s4,
            (LEN[n5] if n5 < 64 else long(n5)),
            s5,
            LEN[n6],
            d6.to_bytes(n6, "big", signed=True),
            (LEN[n7] if n7 < 64 else long(n7)),
            s7,
            (LEN[n8] if n8 < 64 else long(n8)),
            s8,
            (LEN[n9] if n9 < 64 else long(n9)),
            s9,
            (LEN[n10] if n10 < 64 else long(n10)),
            s10,
            _SEED_STATUS_BYTE[v.seed_status],
            array(v.legs, encode_leg),
            LEN[n13],
            d13.to_bytes(n13, "big", signed=True),
            p14,
            long(v.updated_ms),
        )
    )

def decode_intent_state(data: bytes, pos: int) -> IntentState:
    f_meta, pos = read_meta(data, pos)
    n = data[pos]
    if n & 129:
        f_intent_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_intent_id = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_decision_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_decision_id = data[pos:end].decode()
        pos = end
    symbol = _INTENT_KIND_OF.get(data[pos])
    if symbol is None:
        f_kind, pos = read_symbol(data, pos, _INTENT_KIND, "kind")
    else:
        f_kind = symbol
        pos += 1
    n = data[pos]
    if n & 129:
        f_account_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_account_id = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_lane, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_lane = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_amount_e18, pos = read_decimal(data, pos, 38, "amount")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_amount_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n & 129:
        f_ccy, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_ccy = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_body, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_body = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_body_hash, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_body_hash = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_state, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_state = data[pos:end].decode()
        pos = end
    symbol = _SEED_STATUS_OF.get(data[pos])
    if symbol is None:
        f_seed_status, pos = read_symbol(data, pos, _SEED_STATUS, "seed_status")
    else:
        f_seed_status = symbol
        pos += 1
    f_legs, pos = read_array(data, pos, read_leg)
    n = data[pos]
    if n > 30 or n & 1:
        f_amount_done_e18, pos = read_decimal(data, pos, 38, "amount_done")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_amount_done_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    f_reason: str | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("reason", n)
        n = data[pos]
        if n & 129:
            f_reason, pos = read_string(data, pos)
        else:
            pos += 1
            end = pos + (n >> 1)
            f_reason = data[pos:end].decode()
            pos = end
    f_updated_ms, pos = read_long(data, pos)
    if pos != len(data):
        raise length(pos, len(data))
    return IntentState(
        f_meta,
        f_intent_id,
        f_decision_id,
        f_kind,
        f_account_id,
        f_lane,
        f_amount_e18,
        f_ccy,
        f_body,
        f_body_hash,
        f_state,
        f_seed_status,
        f_legs,
        f_amount_done_e18,
        f_updated_ms,
        f_reason,
    )

def encode_revoke(prefix: bytes, v: Revoke) -> bytes:
    s0 = v.intent_id.encode()
    n0 = len(s0)
    s1 = v.approver.encode()
    n1 = len(s1)
    s2 = v.reason.encode()
    n2 = len(s2)
    return b"".join(
        (
            prefix,
            (LEN[n0] if n0 < 64 else long(n0)),
            s0,
            (LEN[n1] if n1 < 64 else long(n1)),
            s1,
            (LEN[n2] if n2 < 64 else long(n2)),
            s2,
        )
    )

def read_revoke(data: bytes, pos: int) -> tuple[Revoke, int]:
    n = data[pos]
    if n & 129:
        f_intent_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_intent_id = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_approver, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_approver = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_reason, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_reason = data[pos:end].decode()
        pos = end
    return Revoke(
        f_intent_id,
        f_approver,
        f_reason,
    ), pos

_INTENT_INPUT_BODY_WRITE: dict[type, tuple[bytes, Callable[[bytes, Any], bytes]]] = {
    PolicyCopy: (LEN[0], encode_policy_copy),
    ControlCopy: (LEN[1], encode_control_copy),
    Request: (LEN[2], encode_request),
    Revoke: (LEN[3], encode_revoke),
}


def encode_intent_input(prefix: bytes, v: IntentInput) -> bytes:
    o0 = v.meta
    if o0 is None:
        p0 = b"\0"
    else:
        p0 = b"\2" + remembered_meta(o0)
    b1, w1 = _INTENT_INPUT_BODY_WRITE[type(v.body)]
    return b"".join(
        (
            prefix,
            p0,
            w1(b1, v.body),
        )
    )

_INTENT_INPUT_BODY_READ: dict[int, Callable[[bytes, int], tuple[Any, int]]] = {
    0: read_policy_copy,
    2: read_control_copy,
    4: read_request,
    6: read_revoke,
}


def decode_intent_input(data: bytes, pos: int) -> IntentInput:
    f_meta: Meta | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("meta", n)
        f_meta, pos = read_meta(data, pos)
    reader = _INTENT_INPUT_BODY_READ.get(data[pos])
    if reader is None:
        raise branch("body", data[pos])
    f_body, pos = reader(data, pos + 1)
    if pos != len(data):
        raise length(pos, len(data))
    return IntentInput(
        f_body,
        f_meta,
    )

def encode_debt(prefix: bytes, v: Debt) -> bytes:
    s0 = v.coin.encode()
    n0 = len(s0)
    d1 = v.principal_e18
    n1 = (d1.bit_length() + 8) >> 3
    if n1 > 15:
        bound(d1, 38, "principal")
    d2 = v.interest_e18
    n2 = (d2.bit_length() + 8) >> 3
    if n2 > 15:
        bound(d2, 38, "interest")
    d3 = v.usd_e18
    n3 = (d3.bit_length() + 8) >> 3
    if n3 > 15:
        bound(d3, 38, "usd")
    d4 = v.hourly_rate_e18
    n4 = (d4.bit_length() + 8) >> 3
    if n4 > 15:
        bound(d4, 38, "hourly_rate")
    return b"".join(
        (
            prefix,
            (LEN[n0] if n0 < 64 else long(n0)),
            s0,
            LEN[n1],
            d1.to_bytes(n1, "big", signed=True),
            LEN[n2],
            d2.to_bytes(n2, "big", signed=True),
            LEN[n3],
            d3.to_bytes(n3, "big", signed=True),
            LEN[n4],
            d4.to_bytes(n4, "big", signed=True),
            (b"\1" if v.fixed else b"\0"),
        )
    )

def read_debt(data: bytes, pos: int) -> tuple[Debt, int]:
    n = data[pos]
    if n & 129:
        f_coin, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_coin = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_principal_e18, pos = read_decimal(data, pos, 38, "principal")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_principal_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_interest_e18, pos = read_decimal(data, pos, 38, "interest")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_interest_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_usd_e18, pos = read_decimal(data, pos, 38, "usd")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_usd_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_hourly_rate_e18, pos = read_decimal(data, pos, 38, "hourly_rate")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_hourly_rate_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 1:
        raise branch("fixed", n)
    f_fixed = n == 1
    pos += 1
    return Debt(
        f_coin,
        f_principal_e18,
        f_interest_e18,
        f_usd_e18,
        f_hourly_rate_e18,
        f_fixed,
    ), pos

def encode_collateral(prefix: bytes, v: Collateral) -> bytes:
    s0 = v.coin.encode()
    n0 = len(s0)
    d1 = v.amount_e18
    n1 = (d1.bit_length() + 8) >> 3
    if n1 > 15:
        bound(d1, 38, "amount")
    d2 = v.usd_e18
    n2 = (d2.bit_length() + 8) >> 3
    if n2 > 15:
        bound(d2, 38, "usd")
    o3 = v.ratio_e18
    if o3 is None:
        p3 = b"\0"
    else:
        d3 = o3
        n3 = (d3.bit_length() + 8) >> 3
        if n3 > 15:
            bound(d3, 38, "ratio")
        p3 = b"\2" + LEN[n3] + d3.to_bytes(n3, "big", signed=True)
    return b"".join(
        (
            prefix,
            (LEN[n0] if n0 < 64 else long(n0)),
            s0,
            LEN[n1],
            d1.to_bytes(n1, "big", signed=True),
            LEN[n2],
            d2.to_bytes(n2, "big", signed=True),
            p3,
        )
    )

def read_collateral(data: bytes, pos: int) -> tuple[Collateral, int]:
    n = data[pos]
    if n & 129:
        f_coin, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_coin = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_amount_e18, pos = read_decimal(data, pos, 38, "amount")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_amount_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_usd_e18, pos = read_decimal(data, pos, 38, "usd")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_usd_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    f_ratio_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("ratio", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_ratio_e18, pos = read_decimal(data, pos, 38, "ratio")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_ratio_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    return Collateral(
        f_coin,
        f_amount_e18,
        f_usd_e18,
        f_ratio_e18,
    ), pos

def encode_loan_state(prefix: bytes, v: LoanState) -> bytes:
    s0 = v.account_id.encode()
    n0 = len(s0)
    s1 = v.loan_id.encode()
    n1 = len(s1)
    s2 = v.coin.encode()
    n2 = len(s2)
    d3 = v.principal_amount_e18
    n3 = (d3.bit_length() + 8) >> 3
    if n3 > 15:
        bound(d3, 38, "principal_amount")
    d4 = v.accrued_interest_e18
    n4 = (d4.bit_length() + 8) >> 3
    if n4 > 15:
        bound(d4, 38, "accrued_interest")
    d5 = v.interest_rate_e18
    n5 = (d5.bit_length() + 8) >> 3
    if n5 > 15:
        bound(d5, 38, "interest_rate")
    d6 = v.hourly_rate_e18
    n6 = (d6.bit_length() + 8) >> 3
    if n6 > 15:
        bound(d6, 38, "hourly_rate")
    d8 = v.total_debt_usd_e18
    n8 = (d8.bit_length() + 8) >> 3
    if n8 > 15:
        bound(d8, 38, "total_debt_usd")
    d9 = v.collateral_value_e18
    n9 = (d9.bit_length() + 8) >> 3
    if n9 > 15:
        bound(d9, 38, "collateral_value")
    d10 = v.ltv_ratio_e18
    n10 = (d10.bit_length() + 8) >> 3
    if n10 > 15:
        bound(d10, 38, "ltv_ratio")
    o12 = v.col_res
    if o12 is None:
        p12 = b"\0"
    else:
        p12 = b"\2" + integer(o12)
    return b"".join(
        (
            prefix,
            (LEN[n0] if n0 < 64 else long(n0)),
            s0,
            (LEN[n1] if n1 < 64 else long(n1)),
            s1,
            (LEN[n2] if n2 < 64 else long(n2)),
            s2,
            LEN[n3],
            d3.to_bytes(n3, "big", signed=True),
            LEN[n4],
            d4.to_bytes(n4, "big", signed=True),
            LEN[n5],
            d5.to_bytes(n5, "big", signed=True),
            LEN[n6],
            d6.to_bytes(n6, "big", signed=True),
            array(v.debts, encode_debt),
            LEN[n8],
            d8.to_bytes(n8, "big", signed=True),
            LEN[n9],
            d9.to_bytes(n9, "big", signed=True),
            LEN[n10],
            d10.to_bytes(n10, "big", signed=True),
            array(v.collaterals, encode_collateral),
            p12,
            long(v.as_of_ms),
        )
    )

def decode_loan_state(data: bytes, pos: int) -> LoanState:
    n = data[pos]
    if n & 129:
        f_account_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_account_id = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_loan_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_loan_id = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_coin, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_coin = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_principal_amount_e18, pos = read_decimal(data, pos, 38, "principal_amount")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_principal_amount_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_accrued_interest_e18, pos = read_decimal(data, pos, 38, "accrued_interest")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_accrued_interest_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_interest_rate_e18, pos = read_decimal(data, pos, 38, "interest_rate")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_interest_rate_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_hourly_rate_e18, pos = read_decimal(data, pos, 38, "hourly_rate")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_hourly_rate_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    f_debts, pos = read_array(data, pos, read_debt)
    n = data[pos]
    if n > 30 or n & 1:
        f_total_debt_usd_e18, pos = read_decimal(data, pos, 38, "total_debt_usd")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_total_debt_usd_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_collateral_value_e18, pos = read_decimal(data, pos, 38, "collateral_value")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_collateral_value_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_ltv_ratio_e18, pos = read_decimal(data, pos, 38, "ltv_ratio")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_ltv_ratio_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    f_collaterals, pos = read_array(data, pos, read_collateral)
    f_col_res: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("col_res", n)
        f_col_res, pos = read_long(data, pos)
    f_as_of_ms, pos = read_long(data, pos)
    if pos != len(data):
        raise length(pos, len(data))
    return LoanState(
        f_account_id,
        f_loan_id,
        f_coin,
        f_principal_amount_e18,
        f_accrued_interest_e18,
        f_interest_rate_e18,
        f_hourly_rate_e18,
        f_debts,
        f_total_debt_usd_e18,
        f_collateral_value_e18,
        f_ltv_ratio_e18,
        f_collaterals,
        f_as_of_ms,
        f_col_res,
    )

def read_loan_state(data: bytes, pos: int) -> tuple[LoanState, int]:
    n = data[pos]
    if n & 129:
        f_account_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_account_id = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_loan_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_loan_id = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_coin, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_coin = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_principal_amount_e18, pos = read_decimal(data, pos, 38, "principal_amount")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_principal_amount_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_accrued_interest_e18, pos = read_decimal(data, pos, 38, "accrued_interest")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_accrued_interest_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_interest_rate_e18, pos = read_decimal(data, pos, 38, "interest_rate")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_interest_rate_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_hourly_rate_e18, pos = read_decimal(data, pos, 38, "hourly_rate")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_hourly_rate_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    f_debts, pos = read_array(data, pos, read_debt)
    n = data[pos]
    if n > 30 or n & 1:
        f_total_debt_usd_e18, pos = read_decimal(data, pos, 38, "total_debt_usd")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_total_debt_usd_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_collateral_value_e18, pos = read_decimal(data, pos, 38, "collateral_value")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_collateral_value_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_ltv_ratio_e18, pos = read_decimal(data, pos, 38, "ltv_ratio")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_ltv_ratio_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    f_collaterals, pos = read_array(data, pos, read_collateral)
    f_col_res: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("col_res", n)
        f_col_res, pos = read_long(data, pos)
    f_as_of_ms, pos = read_long(data, pos)
    return LoanState(
        f_account_id,
        f_loan_id,
        f_coin,
        f_principal_amount_e18,
        f_accrued_interest_e18,
        f_interest_rate_e18,
        f_hourly_rate_e18,
        f_debts,
        f_total_debt_usd_e18,
        f_collateral_value_e18,
        f_ltv_ratio_e18,
        f_collaterals,
        f_as_of_ms,
        f_col_res,
    ), pos

def encode_lot_event(prefix: bytes, v: LotEvent) -> bytes:
    s1 = v.account_id.encode()
    n1 = len(s1)
    s3 = v.asset.encode()
    n3 = len(s3)
    d5 = v.qty_e18
    n5 = (d5.bit_length() + 8) >> 3
    if n5 > 15:
        bound(d5, 38, "qty")
    d6 = v.cost_e18
    n6 = (d6.bit_length() + 8) >> 3
    if n6 > 15:
        bound(d6, 38, "cost")
    o7 = v.proceeds_e18
    if o7 is None:
        p7 = b"\0"
    else:
        d7 = o7
        n7 = (d7.bit_length() + 8) >> 3
        if n7 > 15:
            bound(d7, 38, "proceeds")
        p7 = b"\2" + LEN[n7] + d7.to_bytes(n7, "big", signed=True)
    o8 = v.gain_e18
    if o8 is None:
        p8 = b"\0"
    else:
        d8 = o8
        n8 = (d8.bit_length() + 8) >> 3
        if n8 > 15:
            bound(d8, 38, "gain")
        p8 = b"\2" + LEN[n8] + d8.to_bytes(n8, "big", signed=True)
    o10 = v.closed_at_ms
    if o10 is None:
        p10 = b"\0"
    else:
        p10 = b"\2" + long(o10)
    s11 = v.lot_id.encode()
    n11 = len(s11)
    s12 = v.exec_id.encode()
    n12 = len(s12)
    s14 = v.ccy.encode()
    n14 = len(s14)
    return b"".join(
        (
            prefix,
            remembered_meta(v.meta),
            (LEN[n1] if n1 < 64 else long(n1)),
            s1,
            _LOT_METHOD_BYTE[v.method],
            (LEN[n3] if n3 < 64 else long(n3)),
            s3,
            _LOT_ACTION_BYTE[v.action],
            LEN[n5],
            d5.to_bytes(n5, "big", signed=True),
            LEN[n6],
            d6.to_bytes(n6, "big", signed=True),
            p7,
            p8,
            long(v.opened_at_ms),
            p10,
            (LEN[n11] if n11 < 64 else long(n11)),
            s11,
            (LEN[n12] if n12 < 64 else long(n12)),
            s12,
            integer(v.revision),
            (LEN[n14] if n14 < 64 else long(n14)),
            s14,
        )
    )

def decode_lot_event(data: bytes, pos: int) -> LotEvent:
    f_meta, pos = read_meta(data, pos)
    n = data[pos]
    if n & 129:
        f_account_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_account_id = data[pos:end].decode()
        pos = end
    symbol = _LOT_METHOD_OF.get(data[pos])
    if symbol is None:
        f_method, pos = read_symbol(data, pos, _LOT_METHOD, "method")
    else:
        f_method = symbol
        pos += 1
    n = data[pos]
    if n & 129:
        f_asset, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_asset = data[pos:end].decode()
        pos = end
    symbol = _LOT_ACTION_OF.get(data[pos])
    if symbol is None:
        f_action, pos = read_symbol(data, pos, _LOT_ACTION, "action")
    else:
        f_action = symbol
        pos += 1
    n = data[pos]
    if n > 30 or n & 1:
        f_qty_e18, pos = read_decimal(data, pos, 38, "qty")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_qty_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_cost_e18, pos = read_decimal(data, pos, 38, "cost")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_cost_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    f_proceeds_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("proceeds", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_proceeds_e18, pos = read_decimal(data, pos, 38, "proceeds")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_proceeds_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    f_gain_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("gain", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_gain_e18, pos = read_decimal(data, pos, 38, "gain")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_gain_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    f_opened_at_ms, pos = read_long(data, pos)
    f_closed_at_ms: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("closed_at", n)
        f_closed_at_ms, pos = read_long(data, pos)
    n = data[pos]
    if n & 129:
        f_lot_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_lot_id = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_exec_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_exec_id = data[pos:end].decode()
        pos = end
    f_revision, pos = read_long(data, pos)
    n = data[pos]
    if n & 129:
        f_ccy, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_ccy = data[pos:end].decode()
        pos = end
    if pos != len(data):
        raise length(pos, len(data))
    return LotEvent(
        f_meta,
        f_account_id,
        f_method,
        f_asset,
        f_action,
        f_qty_e18,
        f_cost_e18,
        f_opened_at_ms,
        f_lot_id,
        f_exec_id,
        f_revision,
        f_proceeds_e18,
        f_gain_e18,
        f_closed_at_ms,
        f_ccy,
    )

def encode_run(prefix: bytes, v: Run) -> bytes:
    s0 = v.topic.encode()
    n0 = len(s0)
    return b"".join(
        (
            prefix,
            (LEN[n0] if n0 < 64 else long(n0)),
            s0,
            long(v.from_),
            long(v.to),
        )
    )

def read_run(data: bytes, pos: int) -> tuple[Run, int]:
    n = data[pos]
    if n & 129:
        f_topic, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_topic = data[pos:end].decode()
        pos = end
    f_from_, pos = read_long(data, pos)
    f_to, pos = read_long(data, pos)
    return Run(
        f_topic,
        f_from_,
        f_to,
    ), pos

def encode_merge_run(prefix: bytes, v: MergeRun) -> bytes:
    s0 = v.node.encode()
    n0 = len(s0)
    s3 = v.policy.encode()
    n3 = len(s3)
    s4 = v.policy_hash.encode()
    n4 = len(s4)
    s5 = v.code.encode()
    n5 = len(s5)
    s7 = v.table_hash.encode()
    n7 = len(s7)
    return b"".join(
        (
            prefix,
            (LEN[n0] if n0 < 64 else long(n0)),
            s0,
            integer(v.partition),
            long(v.at_ms),
            (LEN[n3] if n3 < 64 else long(n3)),
            s3,
            (LEN[n4] if n4 < 64 else long(n4)),
            s4,
            (LEN[n5] if n5 < 64 else long(n5)),
            s5,
            array(v.runs, encode_run),
            (LEN[n7] if n7 < 64 else long(n7)),
            s7,
        )
    )

def decode_merge_run(data: bytes, pos: int) -> MergeRun:
    n = data[pos]
    if n & 129:
        f_node, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_node = data[pos:end].decode()
        pos = end
    f_partition, pos = read_long(data, pos)
    f_at_ms, pos = read_long(data, pos)
    n = data[pos]
    if n & 129:
        f_policy, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_policy = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_policy_hash, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_policy_hash = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_code, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_code = data[pos:end].decode()
        pos = end
    f_runs, pos = read_array(data, pos, read_run)
    n = data[pos]
    if n & 129:
        f_table_hash, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_table_hash = data[pos:end].decode()
        pos = end
    if pos != len(data):
        raise length(pos, len(data))
    return MergeRun(
        f_node,
        f_partition,
        f_at_ms,
        f_policy,
        f_policy_hash,
        f_code,
        f_runs,
        f_table_hash,
    )

def encode_pnl_record(prefix: bytes, v: PnLRecord) -> bytes:
    s1 = v.exec_id.encode()
    n1 = len(s1)
    s2 = v.account_id.encode()
    n2 = len(s2)
    s3 = v.symbol.encode()
    n3 = len(s3)
    s5 = v.cause.encode()
    n5 = len(s5)
    d6 = v.gross_pnl_e18
    n6 = (d6.bit_length() + 8) >> 3
    if n6 > 15:
        bound(d6, 38, "gross_pnl")
    d7 = v.fees_e18
    n7 = (d7.bit_length() + 8) >> 3
    if n7 > 15:
        bound(d7, 38, "fees")
    d8 = v.funding_e18
    n8 = (d8.bit_length() + 8) >> 3
    if n8 > 15:
        bound(d8, 38, "funding")
    d9 = v.net_pnl_e18
    n9 = (d9.bit_length() + 8) >> 3
    if n9 > 15:
        bound(d9, 38, "net_pnl")
    d10 = v.trade_view_net_e18
    n10 = (d10.bit_length() + 8) >> 3
    if n10 > 15:
        bound(d10, 38, "trade_view_net")
    d11 = v.realised_total_e18
    n11 = (d11.bit_length() + 8) >> 3
    if n11 > 15:
        bound(d11, 38, "realised_total")
    d12 = v.available_e18
    n12 = (d12.bit_length() + 8) >> 3
    if n12 > 15:
        bound(d12, 38, "available")
    d13 = v.shortfall_e18
    n13 = (d13.bit_length() + 8) >> 3
    if n13 > 15:
        bound(d13, 38, "shortfall")
    d14 = v.hwm_e18
    n14 = (d14.bit_length() + 8) >> 3
    if n14 > 15:
        bound(d14, 38, "hwm")
    s15 = v.ccy.encode()
    n15 = len(s15)
    o16 = v.fee_native_e18
    if o16 is None:
        p16 = b"\0"
    else:
        d16 = o16
        n16 = (d16.bit_length() + 8) >> 3
        if n16 > 15:
            bound(d16, 38, "fee_native")
        p16 = b"\2" + LEN[n16] + d16.to_bytes(n16, "big", signed=True)
    o17 = v.fee_ccy
    if o17 is None:
        p17 = b"\0"
    else:
        s17 = o17.encode()
        n17 = len(s17)
        p17 = b"\2" + (LEN[n17] if n17 < 64 else long(n17)) + s17
    o19 = v.delta_gross_e18
    if o19 is None:
        p19 = b"\0"
    else:
        d19 = o19
        n19 = (d19.bit_length() + 8) >> 3
        if n19 > 15:
            bound(d19, 38, "delta_gross")
        p19 = b"\2" + LEN[n19] + d19.to_bytes(n19, "big", signed=True)
    o20 = v.delta_fees_e18
    if o20 is None:
        p20 = b"\0"
    else:
        d20 = o20
        n20 = (d20.bit_length() + 8) >> 3
        if n20 > 15:
            bound(d20, 38, "delta_fees")
        p20 = b"\2" + LEN[n20] + d20.to_bytes(n20, "big", signed=True)
    o21 = v.delta_funding_e18
    if o21 is None:
        p21 = b"\0"
    else:
        d21 = o21
        n21 = (d21.bit_length() + 8) >> 3
        if n21 > 15:
            bound(d21, 38, "delta_funding")
        p21 = b"\2" + LEN[n21] + d21.to_bytes(n21, "big", signed=True)
    o22 = v.delta_net_e18
    if o22 is None:
        p22 = b"\0"
    else:
        d22 = o22
        n22 = (d22.bit_length() + 8) >> 3
        if n22 > 15:
            bound(d22, 38, "delta_net")
        p22 = b"\2" + LEN[n22] + d22.to_bytes(n22, "big", signed=True)
    o25 = v.category
    if o25 is None:
        p25 = b"\0"
    else:
        p25 = b"\2" + _CATEGORY_BYTE[o25]
    o26 = v.recon_pnl_e18
    if o26 is None:
        p26 = b"\0"
    else:
        d26 = o26
        n26 = (d26.bit_length() + 8) >> 3
        if n26 > 15:
            bound(d26, 38, "recon_pnl")
        p26 = b"\2" + LEN[n26] + d26.to_bytes(n26, "big", signed=True)
    return b"".join(
        (
            prefix,
            remembered_meta(v.meta),
            (LEN[n1] if n1 < 64 else long(n1)),
            s1,
            (LEN[n2] if n2 < 64 else long(n2)),
            s2,
            (LEN[n3] if n3 < 64 else long(n3)),
            s3,
            integer(v.position_idx),
            (LEN[n5] if n5 < 64 else long(n5)),
            s5,
            LEN[n6],
            d6.to_bytes(n6, "big", signed=True),
            LEN[n7],
            d7.to_bytes(n7, "big", signed=True),
            LEN[n8],
            d8.to_bytes(n8, "big", signed=True),
            LEN[n9],
            d9.to_bytes(n9, "big", signed=True),
            LEN[n10],
            d10.to_bytes(n10, "big", signed=True),
            LEN[n11],
            d11.to_bytes(n11, "big", signed=True),
            LEN[n12],
            d12.to_bytes(n12, "big", signed=True),
            LEN[n13],
            d13.to_bytes(n13, "big", signed=True),
            LEN[n14],
            d14.to_bytes(n14, "big", signed=True),
            (LEN[n15] if n15 < 64 else long(n15)),
            s15,
            p16,
            p17,
            integer(v.revision),
            p19,
            p20,
            p21,
            p22,
            strings(v.flags),
            long(v.timestamp_ms),
            p25,
            p26,
        )
    )

def decode_pnl_record(data: bytes, pos: int) -> PnLRecord:
    f_meta, pos = read_meta(data, pos)
    n = data[pos]
    if n & 129:
        f_exec_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_exec_id = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_account_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_account_id = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_symbol, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_symbol = data[pos:end].decode()
        pos = end
    f_position_idx, pos = read_long(data, pos)
    n = data[pos]
    if n & 129:
        f_cause, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_cause = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_gross_pnl_e18, pos = read_decimal(data, pos, 38, "gross_pnl")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_gross_pnl_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_fees_e18, pos = read_decimal(data, pos, 38, "fees")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_fees_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_funding_e18, pos = read_decimal(data, pos, 38, "funding")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_funding_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_net_pnl_e18, pos = read_decimal(data, pos, 38, "net_pnl")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_net_pnl_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_trade_view_net_e18, pos = read_decimal(data, pos, 38, "trade_view_net")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_trade_view_net_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_realised_total_e18, pos = read_decimal(data, pos, 38, "realised_total")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_realised_total_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_available_e18, pos = read_decimal(data, pos, 38, "available")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_available_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_shortfall_e18, pos = read_decimal(data, pos, 38, "shortfall")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_shortfall_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_hwm_e18, pos = read_decimal(data, pos, 38, "hwm")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_hwm_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n & 129:
        f_ccy, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_ccy = data[pos:end].decode()
        pos = end
    f_fee_native_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("fee_native", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_fee_native_e18, pos = read_decimal(data, pos, 38, "fee_native")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_fee_native_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    f_fee_ccy: str | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("fee_ccy", n)
        n = data[pos]
        if n & 129:
            f_fee_ccy, pos = read_string(data, pos)
        else:
            pos += 1
            end = pos + (n >> 1)
            f_fee_ccy = data[pos:end].decode()
            pos = end
    f_revision, pos = read_long(data, pos)
    f_delta_gross_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("delta_gross", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_delta_gross_e18, pos = read_decimal(data, pos, 38, "delta_gross")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_delta_gross_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    f_delta_fees_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("delta_fees", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_delta_fees_e18, pos = read_decimal(data, pos, 38, "delta_fees")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_delta_fees_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    f_delta_funding_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("delta_funding", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_delta_funding_e18, pos = read_decimal(data, pos, 38, "delta_funding")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_delta_funding_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    f_delta_net_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("delta_net", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_delta_net_e18, pos = read_decimal(data, pos, 38, "delta_net")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_delta_net_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    f_flags, pos = read_strings(data, pos)
    f_timestamp_ms, pos = read_long(data, pos)
    f_category: str | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("category", n)
        symbol = _CATEGORY_OF.get(data[pos])
        if symbol is None:
            f_category, pos = read_symbol(data, pos, _CATEGORY, "category")
        else:
            f_category = symbol
            pos += 1
    f_recon_pnl_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("recon_pnl", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_recon_pnl_e18, pos = read_decimal(data, pos, 38, "recon_pnl")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_recon_pnl_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    if pos != len(data):
        raise length(pos, len(data))
    return PnLRecord(
        f_meta,
        f_exec_id,
        f_account_id,
        f_symbol,
        f_position_idx,
        f_cause,
        f_gross_pnl_e18,
        f_fees_e18,
        f_funding_e18,
        f_net_pnl_e18,
        f_trade_view_net_e18,
        f_realised_total_e18,
        f_available_e18,
        f_shortfall_e18,
        f_hwm_e18,
        f_ccy,
        f_revision,
        f_flags,
        f_timestamp_ms,
        f_fee_native_e18,
        f_fee_ccy,
        f_delta_gross_e18,
        f_delta_fees_e18,
        f_delta_funding_e18,
        f_delta_net_e18,
        f_category,
        f_recon_pnl_e18,
    )

def encode_policy_update(prefix: bytes, v: PolicyUpdate) -> bytes:
    s0 = v.name.encode()
    n0 = len(s0)
    s2 = v.hash.encode()
    n2 = len(s2)
    s3 = v.body.encode()
    n3 = len(s3)
    s5 = v.author.encode()
    n5 = len(s5)
    s7 = v.previous_hash.encode()
    n7 = len(s7)
    o9 = v.simulation
    if o9 is None:
        p9 = b"\0"
    else:
        s9 = o9.encode()
        n9 = len(s9)
        p9 = b"\2" + (LEN[n9] if n9 < 64 else long(n9)) + s9
    return b"".join(
        (
            prefix,
            (LEN[n0] if n0 < 64 else long(n0)),
            s0,
            integer(v.version),
            (LEN[n2] if n2 < 64 else long(n2)),
            s2,
            (LEN[n3] if n3 < 64 else long(n3)),
            s3,
            _POLICY_SOURCE_BYTE[v.source],
            (LEN[n5] if n5 < 64 else long(n5)),
            s5,
            strings(v.signatures),
            (LEN[n7] if n7 < 64 else long(n7)),
            s7,
            long(v.at_ms),
            p9,
        )
    )

def decode_policy_update(data: bytes, pos: int) -> PolicyUpdate:
    n = data[pos]
    if n & 129:
        f_name, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_name = data[pos:end].decode()
        pos = end
    f_version, pos = read_long(data, pos)
    n = data[pos]
    if n & 129:
        f_hash, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_hash = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_body, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_body = data[pos:end].decode()
        pos = end
    symbol = _POLICY_SOURCE_OF.get(data[pos])
    if symbol is None:
        f_source, pos = read_symbol(data, pos, _POLICY_SOURCE, "source")
    else:
        f_source = symbol
        pos += 1
    n = data[pos]
    if n & 129:
        f_author, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_author = data[pos:end].decode()
        pos = end
    f_signatures, pos = read_strings(data, pos)
    n = data[pos]
    if n & 129:
        f_previous_hash, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_previous_hash = data[pos:end].decode()
        pos = end
    f_at_ms, pos = read_long(data, pos)
    f_simulation: str | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("simulation", n)
        n = data[pos]
        if n & 129:
            f_simulation, pos = read_string(data, pos)
        else:
            pos += 1
            end = pos + (n >> 1)
            f_simulation = data[pos:end].decode()
            pos = end
    if pos != len(data):
        raise length(pos, len(data))
    return PolicyUpdate(
        f_name,
        f_version,
        f_hash,
        f_body,
        f_source,
        f_author,
        f_signatures,
        f_previous_hash,
        f_at_ms,
        f_simulation,
    )

def encode_position(prefix: bytes, v: Position) -> bytes:
    s1 = v.account_id.encode()
    n1 = len(s1)
    s2 = v.symbol.encode()
    n2 = len(s2)
    d4 = v.size_e18
    n4 = (d4.bit_length() + 8) >> 3
    if n4 > 15:
        bound(d4, 38, "size")
    d5 = v.entry_price_e18
    n5 = (d5.bit_length() + 8) >> 3
    if n5 > 15:
        bound(d5, 38, "entry_price")
    o6 = v.unrealized_pnl_e18
    if o6 is None:
        p6 = b"\0"
    else:
        d6 = o6
        n6 = (d6.bit_length() + 8) >> 3
        if n6 > 15:
            bound(d6, 38, "unrealized_pnl")
        p6 = b"\2" + LEN[n6] + d6.to_bytes(n6, "big", signed=True)
    d7 = v.realized_pnl_e18
    n7 = (d7.bit_length() + 8) >> 3
    if n7 > 15:
        bound(d7, 38, "realized_pnl")
    d8 = v.open_fees_e18
    n8 = (d8.bit_length() + 8) >> 3
    if n8 > 15:
        bound(d8, 38, "open_fees")
    o9 = v.mark_e18
    if o9 is None:
        p9 = b"\0"
    else:
        d9 = o9
        n9 = (d9.bit_length() + 8) >> 3
        if n9 > 15:
            bound(d9, 38, "mark")
        p9 = b"\2" + LEN[n9] + d9.to_bytes(n9, "big", signed=True)
    o10 = v.weight_e18
    if o10 is None:
        p10 = b"\0"
    else:
        d10 = o10
        n10 = (d10.bit_length() + 8) >> 3
        if n10 > 15:
            bound(d10, 38, "weight")
        p10 = b"\2" + LEN[n10] + d10.to_bytes(n10, "big", signed=True)
    o11 = v.drift_e18
    if o11 is None:
        p11 = b"\0"
    else:
        d11 = o11
        n11 = (d11.bit_length() + 8) >> 3
        if n11 > 15:
            bound(d11, 38, "drift")
        p11 = b"\2" + LEN[n11] + d11.to_bytes(n11, "big", signed=True)
    o13 = v.category
    if o13 is None:
        p13 = b"\0"
    else:
        p13 = b"\2" + _CATEGORY_BYTE[o13]
    return b"".join(
        (
            prefix,
            remembered_meta(v.meta),
            (LEN[n1] if n1 < 64 else long(n1)),
            s1,
            (LEN[n2] if n2 < 64 else long(n2)),
            s2,
            integer(v.idx),
            LEN[n4],
            d4.to_bytes(n4, "big", signed=True),
            LEN[n5],
            d5.to_bytes(n5, "big", signed=True),
            p6,
            LEN[n7],
            d7.to_bytes(n7, "big", signed=True),
            LEN[n8],
            d8.to_bytes(n8, "big", signed=True),
            p9,
            p10,
            p11,
            long(v.last_updated_ms),
            p13,
        )
    )

def decode_position(data: bytes, pos: int) -> Position:
    f_meta, pos = read_meta(data, pos)
    n = data[pos]
    if n & 129:
        f_account_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_account_id = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_symbol, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_symbol = data[pos:end].decode()
        pos = end
    f_idx, pos = read_long(data, pos)
    n = data[pos]
    if n > 30 or n & 1:
        f_size_e18, pos = read_decimal(data, pos, 38, "size")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_size_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_entry_price_e18, pos = read_decimal(data, pos, 38, "entry_price")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_entry_price_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    f_unrealized_pnl_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("unrealized_pnl", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_unrealized_pnl_e18, pos = read_decimal(data, pos, 38, "unrealized_pnl")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_unrealized_pnl_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_realized_pnl_e18, pos = read_decimal(data, pos, 38, "realized_pnl")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_realized_pnl_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_open_fees_e18, pos = read_decimal(data, pos, 38, "open_fees")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_open_fees_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    f_mark_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("mark", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_mark_e18, pos = read_decimal(data, pos, 38, "mark")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_mark_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    f_weight_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("weight", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_weight_e18, pos = read_decimal(data, pos, 38, "weight")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_weight_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    f_drift_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("drift", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_drift_e18, pos = read_decimal(data, pos, 38, "drift")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_drift_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    f_last_updated_ms, pos = read_long(data, pos)
    f_category: str | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("category", n)
        symbol = _CATEGORY_OF.get(data[pos])
        if symbol is None:
            f_category, pos = read_symbol(data, pos, _CATEGORY, "category")
        else:
            f_category = symbol
            pos += 1
    if pos != len(data):
        raise length(pos, len(data))
    return Position(
        f_meta,
        f_account_id,
        f_symbol,
        f_idx,
        f_size_e18,
        f_entry_price_e18,
        f_realized_pnl_e18,
        f_open_fees_e18,
        f_last_updated_ms,
        f_unrealized_pnl_e18,
        f_mark_e18,
        f_weight_e18,
        f_drift_e18,
        f_category,
    )

def encode_proposal(prefix: bytes, v: Proposal) -> bytes:
    s1 = v.intent_id.encode()
    n1 = len(s1)
    s2 = v.decision_id.encode()
    n2 = len(s2)
    s4 = v.origin_key.encode()
    n4 = len(s4)
    s7 = v.account_id.encode()
    n7 = len(s7)
    s8 = v.lane.encode()
    n8 = len(s8)
    o9 = v.beneficiary
    if o9 is None:
        p9 = b"\0"
    else:
        s9 = o9.encode()
        n9 = len(s9)
        p9 = b"\2" + (LEN[n9] if n9 < 64 else long(n9)) + s9
    d10 = v.asked_e18
    n10 = (d10.bit_length() + 8) >> 3
    if n10 > 15:
        bound(d10, 38, "asked")
    d11 = v.room_e18
    n11 = (d11.bit_length() + 8) >> 3
    if n11 > 15:
        bound(d11, 38, "room")
    s12 = v.ccy.encode()
    n12 = len(s12)
    o15 = v.check_id
    if o15 is None:
        p15 = b"\0"
    else:
        s15 = o15.encode()
        n15 = len(s15)
        p15 = b"\2" + (LEN[n15] if n15 < 64 else long(n15)) + s15
    s16 = v.maker.encode()
    n16 = len(s16)
    return b"".join(
        (
            prefix,
            remembered_meta(v.meta),
            (LEN[n1] if n1 < 64 else long(n1)),
            s1,
            (LEN[n2] if n2 < 64 else long(n2)),
            s2,
            _ORIGIN_BYTE[v.origin],
            (LEN[n4] if n4 < 64 else long(n4)),
            s4,
            _INTENT_CLASS_BYTE[v.class_],
            _INTENT_KIND_BYTE[v.kind],
            (LEN[n7] if n7 < 64 else long(n7)),
            s7,
            (LEN[n8] if n8 < 64 else long(n8)),
            s8,
            p9,
            LEN[n10],
            d10.to_bytes(n10, "big", signed=True),
            LEN[n11],
            d11.to_bytes(n11, "big", signed=True),
            (LEN[n12] if n12 < 64 else long(n12)),
            s12,
            integer(v.precision),
            string_map(v.params),
            p15,
            (LEN[n16] if n16 < 64 else long(n16)),
            s16,
            long(v.valid_until_ms),
            long(v.deadline_ms),
            string_map(v.compliance_tags),
        )
    )

def decode_proposal(data: bytes, pos: int) -> Proposal:
    f_meta, pos = read_meta(data, pos)
    n = data[pos]
    if n & 129:
        f_intent_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_intent_id = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_decision_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_decision_id = data[pos:end].decode()
        pos = end
    symbol = _ORIGIN_OF.get(data[pos])
    if symbol is None:
        f_origin, pos = read_symbol(data, pos, _ORIGIN, "origin")
    else:
        f_origin = symbol
        pos += 1
    n = data[pos]
    if n & 129:
        f_origin_key, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_origin_key = data[pos:end].decode()
        pos = end
    symbol = _INTENT_CLASS_OF.get(data[pos])
    if symbol is None:
        f_class_, pos = read_symbol(data, pos, _INTENT_CLASS, "class")
    else:
        f_class_ = symbol
        pos += 1
    symbol = _INTENT_KIND_OF.get(data[pos])
    if symbol is None:
        f_kind, pos = read_symbol(data, pos, _INTENT_KIND, "kind")
    else:
        f_kind = symbol
        pos += 1
    n = data[pos]
    if n & 129:
        f_account_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_account_id = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_lane, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_lane = data[pos:end].decode()
        pos = end
    f_beneficiary: str | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("beneficiary", n)
        n = data[pos]
        if n & 129:
            f_beneficiary, pos = read_string(data, pos)
        else:
            pos += 1
            end = pos + (n >> 1)
            f_beneficiary = data[pos:end].decode()
            pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_asked_e18, pos = read_decimal(data, pos, 38, "asked")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_asked_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_room_e18, pos = read_decimal(data, pos, 38, "room")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_room_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n & 129:
        f_ccy, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_ccy = data[pos:end].decode()
        pos = end
    f_precision, pos = read_long(data, pos)
    f_params, pos = read_string_map(data, pos)
    f_check_id: str | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("check_id", n)
        n = data[pos]
        if n & 129:
            f_check_id, pos = read_string(data, pos)
        else:
            pos += 1
            end = pos + (n >> 1)
            f_check_id = data[pos:end].decode()
            pos = end
    n = data[pos]
    if n & 129:
        f_maker, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_maker = data[pos:end].decode()
        pos = end
    f_valid_until_ms, pos = read_long(data, pos)
    f_deadline_ms, pos = read_long(data, pos)
    f_compliance_tags, pos = read_string_map(data, pos)
    if pos != len(data):
        raise length(pos, len(data))
    return Proposal(
        f_meta,
        f_intent_id,
        f_decision_id,
        f_origin,
        f_origin_key,
        f_class_,
        f_kind,
        f_account_id,
        f_lane,
        f_asked_e18,
        f_room_e18,
        f_ccy,
        f_precision,
        f_params,
        f_maker,
        f_valid_until_ms,
        f_deadline_ms,
        f_compliance_tags,
        f_beneficiary,
        f_check_id,
    )

def encode_risk_event(prefix: bytes, v: RiskEvent) -> bytes:
    o2 = v.level_e18
    if o2 is None:
        p2 = b"\0"
    else:
        d2 = o2
        n2 = (d2.bit_length() + 8) >> 3
        if n2 > 15:
            bound(d2, 38, "level")
        p2 = b"\2" + LEN[n2] + d2.to_bytes(n2, "big", signed=True)
    o3 = v.drawdown_e18
    if o3 is None:
        p3 = b"\0"
    else:
        d3 = o3
        n3 = (d3.bit_length() + 8) >> 3
        if n3 > 15:
            bound(d3, 38, "drawdown")
        p3 = b"\2" + LEN[n3] + d3.to_bytes(n3, "big", signed=True)
    o4 = v.peak_e18
    if o4 is None:
        p4 = b"\0"
    else:
        d4 = o4
        n4 = (d4.bit_length() + 8) >> 3
        if n4 > 15:
            bound(d4, 38, "peak")
        p4 = b"\2" + LEN[n4] + d4.to_bytes(n4, "big", signed=True)
    o5 = v.equity_e18
    if o5 is None:
        p5 = b"\0"
    else:
        d5 = o5
        n5 = (d5.bit_length() + 8) >> 3
        if n5 > 15:
            bound(d5, 38, "equity")
        p5 = b"\2" + LEN[n5] + d5.to_bytes(n5, "big", signed=True)
    o6 = v.value_e18
    if o6 is None:
        p6 = b"\0"
    else:
        d6 = o6
        n6 = (d6.bit_length() + 8) >> 3
        if n6 > 15:
            bound(d6, 38, "value")
        p6 = b"\2" + LEN[n6] + d6.to_bytes(n6, "big", signed=True)
    o7 = v.symbol
    if o7 is None:
        p7 = b"\0"
    else:
        s7 = o7.encode()
        n7 = len(s7)
        p7 = b"\2" + (LEN[n7] if n7 < 64 else long(n7)) + s7
    s8 = v.account_id.encode()
    n8 = len(s8)
    return b"".join(
        (
            prefix,
            remembered_meta(v.meta),
            _RISK_EVENT_TYPE_BYTE[v.type],
            p2,
            p3,
            p4,
            p5,
            p6,
            p7,
            (LEN[n8] if n8 < 64 else long(n8)),
            s8,
            long(v.timestamp_ms),
        )
    )

def decode_risk_event(data: bytes, pos: int) -> RiskEvent:
    f_meta, pos = read_meta(data, pos)
    symbol = _RISK_EVENT_TYPE_OF.get(data[pos])
    if symbol is None:
        f_type, pos = read_symbol(data, pos, _RISK_EVENT_TYPE, "type")
    else:
        f_type = symbol
        pos += 1
    f_level_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("level", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_level_e18, pos = read_decimal(data, pos, 38, "level")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_level_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    f_drawdown_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("drawdown", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_drawdown_e18, pos = read_decimal(data, pos, 38, "drawdown")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_drawdown_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    f_peak_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("peak", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_peak_e18, pos = read_decimal(data, pos, 38, "peak")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_peak_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    f_equity_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("equity", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_equity_e18, pos = read_decimal(data, pos, 38, "equity")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_equity_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    f_value_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("value", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_value_e18, pos = read_decimal(data, pos, 38, "value")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_value_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    f_symbol: str | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("symbol", n)
        n = data[pos]
        if n & 129:
            f_symbol, pos = read_string(data, pos)
        else:
            pos += 1
            end = pos + (n >> 1)
            f_symbol = data[pos:end].decode()
            pos = end
    n = data[pos]
    if n & 129:
        f_account_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_account_id = data[pos:end].decode()
        pos = end
    f_timestamp_ms, pos = read_long(data, pos)
    if pos != len(data):
        raise length(pos, len(data))
    return RiskEvent(
        f_meta,
        f_type,
        f_account_id,
        f_timestamp_ms,
        f_level_e18,
        f_drawdown_e18,
        f_peak_e18,
        f_equity_e18,
        f_value_e18,
        f_symbol,
    )

def encode_risk_checks(prefix: bytes, v: RiskChecks) -> bytes:
    d0 = v.var_limit_bps_e18
    n0 = (d0.bit_length() + 8) >> 3
    if n0 > 15:
        bound(d0, 38, "var_limit_bps")
    o1 = v.observed_var_bps_e18
    if o1 is None:
        p1 = b"\0"
    else:
        d1 = o1
        n1 = (d1.bit_length() + 8) >> 3
        if n1 > 15:
            bound(d1, 38, "observed_var_bps")
        p1 = b"\2" + LEN[n1] + d1.to_bytes(n1, "big", signed=True)
    return b"".join(
        (
            prefix,
            LEN[n0],
            d0.to_bytes(n0, "big", signed=True),
            p1,
        )
    )

def read_risk_checks(data: bytes, pos: int) -> tuple[RiskChecks, int]:
    n = data[pos]
    if n > 30 or n & 1:
        f_var_limit_bps_e18, pos = read_decimal(data, pos, 38, "var_limit_bps")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_var_limit_bps_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    f_observed_var_bps_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("observed_var_bps", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_observed_var_bps_e18, pos = read_decimal(data, pos, 38, "observed_var_bps")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_observed_var_bps_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    return RiskChecks(
        f_var_limit_bps_e18,
        f_observed_var_bps_e18,
    ), pos

def encode_sweep_order(prefix: bytes, v: SweepOrder) -> bytes:
    s1 = v.order_id.encode()
    n1 = len(s1)
    s2 = v.display_ref.encode()
    n2 = len(s2)
    s3 = v.source_account.encode()
    n3 = len(s3)
    s4 = v.account_id.encode()
    n4 = len(s4)
    o7 = v.instrument
    if o7 is None:
        p7 = b"\0"
    else:
        s7 = o7.encode()
        n7 = len(s7)
        p7 = b"\2" + (LEN[n7] if n7 < 64 else long(n7)) + s7
    d8 = v.amount_usd_e4
    n8 = (d8.bit_length() + 8) >> 3
    if n8 > 8:
        bound(d8, 20, "amount_usd")
    return b"".join(
        (
            prefix,
            remembered_meta(v.meta),
            (LEN[n1] if n1 < 64 else long(n1)),
            s1,
            (LEN[n2] if n2 < 64 else long(n2)),
            s2,
            (LEN[n3] if n3 < 64 else long(n3)),
            s3,
            (LEN[n4] if n4 < 64 else long(n4)),
            s4,
            _SWEEP_DIRECTION_BYTE[v.direction],
            _SWEEP_PRODUCT_BYTE[v.target_product],
            p7,
            LEN[n8],
            d8.to_bytes(n8, "big", signed=True),
            long(v.cutoff_utc_ms),
            integer(v.value_date),
            encode_risk_checks(b"", v.risk_checks),
            long(v.created_ts_ms),
            _EXECUTED_BY_BYTE[v.executed_by],
            strings(v.approvals),
            string_map(v.compliance_tags),
        )
    )

def decode_sweep_order(data: bytes, pos: int) -> SweepOrder:
    f_meta, pos = read_meta(data, pos)
    n = data[pos]
    if n & 129:
        f_order_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_order_id = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_display_ref, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_display_ref = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_source_account, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_source_account = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_account_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_account_id = data[pos:end].decode()
        pos = end
    symbol = _SWEEP_DIRECTION_OF.get(data[pos])
    if symbol is None:
        f_direction, pos = read_symbol(data, pos, _SWEEP_DIRECTION, "direction")
    else:
        f_direction = symbol
        pos += 1
    symbol = _SWEEP_PRODUCT_OF.get(data[pos])
    if symbol is None:
        f_target_product, pos = read_symbol(data, pos, _SWEEP_PRODUCT, "target_product")
    else:
        f_target_product = symbol
        pos += 1
    f_instrument: str | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("instrument", n)
        n = data[pos]
        if n & 129:
            f_instrument, pos = read_string(data, pos)
        else:
            pos += 1
            end = pos + (n >> 1)
            f_instrument = data[pos:end].decode()
            pos = end
    n = data[pos]
    if n > 16 or n & 1:
        f_amount_usd_e4, pos = read_decimal(data, pos, 20, "amount_usd")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_amount_usd_e4 = _int(data[pos:end], "big", signed=True)
        pos = end
    f_cutoff_utc_ms, pos = read_long(data, pos)
    f_value_date, pos = read_long(data, pos)
    f_risk_checks, pos = read_risk_checks(data, pos)
    f_created_ts_ms, pos = read_long(data, pos)
    symbol = _EXECUTED_BY_OF.get(data[pos])
    if symbol is None:
        f_executed_by, pos = read_symbol(data, pos, _EXECUTED_BY, "executed_by")
    else:
        f_executed_by = symbol
        pos += 1
    f_approvals, pos = read_strings(data, pos)
    f_compliance_tags, pos = read_string_map(data, pos)
    if pos != len(data):
        raise length(pos, len(data))
    return SweepOrder(
        f_meta,
        f_order_id,
        f_display_ref,
        f_source_account,
        f_account_id,
        f_direction,
        f_target_product,
        f_amount_usd_e4,
        f_cutoff_utc_ms,
        f_value_date,
        f_risk_checks,
        f_created_ts_ms,
        f_executed_by,
        f_approvals,
        f_compliance_tags,
        f_instrument,
    )

def encode_trade(prefix: bytes, v: Trade) -> bytes:
    s1 = v.id.encode()
    n1 = len(s1)
    s2 = v.account_id.encode()
    n2 = len(s2)
    s3 = v.symbol.encode()
    n3 = len(s3)
    d5 = v.entry_price_e18
    n5 = (d5.bit_length() + 8) >> 3
    if n5 > 15:
        bound(d5, 38, "entry_price")
    o6 = v.exit_price_e18
    if o6 is None:
        p6 = b"\0"
    else:
        d6 = o6
        n6 = (d6.bit_length() + 8) >> 3
        if n6 > 15:
            bound(d6, 38, "exit_price")
        p6 = b"\2" + LEN[n6] + d6.to_bytes(n6, "big", signed=True)
    d7 = v.quantity_e18
    n7 = (d7.bit_length() + 8) >> 3
    if n7 > 15:
        bound(d7, 38, "quantity")
    o9 = v.exit_time_ms
    if o9 is None:
        p9 = b"\0"
    else:
        p9 = b"\2" + long(o9)
    d10 = v.fee_paid_e18
    n10 = (d10.bit_length() + 8) >> 3
    if n10 > 15:
        bound(d10, 38, "fee_paid")
    d11 = v.funding_paid_e18
    n11 = (d11.bit_length() + 8) >> 3
    if n11 > 15:
        bound(d11, 38, "funding_paid")
    d12 = v.realized_pnl_e18
    n12 = (d12.bit_length() + 8) >> 3
    if n12 > 15:
        bound(d12, 38, "realized_pnl")
    s14 = v.cause.encode()
    n14 = len(s14)
    o16 = v.category
    if o16 is None:
        p16 = b"\0"
    else:
        p16 = b"\2" + _CATEGORY_BYTE[o16]
    o17 = v.ccy
    if o17 is None:
        p17 = b"\0"
    else:
        s17 = o17.encode()
        n17 = len(s17)
        p17 = b"\2" + (LEN[n17] if n17 < 64 else long(n17)) + s17
    return b"".join(
        (
            prefix,
            remembered_meta(v.meta),
            (LEN[n1] if n1 < 64 else long(n1)),
            s1,
            (LEN[n2] if n2 < 64 else long(n2)),
            s2,
            (LEN[n3] if n3 < 64 else long(n3)),
            s3,
            _SIDE_BYTE[v.side],
            LEN[n5],
            d5.to_bytes(n5, "big", signed=True),
            p6,
            LEN[n7],
            d7.to_bytes(n7, "big", signed=True),
            long(v.entry_time_ms),
            p9,
            LEN[n10],
            d10.to_bytes(n10, "big", signed=True),
            LEN[n11],
            d11.to_bytes(n11, "big", signed=True),
            LEN[n12],
            d12.to_bytes(n12, "big", signed=True),
            _TRADE_STATUS_BYTE[v.status],
            (LEN[n14] if n14 < 64 else long(n14)),
            s14,
            integer(v.revision),
            p16,
            p17,
        )
    )

def decode_trade(data: bytes, pos: int) -> Trade:
    f_meta, pos = read_meta(data, pos)
    n = data[pos]
    if n & 129:
        f_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_id = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_account_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_account_id = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_symbol, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_symbol = data[pos:end].decode()
        pos = end
    symbol = _SIDE_OF.get(data[pos])
    if symbol is None:
        f_side, pos = read_symbol(data, pos, _SIDE, "side")
    else:
        f_side = symbol
        pos += 1
    n = data[pos]
    if n > 30 or n & 1:
        f_entry_price_e18, pos = read_decimal(data, pos, 38, "entry_price")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_entry_price_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    f_exit_price_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("exit_price", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_exit_price_e18, pos = read_decimal(data, pos, 38, "exit_price")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_exit_price_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_quantity_e18, pos = read_decimal(data, pos, 38, "quantity")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_quantity_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    f_entry_time_ms, pos = read_long(data, pos)
    f_exit_time_ms: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("exit_time", n)
        f_exit_time_ms, pos = read_long(data, pos)
    n = data[pos]
    if n > 30 or n & 1:
        f_fee_paid_e18, pos = read_decimal(data, pos, 38, "fee_paid")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_fee_paid_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_funding_paid_e18, pos = read_decimal(data, pos, 38, "funding_paid")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_funding_paid_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 30 or n & 1:
        f_realized_pnl_e18, pos = read_decimal(data, pos, 38, "realized_pnl")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_realized_pnl_e18 = _int(data[pos:end], "big", signed=True)
        pos = end
    symbol = _TRADE_STATUS_OF.get(data[pos])
    if symbol is None:
        f_status, pos = read_symbol(data, pos, _TRADE_STATUS, "status")
    else:
        f_status = symbol
        pos += 1
    n = data[pos]
    if n & 129:
        f_cause, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_cause = data[pos:end].decode()
        pos = end
    f_revision, pos = read_long(data, pos)
    f_category: str | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("category", n)
        symbol = _CATEGORY_OF.get(data[pos])
        if symbol is None:
            f_category, pos = read_symbol(data, pos, _CATEGORY, "category")
        else:
            f_category = symbol
            pos += 1
    f_ccy: str | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("ccy", n)
        n = data[pos]
        if n & 129:
            f_ccy, pos = read_string(data, pos)
        else:
            pos += 1
            end = pos + (n >> 1)
            f_ccy = data[pos:end].decode()
            pos = end
    if pos != len(data):
        raise length(pos, len(data))
    return Trade(
        f_meta,
        f_id,
        f_account_id,
        f_symbol,
        f_side,
        f_entry_price_e18,
        f_quantity_e18,
        f_entry_time_ms,
        f_fee_paid_e18,
        f_funding_paid_e18,
        f_realized_pnl_e18,
        f_status,
        f_cause,
        f_revision,
        f_exit_price_e18,
        f_exit_time_ms,
        f_category,
        f_ccy,
    )

def encode_treasury_action(prefix: bytes, v: TreasuryAction) -> bytes:
    s1 = v.decision_id.encode()
    n1 = len(s1)
    s2 = v.account_id.encode()
    n2 = len(s2)
    s5 = v.ccy.encode()
    n5 = len(s5)
    o7 = v.loan_state_after
    if o7 is None:
        p7 = b"\0"
    else:
        p7 = b"\2" + encode_loan_state(b"", o7)
    return b"".join(
        (
            prefix,
            remembered_meta(v.meta),
            (LEN[n1] if n1 < 64 else long(n1)),
            s1,
            (LEN[n2] if n2 < 64 else long(n2)),
            s2,
            _ALLOCATION_ACTION_BYTE[v.action_type],
            decimal_map(v.amounts_e18, 38, "amounts"),
            (LEN[n5] if n5 < 64 else long(n5)),
            s5,
            encode_loan_state(b"", v.loan_state_before),
            p7,
            strings(v.transaction_ids),
            _ACTION_RESULT_BYTE[v.result],
            long(v.timestamp_ms),
        )
    )

def decode_treasury_action(data: bytes, pos: int) -> TreasuryAction:
    f_meta, pos = read_meta(data, pos)
    n = data[pos]
    if n & 129:
        f_decision_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_decision_id = data[pos:end].decode()
        pos = end
    n = data[pos]
    if n & 129:
        f_account_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_account_id = data[pos:end].decode()
        pos = end
    symbol = _ALLOCATION_ACTION_OF.get(data[pos])
    if symbol is None:
        f_action_type, pos = read_symbol(data, pos, _ALLOCATION_ACTION, "action_type")
    else:
        f_action_type = symbol
        pos += 1
    f_amounts_e18, pos = read_decimal_map(data, pos, 38, "amounts")
    n = data[pos]
    if n & 129:
        f_ccy, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_ccy = data[pos:end].decode()
        pos = end
    f_loan_state_before, pos = read_loan_state(data, pos)
    f_loan_state_after: LoanState | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("loan_state_after", n)
        f_loan_state_after, pos = read_loan_state(data, pos)
    f_transaction_ids, pos = read_strings(data, pos)
    symbol = _ACTION_RESULT_OF.get(data[pos])
    if symbol is None:
        f_result, pos = read_symbol(data, pos, _ACTION_RESULT, "result")
    else:
        f_result = symbol
        pos += 1
    f_timestamp_ms, pos = read_long(data, pos)
    if pos != len(data):
        raise length(pos, len(data))
    return TreasuryAction(
        f_meta,
        f_decision_id,
        f_account_id,
        f_action_type,
        f_amounts_e18,
        f_ccy,
        f_loan_state_before,
        f_transaction_ids,
        f_result,
        f_timestamp_ms,
        f_loan_state_after,
    )

def encode_var(prefix: bytes, v: Var) -> bytes:
    s1 = v.account_id.encode()
    n1 = len(s1)
    d4 = v.var_usd_e4
    n4 = (d4.bit_length() + 8) >> 3
    if n4 > 8:
        bound(d4, 20, "var_usd")
    d5 = v.es_usd_e4
    n5 = (d5.bit_length() + 8) >> 3
    if n5 > 8:
        bound(d5, 20, "es_usd")
    o6 = v.base_usd_e4
    if o6 is None:
        p6 = b"\0"
    else:
        d6 = o6
        n6 = (d6.bit_length() + 8) >> 3
        if n6 > 8:
            bound(d6, 20, "base_usd")
        p6 = b"\2" + LEN[n6] + d6.to_bytes(n6, "big", signed=True)
    o7 = v.var_bps_e18
    if o7 is None:
        p7 = b"\0"
    else:
        d7 = o7
        n7 = (d7.bit_length() + 8) >> 3
        if n7 > 15:
            bound(d7, 38, "var_bps")
        p7 = b"\2" + LEN[n7] + d7.to_bytes(n7, "big", signed=True)
    o8 = v.band_low_e4
    if o8 is None:
        p8 = b"\0"
    else:
        d8 = o8
        n8 = (d8.bit_length() + 8) >> 3
        if n8 > 8:
            bound(d8, 20, "band_low")
        p8 = b"\2" + LEN[n8] + d8.to_bytes(n8, "big", signed=True)
    o9 = v.band_high_e4
    if o9 is None:
        p9 = b"\0"
    else:
        d9 = o9
        n9 = (d9.bit_length() + 8) >> 3
        if n9 > 8:
            bound(d9, 20, "band_high")
        p9 = b"\2" + LEN[n9] + d9.to_bytes(n9, "big", signed=True)
    s10 = v.method.encode()
    n10 = len(s10)
    o12 = v.last_day
    if o12 is None:
        p12 = b"\0"
    else:
        p12 = b"\2" + integer(o12)
    o13 = v.last_net_usd_e4
    if o13 is None:
        p13 = b"\0"
    else:
        d13 = o13
        n13 = (d13.bit_length() + 8) >> 3
        if n13 > 8:
            bound(d13, 20, "last_net_usd")
        p13 = b"\2" + LEN[n13] + d13.to_bytes(n13, "big", signed=True)
    return b"".join(
        (
            prefix,
            remembered_meta(v.meta),
            (LEN[n1] if n1 < 64 else long(n1)),
            s1,
            integer(v.n),
            _VAR_STATUS_BYTE[v.status],
            LEN[n4],
            d4.to_bytes(n4, "big", signed=True),
            LEN[n5],
            d5.to_bytes(n5, "big", signed=True),
            p6,
            p7,
            p8,
            p9,
            (LEN[n10] if n10 < 64 else long(n10)),
            s10,
            long(v.as_of_ms),
            p12,
            p13,
        )
    )

def decode_var(data: bytes, pos: int) -> Var:
    f_meta, pos = read_meta(data, pos)
    n = data[pos]
    if n & 129:
        f_account_id, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_account_id = data[pos:end].decode()
        pos = end
    f_n, pos = read_long(data, pos)
    symbol = _VAR_STATUS_OF.get(data[pos])
    if symbol is None:
        f_status, pos = read_symbol(data, pos, _VAR_STATUS, "status")
    else:
        f_status = symbol
        pos += 1
    n = data[pos]
    if n > 16 or n & 1:
        f_var_usd_e4, pos = read_decimal(data, pos, 20, "var_usd")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_var_usd_e4 = _int(data[pos:end], "big", signed=True)
        pos = end
    n = data[pos]
    if n > 16 or n & 1:
        f_es_usd_e4, pos = read_decimal(data, pos, 20, "es_usd")
    else:
        pos += 1
        end = pos + (n >> 1)
        f_es_usd_e4 = _int(data[pos:end], "big", signed=True)
        pos = end
    f_base_usd_e4: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("base_usd", n)
        n = data[pos]
        if n > 16 or n & 1:
            f_base_usd_e4, pos = read_decimal(data, pos, 20, "base_usd")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_base_usd_e4 = _int(data[pos:end], "big", signed=True)
            pos = end
    f_var_bps_e18: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("var_bps", n)
        n = data[pos]
        if n > 30 or n & 1:
            f_var_bps_e18, pos = read_decimal(data, pos, 38, "var_bps")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_var_bps_e18 = _int(data[pos:end], "big", signed=True)
            pos = end
    f_band_low_e4: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("band_low", n)
        n = data[pos]
        if n > 16 or n & 1:
            f_band_low_e4, pos = read_decimal(data, pos, 20, "band_low")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_band_low_e4 = _int(data[pos:end], "big", signed=True)
            pos = end
    f_band_high_e4: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("band_high", n)
        n = data[pos]
        if n > 16 or n & 1:
            f_band_high_e4, pos = read_decimal(data, pos, 20, "band_high")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_band_high_e4 = _int(data[pos:end], "big", signed=True)
            pos = end
    n = data[pos]
    if n & 129:
        f_method, pos = read_string(data, pos)
    else:
        pos += 1
        end = pos + (n >> 1)
        f_method = data[pos:end].decode()
        pos = end
    f_as_of_ms, pos = read_long(data, pos)
    f_last_day: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("last_day", n)
        f_last_day, pos = read_long(data, pos)
    f_last_net_usd_e4: int | None = None
    n = data[pos]
    pos += 1
    if n:
        if n != 2:
            raise branch("last_net_usd", n)
        n = data[pos]
        if n > 16 or n & 1:
            f_last_net_usd_e4, pos = read_decimal(data, pos, 20, "last_net_usd")
        else:
            pos += 1
            end = pos + (n >> 1)
            f_last_net_usd_e4 = _int(data[pos:end], "big", signed=True)
            pos = end
    if pos != len(data):
        raise length(pos, len(data))
    return Var(
        f_meta,
        f_account_id,
        f_n,
        f_status,
        f_var_usd_e4,
        f_es_usd_e4,
        f_method,
        f_as_of_ms,
        f_base_usd_e4,
        f_var_bps_e18,
        f_band_low_e4,
        f_band_high_e4,
        f_last_day,
        f_last_net_usd_e4,
    )

RECORDS: dict[str, type] = {
    "WalletBalance": WalletBalance,
    "SnapshotPosition": SnapshotPosition,
    "OpenOrder": OpenOrder,
    "AccountSnapshot": AccountSnapshot,
    "Alert": Alert,
    "Counterfactual": Counterfactual,
    "Source": Source,
    "Meta": Meta,
    "AllocationDecision": AllocationDecision,
    "Approval": Approval,
    "AttemptRecord": AttemptRecord,
    "AuditRecord": AuditRecord,
    "BankBalance": BankBalance,
    "BankEntry": BankEntry,
    "BalanceEvent": BalanceEvent,
    "Correction": Correction,
    "Freeze": Freeze,
    "Yield": Yield,
    "BreakAccept": BreakAccept,
    "ControlCopy": ControlCopy,
    "IntentOutcome": IntentOutcome,
    "PolicyCopy": PolicyCopy,
    "Request": Request,
    "BookInput": BookInput,
    "ScheduledFlow": ScheduledFlow,
    "Calendar": Calendar,
    "CashInput": CashInput,
    "CashPosition": CashPosition,
    "ChainHead": ChainHead,
    "Checkpoint": Checkpoint,
    "Control": Control,
    "Decision": Decision,
    "UsdRate": UsdRate,
    "Withdrawal": Withdrawal,
    "DeskInput": DeskInput,
    "Forecast": Forecast,
    "HedgeExecution": HedgeExecution,
    "Intent": Intent,
    "Leg": Leg,
    "IntentState": IntentState,
    "Revoke": Revoke,
    "IntentInput": IntentInput,
    "Debt": Debt,
    "Collateral": Collateral,
    "LoanState": LoanState,
    "LotEvent": LotEvent,
    "Run": Run,
    "MergeRun": MergeRun,
    "PnLRecord": PnLRecord,
    "PolicyUpdate": PolicyUpdate,
    "Position": Position,
    "Proposal": Proposal,
    "RiskEvent": RiskEvent,
    "RiskChecks": RiskChecks,
    "SweepOrder": SweepOrder,
    "Trade": Trade,
    "TreasuryAction": TreasuryAction,
    "Var": Var,
}

ENCODERS: dict[type, Callable[[bytes, Any], bytes]] = {
    HedgeExecution: encode_hedge_execution,
    LoanState: encode_loan_state,
    AccountSnapshot: encode_account_snapshot,
    BookInput: encode_book_input,
    PnLRecord: encode_pnl_record,
    Position: encode_position,
    Trade: encode_trade,
    RiskEvent: encode_risk_event,
    LotEvent: encode_lot_event,
    AllocationDecision: encode_allocation_decision,
    TreasuryAction: encode_treasury_action,
    BalanceEvent: encode_balance_event,
    CashInput: encode_cash_input,
    CashPosition: encode_cash_position,
    Forecast: encode_forecast,
    Var: encode_var,
    SweepOrder: encode_sweep_order,
    PolicyUpdate: encode_policy_update,
    Control: encode_control,
    Proposal: encode_proposal,
    Approval: encode_approval,
    DeskInput: encode_desk_input,
    Intent: encode_intent,
    IntentInput: encode_intent_input,
    AttemptRecord: encode_attempt_record,
    IntentState: encode_intent_state,
    Decision: encode_decision,
    AuditRecord: encode_audit_record,
    Checkpoint: encode_checkpoint,
    MergeRun: encode_merge_run,
    Alert: encode_alert,
}

DECODERS: dict[type, Callable[[bytes, int], Any]] = {
    HedgeExecution: decode_hedge_execution,
    LoanState: decode_loan_state,
    AccountSnapshot: decode_account_snapshot,
    BookInput: decode_book_input,
    PnLRecord: decode_pnl_record,
    Position: decode_position,
    Trade: decode_trade,
    RiskEvent: decode_risk_event,
    LotEvent: decode_lot_event,
    AllocationDecision: decode_allocation_decision,
    TreasuryAction: decode_treasury_action,
    BalanceEvent: decode_balance_event,
    CashInput: decode_cash_input,
    CashPosition: decode_cash_position,
    Forecast: decode_forecast,
    Var: decode_var,
    SweepOrder: decode_sweep_order,
    PolicyUpdate: decode_policy_update,
    Control: decode_control,
    Proposal: decode_proposal,
    Approval: decode_approval,
    DeskInput: decode_desk_input,
    Intent: decode_intent,
    IntentInput: decode_intent_input,
    AttemptRecord: decode_attempt_record,
    IntentState: decode_intent_state,
    Decision: decode_decision,
    AuditRecord: decode_audit_record,
    Checkpoint: decode_checkpoint,
    MergeRun: decode_merge_run,
    Alert: decode_alert,
}
