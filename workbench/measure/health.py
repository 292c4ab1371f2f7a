"""`measure health`: grading, capacity and end of life on published cells, each judged by a fit without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from workbench.measure.metric import MeasuredMetric

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from drivers.snapshot import Flags, Floats
    from twin.health.cycle_table import CycleRows
    from twin.health.grade_training import PulseRows
    from workbench.measure.job import MeasureJob
    from workbench.measure.metric import MeasureRow

FOLDER: Final = "ageing_pinn4soh"
PULSES: Final = "secondlife_pulsebat"
CELL_OF: Final = "^([^-]+)"  # lab-aged cells are named D3-100: cell D3 after 100 cycles
_GUESS: Final = "the mean of the other cells"
_UNLIKE: Final = (
    "pulses alone do not tell every chemistry: those of NMC lie within the wide scatter of retired LMO; "
    "under its own nominal capacity it is refused"
)
_THIN: Final = (
    "the table holds three features of the end of the charge, without charges; cells of one type differ there by more"
)
_THREE: Final = (
    "three cells teach too little here: in all four the capacity moves by 7 %, and the mean of the others is nearer"
)
_FEW: Final = "few cells reach the end of life here, so one cell is several percent"
GRADE: Final = MeasuredMetric("grade PulseBat, mean absolute error of capacity", "%", "<=", 2.5)
GRADE_CELLS: Final = MeasuredMetric("grade PulseBat, the same, rows of a cell combined", "%", "<=", 2.5)
REFUSED: Final = MeasuredMetric("grade: rows of an untaught type refused", "%", ">=", 100.0)
FOREIGN: Final = MeasuredMetric(
    "grade: untaught chemistry under a taught nominal capacity, rows refused", "%", ">=", 99.0, "", _UNLIKE
)
CAPACITY: Final = {
    "XJTU": MeasuredMetric("capacity of XJTU from 4.0 to 4.2 V, RMSE", "%", "<=", 2.0),
    "MIT": MeasuredMetric("capacity of MIT from charge times, RMSE", "%", "<=", 1.2),
    "TJU": MeasuredMetric("capacity of TJU from charge times, RMSE", "%", "<=", 1.2, "", _THIN),
    "HUST": MeasuredMetric("capacity of HUST from charge times, RMSE", "%", "<=", 1.2, "", _THIN),
}
NASA: Final = MeasuredMetric(
    "capacity of NASA B0025 to 28 from 40 % of a discharge, RMSE", "%", "<=", 2.0, _GUESS, _THREE
)
LIFE: Final = {
    name: MeasuredMetric(f"end of life of {name} from its first 30 %, median error", "%", "<=", 15.0)
    for name in ("XJTU", "MIT")
}
LEAST: Final = {
    name: MeasuredMetric(f"end of life of {name}: 90 % intervals hold at least", "%", ">=", 80.0, "", _FEW)
    for name in LIFE
}
MOST: Final = {
    name: MeasuredMetric(f"end of life of {name}: 90 % intervals hold at most", "%", "<=", 97.0, "", _FEW)
    for name in LIFE
}
METRICS: Final = (
    *(GRADE, GRADE_CELLS, REFUSED, FOREIGN),
    *(*CAPACITY.values(), NASA),
    *(metric for name in LIFE for metric in (LIFE[name], LEAST[name], MOST[name])),
)


def measure(job: MeasureJob) -> Iterator[MeasureRow]:
    """Measure each figure whose data are there."""
    for folder, part in ((PULSES, _measure_grade), (FOLDER, _measure_capacity), (FOLDER, _measure_life)):
        if job.data is None or not (job.data / folder).is_dir():
            job.say(f"left out: no {folder} in PULSEBMS_DATA or --data")
        else:
            yield from part(job, job.data)


def _measure_grade(job: MeasureJob, data: Path) -> Iterator[MeasureRow]:
    """Teach four fifths of the cells, grade the others, five times; then leave a whole chemistry out."""
    from twin.health.cell_split import make_folds  # noqa: PLC0415  # scipy takes a moment
    from twin.health.grade_scores import score_grades  # noqa: PLC0415
    from workbench.pulse_tables import read_taught  # noqa: PLC0415

    rows = read_taught(sorted((data / PULSES).glob("*.csv")), CELL_OF)
    fold, scores = make_folds(rows.cell), list[dict[str, Any]]()
    for number in range(folds := int(fold.max()) + 1):
        job.say(f"grading, fold {number + 1} of {folds}")
        out = np.asarray(fold == number, dtype=np.bool_)
        scores.append(score_grades(_teach(rows, ~out), rows.keep(out)))
    graded = np.array([one["rows"] - one["rejected"] for one in scores], dtype=np.float64)
    total, rejected = sum(one["rows"] for one in scores), sum(one["rejected"] for one in scores)
    held = _average(scores, "coverage_95", graded)
    conditions = f"{folds} folds of physical cells, {rejected} of {total} rows rejected, 95 % interval holds {held:.3f}"
    yield GRADE.make_row(_average(scores, "mape_pct", graded), None, conditions)
    yield GRADE_CELLS.make_row(_average(scores, "cell_mape_pct", graded), None, conditions)
    yield from _measure_refusal(job, rows)


def _average(scores: list[dict[str, Any]], name: str, weights: Any) -> float:
    return float(np.average([one[name] for one in scores], weights=weights))


def _teach(rows: PulseRows, fit: Flags) -> Any:
    from twin.health.grade_training import teach  # noqa: PLC0415  # as above

    return teach(rows.keep(fit), {}, lambda _title, _done: None)


def _measure_refusal(job: MeasureJob, rows: PulseRows) -> Iterator[MeasureRow]:
    """Leave out each chemistry; its rows must be refused, under their own nominal capacity and under taught ones."""
    own, foreign = list[bool](), list[bool]()
    for chemistry in sorted(set(rows.chemistry.tolist())):
        job.say(f"grading without {chemistry}")
        out = np.asarray(rows.chemistry == chemistry, dtype=np.bool_)
        model, asked = _teach(rows, ~out), rows.keep(out)
        own += [one.is_rejected for one in model.grade(asked.volts, asked.nominal_ah)]
        for taught in model.types:
            as_if = np.full(len(asked), taught.nominal_ah)
            foreign += [one.is_rejected for one in model.grade(asked.volts, as_if)]
    how = "each chemistry left out in turn; by Qn and pulses"
    yield REFUSED.make_row(100.0 * float(np.mean(own)), None, f"{how}, {len(own)} rows")
    yield FOREIGN.make_row(100.0 * float(np.mean(foreign)), None, f"{how}, {len(foreign)} rows")


def _measure_capacity(job: MeasureJob, data: Path) -> Iterator[MeasureRow]:
    """Estimate each row by a fit without its cell; RMSE over rows in % of the nominal capacity."""
    from workbench.measure.ageing_sets import NASA as NASA_FOLDER  # noqa: PLC0415  # as above
    from workbench.measure.ageing_sets import read_ageing, read_nasa  # noqa: PLC0415

    for name, metric in CAPACITY.items():
        job.say(f"capacity of {name}")
        left = _leave_out(read_ageing(data, name))
        told = f"{left.cells} cells, each by a fit without it; {left.rows}; PINN as published 0.75 to 1.2 %"
        yield metric.make_row(left.ours_pct, None, told)
    if (data / NASA_FOLDER).is_dir():
        left = _leave_out(read_nasa(data))
        told = f"{left.cells} cells, each by a fit without it; {left.rows}; they differ by 7 % in all"
        yield NASA.make_row(left.ours_pct, left.guess_pct, told)


class LeftOut(NamedTuple):
    """Our RMSE, that of the mean capacity of the other cells (% of nominal), number of cells, rows not judged."""

    ours_pct: float
    guess_pct: float
    cells: int
    rows: str


def _leave_out(rows: CycleRows) -> LeftOut:
    """Judge each cell by a fit without it; rows without features or with an outlier as capacity are left out."""
    from twin.health.capacity_model import SIZE, find_nominal  # noqa: PLC0415  # as above
    from twin.health.feature_regression import leave_cells_out  # noqa: PLC0415

    kept, x, told = _keep_judged(rows)
    capacity, cells = np.asarray(kept.capacity_ah), sorted(set(kept.cell.tolist()))
    left = leave_cells_out(x, np.log(capacity), kept.cell, SIZE, lambda _done: None)
    ours = capacity * np.expm1(left.errors)
    means = {cell: float(capacity[kept.cell != cell].mean()) for cell in cells}
    guess = np.array([means[cell] for cell in kept.cell.tolist()]) - capacity
    share = 100.0 / find_nominal(kept)
    ours_pct, guess_pct = (share * float(np.sqrt(np.mean(np.square(one)))) for one in (ours, guess))
    return LeftOut(ours_pct, guess_pct, len(cells), told)


def _keep_judged(rows: CycleRows) -> tuple[CycleRows, Floats, str]:
    """Return the rows that have features and a sound capacity, their features, and how many were left out."""
    from twin.health.cycle_table import find_sound, view_rows  # noqa: PLC0415  # as above

    logarithmic = np.asarray(np.nanmin(rows.values, axis=0) > 0.0, dtype=np.bool_)
    x = view_rows(rows, logarithmic)
    known, sound = np.isfinite(x).all(axis=1), find_sound(rows)
    judged = known & sound
    told = f"{int((~known).sum())} of {len(rows)} rows without features left out"
    if odd := int((known & ~sound).sum()):
        told += f", {odd} without a sound capacity"
    return rows.keep(judged), x[judged], told


def _measure_life(job: MeasureJob, data: Path) -> Iterator[MeasureRow]:
    """Forecast each life by a fit without its fold of cells."""
    from twin.health.cell_split import make_folds  # noqa: PLC0415  # as above
    from twin.health.end_of_life import choose_end, score_life, teach_life  # noqa: PLC0415
    from workbench.measure.ageing_sets import read_ageing  # noqa: PLC0415

    for name, metric in LIFE.items():
        job.say(f"end of life of {name}")
        rows = read_ageing(data, name)
        end, fold, scores = choose_end(rows), make_folds(rows.cell), list[dict[str, Any]]()
        for number in range(int(fold.max()) + 1):
            out = np.asarray(fold == number, dtype=np.bool_)
            model = teach_life(rows.keep(~out), end, {}, lambda _done: None)
            scores.append(score_life(model, rows.keep(out)))
        errors = np.concatenate([one["errors_pct"] for one in scores])
        held = 100.0 * _average(scores, "coverage_90", [one["cells"] for one in scores])
        conditions = f"{len(errors)} cells, {len(scores)} folds; ends at {end:g} of the first capacity, in rows"
        yield metric.make_row(float(np.median(errors)), None, conditions)
        yield LEAST[name].make_row(held, None, conditions)
        yield MOST[name].make_row(held, None, conditions)
