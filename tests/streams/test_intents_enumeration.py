"""Every way one repayment can go wrong, all of them: 0 double, 0 lost, 0 resolved without evidence.

Each run fixes the fate of every call, the event after which the worker dies, whether the same
worker comes back or another takes over while the first is still heard of, and whether the intent is
delivered twice. The venue's books are the judge. Parked is right only where the venue refuses to
take the money back.
"""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import Any

import pytest

from schemas.money import E18
from streams.effects import Call
from tests.streams.saga_world import FATES, World, intent

EVENTS_MAX = 14
FINAL_BY_EFFECTS = {
    ("transfer", "main"): "CONFIRMED",
    ("transfer", "return"): "REJECTED",
    (): "REJECTED",
}


def fates() -> list[dict[tuple[str, int], str]]:
    """The fates of transfer, main and, where money must come back, the return."""
    found = []
    for transfer, main in product(FATES, FATES):
        base = {("transfer", 1): transfer, ("main", 1): main}
        if main == "refused" and transfer != "refused":
            found += [{**base, ("return", 1): back} for back in FATES]
        else:
            found.append(base)
    return found


def live(
    fate: dict[tuple[str, int], str], crash_at: int, owner: str, handed: bool, twice: bool
) -> World:
    """One whole life. The worker dies right after its `crash_at`th committed event; `handed` says
    whether its runner had got the effects by then.
    """
    world = World(fates=fate)
    crashed = False

    def after_event() -> None:
        nonlocal crashed
        if crashed or world.folded != crash_at:
            return
        crashed = True
        late = []
        for effect in list(world.pending) if handed else []:
            record = world.carry(effect)
            if owner == "other" and isinstance(effect, Call):
                late.append(record)  # the frozen worker's answer arrives after the takeover
        world.restart(late)

    world.give(intent())
    after_event()
    if twice:
        world.give(intent())
        after_event()
    for _ in range(400):
        if world.pending:
            world.fold(world.carry(world.pending.pop(0)))
        elif not world.tick():
            break
        after_event()
    world.venue.pass_time(world.now_ms + 3_600_000)  # whatever is still on its way arrives
    return world


def verdict(world: World) -> str:
    """What the books say about the node's word."""
    moved, state = tuple(world.moved()), world.state().state
    main = moved.count("main")
    if main > 1 or moved.count("transfer") > 1 or moved.count("return") > 1:
        return "double"
    spent = (100_000 * E18 - world.venue.unified_e18, 20_000 * E18 - world.venue.debt_e18)
    if world.venue.fund_e18 != 0 and state != "PARKED":
        return "lost"
    if state == "CONFIRMED" and spent != (9_500 * E18, 9_500 * E18):
        return "guessed"
    if state == "REJECTED" and spent != (0, 0):
        return "guessed"
    if state == "PARKED":
        return "parked"
    return "ok" if FINAL_BY_EFFECTS.get(moved) == state else f"{moved} {state}"


@pytest.mark.req("000-40", "000-56", "000-63")
def test_no_crash_and_no_answer_doubles_or_loses_money(capsys: pytest.CaptureFixture[str]) -> None:
    counted: Counter[str] = Counter()
    bad: list[Any] = []
    crashes = range(EVENTS_MAX + 1)
    for case in product(fates(), crashes, ("same", "other"), (False, True), (False, True)):
        said = verdict(live(*case))
        counted[said] += 1
        back_refused = case[0].get(("return", 1)) == "refused"
        if said != "ok" and not (said == "parked" and back_refused):
            bad.append((said, case))
    with capsys.disabled():
        print(f"\none repayment, {counted.total()} lives: {dict(counted)}")
    assert bad == []
