"""Lay a model of the cell over a log: its voltage and temperature under the log's current."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drivers.errors import Usage
from twin.cell_parameters import make_parameters
from twin.network.response import find_core_rise
from twin.network.sampling import is_averaged
from twin.network.trace import make_trace
from twin.network.voltage import predict_voltage
from workbench.modelling.circuit_of_cell import make_circuit_of
from workbench.modelling.log_start import find_start
from workbench.modelling.one_cell import require_one_cell
from workbench.scores import rms

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.benchfile.cell_file import Cell
    from drivers.logs.log import CellLog
    from drivers.snapshot import Floats
    from twin.network.network import Network
    from twin.network.trace import CellTrace
    from workbench.modelling.log_start import LogStart
    from workbench.scores import LaneScore

ISOTHERMAL: Final = "dfn"  # it takes the temperature of the log
MODELS: Final = ("ecm", "spme", ISOTHERMAL)
ZERO_C_K: Final = 273.15
SCORED_SOC: Final = 0.2
STEP_S: Final = {"spme": 1.0, "dfn": 1.0}  # shortest step of the physical models: faster samples are averaged
LONGEST_S: Final = {"spme": 1.0, "dfn": 60.0}


@dataclass(frozen=True)
class LogTwin:
    """Columns of the log's length; `scored`: rows at 20 % SoC and above and not below the cut-off.

    Where the model has ended, the charge counted in the log tells the SoC: such rows lower the coverage of a score.
    """

    log: CellLog
    model: str
    columns: dict[str, Any]
    scored: Any
    start: LogStart
    notes: tuple[str, ...]

    @property
    def voltage_score(self) -> LaneScore:
        """RMSE (V) of the voltage over the scored rows."""
        return rms(np.asarray(self.columns["residual_v"], np.float64)[self.scored])

    @property
    def temperature_score(self) -> LaneScore | None:
        """RMSE (K) of the temperature; None where nobody measured it, or the model takes what was measured."""
        if self.log.temperature_k is None or self.model == ISOTHERMAL:
            return None
        return rms(np.asarray(self.columns["temperature_model_k"], np.float64) - self.log.temperature_k)


def lay_twin(
    log: CellLog, cell: Cell, model: str, soc0: float | None, report: Callable[[float], object] = lambda _: None
) -> LogTwin:
    """Run one of `MODELS` under the log's current.

    Raise `Usage` for a model that the cell file does not hold, `LogError` for the voltage of a pack.
    """
    require_one_cell(log, *cell.file.limits.voltage_v)
    network = make_circuit_of(cell)
    start = find_start(log, network.ocv_v, network.capacity_ah, cell.file.chemistry, soc0)
    trace = make_trace(log, network.capacity_ah, start.soc)
    trace = replace(trace, soc=start.soc - trace.integrated_ah / network.capacity_ah)
    empty_v = cell.file.limits.voltage_v[0]
    notes = [start.why]
    if model == "ecm":
        rows = np.arange(len(trace))
        averaged = is_averaged(network, trace, rows[(trace.soc > SCORED_SOC) & (trace.voltage_v >= empty_v)])
        notes.append("samples are means over their step" if averaged else "samples are instants")
        voltage_v = predict_voltage(network, trace, rows, averaged=averaged)
        kelvin = _find_temperature(network, trace, cell)
        soc = trace.soc
    else:
        voltage_v, kelvin, soc = _run_physics(trace, cell, model, start.soc, report)
        if stopped := int(np.isnan(voltage_v).sum()):
            notes.append(f"{model} ends {stopped} rows before the log: its equations do not go on there")
    columns = {
        "time_s": log.time_s,
        "soc": soc,
        "voltage_v": log.voltage_v,
        "voltage_model_v": voltage_v,
        "residual_v": voltage_v - log.voltage_v,
        "temperature_k": trace.case_k if log.temperature_k is not None else np.full(len(log), np.nan),
        "temperature_model_k": kelvin,
    }
    scored = (np.where(np.isnan(soc), trace.soc, soc) >= SCORED_SOC) & (log.voltage_v >= empty_v)
    return LogTwin(log, model, columns, scored, start, tuple(notes))


def _find_temperature(network: Network, trace: CellTrace, cell: Cell) -> Floats:
    """Return the temperature (K) of the lumped thermal model, in surroundings of the log's first temperature."""
    thermal = cell.file.thermal
    heat_w = trace.mean_a * (network.find_ocv(trace.soc) - trace.voltage_v)
    lasts_s = thermal.heat_capacity_j_k / thermal.cooling_w_k
    return trace.case_k[0] + find_core_rise(trace.dt_s, heat_w, 1.0 / thermal.cooling_w_k, lasts_s)


