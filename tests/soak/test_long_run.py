"""The long forms, run by `make soak`: what only time brings out. `PULSEBMS_SOAK_S` says how long (600 s)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from workbench import jitter
from workbench.selftest.latency_probe import LatencyProbe

ROOT = Path(__file__).resolve().parents[2]
SOAK_S = float(os.environ.get("PULSEBMS_SOAK_S", "600"))
WARM_S = min(60.0, SOAK_S / 3.0)
GROWTH = 40e6  # octets: beyond buffers that fill once, nothing may grow

pytestmark = [pytest.mark.soak, pytest.mark.timeout(SOAK_S + 600.0)]


def memory(process: psutil.Process) -> int:
    """Octets of a process and everything that it started; what is shared counts for each."""
    total = 0
    for one in (process, *process.children(recursive=True)):
        try:
            total += one.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def test_a_long_run_loses_no_tick_and_grows_no_memory(tmp_path: Path) -> None:
    command = [sys.executable, "main.py", "run", "--json", "--out", str(tmp_path), "--duration", str(SOAK_S)]
    probe = LatencyProbe()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    whole = psutil.Process(process.pid)
    time.sleep(20.0 + WARM_S)  # fixed wait: the soak itself
    early = memory(whole)
    time.sleep(SOAK_S - WARM_S - 20.0)  # fixed wait: the soak itself
    late = memory(whole)
    stdout, _ = process.communicate(timeout=300.0)
    machine = probe.finish()
    answer: dict[str, Any] = json.loads(stdout)
    print(f"{answer['ticks']} ticks, late {answer['late_ms']}, memory {early / 1e6:.0f} to {late / 1e6:.0f} MB")  # noqa: T201  # the figures
    assert process.returncode == 0
    assert answer["recorded"] == answer["ticks"] >= 100 * SOAK_S
    assert late - early < GROWTH
    missed_pct = 100.0 * answer["missed"] / answer["due"]
    held = jitter.is_within(missed_pct, jitter.MOST_MISSED_PCT, machine.missed_pct)
    if held is None:
        pytest.skip(f"all else holds; {missed_pct:.3g} % missed, the machine itself misses {machine.missed_pct:.3g} %")
    assert held, f"{missed_pct:.3g} % missed, the machine itself misses {machine.missed_pct:.3g} %"


def test_five_selftests_in_a_row_walk_every_step(tmp_path: Path) -> None:
    for _ in range(5):
        command = [sys.executable, "main.py", "selftest", "--json", "--out", str(tmp_path)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert json.loads(done.stdout)["ok"], done.stderr


def test_the_suite_finds_what_is_seeded_and_nothing_where_nothing_is(tmp_path: Path) -> None:
    command = [sys.executable, "main.py", "certify", "--qualify", "--json", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=1200)
    answer: dict[str, Any] = json.loads(done.stdout)
    assert (answer["ok"], answer["defects"], answer["healthy"]) == (True, 12, 10), done.stderr
    assert answer["found"] >= 11, done.stderr
    assert answer["alarms"] == 0, done.stderr
