"""Exactly-once for faust-streaming: state, outputs and source offsets in one Kafka transaction.

Knows nothing of treasury. `README.md` beside this file says what is guaranteed, how, and what is
not supported.
"""

from agents.exact.app import App
from agents.exact.config import Config, SlotTaken
from agents.exact.harness import Harness
from agents.exact.stream import STARTED, TICK, Event
from agents.exact.topic import TooLarge

__all__ = ["STARTED", "TICK", "App", "Config", "Event", "Harness", "SlotTaken", "TooLarge"]
