"""A job: what was asked, how far it is, and its result or why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_bridge.fleet.twins.twin_order import TwinKind


class JobState(StrEnum):
    """How far a job is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED: Final = frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELLED})


@dataclass(frozen=True, slots=True)
class TwinJob:
    """A job; `problem` is a `PulseError` as JSON. `progress` rises from 0 to 1."""

    id: str
    kind: TwinKind
    node: str
    by: str
    made_ms: int
    state: JobState = JobState.QUEUED
    progress: float = 0.0
    ended_ms: int | None = None
    result: Mapping[str, Any] | None = None
    problem: Mapping[str, Any] | None = None

    @property
    def is_ended(self) -> bool:
        return self.state in ENDED
