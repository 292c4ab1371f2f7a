"""`replay`: a recorded run in the window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.errors import BenchError
from drivers.runlog.folder import ABOUT, load
from workbench.compose.shipped_bench import EMULATED_BENCH
from workbench.run_folders import find_newest
from workbench.verbs.window import has_display
from workbench.window.start import open_window

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.report import Report
    from workbench.window.window import Window


def main(report: Report, run_folder: Path) -> bool:
    """Open the window on the run; raise `RunLogError` for a folder without a run."""
    run_folder = find_newest(run_folder, ABOUT)
    load(run_folder)
    if not has_display():
        raise BenchError(
            "no display for the window",
            hint=f"export the run instead: python main.py export {run_folder} --csv run.csv",
        )
    report.line(f"replaying {run_folder}")

    def show(window: Window) -> None:
        window.runs.open_folder(run_folder.resolve())

    return open_window(EMULATED_BENCH, run_folder.resolve().parent, ready=show) == 0
