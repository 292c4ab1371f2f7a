"""The voltage of each cell at the ends of the horizons, near the current that brings it to its limit (numba)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.benchfile.network_section import PAIRS
from twin.network.circuit_kernels import (
    OPEN,
    WIDTH,
    find_open_circuit,
    find_terminal_voltage,
    interpolate_circuit,
    interpolate_tau,
)
from twin.network.network import R0
from twin.network.response import find_weights, move_hysteresis
from twin.network.soc_filter import (
    CAPACITY,
    CAPACITY_AS,
    CASE,
    CORE_K_W,
    CORE_S,
    ERROR,
    ERROR_S,
    FIRST,
    HIGHEST_SOC,
    HYSTERESIS,
    LOWEST_SOC,
    RESISTANCE,
    RISE,
    SLOPE_SOC,
    SOC,
)
from twin.numba_kernel import kernel
from twin.power import (
    CELL,
    CELL_CHARGE_AS,
    CELL_KELVIN,
    CELL_SOC,
    CELL_SOC_STD,
    DIRECTIONS,
    HORIZONS_S,
    LEAST_OHM,
    LINE,
    LINE_BOTH_VAR,
    LINE_DROP,
    LINE_DROP_VAR,
    LINE_OPEN,
    LINE_OPEN_VAR,
    LINE_SLOPE,
    PowerBounds,
    find_power,
    find_voltage_variance,
)

if TYPE_CHECKING:
    from drivers.snapshot import Floats
    from twin.network.filter_settings import CircuitArrays

RESISTANCE_SHARE: Final = 0.10  # that R0 may be off by
TRIALS: Final = 3  # of a current that brings a cell to its limit
NEAR: Final = 0.95  # of that current, to which the slope of the voltage is taken
LEAST_SLOPE: Final = 0.2  # of the chord
LEAST_C: Final = 1e-6


@kernel
def forecast_power(  # noqa: PLR0917  # numba calls by place
    x: Floats,
    covariance: Floats,
    memory: Floats,
    reading: Floats,
    circuit: CircuitArrays,
    settings: Floats,
    scale: float,
    bounds: PowerBounds,
) -> Floats:
    """Return `[horizons, 6]` as `find_power`; `scale`: the current of a cell of the circuit's size over the pack's.

    Coarse in temperature: the core keeps today's resistances, and is warmed by all heat of a horizon without cooling.
    """
    lines, cells = np.empty((len(HORIZONS_S), DIRECTIONS, x.shape[0], LINE)), np.empty((x.shape[0], CELL))
    rise_k_w, tau, stays, p = np.empty(len(HORIZONS_S)), np.empty(PAIRS), np.empty(PAIRS + 1), np.empty(WIDTH + PAIRS)
    for h in range(len(HORIZONS_S)):
        core = -np.expm1(-HORIZONS_S[h] / settings[CORE_S])
        rise_k_w[h] = scale * settings[CORE_K_W] * core + HORIZONS_S[h] / bounds.heat_j_k
    for n in range(x.shape[0]):
        kelvin = reading[n, CASE] + memory[n, RISE]
        cells[n, CELL_SOC], cells[n, CELL_SOC_STD] = x[n, SOC], np.sqrt(max(covariance[n, SOC, SOC], 0.0))
        cells[n, CELL_CHARGE_AS] = settings[CAPACITY_AS] * memory[n, CAPACITY] / scale
        cells[n, CELL_KELVIN] = kelvin
        interpolate_tau(circuit[2], circuit[4], kelvin, tau)
        for h in range(len(HORIZONS_S)):
            find_stays(tau, settings, HORIZONS_S[h], stays)
            fill_lines(
                x[n], covariance[n], memory[n], kelvin, stays, circuit, settings, HORIZONS_S[h], scale, bounds,
                p, lines[h, 0, n], lines[h, 1, n],
            )  # fmt: skip
    return find_power(lines, cells, rise_k_w, bounds)


@kernel
def forecast_voltage(  # noqa: PLR0917  # numba calls by place
    x: Floats,
    covariance: Floats,
    memory: Floats,
    reading: Floats,
    circuit: CircuitArrays,
    settings: Floats,
    horizon_s: float,
    current_a: float,
    drop_share: float,
) -> tuple[float, float]:
    """Return the voltage (V) of the first cell after `horizon_s` of `current_a` (of the circuit), and its deviation."""
    tau, stays, p, line = np.empty(PAIRS), np.empty(PAIRS + 1), np.empty(WIDTH + PAIRS), np.empty((2, LINE))
    kelvin, most_a = reading[0, CASE] + memory[0, RISE], abs(current_a)
    interpolate_tau(circuit[2], circuit[4], kelvin, tau)
    find_stays(tau, settings, horizon_s, stays)
    bounds = PowerBounds(
        -np.inf, np.inf, 0.0, np.inf, most_a, most_a, 1.0, drop_share
    )  # no limit but the current itself
    fill_lines(
        x[0], covariance[0], memory[0], kelvin, stays, circuit, settings, horizon_s, 1.0, bounds, p, line[0], line[1]
    )
    own = line[0] if current_a > 0.0 else line[1]
    return own[LINE_OPEN] - own[LINE_DROP] * current_a, np.sqrt(find_voltage_variance(own, current_a, drop_share))


@kernel
def find_stays(tau: Floats, settings: Floats, horizon_s: float, out: Floats) -> None:
    """Fill `out[PAIRS + 1]`: what stays of each pair's current, and of the model's error, after a horizon."""
    for j in range(PAIRS):
        out[j] = np.exp(-horizon_s / tau[j])
    out[PAIRS] = np.exp(-horizon_s / settings[ERROR_S])


@kernel
def fill_lines(  # noqa: PLR0917  # numba calls by place
    state: Floats,
    c: Floats,
    memory: Floats,
    kelvin: float,
    stays: Floats,
    circuit: CircuitArrays,
    settings: Floats,
    horizon_s: float,
    scale: float,
    bounds: PowerBounds,
    p: Floats,
    discharge: Floats,
    charge: Floats,
) -> None:
    """Fill the lines of both directions of one cell and horizon: the chord to the current that meets its limit."""
    open_v = predict_voltage(state, memory, kelvin, stays, circuit, settings, horizon_s, 0.0, p)
    charge_as = settings[CAPACITY_AS] * memory[CAPACITY]
    kept = stays[PAIRS]
    low, warm = find_weights(circuit[2], kelvin)
    high = min(low + 1, circuit[2].shape[0] - 1)
    error_v = (1.0 - warm) * circuit[5][low] + warm * circuit[5][high]
    for direction in range(DIRECTIONS):
        sign, line = (1.0, discharge) if direction == 0 else (-1.0, charge)
        limit_v = bounds.low_v if direction == 0 else bounds.high_v
        left_as = charge_as * (state[SOC] if direction == 0 else 1.0 - state[SOC])
        most_a = min((bounds.discharge_a if direction == 0 else bounds.charge_a) * scale, left_as / horizon_s)
        most_a = sign * max(most_a, LEAST_C * charge_as / 3600.0)
        cell_a, cell_v, slope = find_limit_current(
            state, memory, kelvin, stays, circuit, settings, horizon_s, open_v, most_a, limit_v, p
        )
        drop = max((open_v - cell_v) / cell_a, LEAST_OHM)
        slope = max(slope, LEAST_SLOPE * drop)
        soc = state[SOC] - cell_a * horizon_s / charge_as
        steep = find_open_circuit(circuit[0], soc + SLOPE_SOC) - find_open_circuit(circuit[0], soc - SLOPE_SOC)
        steep /= 2.0 * SLOPE_SOC
        line[LINE_OPEN], line[LINE_DROP], line[LINE_SLOPE] = open_v, drop * scale, slope * scale
        line[LINE_OPEN_VAR] = steep * steep * c[SOC, SOC] + 2.0 * kept * steep * c[SOC, ERROR]
        line[LINE_OPEN_VAR] += kept * kept * c[ERROR, ERROR] + (1.0 - kept * kept) * error_v * error_v
        line[LINE_DROP_VAR], line[LINE_BOTH_VAR] = 0.0, 0.0


@kernel
def find_limit_current(  # noqa: PLR0917  # numba calls by place
    state: Floats,
    memory: Floats,
    kelvin: float,
    stays: Floats,
    circuit: CircuitArrays,
    settings: Floats,
    horizon_s: float,
    open_v: float,
    most_a: float,
    limit_v: float,
    p: Floats,
) -> tuple[float, float, float]:
    """Return the current (A) from 0 to `most_a` that ends at `limit_v`, its voltage (V), and its slope there (ohm).

    By false position with halved ends (Illinois). It is `most_a` where that holds the limit, or where no current does;
    then the slope is that of the chord.
    """
    sign = np.sign(most_a)
    most_v = predict_voltage(state, memory, kelvin, stays, circuit, settings, horizon_s, most_a, p)
    low_a, high_a, low_over, high_over = 0.0, most_a, sign * (open_v - limit_v), sign * (most_v - limit_v)
    if high_over >= 0.0 or low_over <= 0.0:
        return most_a, most_v, (open_v - most_v) / most_a
    middle_a, middle_v = most_a, most_v
    for _ in range(TRIALS):
        middle_a = low_a + (high_a - low_a) * low_over / (low_over - high_over)
        middle_v = predict_voltage(state, memory, kelvin, stays, circuit, settings, horizon_s, middle_a, p)
        over = sign * (middle_v - limit_v)
        if over < 0.0:
            high_a, high_over, low_over = middle_a, over, 0.5 * low_over
        else:
            low_a, low_over, high_over = middle_a, over, 0.5 * high_over
    near_v = predict_voltage(state, memory, kelvin, stays, circuit, settings, horizon_s, NEAR * middle_a, p)
    return middle_a, middle_v, (near_v - middle_v) / ((1.0 - NEAR) * middle_a)


@kernel
def predict_voltage(  # noqa: PLR0917  # numba calls by place
    state: Floats,
    memory: Floats,
    kelvin: float,
    stays: Floats,
    circuit: CircuitArrays,
    settings: Floats,
    horizon_s: float,
    current_a: float,
    p: Floats,
) -> float:
    """Return the voltage (V) of one cell after `horizon_s` of `current_a`.

    The temperature stays; the error of the model decays. `p`: scratch of `WIDTH + PAIRS`.
    """
    ocv_v, socs, kelvins, logs, _, _, hysteresis_v = circuit
    charge_as = settings[CAPACITY_AS] * memory[CAPACITY]
    soc = min(max(state[SOC] - current_a * horizon_s / charge_as, LOWEST_SOC), HIGHEST_SOC)
    interpolate_circuit(ocv_v, socs, kelvins, logs, soc, kelvin, p)
    currents = p[WIDTH:]
    for field in range(R0, R0 + 1 + PAIRS):
        p[field] *= memory[RESISTANCE]
    for j in range(PAIRS):
        currents[j] = current_a + stays[j] * (state[FIRST + j] - current_a)
    turned = move_hysteresis(memory[HYSTERESIS], current_a, horizon_s, charge_as)
    p[OPEN] += turned * find_open_circuit(hysteresis_v, min(max(soc, 0.0), 1.0))
    return find_terminal_voltage(p, current_a, currents) + stays[PAIRS] * state[ERROR]
