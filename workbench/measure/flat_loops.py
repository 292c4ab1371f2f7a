"""A second LFP cell in its flat zone: 25 hours between 20 and 80 % of charge (TBSI 1.2 Ah, 25 degC)."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drivers.benchfile.cell_file import parse_cell
from drivers.benchfile.cell_writer import spell_cell
from drivers.logs.log import read_log
from drivers.logs.test_list import LabTest, ListedCell, ListedTest, TestList
from workbench.measure.fitted_cells import JudgedDrive
from workbench.modelling.cell_fit import fit_cell
from workbench.modelling.result_table import write_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from drivers.benchfile.cell_file import Cell
    from drivers.snapshot import Floats

FOLDER: Final = "lfp_tbsi_fisher"
CURVES, LOOPS, WHOLE = (
    "Real_SOC_OCV_Curve.mat",
    "Long_flat_zone_data_25_degree.mat",
    "With_constant_current_25_degree.mat",
)
CELL: Final = "TBSI"
CAPACITY_AH, DEGC = 1.2, 25.0
SLOW_HOURS: Final = 150.0  # for which the curves would be run through: they hold no losses


def read_loops(folder: Path, data: Path) -> tuple[Cell, list[JudgedDrive]]:
    """Return the cell and the two logs that judge it; `folder` takes the fit's tests.

    Fitted: both branches of the open circuit, and a run that ends before the judged part of its file begins.
    """
    source = data / FOLDER
    run = _read_struct(source / WHOLE)
    begin = len(run["VT_measured"]) - len(run["VT"])
    cell = _fit(folder, source, run["VT_measured"][:begin], run["Current_measured"][:begin])
    long = _read_struct(source / LOOPS)
    return cell, [
        _make_drive(folder, "loops of 25 h", long["VT"], long["Current"], long["SOC"]),
        _make_drive(folder, "one loop", run["VT"], run["Current"], run["SOC"]),
    ]


def _read_struct(path: Path) -> dict[str, Floats]:
    """Return the columns of `battery_tests`; its time is corrupt in one file, and a row a second in the other."""
    table = _read_matlab(path)["battery_tests"]
    return {name: np.ravel(np.asarray(table[name].item(), np.float64)) for name in table.dtype.names}


def _read_matlab(path: Path) -> Any:
    return import_module("scipy.io").loadmat(path, squeeze_me=True)  # lazy: a quarter of a second


def _fit(folder: Path, source: Path, voltage_v: Floats, current_a: Floats) -> Cell:
    curves = _read_matlab(source / CURVES)
    volts = np.concatenate([curves["OCV_discharge"][::-1], curves["OCV_charge"]])
    points = len(volts) // 2
    slow_a = CAPACITY_AH / SLOW_HOURS
    amperes = np.repeat([slow_a, -slow_a], points)
    _write(folder / "slow.csv", 3600.0 * SLOW_HOURS / (points - 1), volts, amperes)
    _write(folder / "run.csv", 1.0, voltage_v, current_a)
    slow = ListedTest(kind="ocv", file="slow.csv", temperature_degc=DEGC, sign="charge")
    run = ListedTest(kind="drive", file="run.csv", temperature_degc=DEGC, sign="charge")
    tests = tuple(LabTest(test, folder / test.file) for test in (slow, run))
    fit = fit_cell(TestList(folder, ListedCell.model_validate({"name": CELL, "chemistry": "LFP"}), tests))
    values = fit.file.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
    return parse_cell(folder / "fitted.toml", spell_cell(values))


def _make_drive(folder: Path, name: str, voltage_v: Floats, current_a: Floats, soc: Floats) -> JudgedDrive:
    path = folder / "judged.csv"
    _write(path, 1.0, voltage_v, current_a)
    log = read_log(path, None, "charge")
    log = replace(log, temperature_k=np.full(len(log), DEGC + 273.15))
    return JudgedDrive(name, round(DEGC), log, soc, CELL)


def _write(path: Path, step_s: float, voltage_v: Floats, current_a: Floats) -> None:
    columns: dict[str, Floats] = {
        "time_s": step_s * np.arange(len(voltage_v), dtype=np.float64),
        "voltage_v": voltage_v,
        "current_a": -current_a,
    }
    write_table(path, columns, {})


def find_starts(drives: list[JudgedDrive], off: float) -> Iterator[tuple[JudgedDrive, float]]:
    """Yield each log with a start that is `off` too high, and too low."""
    for drive in drives:
        for side in (1.0, -1.0):
            yield drive, float(drive.soc[0]) + side * off
