"""What happened in a session."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How much an event matters; alarms and warnings wait for an acknowledgement."""

    INFO = "info"
    WARNING = "warning"
    ALARM = "alarm"


@dataclass(frozen=True, slots=True)
class EventRecord:
    """Something that happened at `t_s` (monotonic), `wall_s` (Unix time). `where` is shown at the row's end."""

    number: int
    t_s: float
    wall_s: float
    level: Level
    where: str
    sentence: str
    detail: str = ""
