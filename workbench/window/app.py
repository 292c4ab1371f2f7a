"""Start of the window: the shell first; numpy, plots and the session after the shell's first paint."""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from drivers.clock import monotonic
from drivers.realtime import WINDOW, go_before
from workbench.window.layout import LayoutSettings
from workbench.window.shell import Shell, dress
from workbench.window.stats import WindowStats, read_process_age_s
from workbench.window.widgets.themes import DARK, THEMES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from workbench.session.session import Session
    from workbench.window.runs_page.runs_model import RecordedRuns
    from workbench.window.tasks.background import Background
    from workbench.window.window import Window


def make_application() -> QApplication:
    """Return the one `QApplication`; use the offscreen platform where there is no display."""
    running = QApplication.instance()
    if isinstance(running, QApplication):
        return running
    no_display = sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    if no_display:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    made = QApplication(sys.argv[:1])
    made.setApplicationName("PulseBMS Workbench")
    return made


class WindowStartup:
    """A window that is being opened: `shell` exists at once, `window` after the first paint."""

    def __init__(
        self,
        make_session: Callable[[], Session],
        *,
        theme: str | None = None,
        started_s: float | None = None,
        past: Callable[[Background], RecordedRuns] | None = None,
        open_bench: Callable[[Path], Session] | None = None,
        memory: LayoutSettings | None = None,
        size: tuple[int, int] | None = None,
        ready: Callable[[Window], None] | None = None,
    ) -> None:
        """Show the shell. `started_s` is the process start on the monotonic clock; None: ask the operating system."""
        self._make_session, self._make_past, self._open_bench = make_session, past, open_bench
        self._started_s, self._memory, self._ready = started_s, memory, ready
        chosen = THEMES[theme or (memory.theme if memory else None) or DARK.name]
        dress(chosen)
        self.stats = WindowStats()
        self.window: Window | None = None
        self._past: RecordedRuns | None = None
        self.shell = Shell(chosen, self.stats)
        if memory is not None and size is None:
            memory.restore_shell(self.shell)
        if size is not None:
            self.shell.resize(*size)
        self.shell.painted.connect(self._on_painted)
        self.shell.closing.connect(self._close)
        self.shell.show()

    def _age_ms(self) -> float:
        age_s = read_process_age_s() if self._started_s is None else monotonic() - self._started_s
        return age_s * 1e3

    def _on_painted(self) -> None:
        now = monotonic()
        QTimer.singleShot(0, self.shell, lambda: self._fill(now))

    def _fill(self, painted_s: float) -> None:
        from workbench.window.window import Window  # noqa: PLC0415  # numpy and all pages, after the first paint

        self.stats.shell_ms = self._age_ms() - (monotonic() - painted_s) * 1e3
        self._past = self._make_past(self.shell.controller.background) if self._make_past is not None else None
        self.window = Window(self.shell, self._past, self._open_bench)
        bench = self.window.bench
        restored = self._memory is not None and self._memory.restore_page(bench)
        QTimer.singleShot(0, self.shell, partial(bench.fit_space, anew=True) if restored else bench.arrange)
        QTimer.singleShot(0, self.shell, self._serve)

    def _serve(self) -> None:
        self._await_plots()
        self.shell.controller.open(self._make_session())
        if self.window is not None:
            self.window.bench.board.plots[0].setFocus()
        if self._ready is not None and self.window is not None:
            self._ready(self.window)

    def _await_plots(self) -> None:
        if self.window is not None and self.window.bench.board.plots[0].canvas.frames:
            self.stats.plots_ms = self._age_ms()
        else:
            QTimer.singleShot(2, self.shell, self._await_plots)

    def _close(self) -> None:
        window = self.window
        if window is not None:
            if self._memory is not None:
                window.bench.space.restore()
                self._memory.save(self.shell, window.bench, self.shell.theme.name)
            self.shell.hide()  # making the bench safe may take seconds
            window.bench.leave_replay()
        self.shell.controller.close()
        if self._past is not None:
            self._past.close()


def run_window(
    make_session: Callable[[], Session],
    *,
    theme: str | None = None,
    started_s: float | None = None,
    past: Callable[[Background], RecordedRuns] | None = None,
    open_bench: Callable[[Path], Session] | None = None,
    memory: LayoutSettings | None = None,
    ready: Callable[[Window], None] | None = None,
) -> int:
    """Open the window and serve it until it is closed; return the exit status.

    `make_session` is called after the first paint. `past` makes the folder of recorded runs. `ready` is called with
    the whole window. Without `memory`, layout and theme are kept in the user's settings.
    """
    go_before(WINDOW)
    app = make_application()
    opening = WindowStartup(
        make_session,
        theme=theme,
        started_s=started_s,
        past=past,
        open_bench=open_bench,
        memory=memory or LayoutSettings(),
        ready=ready,
    )
    status = app.exec()
    del opening
    return status