def _run_physics(
    trace: CellTrace, cell: Cell, model: str, soc0: float, report: Callable[[float], object]
) -> tuple[Floats, Floats, Floats]:
    """Return voltage, temperature and SoC of each row by the physical model; NaN where it ended before."""
    if cell.file.physics is None:
        what = f"{model} needs the equations of the cell, and {cell.file.name} was only fitted"
        hint = "use --model ecm, or a cell file with [physics]"
        raise Usage(what, where=str(cell.path), key="model", value=model, bound="ecm", hint=hint)
    ends = _choose_steps(trace.time_s, STEP_S[model])
    moved_as = np.concatenate([[0.0], np.cumsum(trace.mean_a * trace.dt_s)[ends]])
    times_s = np.concatenate([[trace.time_s[0]], trace.time_s[ends]])
    steps_s = np.diff(times_s)
    current_a = np.diff(moved_as) / np.maximum(steps_s, 1e-9)
    stepper = _make_spme(trace, cell, soc0) if model == "spme" else _make_dfn(cell, soc0)
    found = np.full((len(ends), 3), np.nan)
    for place, end in enumerate(ends):
        told = _take_steps(stepper, float(current_a[place]), float(trace.case_k[end]), float(steps_s[place]), model)
        if told is None:
            break
        found[place] = told
        if place % 200 == 0:
            report(place / len(ends))
    voltage_v, kelvin, soc = (np.interp(trace.time_s, trace.time_s[ends], column) for column in found.T)
    return voltage_v, kelvin, soc


def _choose_steps(time_s: Floats, step_s: float) -> Any:
    """Return the rows at which a step ends: every row, or the last of each `step_s` where rows are closer."""
    slots = np.floor((time_s - time_s[0]) / step_s)
    return np.flatnonzero(np.append(np.diff(slots) > 0, True))


def _take_steps(
    stepper: Callable[[float, float, float], tuple[float, float, float] | None],
    current_a: float,
    kelvin: float,
    duration_s: float,
    model: str,
) -> tuple[float, float, float] | None:
    """Return voltage, temperature and SoC after a step, in parts no longer than the model takes."""
    parts = max(1, int(np.ceil(duration_s / LONGEST_S[model])))
    told = None
    for _ in range(parts):
        told = stepper(current_a, kelvin, max(duration_s / parts, 1e-3))
        if told is None:
            return None
    return told


def _make_spme(trace: CellTrace, cell: Cell, soc0: float) -> Callable[[float, float, float], Any]:
    from twin.ports import PackSpec  # noqa: PLC0415  # the models take seconds to load
    from twin.spme import build  # noqa: PLC0415

    one, ambient_k, parameters = np.ones(1), float(trace.case_k[0]), make_parameters(cell)
    pack = PackSpec(1, 1, parameters.capacity_ah, np.array([soc0]), one, one, ambient_k, parameters)  # no scaling
    spme = build(pack, {})

    def step(current_a: float, kelvin: float, dt_s: float) -> tuple[float, float, float] | None:
        del kelvin  # it has its own
        state = spme.step(np.array([current_a]), ambient_k, dt_s)
        if state.outside:
            return None
        return float(state.voltage_v[0]), float(state.temperature_k[0]), float(state.soc[0])

    return step


def _make_dfn(cell: Cell, soc0: float) -> Callable[[float, float, float], Any]:
    from twin.cell_physics import require_physics  # noqa: PLC0415  # PyBaMM takes seconds to load
    from twin.pybamm_models import ReferenceCell  # noqa: PLC0415

    reference = ReferenceCell(soc0, require_physics(make_parameters(cell), "twin.dfn"))

    def step(current_a: float, kelvin: float, dt_s: float) -> tuple[float, float, float] | None:
        try:
            reading = reference.step(current_a, kelvin, dt_s)
        except ArithmeticError:
            return None
        return reading.voltage_v, kelvin, reading.soc

    return step
