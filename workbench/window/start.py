"""Start of the window on a live bench. Quick to import: Qt, numpy and the session are imported when needed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from workbench.window.window import Window


def open_window(
    bench: Path, out: Path, ready: Callable[[Window], None] | None = None, *, take_over: bool = False
) -> int:
    """Open the window on `bench` and return its exit status; recorded runs are in `out`."""
    from PySide6.QtWidgets import QApplication  # noqa: PLC0415, I001  # Qt's libraries load first, the shell shows sooner
    from PySide6.QtCore import QThread  # noqa: PLC0415

    from workbench.compose.session import open_session  # noqa: PLC0415
    from workbench.signals import leave_once, raise_interrupt  # noqa: PLC0415
    from workbench.window.app import run_window  # noqa: PLC0415
    from workbench.window.runs_page.run_library import RunLibrary  # noqa: PLC0415
    from workbench.window.shell import Shell  # noqa: PLC0415

    def leave() -> None:
        """Close in order after a signal; nobody may be there to answer a question."""
        if not QThread.currentThread().loopLevel():
            raise KeyboardInterrupt  # the window is not open yet
        for shell in QApplication.topLevelWidgets():
            if isinstance(shell, Shell):
                shell.leave()
        QApplication.quit()

    leave_once(leave)
    status = run_window(
        lambda: open_session(bench, out, take_over=take_over),
        past=partial(RunLibrary, out),
        open_bench=lambda path: open_session(path, out),
        ready=ready,
    )
    raise_interrupt()  # now that the window has left in order
    return status
