"""Child processes of a measurement: a window without a display, or a command without real-time permission."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drivers.clock import monotonic
from drivers.errors import BenchError
from workbench.compose.shipped_bench import EMULATED_BENCH
from workbench.run_folders import EMULATED

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

START_S = 60.0
LEAVE_S = 10.0


@contextmanager
def child(folder: Path, *arguments: str, before: Sequence[str] = ()) -> Generator[subprocess.Popen[bytes]]:
    """Start this Python with `arguments`, offscreen, its settings in `folder`; kill it at the end of the block."""
    paths = os.pathsep.join(str(Path(path).resolve()) for path in sys.path)
    environment = {
        **os.environ,
        "QT_QPA_PLATFORM": "offscreen",
        "XDG_CONFIG_HOME": str(folder),
        "PYTHONPATH": paths,
    }
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603  # ourselves
            [*before, sys.executable, *arguments], env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def bench_window(folder: Path, seconds: int, before: Sequence[str] = ()) -> Generator[subprocess.Popen[bytes]]:
    """Start a window on the running emulated bench, measured for `seconds`; with 0 it runs until it is killed."""
    arguments = (str(EMULATED_BENCH), str(folder), str(seconds))
    with child(folder, "-m", "workbench.measure.bench_window", *arguments, before=before) as process:
        yield process


def read_result(
    folder: Path, process: subprocess.Popen[bytes], *, ended: bool, within_s: float = START_S
) -> dict[str, Any]:
    """Return what a child wrote into `result.json`, at once or when it has `ended`; raise `BenchError`."""
    until_s, path = monotonic() + within_s, folder / "result.json"
    while process.poll() is None and not (path.exists() and not ended):
        if monotonic() > until_s:
            raise BenchError(
                f"the measured process gives no result within {within_s:g} s", hint=_read_last_line(folder)
            )
        time.sleep(0.02)
    if not path.exists() or process.poll():
        raise BenchError(f"the measured process ended with exit {process.returncode}", hint=_read_last_line(folder))
    return json.loads(path.read_text(encoding="utf-8"))


def wait_for_emulators(run: Path, within_s: float = LEAVE_S) -> None:
    """Wait until the emulated bench of `run`, whose client was killed, has ended: the next one needs the cores."""
    until_s = monotonic() + within_s
    while not (run / EMULATED / "ended").exists() and monotonic() < until_s:
        time.sleep(0.05)


def make_command_without_realtime() -> list[str] | None:
    """Return the prefix of a command that denies it and its children SCHED_FIFO; None if there is no way.

    It removes the permission by resource limit, by capability and by the file capabilities of Python itself.
    """
    prlimit, setpriv = shutil.which("prlimit"), shutil.which("setpriv")
    if prlimit is None or setpriv is None:
        return None
    root = ["--bounding-set", "-sys_nice"] if os.geteuid() == 0 else []
    return [prlimit, "--rtprio=0:0", "--", setpriv, "--no-new-privs", *root, "--"]


def _read_last_line(folder: Path) -> str:
    lines = (folder / "log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return f"its last line: {lines[-1]}" if lines else "it printed nothing"
