"""Fit of the equivalent circuits' parameters to simulated pulse tests of PyBaMM's DFN (`python -m twin.make_cells`).

There are two tests, so that twin and estimator never share parameters: a long laboratory test for the twin (41 points,
1 C pulses, an hour of rest), an incoming inspection for the estimator (21 points, C/2 pulses, ten minutes of rest,
20 degC).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import scipy.optimize

from drivers.benchfile.cell_sections import ROWS, CircuitSection
from drivers.benchfile.cell_writer import round_all
from twin import pybamm_models

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.snapshot import Floats
    from twin.cell_physics import CellPhysics

_SCIPY: Any = scipy.optimize  # carries no types
_LOWEST_PULSED: Final = 0.05  # below this SoC a discharge pulse empties the surface: lower points use these values
_MOST_OHM: Final = 1.0
_SETTLED: Final = 0.99  # of that: a fit that ends there found no resistance, and the nearest point serves
_TEMPERATURES_K: Final = (283.15, 318.15)


@dataclass(frozen=True)
class PulseTest:
    """A pulse test: `points` over SoC, pulses of `rate_c` for `pulse_s` both ways, `rest_s` before each point."""

    name: str
    points: int
    rate_c: float
    pulse_s: float
    rest_s: float
    kelvin: float


TESTS: Final = (
    PulseTest("circuit", 41, 1.0, 60.0, 3600.0, 298.15),
    PulseTest("estimator", 21, 0.5, 30.0, 600.0, 293.15),
)


@dataclass
class PulseTrace:
    """Durations (s), currents (A) and end voltages (V) of the steps of one pulse pair."""

    dt_s: Floats
    current_a: Floats
    voltage_v: Floats


def run_pulse_pair(cell: pybamm_models.ReferenceCell, current_a: float, test: PulseTest) -> PulseTrace:
    """Discharge, rest, charge, rest: charge neutral; sample densely where the voltage changes fast."""
    fine = [0.1] * 10 + [1.0] * 9
    pulse = [*fine, *[(test.pulse_s - 10.0) / 10.0] * 10]
    relax = [*fine, *[10.0] * 11, *[60.0] * 8]
    steps = [
        (dt, i) for part, i in ((pulse, current_a), (relax, 0.0), (pulse, -current_a), (relax, 0.0)) for dt in [*part]
    ]
    voltages = [cell.step(i, test.kelvin, dt).voltage_v for dt, i in steps]
    return PulseTrace(np.array([dt for dt, _ in steps]), np.array([i for _, i in steps]), np.array(voltages))


def simulate_two_rc(
    log_parameters: Floats, trace: PulseTrace, ocv_v: float, slope_v: float, capacity_ah: float
) -> Floats:
    """Return the voltage of R0 + 2 RC from rest, with the open-circuit voltage linear around the point."""
    r0, r1, tau1, r2, tau2 = np.exp(log_parameters)
    soc = v1 = v2 = 0.0
    voltages: list[float] = []
    for dt, i in zip(trace.dt_s, trace.current_a, strict=True):
        a1, a2 = np.exp(-dt / tau1), np.exp(-dt / tau2)
        v1, v2 = a1 * v1 + (1.0 - a1) * r1 * i, a2 * v2 + (1.0 - a2) * r2 * i
        soc -= i * dt / 3600.0 / capacity_ah
        voltages.append(ocv_v + slope_v * soc - r0 * i - v1 - v2)
    return np.array(voltages)


def fit_circuit(trace: PulseTrace, ocv_v: float, slope_v: float, capacity_ah: float) -> Floats:
    """Fit (r0, r1, tau1, r2, tau2) by least squares: 0.1 mOhm to 1 Ohm, tau1 1 to 30 s, tau2 30 to 600 s."""
    low, high = np.log([1e-4, 1e-4, 1.0, 1e-4, 30.0]), np.log([_MOST_OHM, _MOST_OHM, 30.0, _MOST_OHM, 600.0])
    weight = np.sqrt(trace.dt_s)

    def error(log_parameters: Floats) -> Floats:
        return weight * (simulate_two_rc(log_parameters, trace, ocv_v, slope_v, capacity_ah) - trace.voltage_v)

    start = np.log([0.02, 0.008, 5.0, 0.012, 120.0])
    return np.exp(_SCIPY.least_squares(error, start, bounds=(low, high)).x)


def fit_section(
    test: PulseTest, physics: CellPhysics, report: Callable[[float], object] = lambda _: None
) -> CircuitSection:
    """Run the test on a simulated DFN cell and fit each point; `report` hears the share that is done."""
    cell = pybamm_models.ReferenceCell(1.0, physics)
    capacity_ah, current_a = cell.capacity_ah, test.rate_c * cell.capacity_ah
    grid = np.linspace(0.0, 1.0, test.points)
    ocv_v, traces = np.zeros(test.points), dict[int, PulseTrace]()
    for point in reversed(range(test.points)):
        reading = cell.step(0.0, test.kelvin, test.rest_s)
        ocv_v[point] = reading.voltage_v
        if grid[point] >= _LOWEST_PULSED - 1e-9:
            try:
                traces[point] = run_pulse_pair(cell, current_a, test)
            except ArithmeticError:  # the pulse empties or fills a surface: the nearest point serves for this one
                cell.rest(reading.soc)
        report(0.5 * (1.0 - point / test.points))
        if point:
            _move(cell, reading.soc, float(grid[point - 1]), test.kelvin)
    slopes = np.gradient(ocv_v, grid)
    values: dict[int, Floats] = {}
    for count, (k, trace) in enumerate(traces.items(), 1):
        found = fit_circuit(trace, ocv_v[k], slopes[k], capacity_ah)
        if max(found[0], found[1], found[3]) < _SETTLED * _MOST_OHM:
            values[k] = found
        report(0.5 + 0.5 * count / len(traces))
    circuit = np.array(
        [values[min(values, key=lambda point: abs(point - k))] for k in range(test.points)]
    ).T  # called at once
    arrhenius_k = fit_arrhenius(current_a, physics)
    circuit[0] *= np.exp(arrhenius_k * (1.0 / pybamm_models.REFERENCE_K - 1.0 / test.kelvin))
    pulses = f"{test.rate_c:g} C pulses of {test.pulse_s:g} s, {test.rest_s:g} s rest, {test.kelvin:g} K"
    return CircuitSection(
        fitted_to=f"PyBaMM {cell.model} {physics.name}, {pulses}",
        capacity_ah=round_all(capacity_ah),
        arrhenius_k=round_all(arrhenius_k),
        **dict(zip(ROWS, round_all(np.vstack([ocv_v, circuit]).tolist()), strict=True)),
    )


def _move(cell: pybamm_models.ReferenceCell, soc: float, to: float, kelvin: float) -> None:
    """Discharge by half an hour of constant current; where the model cannot, begin again at rest there."""
    try:
        cell.step((soc - to) * cell.capacity_ah * 2.0, kelvin, 1800.0)
    except ArithmeticError:
        cell.rest(to)


def fit_arrhenius(current_a: float, physics: CellPhysics) -> float:
    """Fit the exponent of R0 (K) to the first 0.1 s of a pulse at half charge and two temperatures."""
    drops: list[float] = []
    for kelvin in _TEMPERATURES_K:
        cell = pybamm_models.ReferenceCell(0.5, physics)
        rest_v = cell.step(0.0, kelvin, 1.0).voltage_v
        drops.append(rest_v - cell.step(current_a, kelvin, 0.1).voltage_v)
    cold_k, warm_k = _TEMPERATURES_K
    return float(np.log(drops[0] / drops[1]) / (1.0 / cold_k - 1.0 / warm_k))
