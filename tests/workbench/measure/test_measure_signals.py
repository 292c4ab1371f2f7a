"""`measure fleet` that is ended by a signal while its load settles: no server, host or load goes on."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil
import pytest

from tests.waiting import wait_until
from workbench.compose.broker import has_mosquitto
from workbench.demo.demo_postgres import find_server

if TYPE_CHECKING:
    from collections.abc import Generator

ROOT: Final = Path(__file__).parents[3]
LONG_S: Final = 120.0
END_S: Final = 10.0  # after the end of the measurement
SHORT: Final = """
from functools import partial
from workbench.measure.fleet_load import load_run
from workbench.report import Report
from workbench.run_verb import run_verb
from workbench.verbs import measure
measure.MeasureJob = partial(measure.MeasureJob, share=0.005)
load_run.FULL = 9.0  # it never is steady, so it settles until the signal comes
run_verb(Report("measure", False), measure.main, "fleet")
"""


@pytest.fixture
def measuring() -> Generator[subprocess.Popen[str]]:
    if find_server() is None or not has_mosquitto():
        pytest.skip("it needs mosquitto and PostgreSQL (Debian: apt install mosquitto postgresql)")
    command = [sys.executable, "-c", SHORT]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    yield process
    if process.poll() is None:
        for one in [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]:
            one.kill()
    process.communicate()


def find_parts(process: subprocess.Popen[str]) -> dict[int, psutil.Process] | None:
    """Return all processes of the measurement once its load runs, which is the last one that it starts."""
    assert process.poll() is None, process.communicate()[0]
    found = psutil.Process(process.pid).children(recursive=True)
    words = [(one.name(), " ".join(one.cmdline())) for one in found if one.is_running()]
    has_all = (
        any(name == "mosquitto" for name, _ in words)
        and any(name == "postgres" for name, _ in words)
        and any("--store" in line for _, line in words)
        and any("spawn_main" in line for _, line in words)
    )
    return {one.pid: one for one in found} if has_all else None


@pytest.mark.live
@pytest.mark.skipif(sys.platform != "linux", reason="mosquitto ends with its parent there alone")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda one: one.name)
def test_nothing_remains_after_a_signal(measuring: subprocess.Popen[str], number: signal.Signals) -> None:
    def look() -> dict[int, psutil.Process] | None:
        try:
            return find_parts(measuring)
        except psutil.Error:  # a process of the server that has just ended
            return None

    parts = wait_until(look, LONG_S, "the load runs", every_s=0.05)
    measuring.send_signal(number)
    output, _ = measuring.communicate(timeout=LONG_S)
    assert "interrupted; everything that was started has been shut down" in output
    named = [describe(one) for one in parts.values() if goes_on(one)]
    wait_until(lambda: not any(map(goes_on, parts.values())), END_S, f"the end of {named}")  # the tracker ends last


def describe(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return "a process that has ended by now"


def goes_on(process: psutil.Process) -> bool:
    """Return whether it runs: one that has ended and that nobody waited for is listed too."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
