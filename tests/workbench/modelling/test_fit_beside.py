"""A fit that scores another cell on the same tests, and its progress where stderr is a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from drivers.benchfile.cell_file import read_default_cell
from drivers.logs.log import read_log
from drivers.logs.test_list import read_test_list
from twin.network.trace import make_trace
from twin.network.voltage import predict_voltage
from workbench import progress_bar
from workbench.modelling.cell_fit import fit_cell
from workbench.modelling.circuit_of_cell import make_circuit_of

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from drivers.snapshot import Floats

LIST = """
[cell]
name = "Twin of Chen2020"
chemistry = "NMC"
[[test]]
kind = "ocv"
file = "slow.csv"
temperature_degc = 25.0
[[test]]
kind = "drive"
file = "drive.csv"
temperature_degc = 25.0
"""


def write_log(path: Path, time_s: Floats, current_a: Floats) -> None:
    """Write the log of the shipped cell's own circuit, full at the start."""
    network, flat = make_circuit_of(read_default_cell()), np.full(len(time_s), 3.7)

    def write(voltage_v: Floats) -> None:
        rows = zip(time_s, voltage_v, -current_a, strict=True)
        text = "\n".join(f"{t:.1f},{v:.6f},{i:.5f},25.0" for t, v, i in rows)
        path.write_text(f"Test_Time(s),Voltage(V),Current(A),Temperature (C)\n{text}\n")

    write(flat)
    trace = make_trace(read_log(path, sign="charge"), network.capacity_ah)
    write(predict_voltage(network, trace, np.arange(len(time_s)), averaged=False))


def test_the_cell_that_made_the_logs_has_no_error_on_them(tmp_path: Path) -> None:
    cell, hours = read_default_cell(), np.arange(0.0, 20.5, 1.0 / 60.0)
    write_log(tmp_path / "slow.csv", 3600.0 * hours, np.where((hours > 0.2) & (hours < 20.2), 0.2576, 0.0))
    time_s = np.arange(3000.0)
    drive_a = np.repeat(np.random.default_rng(3).uniform(0.0, 5.0, 150), 20)
    write_log(tmp_path / "drive.csv", time_s, np.where(time_s < 60, 0.0, drive_a))
    (tmp_path / "tests.toml").write_text(LIST)
    fit = fit_cell(read_test_list(tmp_path / "tests.toml"), beside=cell)
    for score in fit.scores:
        assert score.rows > 400
        assert score.beside_rmse_v < 0.001 < 10.0 * score.rmse_v


def test_progress_is_lines_where_stderr_is_no_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress_bar, "LINE_S", 0.0)
    with progress_bar.show_progress("fitting") as report:
        assert report(0.4)
    assert capsys.readouterr().err == "fitting: 40 %\n"
