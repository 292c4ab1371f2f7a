from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FORBIDDEN = {"torch", "pybamm", "scipy", "numba", "casadi", "pandas", "asammdf"}

SHELL_ONLY = """
import json, sys
import workbench.window.shell
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""

WHOLE = """
import json, sys
from PySide6.QtCore import QTimer
from tests.workbench.fake_session import running_session
from workbench.window.app import run_window
from workbench.window.layout import Memory
from workbench.window.library import RunLibrary
from pathlib import Path

def ready(window):
    for page in ("Twin", "Runs", "Fleet", "Bench"):
        window.show_page(page)
    window.show_palette()
    QTimer.singleShot(900, window.close)

session = running_session(past_s=3.0)
home = Path(sys.argv[1])
status = run_window(lambda: session, past=lambda: RunLibrary(home), memory=Memory(home / "layout.ini"), ready=ready)
modules = sorted({name.split(".")[0] for name in sys.modules})
print(json.dumps({"status": status, "modules": modules, "closed": session.closed}))
"""


def run(code: str, *args: str) -> str:
    done = subprocess.run(  # our own interpreter
        [sys.executable, "-W", "error", "-c", code, *args],
        cwd=ROOT,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def test_shell_stands_before_anything_slow_is_imported() -> None:
    modules = set(json.loads(run(SHELL_ONLY)))
    assert "PySide6" in modules
    assert not modules & (FORBIDDEN | {"numpy", "pyqtgraph", "pyarrow", "psutil"})


@pytest.mark.timeout(60)
def test_whole_window_never_imports_the_giants(tmp_path: Path) -> None:
    said = json.loads(run(WHOLE, str(tmp_path)))
    assert said["status"] == 0
    assert said["closed"]
    assert not set(said["modules"]) & FORBIDDEN
