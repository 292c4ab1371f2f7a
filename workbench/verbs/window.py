"""`window`: open the workbench; without a display, run the bench for half a minute and save pictures of the window."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from drivers.clock import monotonic

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.report import Report

RUN_S = 20.0


def main(report: Report, bench: Path, out: Path, *, take_over: bool = False) -> bool:
    """Open the window until it is closed; without a display, save pictures of it."""
    if has_display():
        from workbench.window.start import open_window  # noqa: PLC0415  # light, and nothing else of the window

        return open_window(bench, out, take_over=take_over) == 0
    return show_without_display(report, bench, out, take_over=take_over)


def has_display() -> bool:
    """Return whether a window can be shown."""
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or os.environ.get("QT_QPA_PLATFORM"))


def show_without_display(report: Report, bench: Path, out: Path, *, take_over: bool = False) -> bool:
    """Connect, arm, run, take pictures, stop; return True if all succeeded."""
    from workbench.compose.session import open_session  # noqa: PLC0415  # only without a display
    from workbench.session import waiting  # noqa: PLC0415  # as above
    from workbench.window.screenshots import OffscreenWindow  # noqa: PLC0415

    report.line("no display: the bench runs for half a minute without a window, then its pictures are saved")
    session = open_session(bench, out, take_over=take_over)
    try:
        window = OffscreenWindow(lambda: session)
        waiting.finish(window, session.connect(), waiting.CONNECT_S)
        report.line(f"connected: {session.bench.name}, evidence class {session.status.evidence_class}")
        waiting.finish(window, session.arm(), waiting.ARM_S)
        report.line(f"armed: {len(session.status.checklist)} checks hold")
        waiting.finish(window, session.start(), 5.0)
        report.line(f"running for {RUN_S:g} s")
        began_s = monotonic()
        waiting.idle(window, RUN_S)
        pictures = window.save_screenshots(out.resolve() / "pictures")
        waiting.finish(window, session.stop(), 10.0)
        report.line(f"stopped after {monotonic() - began_s:.0f} s; run in {session.run_folder}")
    finally:
        session.close()
        report.kept = f"the sealed run is in {session.run_folder}" if session.run_folder else ""
    report.line("pictures of the window:")
    for picture in pictures:
        report.line(f"  {picture}")
    report.line("to open the window: log in at a screen and run  make run  (or: Xvfb :9 & DISPLAY=:9 make run)")
    return True
