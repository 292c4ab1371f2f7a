"""Process: the window on the emulated bench while it runs; it is measured for SECONDS, then it leaves in order.

`python -m workbench.measure.bench_window BENCH FOLDER SECONDS`: runs go into FOLDER, `result.json` there holds the
figures. With SECONDS 0 it runs until it is killed.
"""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QTimer

from drivers.state_file import write_bytes
from workbench.compose.session import open_session
from workbench.session import waiting
from workbench.window.app import run_window
from workbench.window.layout import LayoutSettings

if TYPE_CHECKING:
    from workbench.session.live_session import LiveSession
    from workbench.window.window import Window

SETTLE_MS: Final = 3000  # until the plots are filled and the status line has run some seconds
LOOK_MS: Final = 1000
GIANTS: Final = ("torch", "pybamm", "scipy")


class WindowMonitor:
    """A window whose figures are sampled once a second, as its own status line shows them."""

    def __init__(self, session: LiveSession, folder: Path, seconds: int) -> None:
        self._session, self._folder, self._seconds = session, folder, seconds
        self._fps: list[float] = []
        self._cpu_pct: list[float] = []

    def begin(self, window: Window) -> None:
        QTimer.singleShot(SETTLE_MS if self._seconds else LOOK_MS, window.shell, lambda: self._sample(window))

    def _sample(self, window: Window) -> None:
        stats = window.shell.stats
        self._fps.append(stats.fps)
        self._cpu_pct.append(stats.cpu_pct)
        self._write_result()
        if 0 < self._seconds <= len(self._fps):
            window.shell.leave()
        else:
            QTimer.singleShot(LOOK_MS, window.shell, lambda: self._sample(window))

    def _write_result(self) -> None:
        status = self._session.status
        result = {
            "state": status.state.word,
            "run": status.run_folder,
            "ports": sorted(self._session.guard_ports),
            "realtime": status.realtime,
            "fps": statistics.median(self._fps),
            "cpu_pct": statistics.median(self._cpu_pct),
            "giants": [name for name in GIANTS if name in sys.modules],
        }
        write_bytes(self._folder / "result.json", json.dumps(result).encode(), durable=False)


def main(bench: Path, folder: Path, seconds: int) -> int:
    """Connect, arm, run, open the window; return the exit status."""
    session = open_session(bench, folder / "runs")
    for action, within_s in (
        (session.connect, waiting.CONNECT_S),
        (session.arm, waiting.ARM_S),
        (session.start, 5.0),
    ):
        pending: Any = action()
        waiting.finish(session, pending, within_s)
    watched = WindowMonitor(session, folder, seconds)
    return run_window(lambda: session, memory=LayoutSettings(folder / "layout.ini"), ready=watched.begin)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
