"""Resistance and capacity of a cell beside its filter (numba): slow, and only from what shows them.

The factor on all resistances: least squares with forgetting between steps of the voltage and steps of the model's
overvoltage (Ljung 1999, recursive least squares); what is wrong slowly cancels in steps. The factor on the capacity:
total least squares between rests, as the charge between two rests and their states of charge are both uncertain (Plett
2011, J. Power Sources 196, 2319, with a constant ratio of both variances).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from twin.network.circuit_kernels import OPEN, WIDTH, find_open_circuit, interpolate_circuit
from twin.network.network import SHIFT
from twin.network.soc_filter import (
    CAPACITY,
    CAPACITY_AS,
    CASE,
    CURRENT,
    HYSTERESIS,
    MEAN,
    OVERVOLTAGE,
    RESISTANCE,
    RISE,
    VOLTAGE,
)
from twin.numba_kernel import kernel

if TYPE_CHECKING:
    from drivers.snapshot import Floats
    from twin.network.filter_settings import CircuitArrays

# What is kept of a cell.
LAST_V, LAST_OVER_V, SQUARES, PRODUCTS, REST_S, REST_SOC, MOVED_AS, SOC2, SOC_CHARGE, CHARGE2 = range(10)
KEPT: Final = 10

LEAST_STEP_V: Final = 0.005  # of the overvoltage, that shows the resistance
FORGET_STEPS: Final = 400.0  # such steps after which one counts a third
PRIOR_V2: Final = 0.01  # weight of the factor 1 before any step
QUIET_C: Final = 0.02
RESTED_S: Final = 900.0  # of quiet, after which the voltage is the open circuit's
LEAST_SOC: Final = 0.1  # between two rests, that shows the capacity
REST_STD: Final = 0.01  # of SoC by the voltage of a rest
CHARGE_STD: Final = 0.005  # of the charge between two rests, of the capacity
FORGET_RESTS: Final = 0.7
PRIOR_WEIGHT: Final = 0.02
HALVINGS: Final = 24
LOW, HIGH = 0.3, 3.0


@kernel
def track_health(  # noqa: PLR0917  # numba calls by place
    kept: Floats, memory: Floats, reading: Floats, circuit: CircuitArrays, settings: Floats, dt_s: float
) -> None:
    """Update `memory[RESISTANCE]` and `memory[CAPACITY]` of each cell; `kept[n, KEPT]` begins with NaN."""
    for n in range(kept.shape[0]):
        if np.isfinite(reading[n, VOLTAGE]) and np.isfinite(reading[n, CURRENT]):
            track_resistance(kept[n], memory[n], reading[n])
            track_capacity(kept[n], memory[n], reading[n], circuit, settings, dt_s)


@kernel
def track_resistance(kept: Floats, memory: Floats, reading: Floats) -> None:
    """Regress steps of the voltage on steps of the overvoltage that the model has with the factor 1."""
    over = memory[OVERVOLTAGE] / memory[RESISTANCE]
    if np.isnan(kept[LAST_V]):
        kept[SQUARES] = kept[PRODUCTS] = PRIOR_V2
    elif abs(over - kept[LAST_OVER_V]) > LEAST_STEP_V:
        step, fallen = over - kept[LAST_OVER_V], kept[LAST_V] - reading[VOLTAGE]
        kept[SQUARES] = (1.0 - 1.0 / FORGET_STEPS) * kept[SQUARES] + step * step
        kept[PRODUCTS] = (1.0 - 1.0 / FORGET_STEPS) * kept[PRODUCTS] + step * fallen
        memory[RESISTANCE] = min(max(kept[PRODUCTS] / kept[SQUARES], LOW), HIGH)
    kept[LAST_V], kept[LAST_OVER_V] = reading[VOLTAGE], over


@kernel
def track_capacity(  # noqa: PLR0917  # numba calls by place
    kept: Floats, memory: Floats, reading: Floats, circuit: CircuitArrays, settings: Floats, dt_s: float
) -> None:
    """At the end of a long rest, compare the charge since the rest before with what both voltages tell."""
    if np.isnan(kept[REST_S]):
        kept[REST_S] = kept[MOVED_AS] = 0.0
        kept[SOC2] = kept[CHARGE2] = kept[SOC_CHARGE] = PRIOR_WEIGHT
    kept[MOVED_AS] += reading[MEAN] * dt_s
    quiet = abs(reading[CURRENT]) < QUIET_C * settings[CAPACITY_AS] / 3600.0
    before = kept[REST_S]
    kept[REST_S] = before + dt_s if quiet else 0.0
    if not (before < RESTED_S <= kept[REST_S]):
        return
    soc = find_rested_soc(circuit, reading[VOLTAGE], reading[CASE] + memory[RISE], memory[HYSTERESIS])
    if np.isnan(kept[REST_SOC]) or abs(kept[REST_SOC] - soc) < LEAST_SOC:
        if np.isnan(kept[REST_SOC]):
            kept[REST_SOC], kept[MOVED_AS] = soc, 0.0
        return
    fallen, charge = kept[REST_SOC] - soc, kept[MOVED_AS] / settings[CAPACITY_AS]
    kept[SOC2] = FORGET_RESTS * kept[SOC2] + fallen * fallen
    kept[CHARGE2] = FORGET_RESTS * kept[CHARGE2] + charge * charge
    kept[SOC_CHARGE] = FORGET_RESTS * kept[SOC_CHARGE] + fallen * charge
    memory[CAPACITY] = min(max(solve_total(kept[SOC2], kept[SOC_CHARGE], kept[CHARGE2]), LOW), HIGH)
    kept[REST_SOC], kept[MOVED_AS] = soc, 0.0


@kernel
def solve_total(soc2: float, product: float, charge2: float) -> float:
    """Return the slope of charge over SoC by total least squares, both weighted by their deviations."""
    ratio = (REST_STD / CHARGE_STD) ** 2
    away = ratio * charge2 - soc2
    if product <= 0.0:
        return 1.0
    return (away + np.sqrt(away * away + 4.0 * ratio * product * product)) / (2.0 * ratio * product)


@kernel
def find_rested_soc(circuit: CircuitArrays, voltage_v: float, kelvin: float, hysteresis: float) -> float:
    """Return the SoC whose open-circuit voltage at `kelvin` is this one, by halving."""
    ocv_v, socs, kelvins, logs, _, _, hysteresis_v = circuit
    p = np.empty(WIDTH)
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        interpolate_circuit(ocv_v, socs, kelvins, logs, middle, kelvin, p)
        if p[OPEN] + p[SHIFT] + hysteresis * find_open_circuit(hysteresis_v, middle) < voltage_v:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)
