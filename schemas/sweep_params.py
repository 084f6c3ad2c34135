"""What a sweep carries besides its amount: the `params` of its proposal and of its intent.

Cash writes them, the gate makes the SweepOrder from them, the bank's connector the payment. All are
text, so that they stand in the intent's canonical body and an approval fixes every one. Decimals
are plain, dates ISO-8601, instants ISO-8601 in UTC with milliseconds; what does not apply is left
out.

    OUT   source_account pays counterparty; the proposal's beneficiary is the counterparty
    BACK  counterparty pays source_account; the proposal's beneficiary is the own account
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from schemas.jsonform import iso, iso_date, parse_date, parse_time
from schemas.money import parse_e18, text_e18


class SweepParams(msgspec.Struct, frozen=True):
    """The parameters of one order. Basis points and rates are 10^-18, days counted from 1970."""

    direction: str
    """OUT or BACK."""
    target_product: str
    value_day: int
    cutoff_ms: int
    """The cut-off; the deadline of the intent is `lead_s` earlier."""
    source_account: str
    """Our account's bare number."""
    counterparty: str
    """bank/number, the bank by its nine digits or its BIC."""
    counterparty_name: str
    var_limit_bps_e18: int
    observed_var_bps_e18: int | None
    window: str
    """When the product trades, New York: 12:45-13:15."""
    instrument: str | None = None
    matures_day: int | None = None
    """The day it comes back by itself; None: it is brought back."""
    discount_rate_e18: int | None = None
    """Of a bill: the amount buys its face at this rate; None: the amount is the face."""

    def text(self) -> dict[str, str]:
        """As they stand in a proposal."""
        said = {
            "direction": self.direction,
            "target_product": self.target_product,
            "value_date": str(iso_date(self.value_day)),
            "cutoff_utc": str(iso(self.cutoff_ms)),
            "source_account": self.source_account,
            "counterparty": self.counterparty,
            "counterparty_name": self.counterparty_name,
            "var_limit_bps": text_e18(self.var_limit_bps_e18),
            "window": self.window,
        }
        if self.observed_var_bps_e18 is not None:
            said["observed_var_bps"] = text_e18(self.observed_var_bps_e18)
        if self.instrument is not None:
            said["instrument"] = self.instrument
        if self.matures_day is not None:
            said["matures_on"] = str(iso_date(self.matures_day))
        if self.discount_rate_e18 is not None:
            said["discount_rate"] = text_e18(self.discount_rate_e18)
        return said

    @classmethod
    def of(cls, said: Mapping[str, str]) -> SweepParams:
        """From a proposal. ValueError or KeyError names what is missing or no such value."""
        return cls(
            direction=said["direction"],
            target_product=said["target_product"],
            value_day=parse_date(said["value_date"], "value_date"),
            cutoff_ms=parse_time(said["cutoff_utc"], "cutoff_utc"),
            source_account=said["source_account"],
            counterparty=said["counterparty"],
            counterparty_name=said["counterparty_name"],
            var_limit_bps_e18=parse_e18(said["var_limit_bps"]),
            observed_var_bps_e18=_maybe(said, "observed_var_bps"),
            window=said["window"],
            instrument=said.get("instrument"),
            matures_day=parse_date(said["matures_on"]) if "matures_on" in said else None,
            discount_rate_e18=_maybe(said, "discount_rate"),
        )


def _maybe(said: Mapping[str, str], name: str) -> int | None:
    return parse_e18(said[name]) if name in said else None
