"""State of power on recorded pulses (HPPC): the voltage at their ends, and the power that they extrapolate to.

A pulse's resistance R = (V0 - V) / I gives the power at a voltage limit: Vmin (V0 - Vmin) / R on discharge, Vmax
(Vmax - V0) / R on charge (FreedomCAR Battery Test Manual, DOE/ID-11069, 2003, section 4.3). It is a straight line from
the pulse's current to the limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

import numpy as np

from drivers.logs.log import read_log
from workbench.measure import fitted_cells
from workbench.measure.power_scores import (
    DROP,
    DROP_INSIDE,
    EXTRAPOLATED,
    EXTRAPOLATED_INSIDE,
    PULSE_METRICS,
    SEEN,
    UNSEEN,
    PowerScore,
    describe,
    find_inside,
    find_median,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from drivers.benchfile.cell_file import Cell
    from drivers.snapshot import Floats
    from twin.network.filter_settings import CircuitArrays
    from twin.network.trace import CellTrace
    from twin.power import PowerBounds
    from workbench.measure.job import MeasureJob
    from workbench.measure.metric import MeasureRow
    from workbench.modelling.cell_fit import CellFit

    Filtered: TypeAlias = tuple[Floats, Floats, Floats, Floats, CircuitArrays, Floats]  # as the kernels take it

METRICS: Final = PULSE_METRICS
PULSE_S: Final = 10.0
WITHIN_S: Final = 0.6
REST_C: Final = 0.02  # less current is a rest
LEAST_C: Final = 0.2  # a smaller pulse tells little
STEADY: Final = 0.03  # of its mean, that the current of a pulse may move by
MOST_C: Final = 100.0  # the voltage alone limits
HOTTEST_K: Final = 500.0


class Pulse(NamedTuple):
    """The last row of the rest before a pulse, its last row, and its mean current (A, discharge positive)."""

    before: int
    last: int
    current_a: float


def find_pulses(trace: CellTrace, capacity_ah: float) -> list[Pulse]:
    """Return each pulse of ten seconds of a steady current, from rest to rest."""
    rests = np.abs(trace.current_a) < REST_C * capacity_ah
    begins = np.flatnonzero(rests[:-1] & ~rests[1:])
    pulses = list[Pulse]()
    for before in begins.tolist():
        after = before + 1 + int(np.argmax(rests[before + 1 :]))
        flowed = trace.current_a[before + 1 : after]
        if after <= before + 1 or abs(trace.time_s[after - 1] - trace.time_s[before] - PULSE_S) > WITHIN_S:
            continue
        mean_a = float(np.median(flowed))
        if abs(mean_a) > LEAST_C * capacity_ah and np.abs(flowed[1:-1] - mean_a).max() < STEADY * abs(mean_a):
            pulses.append(Pulse(before, after - 1, mean_a))
    return pulses


def find_largest(pulses: list[Pulse]) -> set[Pulse]:
    """Return the largest pulse of each state of charge, both ways: the manual extrapolates from a large one."""
    largest = set[Pulse]()
    for sign in (1.0, -1.0):
        same = [pulse for pulse in pulses if sign * pulse.current_a > 0.0]
        for n, pulse in enumerate(same):
            if n + 1 == len(same) or abs(same[n + 1].current_a) < abs(pulse.current_a):
                largest.add(pulse)
    return largest


def measure(
    job: MeasureJob, data: Path, fits: list[tuple[fitted_cells.RecordedCell, CellFit, Cell]]
) -> Iterator[MeasureRow]:
    """Judge every pulse test by the fit that saw it, and by one that saw no pulse test."""
    for seen in (SEEN, UNSEEN):
        drops, powers = list[PowerScore](), list[PowerScore]()
        for recorded, fit, cell in fits:
            job.say(f"{seen} of {recorded.name}")
            judge = cell if seen == SEEN else fitted_cells.fit_recorded(data, recorded, unseen=("pulse",))[1]
            for score in fit.scores:
                if score.test.listed.kind == "pulse":
                    degc = round(float(score.test.listed.temperature_degc or 0.0))
                    found = score_pulses(score.test.path, judge, f"{recorded.name}, {degc} degC")
                    drops += found.drops
                    powers += found.powers
        yield DROP[seen].make_row(find_median(drops), None, f"ckf, LG HG2 and Panasonic; {describe(drops)}")
        yield EXTRAPOLATED[seen].make_row(find_median(powers), None, f"ckf, largest pulses; {describe(powers)}")
        if seen == UNSEEN:
            yield DROP_INSIDE.make_row(find_inside(drops), None, describe(drops))
            yield EXTRAPOLATED_INSIDE.make_row(find_inside(powers), None, describe(powers))


class PulseScores(NamedTuple):
    """The scores of the voltage's drops (V), and of powers (W)."""

    drops: list[PowerScore]
    powers: list[PowerScore]


