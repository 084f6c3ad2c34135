"""What may leave: the checks a proposal passes, in the order in which a refusal is told.

Limits are US dollars times 10^18 at the dated rate, amounts 10^-18 of their coin. A dollar value is
rounded up and a clipped amount down, so the sum of all holds can never exceed a limit by one unit.
A check may lower what is granted where the class says `clip`; none ever raises it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from schemas.money import E18, floor_to, parse_e18
from schemas.outcome import Outcome
from schemas.policy import Policy
from schemas.policy_gate import Limit, Screening
from schemas.records import Proposal
from streams import sweep_order
from tables.gate import Rate, Used

CLASS_OF = {
    "REPAY": "loan",
    "ADD_COLLATERAL": "loan",
    "TRANSFER": "transfer",
    "SWEEP": "sweep",
    "REVERSE_SWEEP": "sweep",
    "REDUCE_POSITION": "deleverage",
    "SET_LEVERAGE": "control",
    "CANCEL_ORDER": "control",
}
"""The kinds the gate admits, and the class whose limits each counts against; control has none."""

WHILE_REDUCING = frozenset({"REPAY", "ADD_COLLATERAL", "REVERSE_SWEEP", "REDUCE_POSITION"})
TO_US = frozenset({"REVERSE_SWEEP"})
"""The kinds that bring money back to our own account. The daily limit bounds what goes out: it does
not hold them up, and they use nothing of it. What can come back is bounded by what went out.
"""
CHECKED = frozenset({"SET_LEVERAGE"})
"""The kinds that can add risk and carry the id of the check they passed. A reduce-only order always
passes that check, and ending an order takes risk away: they need none.
"""

AHEAD_MAX_MS = 60_000
"""How far an event may lie ahead of the node's time: another day's limit is not used today."""

PEGGED = frozenset({"USDT", "USDC"})
DOLLAR = Rate(E18, 0)


class Ask(msgspec.Struct):
    """One proposal on its way through the checks; `granted_e18` is what is left of it so far."""

    proposal: Proposal
    policy: Policy
    mode: str
    at_ms: int
    event_ms: int
    rate: Rate | None
    used: Used
    granted_e18: int
    day_is_full: bool = False
    awaits: bool = False

    def usd_e18(self) -> int:
        """What is granted so far in dollars, rounded up."""
        return usd_e18(self.granted_e18, self.rate_e18)

    def clip_to_usd(self, limit_usd_e18: int) -> None:
        """Lowers the grant to what a dollar limit buys, rounded down."""
        self.granted_e18 = limit_usd_e18 * E18 // self.rate_e18

    @property
    def rate_e18(self) -> int:
        """Dollars for one unit; 0 while none is known."""
        return self.rate.rate_e18 if self.rate is not None else 0


Check = Callable[[Ask], Outcome | None]


def usd_e18(amount_e18: int, rate_e18: int) -> int:
    """An amount in dollars, rounded up to the last place."""
    return -(-amount_e18 * rate_e18 // E18)


def counts(kind: str) -> bool:
    """Whether a kind of operation uses the daily limit of its class."""
    return kind not in TO_US


def lets(mode: str, kind: str) -> bool:
    """Whether a mode lets a kind of operation out: under REDUCING only what lowers risk."""
    return mode == "ACTIVE" or (mode == "REDUCING" and kind in WHILE_REDUCING)


def refusal(ask: Ask) -> Outcome | None:
    """The first check that does not let the proposal pass; None when it is granted."""
    for check in CONTROL_CHECKS if ask.proposal.class_ == "control" else CHECKS:
        outcome = check(ask)
        if outcome is not None:
            return outcome
    return None


def paused(ask: Ask) -> Outcome | None:
    """Nothing goes out under PAUSED; under REDUCING only what lowers risk."""
    return None if lets(ask.mode, ask.proposal.kind) else Outcome.paused


def class_disabled(ask: Ask) -> Outcome | None:
    """A kind that nothing carries out yet."""
    return None if ask.proposal.kind in CLASS_OF else Outcome.class_disabled


def stale_input(ask: Ask) -> Outcome | None:
    """The proposer says until when what it knew is good enough; nothing is known of the future."""
    ahead = ask.event_ms - ask.at_ms > AHEAD_MAX_MS
    return Outcome.stale_input if ahead or ask.at_ms > ask.proposal.valid_until_ms else None


def no_check(ask: Ask) -> Outcome | None:
    """What can add to the risk of open positions carries the id of the check it passed."""
    missing = ask.proposal.kind in CHECKED and not ask.proposal.check_id
    return Outcome.no_check if missing else None


SCREENS: Mapping[str, Callable[[Screening, str], bool]] = {
    "allowlist": lambda rule, beneficiary: beneficiary in rule.allow,
}
"""Whether somebody may receive money, by `screening.mode`."""


def screening(ask: Ask) -> Outcome | None:
    """Money goes to our own accounts, and to those whom the mode of screening lets pass."""
    beneficiary, policy = ask.proposal.beneficiary, ask.policy
    if beneficiary is None or policy.account(beneficiary) is not None:
        return None
    lets_pass = SCREENS[policy.screening.mode]
    return None if lets_pass(policy.screening, beneficiary) else Outcome.screening


def stale_mark(ask: Ask) -> Outcome | None:
    """The dollar rate must be known and fresh."""
    if ask.proposal.ccy == "USD":
        return None
    oldest_ms = ask.at_ms - ask.policy.guards.mark_age_max_s * 1000
    return Outcome.stale_mark if ask.rate is None or ask.rate.as_of_ms < oldest_ms else None


def peg_break(ask: Ask) -> Outcome | None:
    """A stablecoin that has left its peg is worth what no limit was meant for."""
    if ask.proposal.ccy not in PEGGED or ask.rate is None:
        return None
    deviation = abs(ask.rate.rate_e18 - E18)
    return Outcome.peg_break if deviation > ask.policy.guards.peg_max_dev_e18 else None


def past_cutoff(ask: Ask) -> Outcome | None:
    """Strictly before the deadline."""
    return Outcome.past_cutoff if ask.at_ms >= ask.proposal.deadline_ms else None


def floor(ask: Ask) -> Outcome | None:
    """Never more than the proposer's own rule lets go."""
    return Outcome.floor_breach if ask.proposal.asked_e18 > ask.proposal.room_e18 else None


