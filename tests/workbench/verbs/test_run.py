"""`run` as scripts and people meet it: faults, Ctrl-C, a killed client, two at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from drivers.runlog.run import Run
from tests.waiting import stays, wait_until
from tests.workbench.live import ROOT
from tests.workbench.own_cli import run_here
from workbench.selftest import evidence

whole_bench = pytest.mark.whole_bench
posix = pytest.mark.skipif(os.name != "posix", reason="signals to a process group are POSIX")


def begin(out: Path, *arguments: str) -> subprocess.Popen[str]:
    """A run in a process group of its own, as a shell starts one; under nohup a hang-up would pass it by."""
    command = [sys.executable, "main.py", "run", "--json", "--out", str(out), *arguments]
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL) if hasattr(signal, "SIGHUP") else None
    try:
        return subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
    finally:
        if before is not None:
            signal.signal(signal.SIGHUP, before)


def answer(process: subprocess.Popen[str], within_s: float = 120.0) -> tuple[int, dict[str, Any], str]:
    stdout, told = process.communicate(timeout=within_s)
    return process.returncode, json.loads(stdout), told


def until_running(process: subprocess.Popen[str], out: Path) -> Path:
    """The run's folder, once it says that it runs and the supply's output is on."""
    assert process.stderr is not None
    assert any(line.startswith("running for") for line in process.stderr), "it ended before it ran"
    (folder,) = out.iterdir()
    wait_until(lambda: not is_off(folder), 5.0, "an output that is on", every_s=0.05)
    return folder


def is_off(folder: Path) -> bool:
    """Whether the last that the supply's journal says of its output is off."""
    told = [entry["output"] for entry in evidence.read_journal(folder / "emulated", "supply") if "output" in entry]
    return not told or told[-1] == 0


def heard_s(folder: Path) -> float:
    """When the supply last heard anything, on its own clock."""
    return max(entry["t"] for entry in evidence.read_journal(folder / "emulated", "supply"))


def leaves(process: subprocess.Popen[str]) -> bool:
    """Whether it has heard a Ctrl-C and takes no other; where there is no `/proc`, nobody can tell."""
    status = Path(f"/proc/{process.pid}/status")
    if not status.exists():
        return True
    mask = next(line.split()[1] for line in status.read_text().splitlines() if line.startswith("SigIgn"))
    return bool(int(mask, 16) >> (signal.SIGINT - 1) & 1)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("gremlins", "silent-instrument"),
        ("cell-voltage,cell=25", "1..24"),
        ("cell-voltage,cell=2.5", "whole number"),
        ("cell-voltage,volts=nan", "1..4.9 V"),
        ("cell-voltage,colour=red", "cell=1..24"),
        ("silent-instrument,instrument=teapot", "cell_simulator"),
        ("heartbeat-stopped,at", "KEY=VALUE"),
        ("heartbeat-stopped,at=-1", "give seconds"),
    ],
)
def test_a_fault_that_makes_no_sense_is_answered_with_what_there_is(tmp_path: Path, fault: str, says: str) -> None:
    done = run_here("run", "--json", "--out", tmp_path, "--fault", fault)
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "usage"
    assert says in done.stderr
    assert not list(tmp_path.iterdir()), "nothing may have been started"


@pytest.mark.timed
@whole_bench
def test_a_fault_beyond_the_bench_limit_trips_the_run_and_its_time_comes_from_the_journals(tmp_path: Path) -> None:
    status, said, told = answer(begin(tmp_path, "--duration", "10", "--fault", "bench-voltage,cell=3,volts=5.1,at=2"))
    assert status == 1
    assert "cell_03/voltage" in told
    assert "above 5.000 V" in told
    assert 0.0 < said["safe_ms"]["limit"] < 200.0
    assert said["recorded"] == said["ticks"]
    assert [fault["name"] for fault in said["faults"]] == ["bench voltage"]


@whole_bench
def test_a_check_that_fails_exits_1_and_names_the_wire(tmp_path: Path) -> None:
    status, said, _ = answer(begin(tmp_path, "--duration", "5", "--fault", "open-wire,cell=9"))
    assert status == 1
    assert said["error"]["code"] == "check_failed"
    assert "cell 9" in said["error"]["what"]


INTERRUPTED = """
import signal, sys
from workbench.report import Report
from workbench.run_verb import run_verb

def verb(report, number):
    signal.raise_signal(number)
    return True

import typer
app = typer.Typer()
app.command()(lambda number: run_verb(Report("bundle verify", as_json=True), verb, int(number)))
app()
"""


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_verb_exits_130_with_its_object(number: signal.Signals) -> None:
    words = [sys.executable, "-c", INTERRUPTED, str(int(number))]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    said = json.loads(done.stdout)
    assert (done.returncode, said["ok"], said["error"]["code"]) == (130, False, "interrupted")
    assert (said["schema"], said["command"]) == ("pulsebms.bundle.verify/1", "bundle verify")


@whole_bench
@posix
def test_ctrl_c_at_the_terminal_leaves_the_bench_off_and_the_run_sealed(tmp_path: Path) -> None:
    process = begin(tmp_path, "--duration", "60")
    folder = until_running(process, tmp_path)
    os.killpg(process.pid, signal.SIGINT)  # what a terminal does: to everybody
    wait_until(lambda: leaves(process), 5.0, "a Ctrl-C that was heard")
    os.killpg(process.pid, signal.SIGINT)  # and impatience
    status, said, told = answer(process, 20.0)
    assert status == 130
    assert said["run"] == str(folder)
    assert f"the sealed run is in {folder}" in told
    assert said["error"]["code"] == "interrupted"
    wait_until(lambda: is_off(folder), 3.0, "an output that is off", every_s=0.05)
    assert (folder / "ticks.parquet").exists()
    assert not (folder / "ticks.arrows").exists()


@whole_bench
@posix
def test_an_unattended_run_outlives_its_killed_client_and_ends_by_itself(tmp_path: Path) -> None:
    process = begin(tmp_path, "--duration", "6", "--unattended")
    folder = until_running(process, tmp_path)
    os.killpg(process.pid, signal.SIGHUP)  # the terminal has gone
    process.wait(5.0)
    gone_s = time.monotonic()
    goes_on = "the run without its client"
    stays(lambda: not is_off(folder), lambda: heard_s(folder) > gone_s + 1.5, 5.0, goes_on, every_s=0.1)
    wait_until(lambda: is_off(folder), 12.0, "the run's own end", every_s=0.05)
    wait_until((folder / "ticks.parquet").exists, 10.0, "a sealed run")
    with Run.open(folder) as run:
        running = run.columns(["bench/state"])["bench/state"] == 3.0
        assert running.sum() > 5.5 * 100
    process.communicate(timeout=10.0)  # the engine held the pipes until now
