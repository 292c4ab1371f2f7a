"""The known cell of `measure`, and the logs that a laboratory would make of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.measure.known_cell import CAPACITY_AH, KELVINS, make_drive, make_network, simulate

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.snapshot import Floats
    from twin.network.trace import CellTrace

__all__ = ["CAPACITY_AH", "KELVINS", "make_drive", "make_network", "make_pulses", "simulate", "write_log"]
FULL_V, EMPTY_V = 4.2, 3.0


def make_pulses(pulses: int = 9, rate_a: float = 2.0) -> Floats:
    """Pulses both ways with rests, each a tenth of the charge lower."""
    rest, pulse = np.zeros(300), np.full(10, rate_a)
    down = np.full(round(0.1 * CAPACITY_AH * 3600.0 / rate_a), rate_a)
    one = np.concatenate([rest, pulse, np.zeros(40), -0.75 * pulse, np.zeros(40), down])
    return np.concatenate([np.tile(one, pulses), rest])


def write_log(path: Path, trace: CellTrace, capacity_ah: float = CAPACITY_AH) -> None:
    """Write a trace as a cycler's CSV: charge positive, with a counter."""
    counter_ah = (trace.soc - 1.0) * capacity_ah
    columns = np.stack([trace.time_s, trace.voltage_v, -trace.current_a, trace.case_k - 273.15, counter_ah], 1)
    head = "Time [s],Voltage [V],Current [A],Temperature [degC],Capacity [Ah]"
    np.savetxt(path, columns, delimiter=",", header=head, comments="", fmt="%.6f")
