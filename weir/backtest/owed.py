"""What is owed and what is pledged in one coin of a modelled loan. Integers of 10^-18.

A debt is principal, which bears interest, and interest, which is paid first.
"""

from __future__ import annotations

from dataclasses import dataclass

from schemas.money import E18, mul_div_e18, mul_e18


@dataclass
class Owed:
    """What is owed in one coin; `usd_of` is a pair (dollars, units) that prices it."""

    principal_e18: int = 0
    interest_e18: int = 0
    rate_e18: int = 0
    usd_of: tuple[int, int] = (E18, E18)

    @property
    def total_e18(self) -> int:
        return self.principal_e18 + self.interest_e18

    @property
    def usd_e18(self) -> int:
        return mul_div_e18(self.total_e18, *self.usd_of)

    def accrue(self, hours: int) -> int:
        """The interest of so many full hours."""
        cost = hours * mul_e18(self.principal_e18, self.rate_e18)
        self.interest_e18 += cost
        return cost

    def pay(self, amount_e18: int) -> None:
        """Pays interest first."""
        interest = min(amount_e18, self.interest_e18)
        self.interest_e18 -= interest
        self.principal_e18 -= amount_e18 - interest

    def move(self, principal_e18: int, interest_e18: int) -> int:
        """Both parts by so much; what is owed more by that, or less. What one part loses and the
        other gains is as much owed as before; a loss is paid, as far as there is something to pay.
        """
        more = principal_e18 + interest_e18
        if interest_e18 < 0 < principal_e18:
            turned = min(principal_e18, -interest_e18, self.interest_e18)
            self.interest_e18, self.principal_e18 = (
                self.interest_e18 - turned,
                self.principal_e18 + turned,
            )
        if more < 0:
            more = -min(-more, self.total_e18)
            self.pay(-more)
        elif principal_e18 > 0:
            self.principal_e18 += min(more, principal_e18)
            self.interest_e18 += more - min(more, principal_e18)
        else:
            self.interest_e18 += more
        return more


@dataclass
class Pledge:
    """What is pledged in one coin; `usd_of` prices it after its haircut."""

    amount_e18: int = 0
    usd_of: tuple[int, int] = (E18, E18)
    ratio_e18: int | None = None

    @property
    def usd_e18(self) -> int:
        return mul_div_e18(self.amount_e18, *self.usd_of)


@dataclass
class Sums:
    """What moved the debt of a coin since they were last begun."""

    start_e18: int = 0
    interest_e18: int = 0
    repaid_e18: int = 0
    flows_e18: int = 0
