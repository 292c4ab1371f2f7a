"""The circuit of one cell at one instant (numba): tables at a state of charge and temperature, and the voltage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from drivers.benchfile.network_section import PAIRS
from twin.network.network import FIELDS, R0, R1, SHIFT
from twin.network.response import find_weights
from twin.numba_kernel import kernel

if TYPE_CHECKING:
    from drivers.snapshot import Floats

THERMAL = FIELDS  # places of a row of `interpolate`, after the tables: Vt, then U
OPEN = FIELDS + 1
WIDTH = FIELDS + 2


@kernel
def find_open_circuit(ocv_v: Floats, soc: float) -> float:
    """Return U (V); outside 0 to 1 it goes on with its last slope."""
    last = ocv_v.shape[0] - 1
    left = min(max(int(np.floor(soc * last)), 0), last - 1)
    return ocv_v[left] + (soc * last - left) * (ocv_v[left + 1] - ocv_v[left])


@kernel
def interpolate_circuit(  # noqa: PLR0917  # numba calls by place
    ocv_v: Floats, socs: Floats, kelvins: Floats, logs: Floats, soc: float, kelvin: float, out: Floats
) -> None:
    """Fill `out[WIDTH]`: dU, the resistances, Vt, U. `logs[7, T, S]`: dU, and the logarithm of all others."""
    low, warm = find_weights(kelvins, kelvin)
    high = min(low + 1, kelvins.shape[0] - 1)
    left, full = find_weights(socs, soc)
    right = min(left + 1, socs.shape[0] - 1)
    for field in range(FIELDS + 1):
        cold = (1.0 - full) * logs[field, low, left] + full * logs[field, low, right]
        hot = (1.0 - full) * logs[field, high, left] + full * logs[field, high, right]
        out[field] = (1.0 - warm) * cold + warm * hot
        if field != SHIFT:
            out[field] = np.exp(out[field])
    out[OPEN] = find_open_circuit(ocv_v, soc)


@kernel
def find_terminal_voltage(p: Floats, current_a: float, currents_a: Floats) -> float:
    """Return the voltage (V) of a row of `interpolate_circuit` under its low-passed currents `currents_a[4]`."""
    voltage = p[OPEN] + p[SHIFT] - p[R0] * current_a - p[THERMAL] * np.arcsinh(p[R1] * currents_a[0] / p[THERMAL])
    for pair in range(1, PAIRS):
        voltage -= p[R1 + pair] * currents_a[pair]
    return voltage


@kernel
def interpolate_tau(kelvins: Floats, log_tau: Floats, kelvin: float, out: Floats) -> None:
    """Fill `out[4]` with the time constants (s) at a temperature; `log_tau[T, 4]`."""
    low, warm = find_weights(kelvins, kelvin)
    high = min(low + 1, kelvins.shape[0] - 1)
    for pair in range(PAIRS):
        out[pair] = np.exp((1.0 - warm) * log_tau[low, pair] + warm * log_tau[high, pair])
