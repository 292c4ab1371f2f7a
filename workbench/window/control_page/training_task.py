"""A training under way: it runs as a verb of its own, below a child process of the window that watches its files."""

from __future__ import annotations

import math
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from drivers.clock import monotonic
from drivers.errors import Refused
from workbench.window.control_page.training_files import CURVE, read_training
from workbench.window.control_page.verb_process import find_error, read_tail, run_process

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.window.tasks.task import Reporter

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
    began_s, files = monotonic(), _list_files(request.out)

    def look(line: str) -> float:
        nonlocal files
        del line
        before, files = files, _list_files(request.out)
        if files != before:
            reporter.send(read_training(request.out))
        return min(_ALMOST, (monotonic() - began_s) / request.whole_s)

    with tempfile.TemporaryDirectory(prefix="pulsebms-train-", ignore_cleanup_errors=True) as home:
        log = Path(home) / "log"
        status = run_process(reporter, command, log, look)
        error = find_error(read_tail(log))
    if status is not None and (status not in {0, CHECK_FAILED} or error):
        raise Refused(error or f"the training ended with status {status}")
    reporter.send(read_training(request.out))
    return status is not None


def _list_files(folder: Path) -> list[tuple[str, int]]:
    """Return the curves with the times of their last change."""
    return [(str(path), path.stat().st_mtime_ns) for path in sorted(folder.glob(f"seed_*/{CURVE}"))]
