"""Estimate the state of charge along a log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from twin.cell_parameters import make_parameters
from twin.network.coulomb import count_log
from twin.network.filter_settings import FilterStart, make_circuit, make_settings, make_start
from twin.network.health_filter import KEPT
from twin.network.log_filter import (
    OUT_CAPACITY,
    OUT_INNOVATION,
    OUT_OFFSET,
    OUT_OFFSET_STD,
    OUT_OHM,
    OUT_POWER,
    OUT_RESISTANCE,
    OUT_SOC,
    OUT_SOC_STD,
    OUT_VOLTAGE,
    filter_log,
)
from twin.network.sampling import is_averaged
from twin.network.start_bank import BANK_S, filter_bank, merge_bank, spread_start
from twin.network.trace import ROOM_K, make_trace
from twin.ports import PackSpec, StateOfPower
from twin.power import FITTED_SHARE, HORIZONS_S, find_bounds
from workbench.modelling.circuit_of_cell import make_circuit_of
from workbench.modelling.log_health import NO_LANE, LogHealth, track_log_health
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
    from twin.power import PowerBounds
    from workbench.modelling.log_start import LogStart
    from workbench.scores import LaneScore

COULOMB: Final = "coulomb"
LANES: Final = ("ekf", "ckf", "dual-ekf", COULOMB)
CHUNK: Final = 20_000  # rows between two reports of progress
SCORED_SOC: Final = 0.2
IMPLAUSIBLE: Final = 2.0  # deviations of the offset from 0
NOT_ASKED: Final = LogHealth({}, "it was not asked for", "it was not asked for")
IMPLAUSIBLE_C: Final = 0.05  # C that the current sensor may be off by before it is called implausible


@dataclass(frozen=True)
class LogEstimate:
    """Columns of one length as `CellLog`, the start, whether the log holds means, and why no health is told."""

    log: CellLog
    lane: str
    columns: dict[str, Any]
    start: LogStart
    averaged: bool
    notes: tuple[str, ...]
    health: LogHealth = NOT_ASKED

    @property
    def voltage_score(self) -> LaneScore:
        """RMSE (V) of the model's voltage over the rows that are not known to be below 20 % estimated SoC."""
        soc = np.asarray(self.columns["soc"], np.float64)
        error_v = np.asarray(self.columns["voltage_model_v"] - self.log.voltage_v, np.float64)
        return rms(np.where(np.isnan(soc), np.nan, error_v)[~(soc < SCORED_SOC)])


def estimate_log(
    log: CellLog,
    cell: Cell,
    lane: str,
    soc0: float | None,
    report: Callable[[float], object] = lambda _: None,
    *,
    power: bool = False,
    health: bool = False,
) -> LogEstimate:
    """Estimate with one lane of `LANES`; raise `LogError` for the voltage of a pack.

    The counter of the log is never used but across gaps without samples.

    `power`: with the state of power, within the limits of the cell file; it takes longer than the filter itself.
    `health`: with the state of health by the slow lane beside the filter, which takes as long as the filter.
    """
    require_one_cell(log, *cell.file.limits.voltage_v)
    network = make_circuit_of(cell)
    start = find_start(log, network.ocv_v, network.capacity_ah, cell.file.chemistry, soc0)
    trace = make_trace(log, network.capacity_ah, start.soc)
    averaged = _is_averaged(network, trace, cell.file.limits.voltage_v[0])
    if lane == COULOMB:
        columns = count_log(network, trace, start.soc, start.soc_std, averaged=averaged)
        told = LogHealth({}, NO_LANE, NO_LANE)
    else:
        settings = make_settings(network, averaged=averaged, cubature=lane == "ckf", dual=lane == "dual-ekf")
        bounds = find_cell_bounds(cell) if power else None
        share = 0.5 if health else 1.0  # of the time
        columns = _run_filter(network, trace, start, settings, lambda done: report(share * done), bounds=bounds)
        told = NOT_ASKED
        if health:
            told = track_log_health(network, trace, log, columns["soc"], lambda done: report(share * (1.0 + done)))
    notes = (start.why, "samples are means over their step" if averaged else "samples are instants")
    return LogEstimate(log, lane, {"time_s": log.time_s, **columns, **told.columns}, start, averaged, notes, told)


def _is_averaged(network: Network, trace: CellTrace, empty_v: float) -> bool:
    rows = np.flatnonzero((trace.voltage_v >= empty_v) & (trace.soc > SCORED_SOC))
    return is_averaged(network, trace, rows)


def find_cell_bounds(cell: Cell) -> PowerBounds:
    """Return the limits of one cell by its file."""
    parameters, one = make_parameters(cell), np.ones(1)
    bounds = find_bounds(PackSpec(1, 1, parameters.nominal_ah, one, one, one, ROOM_K, parameters))
    return bounds if cell.file.network is None else bounds._replace(drop_share=FITTED_SHARE)


def _run_filter(
    network: Network,
    trace: CellTrace,
    start: LogStart,
    settings: Floats,
    report: Callable[[float], object],
    *,
    bounds: PowerBounds | None,
) -> dict[str, Any]:
    begin = FilterStart(start.soc, start.soc_std, start.rested, start.hysteresis, start.hysteresis_std)
    circuit = make_circuit(network)
    rows = np.stack([trace.mean_a, trace.current_a, trace.voltage_v, trace.case_k], 1)
    x, covariance, memory, weight = spread_start(*make_start(network, begin))
    kept = np.full((len(weight), KEPT), np.nan)
    settled = int(np.searchsorted(trace.time_s - trace.time_s[0], BANK_S, side="right"))
    early = rows[:settled], trace.dt_s[:settled]
    parts = [filter_bank(*early, x, covariance, memory, kept, weight, circuit, settings, bounds)]
    report(settled / len(rows))
    states = (*merge_bank(x, covariance, memory, weight), kept[int(np.argmax(weight))][None].copy())
    for first in range(settled, len(rows), CHUNK):
        part = slice(first, first + CHUNK)
        parts.append(filter_log(rows[part], trace.dt_s[part], *states, circuit, settings, bounds))
        report(min(1.0, (first + CHUNK) / len(rows)))
    out = np.concatenate(parts)
    offset, offset_std = out[:, OUT_OFFSET], out[:, OUT_OFFSET_STD]
    odd = (np.abs(offset) > IMPLAUSIBLE * offset_std) & (np.abs(offset) > IMPLAUSIBLE_C * network.capacity_ah)
    return {
        "soc": out[:, OUT_SOC],
        "soc_std": out[:, OUT_SOC_STD],
        "voltage_model_v": out[:, OUT_VOLTAGE],
        "innovation": out[:, OUT_INNOVATION],
        "r0_ohm": out[:, OUT_OHM],
        "resistance_ratio": out[:, OUT_RESISTANCE],
        "capacity_ah": network.capacity_ah * out[:, OUT_CAPACITY],
        "current_offset_a": offset,
        "current_offset_std_a": offset_std,
        "sensor_implausible": odd,
        **({} if bounds is None else _name_powers(out[:, OUT_POWER:])),
    }


def _name_powers(powers: Floats) -> dict[str, Floats]:
    """Return the columns of the power (W): `discharge_power_10s_w`, `discharge_power_10s_low_w`, and so on."""
    fields = StateOfPower._fields
    names = [field.replace("_", f"_power_{horizon:.0f}s_", 1) for horizon in HORIZONS_S for field in fields]
    return dict(zip(names, powers.T, strict=True))
