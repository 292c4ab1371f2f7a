"""The circuit of estimators for a cell file without `[estimator]`: fitted to a noisy test of the file's own circuit.

An estimator must not know the twin that it is judged against. So the circuit of the file is tested as an incoming
inspection would: coarser, with a sensor of a seeded error. Numpy alone: an edge has no more.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from drivers.benchfile.cell_writer import round_all
from twin.cell_table import OCV, R0, R1, R2, REFERENCE_K, TAU1, TAU2

if TYPE_CHECKING:
    from drivers.snapshot import Floats
    from twin.cell_table import CellTable

_NUMPY: Any = np  # the types of these three are of any array
SEED: Final = 20
POINTS: Final = 21
RATE_C: Final = 0.5
REST_S, MOVE_STEPS = 3600.0, 60
PULSE_S: Final = (0.1, 0.4, 0.5, 1.0, 1.0, 2.0, 5.0, 10.0, 10.0, 30.0)  # the steps of each quarter of a pulse pair
RELAX_S: Final = (0.1, 0.4, 0.5, 1.0, 2.0, 6.0, 10.0, 40.0, 60.0, 120.0)
NOISE_V, GAIN = 0.3e-3, 1e-3  # standard deviations: of a voltage, of the current sensor
FAST_S: Final = np.geomspace(1.0, 40.0, 14)
SLOW_S: Final = np.geomspace(30.0, 900.0, 14)
LEAST_OHM: Final = 1e-5
TEMPERATURES_K: Final = (283.15, 313.15)
REPEATS: Final = 25  # pulses at each temperature


class InspectionTrace(NamedTuple):
    """Steps (s) of constant current (A), the voltages at their ends (V), and the state of charge there."""

    dt_s: Floats
    current_a: Floats
    voltage_v: Floats
    soc: Floats


class InspectedCell:
    """A simulated cell at 25 degC with the circuit of a table, at rest and full, measured with noise."""

    def __init__(self, table: CellTable, rng: np.random.Generator) -> None:
        self._table, self._rng = table, rng
        self._grid = np.linspace(0.0, 1.0, table.rows.shape[1])
        self._soc, self._v1, self._v2 = 1.0, 0.0, 0.0

    def run(self, dt_s: Floats, current_a: Floats) -> InspectionTrace:
        """Return what the sensors say."""
        read = np.array([self._step(dt, i) for dt, i in zip(dt_s, current_a, strict=True)])
        noise_v = self._rng.normal(0.0, NOISE_V, len(read))
        return InspectionTrace(dt_s, current_a, read[:, 0] + noise_v, read[:, 1])

    def _step(self, dt_s: float, current_a: float) -> tuple[float, float]:
        rows = self._look_up()
        a1, a2 = np.exp(-dt_s / rows[TAU1]), np.exp(-dt_s / rows[TAU2])
        self._v1 = a1 * self._v1 + (1.0 - a1) * rows[R1] * current_a
        self._v2 = a2 * self._v2 + (1.0 - a2) * rows[R2] * current_a
        self._soc -= current_a * dt_s / 3600.0 / self._table.capacity_ah
        rows = self._look_up()
        return rows[OCV] - rows[R0] * current_a - self._v1 - self._v2, self._soc

    def _look_up(self) -> list[float]:
        rows = self._table.rows
        return [float(_NUMPY.interp(self._soc, self._grid, rows[row])) for row in range(len(rows))]


def fit_estimator(table: CellTable) -> CellTable:
    """Return another table of the same cell, as a short inspection finds it; the same for the same table."""
    rng = np.random.default_rng(SEED)
    inspected, current_a = InspectedCell(table, rng), RATE_C * table.capacity_ah
    grid = np.linspace(0.0, 1.0, POINTS)
    ocv_v, traces = np.zeros(POINTS), dict[int, InspectionTrace]()
    for point in reversed(range(POINTS)):
        ocv_v[point] = inspected.run(np.array([REST_S]), np.zeros(1)).voltage_v[0]
        if 0 < point < POINTS - 1:
            traces[point] = inspected.run(*_plan_pulses(current_a))
        if point:
            move_s = 3600.0 / RATE_C / (POINTS - 1) / MOVE_STEPS
            inspected.run(np.full(MOVE_STEPS, move_s), np.full(MOVE_STEPS, current_a))
    slopes = np.gradient(ocv_v, grid)
    fitted = {point: _fit_pulses(trace, float(slopes[point])) for point, trace in traces.items()}
    ends = [fitted[min(max(point, 1), POINTS - 2)] for point in range(POINTS)]
    gain = 1.0 + rng.normal(0.0, GAIN)
    rows = np.vstack([ocv_v, np.array(ends).T])
    rows[[R0, R1, R2]] /= gain  # what a current sensor of this gain would have found
    return replace(
        table,
        fitted_to=f"pulses of {RATE_C:g} C simulated on [circuit], noise {1e3 * NOISE_V:g} mV, seed {SEED}",
        capacity_ah=round_all(table.capacity_ah * gain),
        arrhenius_k=round_all(_fit_arrhenius(table, current_a, rng)),
        rows=np.array(round_all(rows.tolist()), np.float64),
    )


def _plan_pulses(current_a: float) -> tuple[Floats, Floats]:
    """Return a discharge and a charge pulse, each with its rest: charge neutral."""
    parts = ((PULSE_S, current_a), (RELAX_S, 0.0), (PULSE_S, -current_a), (RELAX_S, 0.0))
    dt_s = np.concatenate([steps for steps, _ in parts])
    return dt_s, np.concatenate([np.full(len(steps), current) for steps, current in parts])


def _fit_pulses(trace: InspectionTrace, slope_v: float) -> tuple[float, ...]:
    """Return r0, r1, tau1, r2, tau2: for each pair of time constants the resistances are linear least squares."""
    rise_v = slope_v * (trace.soc - trace.soc[0])
    fast, slow = (_respond(trace, taus) for taus in (FAST_S, SLOW_S))
    weight = np.sqrt(trace.dt_s)
    least, best = np.inf, tuple[float, ...]()
    for one, tau1_s in enumerate(FAST_S):
        for two, tau2_s in enumerate(SLOW_S):
            if tau2_s < 3.0 * tau1_s:  # closer, one hides the other
                continue
            known = np.column_stack([np.ones(len(weight)), -trace.current_a, -fast[one], -slow[two]])
            found: Floats = _NUMPY.linalg.lstsq(
                known * weight[:, None], (trace.voltage_v - rise_v) * weight, rcond=None
            )[0]
            off = float(np.sum((weight * (known @ found - trace.voltage_v + rise_v)) ** 2))
            if off < least and (found[1:] > LEAST_OHM).all():
                r0, r1, r2 = (float(found[place]) for place in (1, 2, 3))
                least, best = off, (r0, r1, float(tau1_s), r2, float(tau2_s))
    if not best:  # one resistance explains all of it
        ohm = max(-float(_NUMPY.polyfit(trace.current_a, trace.voltage_v - rise_v, 1)[0]), 3.0 * LEAST_OHM)
        return ohm, LEAST_OHM, float(FAST_S[0]), LEAST_OHM, float(SLOW_S[0])
    return best


def _respond(trace: InspectionTrace, taus_s: Floats) -> Floats:
    """Return the current behind each time constant, `[taus, steps]`."""
    behind, seen = np.zeros(len(taus_s)), np.zeros((len(taus_s), len(trace.dt_s)))
    for step, (dt, i) in enumerate(zip(trace.dt_s, trace.current_a, strict=True)):
        kept = np.exp(-dt / taus_s)
        behind = kept * behind + (1.0 - kept) * i
        seen[:, step] = behind
    return seen


def _fit_arrhenius(table: CellTable, current_a: float, rng: np.random.Generator) -> float:
    """Return the exponent of R0 (K) from the sudden drops of pulses at half charge and two temperatures."""
    ohm = float(np.median(table.rows[R0]))
    found = [
        ohm * np.exp(table.arrhenius_k * (1.0 / kelvin - 1.0 / REFERENCE_K))
        + rng.normal(0.0, NOISE_V, REPEATS).mean() / current_a
        for kelvin in TEMPERATURES_K
    ]
    cold_k, warm_k = TEMPERATURES_K
    return float(np.log(found[0] / found[1]) / (1.0 / cold_k - 1.0 / warm_k))
