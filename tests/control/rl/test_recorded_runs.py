"""Runs from which the twin is refitted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from control.rl.recorded_runs import RecordedPack, fit_task, read_runs, simulate
from control.state import BenchState
from control.tasks.task import find_task, read_task
from drivers.channel_names import BENCH_STATE, SUPPLY_CURRENT, cell_voltage, sensed_temperature
from drivers.errors import RunLogError
from drivers.runlog.recorder import Recorder
from drivers.snapshot import Channel, ChannelTable

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.snapshot import Floats

TASK = read_task(find_task("duty_tracking"))
BENCH = "[pack]\ncells = 2\nparallel = 12\ncell_ah = 5.0\n"


def make_run(seconds: int = 900, soc: float = 0.7, seed: int = 1) -> RecordedPack:
    """A pack of 1.4 times the resistance and 0.85 times the capacity of the cell file, measured with noise."""
    random = np.random.default_rng(seed)
    current_a = np.repeat(random.uniform(-40.0, 60.0, seconds // 20), 20)
    empty = np.zeros(len(current_a))
    run = RecordedPack("made", 12, 5.0, current_a, empty, empty + 298.15)
    voltage_v = simulate(TASK.cell.circuit, run, soc, 1.4, 0.85)
    return RecordedPack("made", 12, 5.0, current_a, voltage_v + 1e-3 * random.standard_normal(len(empty)), run.kelvin)


def test_the_fit_finds_the_pack_that_was_recorded() -> None:
    task, fit = fit_task(TASK, [make_run(), make_run(soc=0.4, seed=2)])
    assert fit.resistance == pytest.approx(1.4, rel=0.02)
    assert fit.capacity == pytest.approx(0.85, rel=0.03)
    assert fit.after_v == pytest.approx(1e-3, rel=0.1), "the noise alone is left"
    assert fit.before_v > 5e-3
    assert "mV before, 1.0 mV after" in fit.format_line()
    low, high = task.varies.resistance
    assert low < fit.resistance < high
    assert task.sha256 == TASK.sha256
    assert task.varies.ambient_degc == TASK.varies.ambient_degc


def record(folder: Path, current_a: Floats, voltage_v: Floats) -> None:
    names = (BENCH_STATE, SUPPLY_CURRENT, cell_voltage(1), cell_voltage(2), sensed_temperature(1))
    table = ChannelTable(tuple(Channel(name, "1") for name in names))
    recorder = Recorder.create(folder, table, {"bench": {"text": BENCH}}, 0)
    for number in range(10 * len(current_a)):
        second = number // 10
        state = BenchState.RUNNING if second < len(current_a) - 5 else BenchState.CONNECTED
        volts = voltage_v[second] if state is BenchState.RUNNING else 0.3
        values = np.array([state, current_a[second], volts + 0.01, volts - 0.01, 298.15])
        recorder.put(50.0 + 0.1 * number, values, np.zeros(0), np.zeros(0, np.uint8))
    recorder.close()


def test_a_recorded_run_is_read_second_by_second_while_the_bench_ran(tmp_path: Path) -> None:
    made = make_run(60)
    record(tmp_path / "a_run", made.current_a, made.voltage_v)
    (read,) = read_runs(tmp_path)
    assert (read.parallel, read.cell_ah) == (12, 5.0)
    assert read.current_a == pytest.approx(made.current_a[:55], abs=2.0)
    assert read.voltage_v[5:15] == pytest.approx(made.voltage_v[5:15], abs=1e-6)
    assert len(read_runs(tmp_path / "a_run")) == 1


def test_a_folder_without_a_run_under_current_is_refused(tmp_path: Path) -> None:
    record(tmp_path / "at_rest", np.zeros(60), np.full(60, 3.8))
    with pytest.raises(RunLogError, match="1 runs looked at"):
        read_runs(tmp_path)