def single(ask: Ask) -> Outcome | None:
    """The largest single operation of the class."""
    limit = limits(ask)
    if ask.usd_e18() <= limit.single_usd_e18:
        return None
    if limit.over != "clip":
        return Outcome.over_single_limit
    ask.clip_to_usd(limit.single_usd_e18)
    return None


def daily(ask: Ask) -> Outcome | None:
    """What the class may still use of its daily limit, open holds counted as used."""
    if not counts(ask.proposal.kind):
        return None
    limit = limits(ask)
    left = limit.daily_usd_e18 - ask.used.confirmed_usd_e18 - ask.used.held_usd_e18
    if ask.usd_e18() <= left:
        return None
    if limit.over != "clip" or left <= 0:
        return Outcome.over_daily_limit
    ask.clip_to_usd(left)
    ask.day_is_full = True
    return None


def precision(ask: Ask) -> Outcome | None:
    """Cuts the grant to the places the venue takes, and one that a limit has cut to what is sold of
    the product.
    """
    ask.granted_e18 = floor_to(ask.granted_e18, ask.proposal.precision)
    cut = ask.granted_e18 < floor_to(ask.proposal.asked_e18, ask.proposal.precision)
    if cut and ask.proposal.kind == "SWEEP":
        ask.granted_e18 = sweep_order.whole_e18(ask.proposal, ask.granted_e18)
    return None


def minimum(ask: Ask) -> Outcome | None:
    """Too small to be worth an operation; if the day's limit made it so, that is told."""
    if ask.granted_e18 > 0 and ask.usd_e18() >= limits(ask).min_usd_e18:
        return None
    return Outcome.over_daily_limit if ask.day_is_full else Outcome.below_min


def over_max_leverage(ask: Ask) -> Outcome | None:
    """No setting above the policy's maximum, whoever signs; one that cannot be read is above it."""
    if ask.proposal.kind != "SET_LEVERAGE":
        return None
    try:
        leverage_e18 = parse_e18(ask.proposal.params.get("leverage", ""))
    except ValueError:
        return Outcome.over_max_leverage
    fits = 0 < leverage_e18 <= ask.policy.risk.max_leverage_e18
    return None if fits else Outcome.over_max_leverage


def approval(ask: Ask) -> Outcome | None:
    """Marks what needs a signature: above the threshold of the class, 0 meaning always. A class
    without a threshold lowers risk and never waits.
    """
    threshold = getattr(ask.policy.approvals, f"{ask.proposal.class_}_usd_e18", None)
    ask.awaits = threshold is not None and ask.usd_e18() > threshold
    return None


CHECKS: tuple[Check, ...] = (
    paused,
    class_disabled,
    stale_input,
    no_check,
    screening,
    stale_mark,
    peg_break,
    past_cutoff,
    floor,
    single,
    daily,
    precision,
    minimum,
    approval,
)
"""A new limit is a function above and a line here."""

CONTROL_CHECKS: tuple[Check, ...] = (
    paused,
    class_disabled,
    stale_input,
    no_check,
    screening,
    past_cutoff,
    over_max_leverage,
)
"""What moves no money has no amount to be judged."""


def limits(ask: Ask) -> Limit:
    """The limits of the proposal's class."""
    found: Limit = getattr(ask.policy.limits, ask.proposal.class_)
    return found
