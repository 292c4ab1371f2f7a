"""The folder of recorded runs, read in child processes.

Implements `workbench.window.runs_page.runs_model.RecordedRuns`.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from workbench.session.actions import Failure
from workbench.window.runs_page import run_tasks
from workbench.window.tasks.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from drivers.event import EventRecord
    from drivers.ring import RingReader
    from workbench.session.bench_info import BenchInfo
    from workbench.session.status import LaneInfo
    from workbench.window.runs_page.runs_model import ReplaySource, RunListEntry
    from workbench.window.tasks.background import Background

LISTS: Final = "list of runs"
AT_CLOSE: Final = "The export is cancelled and its file is removed."
_HINT: Final = "Select another run, or check the files in the folder of this one."


class RunLibrary:
    """Runs of one folder."""

    def __init__(self, folder: Path, background: Background) -> None:
        self.folder, self._background = folder, background
        self._homes: list[tempfile.TemporaryDirectory[str]] = []  # folders of the rings for replays

    def list_runs(self, ready: Callable[[Sequence[RunListEntry]], None]) -> Task[Any]:
        task = Task(
            "List the recorded runs", ready=ready, is_shown=True, hint=_HINT,
            trouble="The recorded runs cannot be listed",
        )  # fmt: skip
        return self._background.run(task, run_tasks.list_runs, self.folder, queue=LISTS)

    def replay(self, folder: Path, ready: Callable[[ReplaySource], None]) -> Task[Any]:
        home = tempfile.TemporaryDirectory(prefix="pulsebms-replay-", dir=_find_ring_folder())
        self._homes.append(home)
        ring = Path(home.name) / "ring"
        playing: list[RunReplay] = []

        def start(opened: run_tasks.ReplayInfo) -> None:
            task.is_shown = False
            task.lost = Failure(f"The replay of {folder.name} ended unexpectedly.", "Open the run again.")
            playing.append(RunReplay(task, ring, opened, home.cleanup))
            ready(playing[0])

        def fail(failure: Failure) -> None:
            if playing:
                playing[0].failure = failure  # the page shows it
                return
            home.cleanup()
            self._background.failed.emit(failure)

        task = Task[None](
            f"Open {folder.name}", ready=lambda _: None, failed=fail, cancelled=home.cleanup, message=start,
            is_shown=True, hint=_HINT, trouble=f"The run {folder.name} cannot be played",
        )  # fmt: skip
        return self._background.run(task, run_tasks.play_run, folder, ring)

    def export(self, folder: Path, file: Path) -> Task[Any]:
        task = Task[None](
            f"Export {file.name}", ready=lambda _: None, is_shown=True, hint=_HINT, at_close=AT_CLOSE,
            trouble=f"The file {file.name} cannot be written",
        )  # fmt: skip
        return self._background.run(task, run_tasks.export_run, folder, file)

    def close(self) -> None:
        for home in self._homes:
            home.cleanup()


class RunReplay:
    """A run that a task plays into a ring; implements `workbench.window.runs_page.runs_model.ReplaySource`."""

    def __init__(self, task: Task[None], ring: Path, opened: run_tasks.ReplayInfo, clean: Callable[[], None]) -> None:
        from drivers.ring import RingReader  # noqa: PLC0415  # numpy comes with the plots, not with the shell

        self._task, self._clean = task, clean
        self.failure: Failure | None = None
        self.duration_s = opened.duration_s
        self.bench: BenchInfo = opened.bench
        self.lanes: tuple[LaneInfo, ...] = opened.lanes
        self._events: Sequence[EventRecord] = opened.events
        self.ring: RingReader = RingReader.open(ring)
        self.position_s = 0.0

    def advance(self, dt_s: float) -> None:
        self.seek(self.position_s + dt_s)

    def seek(self, position_s: float) -> None:
        self.position_s = min(max(position_s, 0.0), self.duration_s)
        self._task.send(self.position_s)  # a player that has ended leaves the plots unchanged and reports why

    def events(self) -> Sequence[EventRecord]:
        return self._events

    def close(self) -> None:
        self.ring.close()
        self._task.cancel()
        self._clean()


def _find_ring_folder() -> str:
    from drivers.ring_files import memory_folder  # noqa: PLC0415  # numpy comes with the plots, not with the shell

    return str(memory_folder())
