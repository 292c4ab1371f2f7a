"""The voltage of each cell some seconds from now as a straight line over a constant current (numba)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.benchfile.network_section import PAIRS
from twin.network.circuit_kernels import OPEN, WIDTH, interpolate_tau
from twin.network.network import R0, SHIFT
from twin.network.soc_filter import (
    CAPACITY,
    CAPACITY_AS,
    CASE,
    ERROR,
    ERROR_S,
    FIRST,
    RISE,
    SOC,
    find_slopes,
)
from twin.numba_kernel import kernel

if TYPE_CHECKING:
    from drivers.snapshot import Floats
    from twin.network.filter_settings import CircuitArrays

FORECAST_OPEN, DROP, OPEN_VAR, DROP_VAR, BOTH_VAR, OHM, OHM_STD = range(7)
RESISTANCE_SHARE: Final = 0.10  # a resistance may be off by, beside what the voltage's error covers


@kernel
def forecast_voltage(  # noqa: PLR0917  # numba calls by place
    x: Floats,
    covariance: Floats,
    memory: Floats,
    reading: Floats,
    circuit: CircuitArrays,
    settings: Floats,
    horizon_s: float,
) -> Floats:
    """Return `[7, n]`: the values of `VoltageForecast` for cells of the circuit's size, then R0 and its deviation.

    The first pair counts with its slope at the present current: it saturates, so the true voltage is not lower.
    """
    out = np.zeros((7, x.shape[0]))
    p, currents, slope, tau = np.empty(WIDTH), np.empty(PAIRS), np.empty(x.shape[1]), np.empty(PAIRS)
    for n in range(x.shape[0]):
        state, c = x[n], covariance[n]
        find_slopes(state, memory[n], reading[n], circuit, p, currents, slope)
        interpolate_tau(circuit[2], circuit[4], reading[n, CASE] + memory[n, RISE], tau)
        kept = np.exp(-horizon_s / settings[ERROR_S])
        open_v, drop = p[OPEN] + p[SHIFT] + kept * state[ERROR], p[R0]
        steep = slope[SOC]
        for j in range(PAIRS):
            stays = np.exp(-horizon_s / tau[j])
            open_v -= stays * p[R0 + 1 + j] * state[FIRST + j]
            drop += (1.0 - stays) * p[R0 + 1 + j]
        falls = steep * horizon_s / (settings[CAPACITY_AS] * memory[n, CAPACITY])
        out[FORECAST_OPEN, n], out[DROP, n] = open_v, drop + falls
        out[OPEN_VAR, n] = steep * steep * c[SOC, SOC] + 2.0 * kept * steep * c[SOC, ERROR] + kept**2 * c[ERROR, ERROR]
        out[DROP_VAR, n] = (RESISTANCE_SHARE * drop) ** 2
        out[OHM, n], out[OHM_STD, n] = p[R0], RESISTANCE_SHARE * p[R0]
    return out
