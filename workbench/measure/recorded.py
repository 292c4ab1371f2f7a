"""Recorded drives of the LG HG2 cell (Kollmeyer 2020) at one temperature, and a cell table from other tests of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from twin.cell_parameters import load_cell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from drivers.snapshot import Floats
    from twin.cell_table import CellTable

FOLDER: Final = "lg_hg2_kollmeyer"
DRIVES: Final = ("UDDS", "US06", "LA92", "HWFET", "Mixed1", "Mixed2")
CAPACITY_AH: Final = 2.78  # C/20 discharge, not the nominal 3.0
SLOW_OHM: Final = 0.06  # between the slow discharge and rest
SLOW_A: Final = 0.15
# R0, then resistance and time constant of two pairs, read by hand from one pulse at 25 degC
CIRCUIT: Final = (0.026, 0.010, 10.0, 0.020, 200.0)
PULSE_A, REST_A = 6.0, 0.3
POINTS: Final = 41
ZERO_C_K: Final = 273.15


@dataclass(frozen=True)
class RecordedDrive:
    """Steps of a drive: `current_a` (discharge positive), `voltage_v`, `kelvin`, `soc` by the cycler's own counter."""

    name: str
    dt_s: Floats
    current_a: Floats
    voltage_v: Floats
    kelvin: Floats
    soc: Floats


def make_cell_table(data: Path, temperature: str) -> CellTable:
    """Return the filters' cell table, from a slow discharge at 25 degC and a pulse test at `temperature`, no drive."""
    path = next((data / FOLDER / "25degC").glob("*_C20DisCh.parquet"))
    charge_ah, voltage_v, current_a = _columns(path, "Capacity [Ah]", "Voltage [V]", "Current [A]")
    down = current_a < -0.1  # noqa: PLR2004  # A; the discharge alone
    soc = 1.0 + (charge_ah[down] - charge_ah[down][0]) / (charge_ah[down][0] - charge_ah[down][-1])
    grid = np.linspace(0.0, 1.0, POINTS)
    ocv_v = np.interp(grid, soc[::-1], voltage_v[down][::-1]) + SLOW_A * SLOW_OHM
    colder = _pulse_ohm(data, temperature) / _pulse_ohm(data, "25degC")
    r0, r1, tau1, r2, tau2 = CIRCUIT
    circuit = [np.full(POINTS, value) for value in (r0 * colder, r1 * colder, tau1, r2 * colder, tau2)]
    return replace(
        load_cell().estimator,
        fitted_to=f"LG HG2, C/20 at 25 degC, pulses at {temperature}",
        capacity_ah=CAPACITY_AH,
        arrhenius_k=0.0,  # the pulses were as cold as the drives are
        rows=np.vstack([ocv_v, *circuit]),
    )


def _pulse_ohm(data: Path, temperature: str) -> float:
    """Return the median voltage drop of one second at 2 C, divided by the current, in ohm."""
    path = next((data / FOLDER / temperature).glob("*_HPPC.parquet"))
    t_s, current_a, voltage_v = _columns(path, "Time [s]", "Current [A]", "Voltage [V]")
    before = np.flatnonzero((current_a[:-1] > -REST_A) & (np.abs(current_a[1:] + PULSE_A) < REST_A))
    after = np.searchsorted(t_s, t_s[before] + 1.0)
    return float(np.median((voltage_v[before] - voltage_v[after]) / PULSE_A))


def read_drives(data: Path, temperature: str) -> Iterator[RecordedDrive]:
    """Return the drives of a folder such as `25degC`, averaged over each second."""
    for path in sorted((data / FOLDER / temperature).glob("*.parquet")):
        if (name := path.stem.partition("_")[2]) in DRIVES:
            t_s, amperes, volts, degc, ampere_hours = _columns(
                path, "Time [s]", "Current [A]", "Voltage [V]", "Temperature [degC]", "Capacity [Ah]"
            )
            _, first, samples = np.unique(np.floor(t_s), return_index=True, return_counts=True)
            current_a, voltage_v, kelvin = (
                np.add.reduceat(of, first) / samples for of in (-amperes, volts, degc + ZERO_C_K)
            )
            last = first + samples - 1
            dt_s, soc = np.diff(t_s[last], prepend=t_s[0] - 1.0), 1.0 + ampere_hours[last] / CAPACITY_AH
            yield RecordedDrive(f"{name} at {temperature}", dt_s, current_a, voltage_v, kelvin, soc)


def _columns(path: Path, *names: str) -> tuple[Floats, ...]:
    from pyarrow import parquet  # noqa: PLC0415  # a quarter of a second

    untyped: Any = parquet
    read = untyped.read_table(path, columns=list(names))
    return tuple(np.asarray(read.column(name), dtype=np.float64) for name in names)
