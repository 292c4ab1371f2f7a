"""Published ageing sets as rows of cycles, and NASA's discharge curves of which only the first part is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drivers.table_file import read_table
from twin.health.cycle_table import CycleRows, read_cycles

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.snapshot import Floats

TABLES: Final = "ageing_pinn4soh"
NASA: Final = "ageing_nasa"
PULSES: Final = "secondlife_pulsebat"
NASA_CELLS: Final = ("B0025", "B0026", "B0027", "B0028")  # 24 degC, 4 A on and off
CUT: Final = 0.4  # of the nominal capacity: what a curve shows
POINTS: Final = 5
LOADED_A: Final = 2.0
NASA_FEATURES: Final = tuple(f"voltage under load {k}" for k in range(POINTS))


def read_ageing(data: Path, name: str) -> CycleRows:
    """Return the per-cycle rows of XJTU, MIT, HUST or TJU."""
    return read_cycles(read_table(data / TABLES / f"{name}.parquet"))


def read_nasa(data: Path) -> CycleRows:
    """Return a row for each discharge: voltages under load at even shares of the charge up to the cut.

    A curve is cut at 40 % of the nominal capacity: what comes later, and its length, is not seen.
    """
    rows, cells, capacity = list[Any](), list[str](), list[float]()
    for cell in NASA_CELLS:
        summary = read_table(data / NASA / f"{cell}_discharge_summary.csv")
        known = dict(
            zip(summary.take_numbers("idx").tolist(), summary.take_numbers("capacity_Ah").tolist(), strict=True)
        )
        curves = read_table(data / NASA / f"{cell}_discharge_curves.parquet")
        test, *series = (curves.take_numbers(name) for name in ("idx", "t", "V", "I"))
        for number in np.unique(test).tolist():
            time_s, volts, amperes = (one[test == number] for one in series)
            rows.append(_describe_curve(time_s, volts, -amperes))
            cells.append(cell)
            capacity.append(known.get(number, float("nan")))
    return CycleRows(NASA_FEATURES, np.array(rows), np.array(cells), np.arange(1, len(rows) + 1), np.array(capacity))


def _describe_curve(time_s: Floats, volts: Floats, discharge_a: Floats, nominal_ah: float = 2.0) -> Floats:
    """Return the voltages of a curve up to the cut, interpolated over the charge moved so far."""
    steps = 0.5 * (discharge_a[1:] + discharge_a[:-1]) * np.diff(time_s) / 3600.0
    moved = np.concatenate([[0.0], np.cumsum(steps)])
    seen = moved <= CUT * nominal_ah
    at = np.linspace(0.1, 1.0, POINTS) * CUT * nominal_ah
    loaded = seen & (discharge_a >= LOADED_A)
    return np.interp(at, moved[loaded], volts[loaded]) if loaded.any() else np.full(POINTS, np.nan)
