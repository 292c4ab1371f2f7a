"""A training under way: it runs as a verb of its own, below a child process of the window that watches its files."""

from __future__ import annotations

import math
import os
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from drivers.clock import monotonic
from drivers.errors import Refused
from workbench.own_command import make_own_environment
from workbench.window.control_page.training_files import CURVE, read_training
from workbench.window.tasks.task import Cancelled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.window.tasks.task import Reporter

STOP: Final = "stop"
LOOK_S: Final = 0.5
_TAIL: Final = 4000  # bytes
_ALMOST: Final = 0.99
CHECK_FAILED: Final = 1  # the status of a training in which a seed ended with an alarm


@dataclass(frozen=True, slots=True)
class TrainingRequest:
    """What `train` is asked for; `minutes` are for each seed."""

    task: str
    algorithm: str
    seeds: int
    minutes: float
    out: Path
    resume: bool = False

    @property
    def words(self) -> list[str]:
        """The verb and its options."""
        words = ["train", self.task, "--algorithm", self.algorithm, "--seeds", str(self.seeds)]
        words += ["--minutes", f"{self.minutes:g}", "--out", str(self.out)]
        return [*words, "--resume"] if self.resume else words

    @property
    def whole_s(self) -> float:
        """How long it takes where each core trains one seed after the other."""
        return 60.0 * self.minutes * math.ceil(self.seeds / min(self.seeds, os.cpu_count() or 1))


def train(reporter: Reporter, request: TrainingRequest, command: Sequence[str]) -> bool:
    """Run the training to its end; return False if it was stopped. Raise `Refused` with its own error.

    Sends a `TrainingRecord` whenever a curve has grown. A stopped training ends its row and saves.
    """
    with tempfile.TemporaryDirectory(prefix="pulsebms-train-", ignore_cleanup_errors=True) as home:
        log = Path(home) / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603  # our own verb
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=make_own_environment(),
            )
        has_ended = _watch(reporter, request, process, log)
        error = _find_error(_read_tail(log))
    if has_ended and (process.returncode not in {0, CHECK_FAILED} or error):
        raise Refused(error or f"the training ended with status {process.returncode}")
    reporter.send(read_training(request.out))
    return has_ended


def _watch(reporter: Reporter, request: TrainingRequest, process: subprocess.Popen[bytes], log: Path) -> bool:
    """Report until the process has ended; return False if it was stopped. Raise `Cancelled` if the task was."""
    began_s, files = monotonic(), _list_files(request.out)
    is_stopped = is_cancelled = False
    while process.poll() is None:
        with suppress(subprocess.TimeoutExpired):
            process.wait(LOOK_S)
        fraction = min(_ALMOST, (monotonic() - began_s) / request.whole_s)
        is_cancelled = not reporter.report(fraction, _find_progress(_read_tail(log)))
        if not is_stopped and (is_cancelled or reporter.poll() == STOP):
            is_stopped = True
            process.terminate()  # the verb saves, and ends in order
        before, files = files, _list_files(request.out)
        if files != before:
            reporter.send(read_training(request.out))
    if is_cancelled:
        raise Cancelled
    return not is_stopped


def _list_files(folder: Path) -> list[tuple[str, int]]:
    """Return the curves with the times of their last change."""
    return [(str(path), path.stat().st_mtime_ns) for path in sorted(folder.glob(f"seed_*/{CURVE}"))]


def _read_tail(log: Path) -> str:
    """Return the end of the output."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL))
        return file.read().decode("utf-8", errors="replace")


def _find_progress(text: str) -> str:
    """Return the newest line of the verb, with single spaces."""
    lines = [line for line in text.splitlines() if line.strip()]
    return " ".join(lines[-1].split()) if lines else ""


def _find_error(text: str) -> str:
    errors = [line.removeprefix("error: ") for line in text.splitlines() if line.startswith("error: ")]
    return errors[0] if errors else ""
