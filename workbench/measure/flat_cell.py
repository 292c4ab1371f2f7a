"""SoC of LFP cells in their flat zone: a run that begins full three times (A123, CALCE), and loops (TBSI)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drivers.benchfile.cell_file import parse_cell
from drivers.benchfile.cell_writer import spell_cell
from drivers.logs.log import read_log
from drivers.logs.test_list import LabTest, ListedCell, ListedTest, TestList
from twin.network.trace import count_charge
from workbench.measure import flat_loops
from workbench.measure.fitted_cells import JudgedDrive, score_lane
from workbench.measure.metric import MeasuredMetric
from workbench.modelling.cell_fit import fit_cell
from workbench.modelling.result_table import write_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from drivers.benchfile.cell_file import Cell
    from drivers.logs.log import CellLog
    from workbench.measure.fitted_cells import SocScore
    from workbench.measure.job import MeasureJob
    from workbench.measure.metric import MeasureRow

FOLDER: Final = "lfp_a123_calce"
OCV, RUN = "A1237_OCV_25deg.parquet", "m0in92_A1-A123-Dynamics_20C.parquet"
RUN_DEGC: Final = 20.0
FULL_V, TAPERED_A = 3.58, 0.07
APART: Final = 100  # rows between two charges
STARTS: Final = (0.8, 0.65, 0.5)
EMPTY: Final = 0.15
OFF: Final = 0.05
FLAT: Final = MeasuredMetric(
    "SoC of LFP in the flat zone, start known to 5 %, worst RMSE",
    "%",
    "<=",
    2.0,
    reason="1 % of charge is 0.3 mV between 40 and 65 %, less than any of these models errs by: "
    "a start that is 5 % wrong there stays so until the voltage bends",
)


def measure_flat(job: MeasureJob, data: Path) -> Iterator[MeasureRow]:
    """Judge on the parts of A123's run after its second and third charge, and on TBSI's logs where they are."""
    if not (data / FOLDER).is_dir():
        return
    scores = list(_score_parts(job, data))
    if (data / flat_loops.FOLDER).is_dir():
        cell, drives = flat_loops.read_loops(job.folder, data)
        scores += [score_lane(drive, cell, start) for drive, start in flat_loops.find_starts(drives, OFF)]
    worst = max(scores, key=lambda one: one.rmse)
    mean = sum(one.rmse for one in scores) / len(scores)
    least = min(scores, key=lambda one: one.coverage)
    cells = {one.cell: max(other.rmse for other in scores if other.cell == one.cell) for one in scores}
    each = ", ".join(f"{name} {100 * rmse:.2f} %" for name, rmse in cells.items())
    told = (
        f"{len(scores)} runs, mean {100 * mean:.2f} %, worst {worst.cell} {worst.name}; {each}; "
        f"intervals hold {100 * least.coverage:.0f} % at least; Coulomb counting alone 5 %"
    )
    yield FLAT.make_row(100.0 * worst.rmse, None, told)


def _score_parts(job: MeasureJob, data: Path) -> Iterator[SocScore]:
    """Fit A123 to the slow cycle and the first part of the run; score the parts after its second and third charge."""
    run = read_log(data / FOLDER / RUN)
    run = replace(run, temperature_k=np.full(len(run), RUN_DEGC + 273.15))
    full = _find_full(run)
    cell = _fit(job, data, _cut(run, full[0], full[1]))
    counted_ah = count_charge(run)
    for place, (begin, end) in enumerate(zip(full[1:], [*full[2:], len(run)], strict=True), start=2):
        soc = 1.0 + (counted_ah - counted_ah[begin]) / cell.file.capacity_ah
        for start in STARTS:
            first = begin + int(np.argmax(soc[begin:end] < start))
            last = first + int(np.argmax(soc[first:end] < EMPTY))
            if last > first:
                name, part = f"charge {place} from {100 * start:.0f} %", _cut(run, first, last)
                drive = JudgedDrive(name, round(RUN_DEGC), part, soc[first:last], "A123")
                for side in (1.0, -1.0):
                    yield score_lane(drive, cell, start + side * OFF)


def _find_full(run: CellLog) -> list[int]:
    """Return the last row of each end of charge."""
    ended = np.flatnonzero((run.voltage_v > FULL_V) & (run.current_a <= 0.0) & (run.current_a > -TAPERED_A))
    return [int(group[-1]) for group in np.split(ended, np.flatnonzero(np.diff(ended) > APART) + 1)]


def _cut(run: CellLog, first: int, last: int) -> CellLog:
    parts: dict[str, Any] = {
        name: getattr(run, name)[first:last] for name in ("time_s", "voltage_v", "current_a", "temperature_k", "row")
    }
    return replace(run, **parts, rows_read=parts["row"], ah=None)


def _fit(job: MeasureJob, data: Path, seen: CellLog) -> Cell:
    drive = job.folder / "seen.csv"
    columns = {"time_s": seen.time_s, "voltage_v": seen.voltage_v, "current_a": -seen.current_a}
    write_table(drive, columns, {})
    by_place = "time=5s,voltage=Voltage(V),current=Current(A)"
    slow = ListedTest(kind="ocv", file=OCV, temperature_degc=25.0, columns=by_place)
    run = ListedTest(kind="drive", file=drive.name, temperature_degc=RUN_DEGC, sign="charge")
    tests = (LabTest(slow, data / FOLDER / OCV), LabTest(run, drive))
    listed = ListedCell.model_validate({"name": "A123 APR18650", "chemistry": "LFP"})
    fit = fit_cell(TestList(data / FOLDER, listed, tests))
    values = fit.file.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
    return parse_cell(drive.with_name("fitted.toml"), spell_cell(values))
