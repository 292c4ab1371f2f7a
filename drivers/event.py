"""An event: how much it matters, where it happened, words for people and data for programs."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  # a field of a record names it
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

KIND: Final = "kind"
DETAIL: Final = "detail"


class Level(StrEnum):
    """How much an event matters; alarms and warnings wait for an acknowledgement."""

    INFO = "info"
    WARNING = "warning"
    ALARM = "alarm"


class EventKind(StrEnum):
    """What a program may tell events apart by, in `data["kind"]`; the value is what a run records."""

    TRIPPED = "tripped"  # `reason`
    RESET = "reset"  # `reason`
    HELD = "held"  # `reason`
    LANE_ACTIVE = "lane active"  # `role`, `lane`
    LANE_FAILED = "lane failed"  # `role`, `lane`
    SOURCE_FAILED = "source failed"  # `name`
    ESTIMATORS_HOLD = "estimators hold"  # `reason`
    ESTIMATORS_RESUME = "estimators resume"
    ZERO_CURRENT_FAILED = "zero current failed"
    OFF_NOT_ACKNOWLEDGED = "off not acknowledged"  # one key for each peer that has not, with 1


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, made where it happens.

    `source` says where, `text` is for people alone: what a program has to know is in `data`, by names.
    """

    level: Level
    source: str
    text: str
    data: Mapping[str, float | int | str] = field(default_factory=dict[str, float | int | str])

    @property
    def kind(self) -> str:
        """One of `EventKind`, or what a newer version wrote; empty where no program asks."""
        return str(self.data.get(KIND, ""))

    @property
    def detail(self) -> str:
        """More words to read and copy; empty for none."""
        return str(self.data.get(DETAIL, ""))


@dataclass(frozen=True, slots=True)
class EventRecord:
    """An event with its number in a session or run, counted from 0, at `t_s` (monotonic), `wall_s` (Unix time)."""

    number: int
    t_s: float
    wall_s: float
    event: Event
