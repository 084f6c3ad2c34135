"""A life told as it happens, for people who want to know why a seed is red."""

from __future__ import annotations

from typing import Any

from bench.simulation.judge import Judge
from schemas.money import text_e18
from streams.effects import Call


class Telling(Judge):
    """The judge, who prints what it hears."""

    def told(self, topic: str, value: Any) -> None:
        if topic == "treasury.intent-states.v1":
            legs = " ".join(f"{leg.leg}#{leg.n}:{leg.state}" for leg in value.legs)
            amount = text_e18(value.amount_e18)
            self.say(f"{value.intent_id[-6:]} {value.state} {value.kind} {amount} {legs}")
            if value.reason:
                self.say(f"       because {value.reason}")
        elif topic == "treasury.attempts.v1" and value.kind != "ATTEMPT":
            said = value.class_ or f"read {value.watermark}"
            attempt = f"{value.intent_id[-6:]} {value.leg}#{value.n}"
            rest = " ".join(str(part) for part in (value.venue_ref, value.message) if part)
            self.say(f"{attempt} {value.kind} {said} {rest} {value.facts or ''}")
        elif topic == "treasury.allocations.v1":
            self.say(f"{value.account_id} {value.action} {value.reason}")
        super().told(topic, value)

    def posted(self, call: Call) -> None:
        self.say(f"{call.intent_id[-6:]} {call.leg}#{call.n} POST {text_e18(call.amount_e18)}")
        super().posted(call)

    def say(self, words: str) -> None:
        """One line, with true time."""
        print(f"{self.world.agenda.now_ms - self.world.began_ms:>10} {words.rstrip()}")
