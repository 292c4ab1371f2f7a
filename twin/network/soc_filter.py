"""Filters of the state of charge on the fitted circuit, for many cells at once (numba).

The state of a cell: charge, the low-passed currents, the offset of the current sensor, the error of the model, the
error of the hysteresis, and one gain for the current sensor and the capacity together. Given the temperature it moves
linearly, so every filter predicts alike; they differ in how the voltage corrects it. The error of the hysteresis
decays with the charge that moves; what a correction finds of it goes into the memory.

The model's error lasts for minutes: as white noise it would make a filter of ten samples a second overconfident. It is
a state that decays and is driven again (Bryson and Henrikson 1968). Noise is given per second, so that the estimate
does not depend on the sampling.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.benchfile.network_section import PAIRS
from twin.network.circuit_kernels import (
    OPEN,
    THERMAL,
    WIDTH,
    find_open_circuit,
    find_terminal_voltage,
    interpolate_circuit,
    interpolate_tau,
)
from twin.network.network import R0, SHIFT
from twin.network.response import HYSTERESIS_SOC, find_weights, move_hysteresis
from twin.numba_kernel import kernel

if TYPE_CHECKING:
    from drivers.snapshot import Floats
    from twin.network.filter_settings import CircuitArrays

STATES: Final = 5 + PAIRS
SOC, FIRST, OFFSET, ERROR, TURN, GAIN = 0, 1, 1 + PAIRS, 2 + PAIRS, 3 + PAIRS, 4 + PAIRS
# A reading of a cell: the current since the sample before and at the sample (A), voltage (V), case temperature (K).
MEAN, CURRENT, VOLTAGE, CASE = range(4)
# What a filter keeps beside the state: rise of the core (K), factors on R and capacity, the overvoltage of the model
# (V), the hysteresis, and the lag of averaged samples (A).
RISE, RESISTANCE, CAPACITY, OVERVOLTAGE, HYSTERESIS, LAG = range(6)
MEMORY: Final = LAG + PAIRS
# Settings of the cell and of the noise.
CAPACITY_AS, CORE_K_W, CORE_S, AVERAGED, ERROR_S, ERROR_SHARE, NOISE_V2_S, DRIFT_PER_S = range(8)
OFFSET_PER_S, NOISE_SHARE2_S, CUBATURE, DUAL, TURN_STD = range(8, 13)
SETTINGS: Final = 13

INNOVATION_LIMIT: Final = 4.0  # standard deviations: a larger surprise widens what is expected
MOST_SPREAD_SOC: Final = 0.05  # over which a regression takes the slope of the voltage
SLOPE_SOC: Final = 0.004  # to both sides, over which the slope of the voltage is taken
ITERATIONS: Final = 2
LOWEST_SOC, HIGHEST_SOC = -0.05, 1.06


@kernel
def predict_states(  # noqa: PLR0917  # numba calls by place
    x: Floats,
    covariance: Floats,
    memory: Floats,
    reading: Floats,
    circuit: CircuitArrays,
    settings: Floats,
    dt_s: float,
) -> None:
    """Predict `x[n, 9]` and `covariance[n, 9, 9]` over one step under the currents of `reading[n, 4]`."""
    ocv_v, _, kelvins, _, log_tau, error_v, _ = circuit
    kept, tau = np.ones(STATES), np.empty(PAIRS)
    for n in range(x.shape[0]):
        state, c = x[n], covariance[n]
        i = reading[n, MEAN] - state[OFFSET]
        heat = max(i * (find_open_circuit(ocv_v, state[SOC]) - reading[n, VOLTAGE]), 0.0)
        if np.isfinite(heat):
            memory[n, RISE] += -np.expm1(-dt_s / settings[CORE_S]) * (settings[CORE_K_W] * heat - memory[n, RISE])
        kelvin = reading[n, CASE] + memory[n, RISE]
        interpolate_tau(kelvins, log_tau, kelvin, tau)
        capacity_as = settings[CAPACITY_AS] * memory[n, CAPACITY]
        spent = dt_s / capacity_as
        memory[n, HYSTERESIS] = move_hysteresis(memory[n, HYSTERESIS], i, dt_s, capacity_as)
        kept[TURN] = np.exp(-abs(i) * spent / HYSTERESIS_SOC)
        spent *= 1.0 + state[GAIN]
        state[SOC] = min(max(state[SOC] - i * spent, LOWEST_SOC), HIGHEST_SOC)
        for j in range(PAIRS):
            ratio = dt_s / tau[j]
            kept[FIRST + j] = np.exp(-ratio)
            gone = -np.expm1(-ratio)
            away = i - state[FIRST + j]
            state[FIRST + j] += gone * away
            memory[n, LAG + j] = (1.0 - gone / ratio - gone) * away if settings[AVERAGED] > 0.0 and ratio > 0.0 else 0.0
        kept[ERROR] = np.exp(-dt_s / settings[ERROR_S])
        state[ERROR] *= kept[ERROR]
        move_covariance(c, kept, spent, i)
        c[SOC, SOC] += dt_s * settings[DRIFT_PER_S]
        c[OFFSET, OFFSET] += dt_s * settings[OFFSET_PER_S]
        low, warm = find_weights(kelvins, kelvin)
        high = min(low + 1, kelvins.shape[0] - 1)
        sigma = (1.0 - warm) * error_v[low] + warm * error_v[high]
        over = settings[ERROR_SHARE] * memory[n, OVERVOLTAGE]
        c[ERROR, ERROR] += (1.0 - kept[ERROR] ** 2) * (sigma * sigma + over * over)
        c[TURN, TURN] += (1.0 - kept[TURN] ** 2) * settings[TURN_STD] ** 2


@kernel
def move_covariance(c: Floats, kept: Floats, spent: float, current_a: float) -> None:
    """Turn `c[9, 9]` into F c F': each state keeps a share.

    Charge and pairs take from the offset what they take of the current, the charge from the gain what has moved.
    """
    for a in range(STATES):
        for b in range(STATES):
            c[a, b] *= kept[a] * kept[b]
    for a in range(OFFSET):
        taken = spent if a == SOC else -(1.0 - kept[a])
        for b in range(STATES):
            c[a, b] += taken * c[OFFSET, b]
    for a in range(OFFSET):
        taken = spent if a == SOC else -(1.0 - kept[a])
        for b in range(STATES):
            c[b, a] += taken * c[b, OFFSET]
    for b in range(STATES):
        c[SOC, b] -= current_a * spent * c[GAIN, b]
    for b in range(STATES):
        c[b, SOC] -= current_a * spent * c[b, GAIN]


@kernel
def find_model_voltage(  # noqa: PLR0917  # numba calls by place
    state: Floats, soc: float, memory: Floats, reading: Floats, circuit: CircuitArrays, p: Floats, currents: Floats
) -> float:
    """Return the voltage (V) of a cell in `state` at `soc`; leave the tables in `p` and the pairs in `currents`."""
    ocv_v, socs, kelvins, logs, _, _, hysteresis_v = circuit
    interpolate_circuit(ocv_v, socs, kelvins, logs, soc, reading[CASE] + memory[RISE], p)
    for field in range(R0, R0 + 1 + PAIRS):
        p[field] *= memory[RESISTANCE]
    for j in range(PAIRS):
        currents[j] = state[FIRST + j] + memory[LAG + j]
    p[OPEN] += (memory[HYSTERESIS] + state[TURN]) * find_open_circuit(hysteresis_v, min(max(soc, 0.0), 1.0))
    return find_terminal_voltage(p, reading[CURRENT] - state[OFFSET], currents) + state[ERROR]


@kernel
def find_slopes(  # noqa: PLR0917  # numba calls by place
    state: Floats,
    memory: Floats,
    reading: Floats,
    circuit: CircuitArrays,
    p: Floats,
    currents: Floats,
    slope: Floats,
) -> float:
    """Fill `slope[9]` with the derivative of the voltage by the state; return the voltage.

    The slope over SoC is that of the open circuit: what a resistance changes with charge is less certain than itself.
    """
    ocv_v, socs, kelvins, logs, _, _, hysteresis_v = circuit
    kelvin = reading[CASE] + memory[RISE]
    rest_v = 0.0
    for side in (-1.0, 1.0):
        interpolate_circuit(ocv_v, socs, kelvins, logs, state[SOC] + side * SLOPE_SOC, kelvin, p)
        rest_v += side * (p[OPEN] + p[SHIFT])
    voltage = find_model_voltage(state, state[SOC], memory, reading, circuit, p, currents)
    slope[SOC] = rest_v / (2.0 * SLOPE_SOC)
    saturation = p[R0 + 1] * currents[0] / p[R0 + 1 + PAIRS]
    slope[FIRST] = -p[R0 + 1] / np.sqrt(1.0 + saturation * saturation)
    for j in range(1, PAIRS):
        slope[FIRST + j] = -p[R0 + 1 + j]
    slope[OFFSET] = p[R0]
    slope[ERROR] = 1.0
    slope[GAIN] = 0.0
    slope[TURN] = find_open_circuit(hysteresis_v, min(max(state[SOC], 0.0), 1.0))
    return voltage


@kernel
def regress_slopes(  # noqa: PLR0917  # numba calls by place
    state: Floats, c: Floats, kelvin: float, circuit: CircuitArrays, p: Floats, first_a: float, slope: Floats
) -> float:
    """Replace the slopes over charge and first pair by those of a regression; return the variance it leaves (V^2).

    The voltage is linear in all other states. Four points, on the axes of the Cholesky factor of both variances; the
    spread over charge is limited, as the tables say nothing beyond full and empty. `p`: the tables at the state, whose
    resistances hold for all points; `first_a`: the current of the first pair.
    """
    ocv_v, socs, kelvins, logs, _, _, _ = circuit
    there = np.empty(WIDTH)
    a = np.sqrt(max(c[SOC, SOC], 1e-12))
    cross = c[FIRST, SOC] / a
    b = np.sqrt(max(c[FIRST, FIRST] - cross * cross, 1e-12))
    narrow = min(1.0, MOST_SPREAD_SOC / a)
    a, cross, b = a * narrow, cross * narrow, b * narrow
    step = np.sqrt(2.0)
    total = squares = by_first = by_soc = 0.0
    for axis in range(2):
        for side in (-1.0, 1.0):
            away_soc = side * step * a if axis == 0 else 0.0
            away_first = side * step * (cross if axis == 0 else b)
            interpolate_circuit(ocv_v, socs, kelvins, logs, state[SOC] + away_soc, kelvin, there)
            fast_v = p[THERMAL] * np.arcsinh(p[R0 + 1] * (first_a + away_first) / p[THERMAL])
            value = there[OPEN] + there[SHIFT] - fast_v
            total += value / 4.0
            squares += value * value / 4.0
            if axis == 0:
                by_soc += side * step * value / 4.0
            else:
                by_first += side * step * value / 4.0
    slope[FIRST] = by_first / b
    slope[SOC] = (by_soc - slope[FIRST] * cross) / a
    return max(squares - total * total - by_soc * by_soc - by_first * by_first, 0.0)


@kernel
def correct_states(  # noqa: PLR0917  # numba calls by place
    x: Floats,
    covariance: Floats,
    memory: Floats,
    reading: Floats,
    circuit: CircuitArrays,
    settings: Floats,
    dt_s: float,
) -> Floats:
    """Correct by the measured voltages; return `[n, 4]`.

    The voltage of the model before the correction, the innovation over its deviation, R0 (ohm), and the variance of
    the innovation (V^2). A cell whose voltage is not finite is not corrected.
    """
    out = np.full((x.shape[0], 4), np.nan)
    for n in range(x.shape[0]):
        correct_cell(x[n], covariance[n], memory[n], reading[n], circuit, settings, dt_s, out[n])
    return out


@kernel
def correct_cell(  # noqa: PLR0917  # numba calls by place
    state: Floats,
    c: Floats,
    memory: Floats,
    reading: Floats,
    circuit: CircuitArrays,
    settings: Floats,
    dt_s: float,
    out: Floats,
) -> None:
    """Correct one cell, iterated; fill `out[4]` as `correct_states` returns it.

    Extended filter: iterated Kalman filter (Bell and Cathey 1993). Cubature: the slopes are those of a statistical
    regression over the spread of charge and first pair (Arasaratnam and Haykin 2009), iterated likewise.
    """
    slope, cross, before = np.empty(STATES), np.empty(STATES), state.copy()
    p, currents = np.empty(WIDTH), np.empty(PAIRS)
    spread = 0.0
    for iteration in range(ITERATIONS):
        voltage = find_slopes(state, memory, reading, circuit, p, currents, slope)
        over = p[OPEN] + p[SHIFT] - voltage + state[ERROR]
        spread = (settings[NOISE_V2_S] + settings[NOISE_SHARE2_S] * over * over) / dt_s
        if settings[CUBATURE] > 0.0:
            spread += regress_slopes(state, c, reading[CASE] + memory[RISE], circuit, p, currents[0], slope)
        error = reading[VOLTAGE] - voltage
        if iteration == 0:
            out[0], out[2] = voltage - state[ERROR], p[R0]
            if not np.isfinite(error):
                return
            memory[OVERVOLTAGE] = over
        for a in range(STATES):
            cross[a] = 0.0
            for b in range(STATES):
                cross[a] += c[a, b] * slope[b]
            error -= slope[a] * (before[a] - state[a])
        for a in range(STATES):
            spread += slope[a] * cross[a]
        if iteration == 0:
            out[1], out[3] = error / np.sqrt(spread), spread
        spread = max(spread, (error / INNOVATION_LIMIT) ** 2)
        for a in range(STATES):
            state[a] = before[a] + cross[a] / spread * error
        state[SOC] = min(max(state[SOC], LOWEST_SOC), HIGHEST_SOC)
    memory[HYSTERESIS] = min(max(memory[HYSTERESIS] + state[TURN], -1.0), 1.0)
    state[TURN] = 0.0
    reduce_covariance(c, cross, spread)


@kernel
def reduce_covariance(c: Floats, cross: Floats, spread: float) -> None:
    """Take from `c[9, 9]` what a measurement with this cross covariance and spread tells."""
    for a in range(STATES):
        for b in range(STATES):
            c[a, b] -= cross[a] * cross[b] / spread
        c[a, a] = max(c[a, a], 1e-14)
