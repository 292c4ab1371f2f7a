"""The folder of recorded runs, served by errands; implements `workbench.window.past.Past`."""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Sequence  # noqa: TC003  # a field of a record names them
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from workbench.session.actions import Failure, Pending
from workbench.window import errands

if TYPE_CHECKING:
    from drivers.event import EventRecord
    from drivers.ring import RingReader
    from workbench.session.bench_info import BenchFacts
    from workbench.session.status import LaneInfo
    from workbench.window.past import ReplaySource, RunLine


LEAVE_S: Final = 2.0


@dataclass
class Errand:
    """A process, the pipe to it, and what to do with what it says."""

    pipe: Any  # a Connection, or a PipeConnection on Windows
    process: Any
    pending: Pending
    take: Callable[[tuple[Any, ...]], None]
    stays: bool = False  # it answers more than once

    until_s: float = math.inf  # when a process that was asked to end is made to

    def end(self) -> None:
        """Closing the pipe ends the process, soon; nobody waits for it."""
        self.pipe.close()
        self.until_s = time.monotonic() + LEAVE_S

    def ended(self) -> bool:
        """Whether it has gone by now."""
        if self.process.exitcode is None and time.monotonic() > self.until_s:
            self.process.kill()
        return self.process.exitcode is not None


class RunLibrary:
    """Runs of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._errands: list[Errand] = []
        self._lister: Errand | None = None
        self._leaving: list[Errand] = []

    def look(self, ready: Callable[[Sequence[RunLine]], None]) -> Pending:
        pending = Pending("Look at the recorded runs")

        def take(said: tuple[Any, ...]) -> None:
            if said[0] == "runs":
                ready(said[1])
            _finish(pending, said)

        if self._lister is None or self._lister.process.exitcode is not None:
            self._lister = self._send(errands.list_runs, pending, take, str(self.folder), stays=True)
        self._lister.pending.done = True
        self._lister.pending, self._lister.take = pending, take
        pending.done = False
        self._lister.pipe.send("look")
        return pending

    def replay(self, folder: Path, ready: Callable[[ReplaySource], None]) -> Pending:
        pending = Pending(f"Open {folder.name}")
        home = tempfile.TemporaryDirectory(prefix="pulsebms-replay-", dir=_memory())
        ring = Path(home.name) / "ring"

        def take(said: tuple[Any, ...]) -> None:
            if said[0] == "opened":
                self._errands.remove(errand)
                ready(Playing(errand, ring, home, said[1:], self._end))
                pending.done = True
            else:
                home.cleanup()
                _finish(pending, said)

        errand = self._send(errands.play_run, pending, take, str(folder), str(ring))
        return pending

    def export(self, folder: Path, file: Path) -> Pending:
        pending = Pending(f"Export {file.name}", fraction=0.0)

        def take(said: tuple[Any, ...]) -> None:
            if said[0] == "progress":
                pending.fraction = said[1]
            else:
                _finish(pending, said)

        errand = self._send(errands.export_run, pending, take, str(folder), str(file))

        def cancel() -> None:
            with contextlib.suppress(OSError):
                errand.pipe.send("cancel")

        pending.cancel = cancel
        return pending

    def poll(self) -> None:
        self._leaving = [errand for errand in self._leaving if not errand.ended()]
        for errand in list(self._errands):
            try:
                while errand in self._errands and errand.pipe.poll():
                    errand.take(errand.pipe.recv())
            except (EOFError, OSError):
                self._ended(errand)
                continue
            if errand.pending.done and not errand.stays and errand in self._errands:
                self._errands.remove(errand)
                self._end(errand)

    def close(self) -> None:
        """End what still works; exports that are under way leave nothing behind."""
        for errand in self._errands:
            self._end(errand)
        self._errands.clear()
        for errand in self._leaving:
            errand.process.join(LEAVE_S)
            errand.process.kill()
            errand.process.join()

    def _end(self, errand: Errand) -> None:
        errand.end()
        self._leaving.append(errand)

    def _ended(self, errand: Errand) -> None:
        self._errands.remove(errand)
        self._end(errand)
        if errand is self._lister:
            self._lister = None
        if not errand.pending.done:
            errand.pending.error = Failure(f"{errand.pending.title}: the process ended unexpectedly.", "Try again.")
            errand.pending.done = True

    def _send(
        self,
        errand: Callable[..., None],
        pending: Pending,
        take: Callable[[tuple[Any, ...]], None],
        *args: str,
        stays: bool = False,
    ) -> Errand:
        context = multiprocessing.get_context("spawn")
        mine, its = context.Pipe()
        process = context.Process(target=errand, args=(its, *args), name=errand.__name__, daemon=True)
        process.start()
        its.close()
        made = Errand(mine, process, pending, take, stays)
        self._errands.append(made)
        return made


class Playing:
    """A run that an errand plays into a ring; implements `workbench.window.past.ReplaySource`."""

    def __init__(
        self,
        errand: Errand,
        ring: Path,
        home: tempfile.TemporaryDirectory[str],
        opened: tuple[Any, ...],
        end: Callable[[Errand], None],
    ) -> None:
        from drivers.ring import RingReader  # noqa: PLC0415  # numpy comes with the plots, not with the shell

        self.errand, self._home, self._end = errand, home, end
        self.failure: Failure | None = None
        self.duration_s: float = opened[0]
        self.bench: BenchFacts = opened[1]
        self.lanes: tuple[LaneInfo, ...] = opened[2]
        self._events: Sequence[EventRecord] = opened[3]
        self.ring: RingReader = RingReader.open(ring)
        self.position_s = 0.0

    def turn(self, dt_s: float) -> None:
        self.seek(self.position_s + dt_s)

    def seek(self, position_s: float) -> None:
        self.position_s = min(max(position_s, 0.0), self.duration_s)
        with contextlib.suppress(OSError):  # a player that ended leaves the picture as it is, and says why
            self.errand.pipe.send(self.position_s)
        self._listen()

    def _listen(self) -> None:
        if self.failure is not None:
            return
        try:
            if self.errand.pipe.poll():
                self.failure = _failure(self.errand.pipe.recv())
        except (EOFError, OSError):
            self.failure = Failure(f"The replay of {self.bench.name} ended unexpectedly.", "Open the run again.")

    def events(self) -> Sequence[EventRecord]:
        return self._events

    def close(self) -> None:
        self.ring.close()
        self._end(self.errand)
        self._home.cleanup()


def _memory() -> str:
    from drivers.ring_files import memory_folder  # noqa: PLC0415  # as above

    return str(memory_folder())


def _finish(pending: Pending, said: tuple[Any, ...]) -> None:
    if said[0] == "failed":
        pending.error = _failure(said)
    pending.done = True


def _failure(said: tuple[Any, ...]) -> Failure:
    sentence, hint, details = said[1:]
    return Failure(sentence, hint or "Choose another run, or look into its folder.", details)
