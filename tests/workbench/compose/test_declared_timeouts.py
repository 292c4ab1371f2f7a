"""Time-outs of each kind of command: the driver's declaration, and what a bench file says in its place."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from drivers.benchfile import Bench, read_bench
from drivers.errors import BenchFileError
from drivers.scpi.cell_simulator import CellSimulator
from drivers.scpi.supply import Supply
from tests.workbench.live import ROOT
from workbench.compose import bench as composition

if TYPE_CHECKING:
    from pathlib import Path

BENCHES = ROOT / "fixtures" / "benches"


def read(folder: Path, section: str, line: str) -> Bench:
    for file in BENCHES.iterdir():
        shutil.copy(file, folder)
    text = (BENCHES / "hil24.toml").read_text(encoding="utf-8").replace(f"[{section}]\n", f"[{section}]\n{line}\n")
    (folder / "bench.toml").write_text(text, encoding="utf-8")
    return read_bench(folder / "bench.toml")


def test_a_declared_time_out_reaches_the_driver_and_the_others_stay(tmp_path: Path) -> None:
    bench = read(tmp_path, "supply", "timeouts_ms = { read = 400, obey = 2500 }")
    cells, supply, io_box, _ = composition._make_instruments(bench)  # pyright: ignore[reportPrivateUsage]  # the wiring is what is looked at
    assert supply.timeouts == Supply.kept.from_bench({"read": 0.4, "obey": 2.5})
    assert cells.timeouts == CellSimulator.kept
    assert io_box.timeouts.read == 0.25


@pytest.mark.parametrize("section", ["cell_simulator", "supply", "io_box"])
def test_each_instrument_takes_time_outs_and_no_other_kind(tmp_path: Path, section: str) -> None:
    assert read(tmp_path, section, "timeouts_ms = { ask = 900 }")
    with pytest.raises(BenchFileError, match="asks is not known; did you mean ask"):
        read(tmp_path, section, "timeouts_ms = { asks = 900 }")
    with pytest.raises(BenchFileError, match="= 0 should be at least 1"):
        read(tmp_path, section, "timeouts_ms = { ask = 0 }")


def test_the_sign_of_a_cells_current_is_declared(tmp_path: Path) -> None:
    assert read(tmp_path, "cell_simulator", 'discharge_reads = "negative"').cell_simulator.discharge_reads == "negative"
