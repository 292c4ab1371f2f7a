"""Recorded runs as the Runs page needs them, without Qt."""

from __future__ import annotations

from collections.abc import Callable, Sequence  # noqa: TC003  # fields of records name them
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003  # a field of a record names it
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from drivers.ring import RingReader
    from workbench.window.model import BenchFacts, EventRecord, LaneInfo


@dataclass(frozen=True, slots=True)
class RunRow:
    """One recorded run in the list."""

    name: str
    folder: Path
    wall_s: float
    duration_s: float
    ticks: int
    octets: int
    evidence_class: str
    bench: str
    ending: str
    sealed: bool


class ReplaySource(Protocol):
    """A recorded run that plays into a ring; `turn` is called 30 times a second with the wall time that passed."""

    @property
    def bench(self) -> BenchFacts: ...

    @property
    def lanes(self) -> tuple[LaneInfo, ...]: ...

    @property
    def ring(self) -> RingReader: ...

    @property
    def duration_s(self) -> float: ...

    @property
    def position_s(self) -> float: ...

    def turn(self, dt_s: float) -> None:
        """Play on by `dt_s` of the run's own time."""
        ...

    def seek(self, position_s: float) -> None:
        """Move, and show the minute before the new position."""
        ...

    def events(self) -> Sequence[EventRecord]: ...

    def close(self) -> None: ...


class Past(Protocol):
    """Recorded runs, as the Runs page needs them."""

    def runs(self) -> Sequence[RunRow]:
        """Newest first."""
        ...

    def replay(self, folder: Path) -> ReplaySource:
        """Raises `OSError` or `ValueError` with a sentence."""
        ...
