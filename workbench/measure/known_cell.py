"""A cell with a circuit that is known: the truth of the slow lane's rows, and of tests.

A lane that is judged on it may know its circuit as it was when the cell was new.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from twin.network.network import FIELDS, Network
from twin.network.trace import CellTrace
from twin.network.voltage import predict_voltage

if TYPE_CHECKING:
    from drivers.snapshot import Floats

CAPACITY_AH: Final = 2.0
KELVINS: Final = np.array([273.15, 298.15])


def make_network(resistance: float = 1.0, capacity_ah: float = CAPACITY_AH) -> Network:
    """Return an NMC-like cell; its resistances double from 25 to 0 degC, and are `resistance` times a new cell's."""
    soc = np.linspace(0.0, 1.0, 101)
    ocv_v = 3.0 + 0.9 * soc + 0.25 * (1.0 - np.exp(-12.0 * soc)) + 0.05 * soc**8
    socs = np.linspace(0.0, 1.0, 5)
    tables = np.zeros((FIELDS, 2, 5))
    for field, ohm in enumerate((0.025, 0.012, 0.01, 0.015, 0.02), start=1):
        tables[field] = resistance * ohm * np.array([[2.0], [1.0]]) * (1.0 + 0.4 * (1.0 - socs))
    tau_s = np.tile([0.9, 8.0, 70.0, 800.0], (2, 1))
    thermal_v, error_v = np.array([0.047, 0.0514]), np.array([0.01, 0.01])
    return Network(
        "a known cell", capacity_ah, ocv_v, socs, KELVINS, tables, tau_s, thermal_v, error_v, 1.4, 400.0, np.zeros(101)
    )


def simulate(  # noqa: PLR0917  # in the order of what they are
    network: Network,
    current_a: Floats,
    dt_s: float,
    kelvin: float,
    soc0: float = 1.0,
    noise_v: float = 5e-4,
    seed: int = 7,
) -> CellTrace:
    """Return the trace of a current profile (A) from rest; its voltages are those of the circuit, with noise (V)."""
    rows = len(current_a)
    time_s, steps = dt_s * np.arange(rows, dtype=np.float64), np.full(rows, dt_s)
    steps[0] = 0.0
    soc = soc0 - np.cumsum(current_a * steps) / 3600.0 / network.capacity_ah
    blank = CellTrace(time_s, steps, current_a, current_a, network.find_ocv(soc), np.full(rows, kelvin), soc)
    voltage_v = predict_voltage(network, blank, np.arange(rows), averaged=False)
    voltage_v += np.random.default_rng(seed).normal(0.0, noise_v, rows)
    return CellTrace(time_s, steps, current_a, current_a, voltage_v, blank.case_k, soc)


def make_drive(seed: int, rows: int = 4000, mean_a: float = 1.0, swing_a: float = 2.5) -> Floats:
    """Return steps of random current (A), each some seconds long, a second a row."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(3, 40, rows)
    steps = np.repeat(mean_a + swing_a * rng.standard_normal(rows), lengths)[:rows]
    return np.concatenate([np.zeros(30), steps])