def score_pulses(path: Path, cell: Cell, name: str) -> PulseScores:
    """Follow a pulse test with the filter `ckf` and judge what it says of each pulse at the last row before it."""
    from twin.network.filter_settings import FilterStart, make_circuit, make_settings, make_start  # noqa: PLC0415
    from twin.network.health_filter import KEPT  # noqa: PLC0415  # numba takes a moment
    from twin.network.log_filter import filter_log  # noqa: PLC0415
    from twin.network.trace import make_trace  # noqa: PLC0415
    from workbench.modelling.circuit_of_cell import make_circuit_of  # noqa: PLC0415
    from workbench.modelling.log_estimate import find_cell_bounds  # noqa: PLC0415
    from workbench.modelling.log_start import find_start  # noqa: PLC0415

    log, network = read_log(path), make_circuit_of(cell)
    start = find_start(log, network.ocv_v, network.capacity_ah, cell.file.chemistry, None)
    trace = make_trace(log, network.capacity_ah, start.soc)
    x, covariance, memory = make_start(network, FilterStart(start.soc, start.soc_std, start.rested, start.hysteresis))
    states, kept = (x[None].copy(), covariance[None].copy(), memory[None].copy()), np.full((1, KEPT), np.nan)
    circuit, settings = make_circuit(network), make_settings(network, cubature=True)
    rows = np.stack([trace.mean_a, trace.current_a, trace.voltage_v, trace.case_k], 1)
    most_a = MOST_C * network.capacity_ah
    bounds = find_cell_bounds(cell)._replace(charge_a=most_a, discharge_a=most_a, high_k=HOTTEST_K)
    pulses, done = find_pulses(trace, network.capacity_ah), 0
    largest, scores = find_largest(pulses), PulseScores([], [])
    for pulse in pulses:
        part = slice(done, pulse.before + 1)
        filter_log(rows[part], trace.dt_s[part], *states, kept, circuit, settings)
        done = pulse.before + 1
        filtered = *states, rows[pulse.before : done], circuit, settings
        told = f"{name}, SoC {trace.soc[pulse.before]:.2f}, {pulse.current_a:.1f} A"
        scores.drops.append(score_drop(filtered, bounds.drop_share, trace, pulse, told))
        if pulse in largest:
            scores.powers.extend(score_power(filtered, bounds, trace, pulse, told))
    return scores


def score_drop(filtered: Filtered, drop_share: float, trace: CellTrace, pulse: Pulse, name: str) -> PowerScore:
    """Return the score of the drop (V, magnitude) from the rest to the end of a pulse."""
    from twin.network.power_forecast import forecast_voltage  # noqa: PLC0415  # as above
    from twin.power import WITHIN  # noqa: PLC0415

    rest_v, horizon_s = trace.voltage_v[pulse.before], trace.time_s[pulse.last] - trace.time_s[pulse.before]
    end_v, std_v = forecast_voltage(*filtered, float(horizon_s), pulse.current_a, drop_share)
    sign = np.sign(pulse.current_a)
    value, truth = float(sign * (rest_v - end_v)), float(sign * (rest_v - trace.voltage_v[pulse.last]))
    return PowerScore(name, "ckf", PULSE_S, value, value - WITHIN * std_v, value + WITHIN * std_v, truth)


def score_power(
    filtered: Filtered, bounds: PowerBounds, trace: CellTrace, pulse: Pulse, name: str
) -> Iterator[PowerScore]:
    """Yield the score of the power (W) at the voltage limit; nothing where the cell rests beyond that."""
    from twin.network.power_forecast import forecast_power  # noqa: PLC0415  # as above

    rest_v, end_v = (float(trace.voltage_v[row]) for row in (pulse.before, pulse.last))
    discharges = pulse.current_a > 0.0
    limit_v = bounds.low_v if discharges else bounds.high_v
    limit_a = (rest_v - limit_v) * pulse.current_a / (rest_v - end_v)
    if limit_a * pulse.current_a > 0.0:
        able = forecast_power(*filtered, 1.0, bounds)[0].tolist()
        value, low, high = able[:3] if discharges else able[3:]
        yield PowerScore(name, "ckf", PULSE_S, value, low, high, limit_v * abs(limit_a))
