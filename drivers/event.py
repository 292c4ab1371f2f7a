"""An event: its level, where it happened, text for people and data for programs."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  # a field of a record names it
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

KIND: Final = "kind"
DETAIL: Final = "detail"
INJECTED: Final = "fault"  # the source of the events of faults that a person injects


class Level(StrEnum):
    """The severity of an event; alarms and warnings need an acknowledgement."""

    INFO = "info"
    WARNING = "warning"
    ALARM = "alarm"


class EventKind(StrEnum):
    """The kind of an event for programs, in `data["kind"]`; a run records the value."""

    TRIPPED = "tripped"  # `reason`
    RESET = "reset"  # `reason`
    HELD = "held"  # `reason`
    LANE_ACTIVE = "lane active"  # `role`, `lane`
    LANE_FAILED = "lane failed"  # `role`, `lane`
    SOURCE_FAILED = "source failed"  # `name`
    CONTROLLER_FALLBACK = "controller fallback"  # `lane`, `fallback`: none, shifted, derated, zero or other
    MODEL_RANGE = "model range"  # `role`, `lane`, `cells` that are outside, comma-separated, empty for none
    ESTIMATORS_HOLD = "estimators hold"  # `reason`
    ESTIMATORS_RESUME = "estimators resume"
    ZERO_CURRENT_FAILED = "zero current failed"
    DEVICE_STATE = "device state"  # `state`, `before`
    DEVICE_FAULT = "device fault"  # `fault` (empty: it is gone) and `place`, or `before`
    DEVICE_CONTACTOR = "device contactor"  # `contactor`: open or closed
    DEVICE_LIMIT = "device limit"  # `limit`, `before_a`, `now_a`
    OFF_NOT_ACKNOWLEDGED = "off not acknowledged"  # one key for each peer that has not acknowledged, with 1


@dataclass(frozen=True, slots=True)
class Event:
    """An event, created where it happens.

    `source` names the place; `text` is only for people. `data` holds all that a program needs, by name.
    """

    level: Level
    source: str
    text: str
    data: Mapping[str, float | int | str] = field(default_factory=dict[str, float | int | str])

    @property
    def kind(self) -> str:
        """One of `EventKind`, or a kind of a newer version; empty if no program needs one."""
        return str(self.data.get(KIND, ""))

    @property
    def detail(self) -> str:
        """More text to read and copy; empty for none."""
        return str(self.data.get(DETAIL, ""))


@dataclass(frozen=True, slots=True)
class EventRecord:
    """An event with its number in a session or run, counted from 0, at `t_s` (monotonic), `wall_s` (Unix time)."""

    number: int
    t_s: float
    wall_s: float
    event: Event
