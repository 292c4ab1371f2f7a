"""Time the making of windows, offscreen, over a fake session with 12 s of data.

python tools/time_window.py [COUNT]    prints the first and the median of the others in ms, until plots show rows
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from PySide6.QtCore import QCoreApplication, QEvent  # found by the line above

from tests.workbench.fake_session import running_session  # as above
from workbench.window.app import WindowStartup, make_application  # as above


def time_window() -> float:
    """Return how long one window took, in s."""
    application, session = make_application(), running_session(past_s=12.0)
    began_s = time.perf_counter()
    startup = WindowStartup(lambda: session, theme="dark", size=(1600, 900))
    while not (startup.window and startup.window.bench.board.plots[0].header.entries):
        application.processEvents()
    took_s = time.perf_counter() - began_s
    startup.shell.leave()
    startup.shell.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    return took_s


first_s, *others_s = [time_window() for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else 12)]
print(f"first {1e3 * first_s:.0f} ms, median of the others {1e3 * statistics.median(others_s):.0f} ms")
