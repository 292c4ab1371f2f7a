"""The filter on a recorded cell that it was not made for: Samsung INR18650-20R (CALCE), 25 degC."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet
import pytest

from drivers.snapshot import Floats, PackReading
from twin.cell_parameters import load_cell
from twin.ekf import Ekf
from twin.ports import PackSpec

if TYPE_CHECKING:
    from twin.cell_table import CellTable

PARQUET: Any = pyarrow.parquet  # carries no types
DATA = Path(os.environ.get("PULSEBMS_DATA", Path(__file__).parents[3] / "shared" / "data")) / "calce_inr18650_20r"
POINTS = 41


def columns(file: str) -> tuple[Floats, ...]:
    """Time (s), current (A, discharge positive), voltage (V), charge put in (Ah) from empty."""
    names = ("Test_Time(s)", "Current(A)", "Voltage(V)", "Charge_Capacity(Ah)", "Discharge_Capacity(Ah)")
    read = PARQUET.read_table(DATA / file, columns=list(names))
    t_s, current_a, voltage_v, put_ah, taken_ah = (np.asarray(read.column(name), dtype=np.float64) for name in names)
    return t_s, -current_a, voltage_v, put_ah - taken_ah


def inspected(file: str) -> CellTable:
    """What an incoming inspection reads off one recording: the voltage of a charge at C/2, lowered by as much as it
    lies above the rest at 80 % that follows, and resistances of that size."""
    _, current_a, voltage_v, inside_ah = columns(file)
    full_ah, charging = float(inside_ah.max()), current_a < -0.9
    grid = np.linspace(0.0, 1.0, POINTS)
    charged_v = np.interp(grid, inside_ah[charging] / full_ah, voltage_v[charging])
    resting = (np.abs(current_a) < 0.01) & (np.abs(inside_ah / full_ah - 0.8) < 0.005)
    ohm = float(charged_v[round(0.8 * (POINTS - 1))] - voltage_v[resting].max())  # at 1 A
    ocv_v = charged_v - ohm
    steady = charged_v < charged_v[-1] - 0.01
    end = int(np.argmin(steady))  # from here on the voltage was held and the current fell
    ocv_v[end:] = np.linspace(ocv_v[end - 1], charged_v[-1] - 0.01, POINTS - end + 1)[1:]
    circuit = [np.full(POINTS, value) for value in (0.6 * ohm, 0.2 * ohm, 10.0, 0.2 * ohm, 200.0)]
    shipped = load_cell().estimator
    return replace(shipped, capacity_ah=full_ah, arrhenius_k=0.0, rows=np.vstack([ocv_v, *circuit]))


@pytest.mark.skipif(not DATA.is_dir(), reason="the recorded INR18650-20R (shared/data/calce_inr18650_20r) is not here")
@pytest.mark.parametrize("drive", ["DST_25C_80.parquet", "DST_25C_50.parquet"])
def test_filter_follows_a_cell_inspected_once_through_another_drive(drive: str) -> None:
    table = inspected("US06_25C_80.parquet")
    t_s, current_a, voltage_v, inside_ah = columns(drive)
    full = int(np.argmax(inside_ah))
    one = np.ones(1)
    filtered = Ekf(PackSpec(1, 1, table.capacity_ah, one, one, one, 298.15), table, 0.8, 0.2)
    errors: list[float] = []
    for k in range(full, len(t_s)):
        reading = PackReading(t_s[k], current_a[k], np.zeros(1), voltage_v[k : k + 1], np.full(1, 298.15))
        believed = float(filtered.update(reading, float(t_s[k] - t_s[k - 1])).soc[0])
        errors.append(believed - float(inside_ah[k] - inside_ah[full]) / table.capacity_ah - 1.0)
    rmse = float(np.sqrt(np.mean(np.square(errors[600:]))))
    print(f"INR18650-20R {drive}: SoC RMSE {rmse:.2%} after ten minutes, from a start 20 % off")  # noqa: T201  # the figure
    assert rmse < 0.03
