"""A window in a process of its own for the tour: runs the bench, saves pictures, and goes on until it is killed."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer

from workbench.session import patience
from workbench.session.live import LiveSession
from workbench.window.app import run_window
from workbench.window.pictures import take_pictures

if TYPE_CHECKING:
    from workbench.window.window import Window

SHOW_S = 8.0
TELL_MS = 200


def main(bench: Path, runs: Path, folder: Path, sabotage: str) -> int:
    """Connect, arm, run; pictures into `folder`; then the live window, telling how it is in `window.json`."""
    session = LiveSession(bench, runs, sabotage=sabotage)
    patience.finish(session, session.connect(), 25.0)
    patience.finish(session, session.arm(), 40.0)
    patience.finish(session, session.start(), 5.0)
    patience.idle(session, SHOW_S)
    pictures = [str(path) for path in take_pictures(session, folder)]

    def ready(window: Window) -> None:
        timer = QTimer(window.shell)
        timer.timeout.connect(lambda: tell(window))
        timer.start(TELL_MS)

    def tell(window: Window) -> None:
        status = session.status
        said = {
            "state": status.state.value,
            "run": status.run_folder,
            "ports": sorted(session.guard_ports),
            "pictures": pictures,
            "window": window.shell.stats.as_json(),
        }
        draft = folder / "window.json.new"
        draft.write_text(json.dumps(said), encoding="utf-8")
        draft.replace(folder / "window.json")

    return run_window(lambda: session, ready=ready)


if __name__ == "__main__":
    sys.exit(main(*(Path(argument) for argument in sys.argv[1:4]), sabotage=sys.argv[4]))
