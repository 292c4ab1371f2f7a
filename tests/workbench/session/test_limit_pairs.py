"""The window shows the limits that gate and guard enforce, whatever the channels are called."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from control.snapshot_builder import SnapshotBuilder
from drivers.bench_channels import make_channel_table
from drivers.benchfile.limits import lay_over_channels
from drivers.benchfile.read import read_bench
from drivers.canbus.dut_map import read_dut_map
from drivers.errors import BenchFileError
from drivers.runlog.recorder import Recorder
from drivers.runlog.run import Run
from tests.workbench.live import ROOT
from tests.workbench.plant import table
from workbench.compose.bench import _make_instruments  # pyright: ignore[reportPrivateUsage]  # what a session reads
from workbench.engine import status
from workbench.window.runs_page import run_tasks

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.benchfile import Bench
    from drivers.snapshot import ChannelTable

BENCHES = ROOT / "fixtures" / "benches"
BOARDS = """
[[signals]]
channel = "bms/board_{n}"
unit = "K"
range = [213.15, 423.15]
numbers = [1, 8]
message = "BMS_Temps_{m}"
per_message = 4
signal = "Temp{n}"
offset = 273.15
"""
INPUTS = """
[[signals]]
channel = "bms/cell_{n:02d}/temperature_input"
unit = "V"
range = [0.0, 5.5]
numbers = [1, 24]
message = "BMS_Cells_{m}"
per_message = 4
signal = "Cell{n:02d}"
"""


def limit(channels: str, unit: str, bounds: str) -> str:
    return f'\n[[limit]]\nchannels = "{channels}"\nunit = "{unit}"\nbench = {bounds}\n'


def extended(folder: Path, mapped: str, declared: str) -> Bench:
    """The emulated bench with more signals in its device map, and more limits."""
    for path in BENCHES.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    for name, more in (("pulse24.dut.toml", mapped), ("hil24.toml", declared)):
        with (folder / name).open("a", encoding="utf-8") as file:
            file.write(more)
    return read_bench(folder / "hil24.toml")


def read_table(bench: Bench) -> ChannelTable:
    """The channels that a session's loop reads."""
    cells, supply, io_box, dut = _make_instruments(bench)
    return SnapshotBuilder((cells, supply, dut, io_box)).table


def enforced(bench: Bench) -> dict[str, tuple[float, float]]:
    """What gate and guard keep, by channel."""
    channels = read_table(bench)
    laid = lay_over_channels(bench, channels)
    bounded = np.flatnonzero(np.isfinite(laid.low))
    return {channels.names[n]: (laid.low[n], laid.high[n]) for n in bounded}


def shown(bench: Bench) -> dict[str, tuple[float, float]]:
    return {pair.channel: pair.bench for pair in status.make_bench_info(bench).limits}


@pytest.mark.parametrize("name", ["hil24.toml", "lfp16.toml", "foreign24.toml"])
def test_what_is_shown_is_what_is_enforced(name: str) -> None:
    bench = read_bench(BENCHES / name)
    assert shown(bench) == enforced(bench)
    assert len(shown(bench)) > 2 * bench.pack.cells + 2  # voltage and current of each cell, and others


@pytest.mark.parametrize("name", ["hil24.toml", "lfp16.toml", "foreign24.toml"])
def test_the_declared_channels_are_those_that_the_loop_reads(name: str) -> None:
    bench = read_bench(BENCHES / name)
    assert make_channel_table(bench, read_dut_map(bench.dut_map)) == read_table(bench)


def test_a_temperature_whose_name_lacks_the_word_is_shown(tmp_path: Path) -> None:
    bench = extended(tmp_path, BOARDS, limit("bms/board_*", "degC", "[-35.0, 70.0]"))
    boards = {channel: bounds for channel, bounds in shown(bench).items() if "board" in channel}
    assert list(boards) == [f"bms/board_{n}" for n in range(1, 9)]
    assert boards["bms/board_8"] == pytest.approx((238.15, 343.15))
    assert shown(bench) == enforced(bench)


def test_a_voltage_whose_name_has_the_word_is_shown_for_each_cell(tmp_path: Path) -> None:
    bench = extended(tmp_path, INPUTS, limit("bms/cell_*/temperature_input", "V", "[0.0, 5.4]"))
    inputs = [channel for channel in shown(bench) if "temperature_input" in channel]
    assert inputs == [f"bms/cell_{n:02d}/temperature_input" for n in range(1, 25)]
    assert shown(bench) == enforced(bench)


def test_a_pattern_that_matches_no_channel_is_told_before_anything_is_opened(tmp_path: Path) -> None:
    bench = extended(tmp_path, "", limit("bms/board_*", "degC", "[-35.0, 70.0]"))
    with pytest.raises(BenchFileError, match="matches no channel"):
        status.make_bench_info(bench)


def recorded(folder: Path, text: str) -> Run:
    """A run that carries `text` as its bench file."""
    channels, measured = table()
    meta = {"evidence": "SIM", "bench": {"name": "hil24", "file": "hil24.toml", "text": text}}
    with Recorder.create(folder / "run", channels, meta, measured) as recorder:
        recorder.put(500.0, np.zeros(len(channels)), np.full(measured, 500.0), np.zeros(measured, np.uint8))
    return Run.open(folder / "run")


def test_a_replay_shows_the_limits_of_the_run_in_si(tmp_path: Path) -> None:
    text = (BENCHES / "hil24.toml").read_text(encoding="utf-8")
    volts = 'channels = "cell_*/voltage"\nunit = "V"\nbench = [0.50, 5.00]'
    millivolts = 'channels = "cell_*/voltage"\nunit = "mV"\nbench = [500.0, 5000.0]'
    assert volts in text
    with recorded(tmp_path, text.replace(volts, millivolts)) as run:
        bench, mistake = run_tasks.read_bench_of(run)
        pairs = {pair.channel: pair for pair in run_tasks.make_bench_info(run, bench).limits}
    assert mistake == ""
    cell = pairs["cell_07/voltage"]
    assert (cell.unit, cell.bench, cell.device) == ("V", pytest.approx((0.5, 5.0)), pytest.approx((2.8, 4.25)))
    assert pairs["bms/temperature_3"].bench == pytest.approx((238.15, 343.15))


def test_a_pattern_of_cells_does_not_reach_the_cells_of_a_twin(tmp_path: Path) -> None:
    text = (BENCHES / "hil24.toml").read_text(encoding="utf-8").replace('"cell_*/voltage"', '"*cell_*/voltage"')
    with recorded(tmp_path, text) as run:
        bench, _ = run_tasks.read_bench_of(run)
        limited = [pair.channel for pair in run_tasks.make_bench_info(run, bench).limits]
    assert "cell_01/voltage" in limited
    assert not [channel for channel in limited if channel.startswith("twin/")]


def test_a_replay_tells_that_the_bench_file_of_the_run_cannot_be_read(tmp_path: Path) -> None:
    with recorded(tmp_path, "[bench]\nname = 7\n") as run:
        bench, mistake = run_tasks.read_bench_of(run)
        told = run_tasks.list_events(run, mistake)
        assert run_tasks.make_bench_info(run, bench).limits == ()
    assert bench is None
    assert mistake in told[0].event.text
