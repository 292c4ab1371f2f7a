"""A cell with a circuit that is known, and the logs that a laboratory would make of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from twin.network.network import FIELDS, Network
from twin.network.trace import CellTrace
from twin.network.voltage import predict_voltage

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.snapshot import Floats

CAPACITY_AH = 2.0
KELVINS = np.array([273.15, 298.15])
FULL_V, EMPTY_V = 4.2, 3.0


def make_network(resistance: float = 1.0, capacity_ah: float = CAPACITY_AH) -> Network:
    """An NMC-like cell; resistances double from 25 to 0 degC."""
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
    network: Network, current_a: Floats, dt_s: float, kelvin: float, soc0: float = 1.0, noise_v: float = 5e-4
) -> CellTrace:
    """The trace of a current profile from rest; its voltages are those of the circuit, with noise."""
    rows = len(current_a)
    time_s, steps = dt_s * np.arange(rows, dtype=np.float64), np.full(rows, dt_s)
    steps[0] = 0.0
    soc = soc0 - np.cumsum(current_a * steps) / 3600.0 / network.capacity_ah
    blank = CellTrace(time_s, steps, current_a, current_a, network.find_ocv(soc), np.full(rows, kelvin), soc)
    voltage_v = predict_voltage(network, blank, np.arange(rows), averaged=False)
    voltage_v += np.random.default_rng(7).normal(0.0, noise_v, rows)
    return CellTrace(time_s, steps, current_a, current_a, voltage_v, blank.case_k, soc)


def make_drive(seed: int, rows: int = 4000, mean_a: float = 1.0, swing_a: float = 2.5) -> Floats:
    """Steps of random current, each some seconds long."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(3, 40, rows)
    steps = np.repeat(mean_a + swing_a * rng.standard_normal(rows), lengths)[:rows]
    return np.concatenate([np.zeros(30), steps])


def make_pulses(pulses: int = 9, rate_a: float = 2.0) -> Floats:
    """Pulses both ways with rests, each a tenth of the charge lower."""
    rest, pulse = np.zeros(300), np.full(10, rate_a)
    down = np.full(round(0.1 * CAPACITY_AH * 3600.0 / rate_a), rate_a)
    one = np.concatenate([rest, pulse, np.zeros(40), -0.75 * pulse, np.zeros(40), down])
    return np.concatenate([np.tile(one, pulses), rest])


def write_log(path: Path, trace: CellTrace) -> None:
    """Write a trace as a cycler's CSV: charge positive, with a counter."""
    counter_ah = (trace.soc - 1.0) * CAPACITY_AH
    columns = np.stack([trace.time_s, trace.voltage_v, -trace.current_a, trace.case_k - 273.15, counter_ah], 1)
    head = "Time [s],Voltage [V],Current [A],Temperature [degC],Capacity [Ah]"
    np.savetxt(path, columns, delimiter=",", header=head, comments="", fmt="%.6f")
