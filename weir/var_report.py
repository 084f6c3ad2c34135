"""`weir report var`: value at risk held against what the days then brought, and what they would
bring again.

Each business day is tested by the value at risk that was said last before its flow was known. Of n
tested days x were worse; Kupiec's proportion-of-failures test asks whether x fits the quantile:

    LR = -2 ln[ (1-q)^x q^(n-x) / ( (x/n)^x (1-x/n)^(n-x) ) ],   0^0 = 1

rejected at 5 % above the 95 % point of chi-squared with one degree of freedom. (P. Kupiec,
Techniques for Verifying the Accuracy of Risk Measurement Models, 1995.) Values said of too few
observations are shown and not tested; a day that was stated late, behind a newer one, is not there.

Stress repeats the worst runs of days that were seen, against what is available now.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal, localcontext
from itertools import pairwise
from typing import Any, NamedTuple, TextIO

from schemas.money import text_e18
from schemas.policy import parse
from streams.var import OK

VARS, FORECASTS = "treasury.var.v1", "treasury.forecasts.v1"
CHI2_95 = Decimal("3.841458820694124")
RUNS = (1, 5, 10)
"""Business days in a row that stress repeats."""

Line = dict[str, Any]


class Day(NamedTuple):
    """One business day of an account: what was said before it, in US dollars, and its loss."""

    account: str
    day: str
    loss_usd: Decimal
    var_usd: Decimal
    es_usd: Decimal
    band_low_usd: str
    band_high_usd: str
    n: int
    status: str
    policy: str

    @property
    def exceeded(self) -> bool:
        """Whether the day was worse than value at risk."""
        return self.loss_usd > self.var_usd


def days(lines: Iterable[Line], account: str | None = None) -> dict[str, list[Day]]:
    """The days of each account, oldest first, from the lines of the topic in their order."""
    last: dict[str, dict[str, Line]] = {}
    for line in lines:
        value = line["value"]
        if value["last_day"] is not None and account in (None, value["account_id"]):
            last.setdefault(value["account_id"], {})[value["last_day"]] = value
    found: dict[str, list[Day]] = {}
    for name, said in sorted(last.items()):
        ordered = [said[day] for day in sorted(said)]
        found[name] = [_day(before, now) for before, now in pairwise(ordered)]
    return found


def _day(before: Line, now: Line) -> Day:
    return Day(
        account=now["account_id"],
        day=now["last_day"],
        loss_usd=-Decimal(now["last_net_usd"]),
        var_usd=Decimal(before["var_usd"]),
        es_usd=Decimal(before["es_usd"]),
        band_low_usd=before["band_low"] or "",
        band_high_usd=before["band_high"] or "",
        n=before["n"],
        status=before["status"],
        policy=before["meta"]["policy"],
    )


def quantiles(lines: Iterable[Line]) -> dict[str, Decimal]:
    """The quantile each policy version asks for, from the lines of the policies' topic."""
    found: dict[str, Decimal] = {}
    for line in lines:
        value = line["value"]
        try:
            rule = parse(value["body"]).var
        except ValueError:
            continue  # never came into force
        found[f"{value['name']}@{value['version']}"] = Decimal(text_e18(rule.quantile_e18))
    return found


class Kupiec(NamedTuple):
    """Kupiec's test of n days of which `worse` exceeded their value at risk."""

    n: int
    worse: int
    expected: Decimal
    ratio: Decimal
    p_value: float

    @property
    def rejected(self) -> bool:
        """Whether so many, or so few, would come by chance in less than 5 % of cases."""
        return self.ratio > CHI2_95


def kupiec(n: int, worse: int, quantile: Decimal) -> Kupiec:
    """The test; n at least 1, the quantile between 0 and 1."""
    with localcontext(prec=40):
        share, rare = Decimal(worse) / n, 1 - quantile
        fits = _log(worse, rare) + _log(n - worse, quantile)
        best = _log(worse, share) + _log(n - worse, 1 - share)
        ratio = max(Decimal(0), 2 * (best - fits))
    return Kupiec(n, worse, n * rare, ratio, math.erfc(math.sqrt(ratio / 2)))


def _log(count: int, chance: Decimal) -> Decimal:
    """ln of chance^count, where 0^0 is 1."""
    return count * chance.ln() if count else Decimal(0)


def worst_run(losses: Sequence[Decimal], length: int) -> Decimal | None:
    """The worst sum of so many days in a row, at least 0; None when there are fewer."""
    if len(losses) < length:
        return None
    sums = (sum(losses[at : at + length], Decimal(0)) for at in range(len(losses) - length + 1))
    return max(Decimal(0), *sums)


def tested(found: Sequence[Day], known: dict[str, Decimal]) -> Iterator[str]:
    """What is to be said of an account's days: a line for each quantile that was in force."""
    for quantile in sorted(set(known.values())):
        of_it = [one for one in found if known.get(one.policy) == quantile]
        firm = [one for one in of_it if one.status == OK]
        few = len(of_it) - len(firm)
        if firm:
            test = kupiec(len(firm), sum(one.exceeded for one in firm), quantile)
            verdict = "rejected" if test.rejected else "not rejected"
            yield (
                f"{test.n} days tested at {quantile}: {test.worse} worse than value at risk, "
                f"{test.expected.normalize():f} expected; Kupiec LR {test.ratio:.3f}, "
                f"p {test.p_value:.3f}: {verdict} at 5 %"
            )
        if few:
            yield f"{few} days at {quantile} not tested: said of too few observations"
    unknown = sum(one.policy not in known for one in found)
    if unknown:
        yield f"{unknown} days not tested: their policy is not on the topic"


def stressed(found: Sequence[Day], base_usd: str | None) -> Iterator[str]:
    """What the worst runs of days would cost, and leave of what is available now."""
    losses = [one.loss_usd for one in found]
    for length in RUNS:
        worst = worst_run(losses, length)
        if worst is None:
            return
        left = "" if base_usd is None else f", leaves {Decimal(base_usd) - worst:f} USD"
        yield f"the worst {length} of {len(losses)} days again: {worst:f} USD{left}"


def covered(lines: Iterable[Line], account: str | None = None) -> dict[str, str]:
    """How often what went out was within the forecast's P95, by account."""
    last = {
        (line["value"]["account_id"], line["value"]["for_date"]): line["value"]
        for line in lines
        if line["value"]["actual"] is not None and account in (None, line["value"]["account_id"])
    }
    told: dict[str, list[bool]] = {}
    for (name, _), value in last.items():
        told.setdefault(name, []).append(Decimal(value["actual"]) <= Decimal(value["p95"]))
    return {
        name: f"{sum(hits)} of {len(hits)} forecast outflows were within P95"
        for name, hits in told.items()
    }


def write(found: dict[str, list[Day]], out: TextIO) -> None:
    """All days as CSV with a heading."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow((*Day._fields, "exceeded"))
    for of_account in found.values():
        writer.writerows((*one, str(one.exceeded).lower()) for one in of_account)
