"""A cell as the slow lane follows it: its sample, and the circuit of the cell file under its current (numba)."""

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
from twin.network.network import R0, SHIFT
from twin.numba_kernel import kernel

if TYPE_CHECKING:
    from drivers.snapshot import Floats
    from twin.network.filter_settings import CircuitArrays

# A reading of a cell: voltage (V), current (A, of a cell of the circuit's size), case temperature (K), charge.
VOLTAGE, CURRENT, CASE, SOC = range(4)
# What is kept of the circuit: rise of the core (K), R0 I and the other overvoltages now (V), then the pairs' currents.
RISE, OHMIC_V, PAIRS_V, FIRST = range(4)
CIRCUIT: Final = FIRST + PAIRS
# Settings.
CAPACITY_AS, CORE_K_W, CORE_S, SCALE, LOW_V, HIGH_V = range(6)

COLDEST_K, HOTTEST_K = 200.0, 400.0  # beyond: no sensor of a cell
LONGEST_S: Final = 3.0  # a mean over more shows no step
SLOPE_SOC: Final = 0.02  # to both sides, over which the slope of the open circuit is taken


@kernel
def read_sample(  # noqa: PLR0917  # numba calls by place
    reading: Floats,
    current_a: float,
    balancing_a: Floats,
    voltage_v: Floats,
    kelvin: Floats,
    soc: Floats,
    settings: Floats,
) -> None:
    """Fill `reading[n, 4]`: hold an unknown current and an impossible temperature, with NaN for such a voltage."""
    for n in range(reading.shape[0]):
        if np.isfinite(current_a):
            own_a = balancing_a[n] if np.isfinite(balancing_a[n]) else 0.0
            reading[n, CURRENT] = settings[SCALE] * (current_a + own_a)
        known = np.isfinite(current_a) and settings[LOW_V] <= voltage_v[n] <= settings[HIGH_V]
        reading[n, VOLTAGE] = voltage_v[n] if known else np.nan
        if COLDEST_K < kelvin[n] < HOTTEST_K:
            reading[n, CASE] = kelvin[n]
        if np.isfinite(soc[n]):
            reading[n, SOC] = min(max(soc[n], 0.0), 1.0)


@kernel
def follow_circuit(now: Floats, reading: Floats, circuit: CircuitArrays, settings: Floats, dt_s: float) -> None:
    """Step the core and the pairs of each cell; `now[n, CIRCUIT]`, `reading[n, 4]` with finite current and case."""
    ocv_v, socs, kelvins, logs, log_tau, _, _ = circuit
    p, tau = np.empty(WIDTH), np.empty(PAIRS)
    for n in range(now.shape[0]):
        kelvin, i = reading[n, CASE] + now[n, RISE], reading[n, CURRENT]
        interpolate_circuit(ocv_v, socs, kelvins, logs, reading[n, SOC], kelvin, p)
        interpolate_tau(kelvins, log_tau, kelvin, tau)
        for j in range(PAIRS):
            now[n, FIRST + j] += -np.expm1(-dt_s / tau[j]) * (i - now[n, FIRST + j])
        now[n, PAIRS_V] = p[OPEN] + p[SHIFT] - find_terminal_voltage(p, 0.0, now[n, FIRST:])
        now[n, OHMIC_V] = p[R0] * i
        heat = max(i * (now[n, OHMIC_V] + now[n, PAIRS_V]), 0.0)
        now[n, RISE] += -np.expm1(-dt_s / settings[CORE_S]) * (settings[CORE_K_W] * heat - now[n, RISE])


@kernel
def find_slope(ocv_v: Floats, soc: float) -> float:
    """Return the slope of the open-circuit voltage (V over the whole charge)."""
    high, low = find_open_circuit(ocv_v, soc + SLOPE_SOC), find_open_circuit(ocv_v, soc - SLOPE_SOC)
    return (high - low) / (2.0 * SLOPE_SOC)
