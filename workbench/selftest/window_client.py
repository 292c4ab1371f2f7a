"""A window in its own process for the selftest: run the bench, save pictures, continue until killed."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from drivers.state_file import write_bytes
from workbench.compose.defects import NO_DEFECTS
from workbench.compose.named_defects import BENCH_DEFECTS
from workbench.compose.session import open_session
from workbench.session import waiting
from workbench.window.screenshots import OffscreenWindow, serve

SHOW_S = 8.0
TELL_S = 0.2


def main(bench: Path, runs: Path, folder: Path, defect: str) -> None:
    """Connect, arm, run; save pictures in `folder`; then keep the window live and write its status to `window.json`."""
    starter = os.getppid()
    session = open_session(bench, runs, defects=BENCH_DEFECTS.get(defect, NO_DEFECTS))
    window = OffscreenWindow(lambda: session)
    waiting.finish(window, session.connect(), waiting.CONNECT_S)
    waiting.finish(window, session.arm(), waiting.ARM_S)
    waiting.finish(window, session.start(), 5.0)
    serve(SHOW_S)
    pictures = [str(path) for path in window.save_screenshots(folder)]
    while os.getppid() == starter:  # when the starter was killed, nobody else ends this window
        serve(TELL_S)
        status = session.status
        state = {
            "state": status.state.word,
            "why": status.trip_reason,
            "run": status.run_folder,
            "ports": sorted(session.guard_ports),
            "pictures": pictures,
            "window": window.shell.stats.as_json(),
        }
        write_bytes(folder / "window.json", json.dumps(state).encode(), durable=False)


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:4]), defect=sys.argv[4])
