from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from drivers.runlog.recorder import Recorder
from tests.workbench.live import ROOT
from tests.workbench.plant import table

if TYPE_CHECKING:
    from pathlib import Path

FORBIDDEN = {"torch", "pybamm", "scipy", "numba", "casadi", "pandas", "asammdf"}

SHELL_ONLY = """
import json, sys
import workbench.window.shell
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""

WHOLE = """
import json, sys
from functools import partial
from PySide6.QtCore import QTimer
from tests.workbench.fake_session import running_session
from workbench.window.app import run_window
from workbench.window.layout import LayoutSettings
from workbench.window.runs_page.run_library import RunLibrary
from pathlib import Path

home = Path(sys.argv[1])
steps = []

def work(window):
    # list, open, play, leave, export: one step after the other
    runs, bench, waiting = window.runs, window.bench, window.controller.background.tasks
    window.show_page("Runs")
    yield lambda: runs.table.rows
    runs.open_selected()
    yield lambda: bench.replay is not None and bench.store is not None and bench.store.newest_s > 500.1
    bench.leave_replay()
    for suffix in ("csv", "mf4"):
        runs.export(home / f"run.{suffix}")
        yield lambda: not waiting
        steps.append((home / f"run.{suffix}").is_file())

def ready(window):
    for page in ("Twin", "Fleet", "Bench"):
        window.show_page(page)
    window.show_palette()
    doing = work(window)
    until = [next(doing)]

    def look():
        try:
            if until[0]():
                until[0] = next(doing)
        except StopIteration:
            window.close()
        else:
            QTimer.singleShot(20, look)

    look()

session = running_session(past_s=3.0)
memory = LayoutSettings(home / "layout.ini")
status = run_window(lambda: session, past=partial(RunLibrary, home), memory=memory, ready=ready)
modules = sorted({name.split(".")[0] for name in sys.modules})
print(json.dumps({"status": status, "modules": modules, "closed": session.closed, "steps": steps}))
"""


def run(code: str, *args: str) -> str:
    done = subprocess.run(  # our own interpreter
        [sys.executable, "-W", "error", "-c", code, *args],
        cwd=ROOT,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=80,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def test_shell_stands_before_anything_slow_is_imported() -> None:
    modules = set(json.loads(run(SHELL_ONLY)))
    assert "PySide6" in modules
    assert not modules & (FORBIDDEN | {"numpy", "pyqtgraph", "pyarrow", "psutil"})


@pytest.mark.timeout(90)
def test_window_never_imports_the_giants_whatever_is_done_with_runs(tmp_path: Path) -> None:
    channels, measured = table()
    with Recorder.create(tmp_path / "run", channels, {"evidence": "SIM"}, measured) as recorder:
        for tick in range(50):
            t_s = 500.0 + tick / 100.0
            recorder.put(t_s, np.zeros(len(channels)), np.full(measured, t_s), np.zeros(measured, np.uint8))
    said = json.loads(run(WHOLE, str(tmp_path)))
    assert said["status"] == 0
    assert said["closed"]
    assert said["steps"] == [True, True]
    assert not set(said["modules"]) & FORBIDDEN
