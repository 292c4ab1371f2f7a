"""Cells that other laboratories measured: the tests to fit, and the drives that judge what was fitted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.benchfile.cell_file import parse_cell
from drivers.benchfile.cell_writer import spell_cell
from drivers.logs.log import read_log
from drivers.logs.test_list import LabTest, ListedCell, ListedTest, TestList
from twin.network.trace import make_trace
from workbench.modelling.cell_fit import fit_cell
from workbench.modelling.log_estimate import estimate_log

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from drivers.benchfile.cell_file import Cell
    from drivers.logs.log import CellLog
    from drivers.logs.test_list import Kind
    from drivers.snapshot import Floats
    from workbench.modelling.cell_fit import CellFit
    from workbench.modelling.log_estimate import LogEstimate

SETTLE_S: Final = 600.0
WITHIN: Final = 1.96  # deviations of a 95 % interval


@dataclass(frozen=True)
class RecordedCell:
    """A published set: its folder, folders by temperature in degC, words in the names of files."""

    name: str
    chemistry: str
    folder: str
    degc: dict[int, str]
    pulse: str
    ocv: str
    fitted: str  # the drive that the fit may see
    judged: tuple[str, ...]


LG: Final = RecordedCell(
    "LG 18650HG2",
    "NMC",
    "lg_hg2_kollmeyer",
    {40: "40degC", 25: "25degC", 10: "10degC", 0: "0degC", -10: "n10degC", -20: "n20degC"},
    "HPPC",
    "C20DisCh",
    "Mixed1",
    ("Mixed2", "UDDS", "US06", "HWFET", "LA92"),
)
PANASONIC: Final = RecordedCell(
    "Panasonic 18650PF",
    "NCA",
    "panasonic_18650pf_kollmeyer",
    {25: "25degC", 10: "10degC", 0: "0degC", -10: "-10degC", -20: "-20degC"},
    "5pulse_hppc",
    "C20_OCV",
    "_NN_",
    ("UDDS", "US06", "HWF", "LA92"),
)
CELLS: Final = (LG, PANASONIC)


def list_tests(data: Path, cell: RecordedCell, unseen: tuple[Kind, ...] = ()) -> TestList:
    """Return the tests: slow discharges, pulses and one drive are fitted; every other drive, and `unseen`, are held."""
    tests = list[LabTest]()
    for degc, folder in cell.degc.items():
        for path in sorted((data / cell.folder / folder).glob("*.parquet")):
            kind = _find_kind(cell, path.name)
            if kind:
                held = kind in unseen or (kind == "drive" and cell.fitted.lower() not in path.name.lower())
                listed = ListedTest(kind=kind, file=path.name, temperature_degc=float(degc), held=held)
                tests.append(LabTest(listed, path))
    listed_cell = ListedCell.model_validate({"name": cell.name, "chemistry": cell.chemistry})
    return TestList(data / cell.folder, listed_cell, tuple(tests))


def _find_kind(cell: RecordedCell, name: str) -> Kind | None:
    words: dict[Kind, tuple[str, ...]] = {
        "ocv": (cell.ocv,),
        "pulse": (cell.pulse,),
        "drive": (cell.fitted, *cell.judged),
    }
    lower = name.lower()
    return next((kind for kind, parts in words.items() if any(part.lower() in lower for part in parts)), None)


def fit_recorded(data: Path, cell: RecordedCell, unseen: tuple[Kind, ...] = ()) -> tuple[CellFit, Cell]:
    """Return the fit and its cell, as it would be read from its file; no test of a kind of `unseen` is fitted."""
    tests = list_tests(data, cell, unseen)
    fit = fit_cell(tests)
    values = fit.file.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
    return fit, parse_cell(tests.path / "fitted.toml", spell_cell(values))


@dataclass(frozen=True)
class JudgedDrive:
    """A drive that the fit has not seen, up to its emptiest sample, with its reference state of charge."""

    name: str
    degc: int
    log: CellLog
    soc: Floats
    cell: str = ""

    def cut(self, first: int) -> JudgedDrive:
        """Return the drive from a sample on."""
        log = self.log
        parts = {name: getattr(log, name)[first:] for name in ("time_s", "voltage_v", "current_a", "row")}
        warm = None if log.temperature_k is None else log.temperature_k[first:]
        log = replace(log, **parts, rows_read=parts["row"], temperature_k=warm, ah=None)
        return replace(self, log=log, soc=self.soc[first:])


def read_judged(fit: CellFit, capacity_ah: float) -> Iterator[JudgedDrive]:
    """Yield every held drive of a fit."""
    for score in fit.scores:
        if score.test.listed.held:
            log = read_log(score.test.path)
            soc = make_trace(log, capacity_ah).soc
            last = int(np.argmin(soc)) + 1
            parts = {name: getattr(log, name)[:last] for name in ("time_s", "voltage_v", "current_a", "row")}
            warm = None if log.temperature_k is None else log.temperature_k[:last]
            log = replace(log, **parts, rows_read=parts["row"], temperature_k=warm, ah=None)
            degc = round(float(score.test.listed.temperature_degc or 0.0))
            name = f"{degc} degC {score.test.path.stem[-24:]}"
            yield JudgedDrive(name, degc, log, soc[:last], fit.file.name)


@dataclass(frozen=True)
class SocScore:
    """After `SETTLE_S`: RMSE, mean absolute error, share inside the interval, mean deviation; implausible sensor."""

    name: str
    degc: int
    rmse: float
    mae: float
    coverage: float
    std: float
    implausible: bool
    cell: str = ""


def score_lane(
    drive: JudgedDrive, cell: Cell, soc0: float, lane: str = "ekf", *, offset_a: float = 0.0, gain: float = 1.0
) -> SocScore:
    """Return how a lane follows a drive from `soc0`, with a current sensor that is off."""
    log = replace(drive.log, current_a=gain * drive.log.current_a + offset_a)
    return judge_estimate(drive, estimate_log(log, cell, lane, min(soc0, 1.0)))


def judge_estimate(drive: JudgedDrive, estimate: LogEstimate) -> SocScore:
    """Return the score of an estimate along a drive."""
    settled = drive.log.time_s - drive.log.time_s[0] >= SETTLE_S
    soc, std_of = (np.asarray(estimate.columns[name], np.float64) for name in ("soc", "soc_std"))
    error, std = (soc - drive.soc)[settled], std_of[settled]
    within = float(np.mean(np.abs(error) < WITHIN * std))
    odd = bool(np.any(estimate.columns["sensor_implausible"]))
    rmse, mae = float(np.sqrt(np.mean(error**2))), float(np.mean(np.abs(error)))
    return SocScore(drive.name, drive.degc, rmse, mae, within, float(std.mean()), odd, drive.cell)


def scale_capacity(cell: Cell, factor: float) -> Cell:
    """Return the cell as a file that is wrong about its capacity."""
    if cell.file.network is None:
        return cell
    wrong = cell.file.network.model_copy(update={"capacity_ah": factor * cell.file.network.capacity_ah})
    return replace(cell, file=cell.file.model_copy(update={"network": wrong}))


def find_loaded(drive: JudgedDrive, soc: float, least_a: float) -> int:
    """Return the first sample at or below `soc` under a current."""
    return int(np.argmax((drive.soc < soc) & (np.abs(drive.log.current_a) > least_a)))
