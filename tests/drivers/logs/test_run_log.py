"""A run of ours is a log of one of its cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from drivers.errors import LogError, RunLogError
from drivers.logs.cell_voltages import list_cell_numbers, read_cell_voltages
from drivers.logs.log import read_log
from drivers.runlog.export import export_csv, export_mdf4
from drivers.runlog.recorder import Recorder
from drivers.runlog.run import Run
from drivers.snapshot import Channel, ChannelTable, Quality

if TYPE_CHECKING:
    from pathlib import Path

NAMES = [
    ("cell_01/voltage", "V"),
    ("cell_02/voltage", "V"),
    ("cell_01/current", "A"),
    ("cell_02/current", "A"),
    ("supply/current", "A"),
    ("bms/temperature_1", "K"),
    ("bms/temperature_2", "K"),
]
TABLE = ChannelTable(tuple(Channel(name, unit) for name, unit in NAMES))
TICKS = 60


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    recorder = Recorder.create(tmp_path / "run", TABLE, {}, len(NAMES))
    for k in range(TICKS):
        current = float(k % 4)
        values = np.array([3.7 - 0.05 * current, 3.6 - 0.05 * current, 0.1, 0.2, current, 298.0, 300.0])
        quality = np.full(len(NAMES), Quality.GOOD, np.uint8)
        quality[0] = Quality.MISSING if k == 30 else Quality.GOOD
        recorder.put(50.0 + 0.1 * k, values, np.full(len(NAMES), 50.0 + 0.1 * k), quality)
    recorder.close()
    return tmp_path / "run"


def test_a_cell_of_a_run_is_read_with_its_own_current(folder: Path) -> None:
    read = read_log(folder, cell=2)
    assert len(read) == TICKS
    np.testing.assert_allclose(read.time_s, 50.0 + 0.1 * np.arange(TICKS))
    np.testing.assert_allclose(read.voltage_v, 3.6 - 0.05 * (np.arange(TICKS) % 4))
    np.testing.assert_allclose(read.current_a, np.arange(TICKS) % 4 + 0.2)
    assert read.temperature_k is not None
    np.testing.assert_allclose(read.temperature_k, 299.0)


def test_a_value_that_was_missing_is_left_out(folder: Path) -> None:
    read = read_log(folder, cell=1)
    assert len(read) == TICKS - 1
    assert 31 not in read.row


@pytest.mark.parametrize("cell", [None, 3, 0])
def test_a_run_of_many_cells_asks_for_one(folder: Path, cell: int | None) -> None:
    with pytest.raises(LogError) as caught:
        read_log(folder, cell=cell)
    assert "--number 1 .. 2" in caught.value.hint


def test_exports_of_a_run_are_logs_too(folder: Path, tmp_path: Path) -> None:
    with Run.open(folder) as run:
        export_csv(run, tmp_path / "run.csv")
        export_mdf4(run, tmp_path / "run.mf4")
    for path in (tmp_path / "run.csv", tmp_path / "run.mf4", folder / "ticks.parquet"):
        read = read_log(path, cell=2)
        np.testing.assert_allclose(read.voltage_v, 3.6 - 0.05 * (np.arange(TICKS) % 4))
        np.testing.assert_allclose(read.current_a, np.arange(TICKS) % 4)
        assert read.temperature_k is not None
        np.testing.assert_allclose(read.temperature_k, 298.0)


def test_a_damaged_run_is_refused(folder: Path) -> None:
    (folder / "ticks.parquet").write_bytes(b"PAR1")
    with pytest.raises(RunLogError, match="contains no ticks that can be read"):
        read_log(folder, cell=1)


def test_all_cells_of_a_run_stand_at_the_rows_of_the_log(folder: Path, tmp_path: Path) -> None:
    with Run.open(folder) as run:
        export_csv(run, tmp_path / "run.csv")
        export_mdf4(run, tmp_path / "run.mf4")
    for path in (folder, tmp_path / "run.csv", tmp_path / "run.mf4", folder / "ticks.parquet"):
        assert list_cell_numbers(path) == [1, 2]
        log = read_log(path, cell=1)
        numbers, volts = read_cell_voltages(log)
        assert numbers == (1, 2)
        np.testing.assert_allclose(volts[0], log.voltage_v)
        np.testing.assert_allclose(volts[1], log.voltage_v - 0.1)
