"""Recorded runs: the twin is refitted to them, and the packs of a task become like the recorded one."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from control.state import BenchState
from drivers.channel_names import BENCH_STATE, CELL_VOLTAGES, SENSED_TEMPERATURES, SUPPLY_CURRENT
from drivers.errors import RunLogError
from drivers.runlog.folder import ABOUT
from drivers.runlog.run import Run
from twin.cell_table import OCV
from twin.ecm import EcmPack
from twin.ports import PackSpec

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from control.tasks.task import ControlTask
    from drivers.snapshot import Floats
    from twin.cell_table import CellTable

STEP_S: Final = 1.0  # samples are averaged over
LEAST_S: Final = 20.0  # of a run that is used
LEAST_SPREAD_A: Final = 1.0  # of its current: without a change it says nothing of the resistance
BOUNDS: Final = ((0.3, 0.5), (4.0, 1.2))  # of resistance and capacity, both factors of the cell file
PRIOR: Final = 0.5  # standard deviation of both where a run tells nothing, at NOISE_V
NOISE_V: Final = 2e-3
SPREAD: Final = 0.02  # of the fitted factors, for the packs that are trained on
ZERO_C_K: Final = 273.15


@dataclass(frozen=True)
class RecordedPack:
    """One run, every second: `current_a[n]` (discharge positive), `voltage_v[n]` of the mean cell, mean `kelvin[n]`."""

    name: str
    parallel: int
    cell_ah: float
    current_a: Floats
    voltage_v: Floats
    kelvin: Floats


@dataclass(frozen=True)
class TwinFit:
    """Factors of the cell file that fit the runs, and the RMS error of the twin's voltage before and after (V)."""

    runs: int
    resistance: float
    capacity: float
    before_v: float
    after_v: float

    def format_line(self) -> str:
        """Return the line for people."""
        return (
            f"twin     {self.runs} runs: resistance x {self.resistance:.3f}, capacity x {self.capacity:.3f}; "
            f"error {1e3 * self.before_v:.1f} mV before, {1e3 * self.after_v:.1f} mV after"
        )

    def as_json(self) -> dict[str, Any]:
        """Return the object for scripts."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def read_runs(folder: Path) -> list[RecordedPack]:
    """Read the run in `folder`, or all in it; raise `RunLogError` if none of them shows a pack under current."""
    folders = [folder] if (folder / ABOUT).is_file() else sorted(path.parent for path in folder.glob(f"*/{ABOUT}"))
    read = [pack for path in folders if (pack := _read_run(path)) is not None]
    if not read:
        what = f"holds no run with {LEAST_S:g} s of a current that changes ({len(folders)} runs looked at)"
        raise RunLogError(what, where=str(folder), hint="record a run with a duty, or name another folder")
    return read


def fit_task(task: ControlTask, runs: list[RecordedPack]) -> tuple[ControlTask, TwinFit]:
    """Return the task with packs like those of the runs, and the fit of the twin."""
    fit = fit_twin(task.cell.circuit, runs)
    changed = {
        name: (value * (1.0 - SPREAD), value * (1.0 + SPREAD))
        for name, value in (("capacity", fit.capacity), ("resistance", fit.resistance))
    }
    return task.model_copy(update={"varies": task.varies.model_copy(update=changed)}), fit


def fit_twin(table: CellTable, runs: list[RecordedPack]) -> TwinFit:
    """Fit resistance, capacity and the first SoC of each run by least squares of the voltage."""
    solve: Callable[..., Any] = import_module("scipy.optimize").least_squares  # a quarter of a second
    grid = np.linspace(0.0, 1.0, table.rows.shape[1])
    starts: Floats = np.interp([run.voltage_v[0] for run in runs], table.rows[OCV], grid)

    def find_errors(resistance: float, capacity: float, socs: Floats) -> Floats:
        pairs = zip(runs, socs, strict=True)
        return np.concatenate([simulate(table, run, soc, resistance, capacity) - run.voltage_v for run, soc in pairs])

    def weigh(x: Floats) -> Floats:
        return np.append(find_errors(x[0], x[1], x[2:]) / NOISE_V, (x[:2] - 1.0) / PRIOR)

    def weigh_socs(socs: Floats) -> Floats:
        return find_errors(1.0, 1.0, socs)

    alone = solve(weigh_socs, starts, bounds=(0.0, 1.0), diff_step=1e-4)
    lows, highs = ([*side, *[edge] * len(runs)] for side, edge in zip(BOUNDS, (0.0, 1.0), strict=True))
    both = solve(
        weigh, [1.0, 1.0, *np.clip(np.asarray(alone.x, np.float64), 0.01, 0.99)], bounds=(lows, highs), diff_step=1e-4
    )
    best: Floats = both.x
    resistance, capacity, *socs = (float(value) for value in best)
    return TwinFit(
        len(runs), resistance, capacity, _rms(alone.fun), _rms(find_errors(resistance, capacity, np.array(socs)))
    )


def simulate(table: CellTable, run: RecordedPack, soc: float, resistance: float, capacity: float) -> Floats:
    """Return the voltage of the mean cell (V) that the twin gives under the current of a run."""
    one = np.ones(1)
    ambient_k = float(run.kelvin[0])
    spec = PackSpec(1, run.parallel, run.cell_ah, soc * one, capacity * one, resistance * one, ambient_k)
    twin = EcmPack(spec, table)
    held = (twin.step(current_a * one, ambient_k, STEP_S).voltage_v[0] for current_a in run.current_a)
    return np.fromiter(held, np.float64, len(run.current_a))


def _read_run(folder: Path) -> RecordedPack | None:
    """Read one run; None for one that shows too little."""
    run = Run.open(folder)
    cells = [name for name in run.table.names if CELL_VOLTAGES.fullmatch(name)]
    sensors = [name for name in run.table.names if SENSED_TEMPERATURES.fullmatch(name)]
    if not cells or not sensors or SUPPLY_CURRENT not in run.table or run.duration_s < LEAST_S:
        return None
    columns = run.columns([BENCH_STATE, SUPPLY_CURRENT, *cells, *sensors])
    values = np.vstack(
        [
            columns[SUPPLY_CURRENT],
            np.mean([columns[name] for name in cells], axis=0),
            np.mean([columns[name] for name in sensors], axis=0),
        ]
    )
    known = np.isfinite(values).all(axis=0) & (columns[BENCH_STATE] == BenchState.RUNNING)
    seconds = np.floor((run.t_s - run.start_s) / STEP_S)[known]
    if seconds.size == 0 or np.ptp(seconds) < LEAST_S:
        return None
    _, first, samples = np.unique(seconds, return_index=True, return_counts=True)
    current_a, voltage_v, kelvin = np.add.reduceat(values[:, known], first, axis=1) / samples
    if np.std(current_a) < LEAST_SPREAD_A:
        return None
    pack = _find_pack(run)
    return RecordedPack(run.name, int(pack["parallel"]), float(pack["cell_ah"]), current_a, voltage_v, kelvin)


def _find_pack(run: Run) -> dict[str, Any]:
    """Return the table `pack` of the bench file that the run has kept; raise `RunLogError`."""
    try:
        return cast("dict[str, Any]", tomllib.loads(run.meta["bench"]["text"])["pack"])
    except (KeyError, TypeError, tomllib.TOMLDecodeError) as error:
        raise RunLogError("has kept no bench file", where=str(run.folder), hint="name another run") from error


def _rms(errors: Floats) -> float:
    return float(np.sqrt(np.mean(np.square(errors))))
