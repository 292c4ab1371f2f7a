"""A window without a display that a script controls, and screenshots of it at any size and in both themes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEventLoop, QMessageLogContext, QTimer, QtMsgType, qInstallMessageHandler

from drivers.errors import BenchError
from drivers.realtime import WINDOW, go_before
from workbench.signals import raise_interrupt
from workbench.window.app import WindowStartup, make_application
from workbench.window.widgets.themes import DARK, THEMES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from workbench.session.session import Session

SIZES: Final = ((1366, 768), (1920, 1080))
SETTLE_S: Final = 1.3  # the rates of the status line are over a whole second
_REDRAW_S: Final = 0.3
_OPEN_S: Final = 60.0
_POLL_S: Final = 0.02


class OffscreenWindow:
    """A window opened before its session acts, as with a user: building it takes longer than a guard waits for one."""

    def __init__(self, make_session: Callable[[], Session], size: tuple[int, int] = SIZES[0]) -> None:
        """Open the window; raise `BenchError` if it does not open."""
        go_before(WINDOW)
        make_application()
        qInstallMessageHandler(_without_chatter)
        self._opening = WindowStartup(make_session, theme=DARK.name, size=size)
        self.shell = self._opening.shell
        for _ in range(round(_OPEN_S / _POLL_S)):
            self.poll()
            if self.shell.controller.session is not None:
                return
        raise BenchError(f"the window did not open within {_OPEN_S:g} s", hint="run: python main.py doctor")

    @staticmethod
    def poll() -> None:
        """Let the window run for a moment; it polls its session. Raise `KeyboardInterrupt` on Ctrl-C."""
        serve(_POLL_S)
        raise_interrupt()

    def save_screenshots(
        self, folder: Path, sizes: Sequence[tuple[int, int]] = SIZES, themes: Sequence[str] = tuple(THEMES)
    ) -> list[Path]:
        """Save one picture per size and theme; between the steps the window polls the session, which goes on."""
        folder.mkdir(parents=True, exist_ok=True)
        paths: list[Path] = []
        for size in sizes:
            self.shell.resize(*size)
            serve(_REDRAW_S)
            for theme in themes:
                self.shell.set_theme(THEMES[theme])
                serve(_REDRAW_S)
                self.shell.stats.restart()  # the status line must not include the redrawing
                serve(SETTLE_S)
                path = folder / f"window-{theme}-{size[0]}x{size[1]}.png"
                picture = self.shell.grab()
                self.poll()
                picture.save(str(path))
                self.poll()
                paths.append(path)
        return paths


def _without_chatter(_kind: QtMsgType, _where: QMessageLogContext, text: str) -> None:
    """Print Qt's messages to stderr, except those of the offscreen platform for each window that it shows."""
    if "propagateSizeHints" not in text:
        sys.stderr.write(f"{text}\n")


def serve(seconds: float) -> None:
    """Let the window run for `seconds`."""
    loop = QEventLoop()
    QTimer.singleShot(round(seconds * 1e3), loop.quit)
    loop.exec()
