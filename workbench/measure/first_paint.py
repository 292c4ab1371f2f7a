"""Process: the time from the start of `main.py` until the window is painted, or that of a peer.

`python -m workbench.measure.first_paint FOLDER own|qt|pyqtgraph`; `result.json` in FOLDER holds it in ms from the
process's own start.
"""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from workbench.window.window import Window

ROOT: Final = Path(__file__).resolve().parents[2]
PLOTS, COLUMNS = 12, 3


def main(folder: Path, whose: str) -> None:
    """Open the window, write the result, close it."""
    if whose == "own":
        own(folder)
    else:
        peer(folder, plots=whose == "pyqtgraph")


def own(folder: Path) -> None:
    """Run `main.py window` as a person starts it; write the result once its plots are painted."""
    from workbench.window import start  # noqa: PLC0415  # light: what a start imports anyway

    open_window = start.open_window

    def record_bench(bench: Path, out: Path) -> int:
        return open_window(bench, out, ready=lambda window: _write_when_painted(window, folder))

    start.open_window = record_bench
    sys.argv = ["main.py", "window", "--out", str(folder / "runs")]
    entry = next(path for path in (ROOT / "main.py", ROOT / "__main__.py") if path.exists())  # checkout or wheel
    runpy.run_path(str(entry), run_name="__main__")


def _write_when_painted(window: Window, folder: Path) -> None:
    from PySide6.QtCore import QTimer  # noqa: PLC0415  # loaded by then

    stats = window.shell.stats
    if stats.plots_ms != stats.plots_ms:  # NaN until then
        QTimer.singleShot(2, window.shell, lambda: _write_when_painted(window, folder))
        return
    _write_result(folder, shell_ms=stats.shell_ms, plots_ms=stats.plots_ms)
    window.shell.leave()


def peer(folder: Path, *, plots: bool) -> None:
    """Open a bare Qt window, or one of pyqtgraph with twelve empty plots; write the result after its first paint."""
    from PySide6.QtCore import QEvent, QObject, QTimer  # noqa: PLC0415  # counted: a start pays for it
    from PySide6.QtWidgets import QApplication, QMainWindow  # noqa: PLC0415

    from workbench.window.stats import read_process_age_s  # noqa: PLC0415

    application = QApplication(sys.argv[:1])
    window = QMainWindow()
    window.resize(1600, 900)
    shown: Any = window
    if plots:
        import pyqtgraph  # noqa: PLC0415  # only this figure needs it

        graph: Any = pyqtgraph  # carries no types
        grid = graph.GraphicsLayoutWidget()
        for place in range(PLOTS):
            grid.addPlot(row=place // COLUMNS, col=place % COLUMNS)
        window.setCentralWidget(grid)
        shown = grid.viewport()

    class FirstPaint(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  # Qt's name
            if event.type() is QEvent.Type.Paint:
                shown.removeEventFilter(self)
                QTimer.singleShot(0, application, self.tell)
            return super().eventFilter(watched, event)

        def tell(self) -> None:
            age_ms = 1e3 * read_process_age_s()
            _write_result(folder, shell_ms=age_ms, plots_ms=age_ms)
            application.quit()

    first = FirstPaint()
    shown.installEventFilter(first)
    window.show()
    application.exec()


def _write_result(folder: Path, **result: float) -> None:
    from drivers.state_file import write_bytes  # noqa: PLC0415  # it is no part of the start that is measured

    write_bytes(folder / "result.json", json.dumps(result).encode(), durable=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
