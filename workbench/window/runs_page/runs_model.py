"""Types of recorded runs for the Runs page, without Qt."""

from __future__ import annotations

from collections.abc import Callable, Sequence  # noqa: TC003  # fields of records name them
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003  # a field of a record names it
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from drivers.event import EventRecord
    from drivers.ring import RingReader
    from workbench.session.actions import Failure
    from workbench.session.bench_info import BenchInfo
    from workbench.session.status import LaneInfo
    from workbench.window.tasks.task import Task


@dataclass(frozen=True, slots=True)
class RunListEntry:
    """One recorded run in the list; `state` is a word such as sealed or recovered, `detail` a sentence about it."""

    name: str
    folder: Path
    state: str
    size_bytes: int
    started: str = ""
    duration_s: float | None = None
    ticks: int | None = None
    evidence_class: str = ""
    bench: str = ""
    detail: str = ""


class ReplaySource(Protocol):
    """A recorded run that plays into a ring."""

    @property
    def bench(self) -> BenchInfo: ...

    @property
    def lanes(self) -> tuple[LaneInfo, ...]: ...

    @property
    def ring(self) -> RingReader: ...

    @property
    def duration_s(self) -> float: ...

    @property
    def position_s(self) -> float: ...

    @property
    def failure(self) -> Failure | None:
        """Why the replay cannot play on; None while it can."""
        ...

    def advance(self, dt_s: float) -> None:
        """Play on by `dt_s` of the run's own time."""
        ...

    def seek(self, position_s: float) -> None:
        """Move to a position and show the rows before it."""
        ...

    def events(self) -> Sequence[EventRecord]: ...

    def close(self) -> None: ...


class RecordedRuns(Protocol):
    """The folder of recorded runs. All work runs outside the window's thread."""

    @property
    def folder(self) -> Path:
        """The folder of the runs and of what is made from them."""
        ...

    def list_runs(self, ready: Callable[[Sequence[RunListEntry]], None]) -> Task[Any]:
        """List the runs, newest first."""
        ...

    def replay(self, folder: Path, ready: Callable[[ReplaySource], None]) -> Task[Any]:
        """Open a run and play it into a ring."""
        ...

    def export(self, folder: Path, file: Path) -> Task[Any]:
        """Export a run as `.csv` or `.mf4`, in a child process."""
        ...

    def close(self) -> None:
        """Remove the memory files of replays; the window's background ends the work."""
        ...
