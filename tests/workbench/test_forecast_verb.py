"""The verb `forecast`: its object, its file, and what it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drivers.benchfile.cell_file import CELLS
from drivers.errors import Usage
from workbench.report import Report
from workbench.verbs import forecast

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def fitted(tmp_path: Path) -> Path:
    """A cell of a circuit alone, as a fit writes it."""
    text = (CELLS / "chen2020.toml").read_text(encoding="utf-8")
    head, _, rest = text.partition("[physics]")
    (tmp_path / "cell.toml").write_text(head + "[" + rest.partition("\n[")[2], encoding="utf-8")
    return tmp_path / "cell.toml"


def test_a_forecast_is_written_whole_with_its_object(fitted: Path, tmp_path: Path) -> None:
    duty, out = tmp_path / "duty.csv", tmp_path / "out.csv"
    duty.write_text("time_s,power_w\n0,9\n30,-9\n60,0\n", encoding="utf-8")
    report = Report("forecast", as_json=True)
    assert forecast.main(report, str(fitted), duty, "2min", soc0=0.5, ambient_degc=25.0, out=out)
    assert report.body["models"] == ["circuit"]
    assert report.body["voltage_v"]["low"] is None  # one model has no interval
    assert report.body["loss_ah_day"]["reason"] == forecast.NO_AGEING
    lines = out.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "time_s,current_a,voltage_v,temperature_k,energy_wh"
    assert len(lines) == 121
    assert {path.name for path in tmp_path.iterdir()} == {"cell.toml", "duty.csv", "out.csv"}


@pytest.mark.parametrize("text", ["25h", "0s", "a day", "10", "-1h"])
def test_a_horizon_beyond_a_day_or_without_a_unit_is_refused(text: str) -> None:
    with pytest.raises(Usage, match="is not a time of 1 s to 24 h"):
        forecast.parse_horizon(text)
    assert forecast.parse_horizon("1.5h") == 5400.0


def test_an_output_onto_the_duty_is_refused(fitted: Path, tmp_path: Path) -> None:
    duty = tmp_path / "duty.csv"
    duty.write_text("time_s,power_w\n0,9\n60,0\n", encoding="utf-8")
    with pytest.raises(Usage):
        forecast.main(Report("forecast"), str(fitted), duty, "60s", soc0=0.5, ambient_degc=25.0, out=duty)
