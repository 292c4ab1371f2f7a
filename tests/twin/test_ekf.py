from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet
import pytest

from drivers.snapshot import Estimate, PackReading
from twin import cell_table, ekf
from twin.ekf import Ekf
from twin.ports import PackSpec

if TYPE_CHECKING:
    from twin.cell_table import CellTable
    from twin.spme import SpmePack

MakePack = Callable[..., PackSpec]
Array = npt.NDArray[np.float64]
AMBIENT_K = 298.15
PARQUET: Any = pyarrow.parquet  # carries no types
REAL = Path(os.environ.get("PULSEBMS_DATA", Path(__file__).parents[3] / "shared" / "data")) / "lg_hg2_kollmeyer"


def reading(current_a: float, voltage_v: Array, kelvin: Array | None = None) -> PackReading:
    cells = len(voltage_v)
    temperature = np.full(cells, AMBIENT_K) if kelvin is None else kelvin
    return PackReading(0.0, current_a, np.zeros(cells), voltage_v, temperature)


@pytest.fixture(scope="module")
def table() -> CellTable:
    return cell_table.load(cell_table.SHIPPED / "ekf.toml")


class MatrixFilter:
    """The textbook's filter in matrices: prediction, gain, Joseph's form; slope by differences."""

    def __init__(self, table: CellTable, soc0: float, soc0_std: float) -> None:
        self._table, self._grid = table, np.linspace(0.0, 1.0, len(table.rows[0]))
        self.x = np.array([soc0, 0.0, 0.0])
        self.p = np.diag([soc0_std**2, ekf.MODEL_V**2, ekf.MODEL_V**2])

    def at(self, soc: float) -> Array:
        return np.array([np.asarray(np.interp(soc, self._grid, self._table.rows[k]), np.float64) for k in range(6)])

    def update(self, i: float, v: float, dt: float) -> None:
        charge = 3600.0 * self._table.capacity_ah
        _, _, r1, tau1, r2, tau2 = self.at(float(self.x[0]))
        a = np.diag([1.0, np.exp(-dt / tau1), np.exp(-dt / tau2)])
        self.x = a @ self.x + np.array([-dt / charge, (1.0 - a[1, 1]) * r1, (1.0 - a[2, 2]) * r2]) * i
        unsure = ((ekf.CAPACITY_SHARE * i) ** 2 + ekf.SENSOR_A**2) * ekf.MODEL_S / charge**2 + ekf.DRIFT_PER_S
        pairs = [(1.0 - a[k, k] ** 2) * (ekf.PAIR_SHARE * r * i) ** 2 for k, r in ((1, r1), (2, r2))]
        self.p = a @ self.p @ a.T + np.diag([dt * unsure, *pairs])
        soc = float(self.x[0])
        ocv, r0 = self.at(soc)[:2]
        h = np.array([(self.at(soc + 1e-7)[0] - self.at(soc - 1e-7)[0]) / 2e-7, -1.0, -1.0])
        noise = (ekf.MODEL_V**2 + (ekf.RESISTANCE_SHARE * r0 * i) ** 2) * ekf.MODEL_S / dt
        gain = self.p @ h / (h @ self.p @ h + noise)
        self.x = self.x + gain * (v - (ocv - r0 * i - self.x[1] - self.x[2]))
        keep = np.eye(3) - np.outer(gain, h)
        self.p = keep @ self.p @ keep.T + noise * np.outer(gain, gain)


def test_kernel_agrees_with_the_filter_in_matrices(table: CellTable, make_pack: MakePack) -> None:
    rng = np.random.default_rng(8)
    kernel = Ekf(make_pack(cell_ah=table.capacity_ah), table, 0.55, 0.1)
    matrices = MatrixFilter(table, 0.55, 0.1)
    for current in np.repeat(rng.uniform(-5.0, 8.0, 30), 10):
        voltage = 3.75 + 0.02 * rng.standard_normal()
        estimate = kernel.update(reading(float(current), np.array([voltage])), 1.0)
        matrices.update(float(current), voltage, 1.0)
        assert estimate.soc[0] == pytest.approx(matrices.x[0], abs=1e-7)
        assert estimate.soc_std[0] == pytest.approx(np.sqrt(matrices.p[0, 0]), rel=1e-6)


def driven(twin: SpmePack, filtered: Ekf, seconds: int) -> list[tuple[Array, Estimate]]:
    """True SoC and estimate, each second of a drive, with noise, offsets and a biased current sensor."""
    rng = np.random.default_rng(11)
    offsets = 2e-3 * rng.standard_normal(24)
    pairs: list[tuple[Array, Estimate]] = []
    for current in np.repeat(rng.uniform(-40.0, 50.0, seconds // 20), 20):
        state = twin.step(np.full(24, current), AMBIENT_K, 1.0)
        measured = state.voltage_v + offsets + 1e-3 * rng.standard_normal(24)
        seen = reading(float(current) + 0.05, measured, state.temperature_k)
        pairs.append((state.soc, filtered.update(seen, 1.0)))
    return pairs


def test_filter_finds_the_spmes_charge_from_a_wrong_start(
    spme_pack: SpmePack, make_pack: MakePack, table: CellTable
) -> None:
    pairs = driven(spme_pack, Ekf(make_pack(24, spread=True), table, 0.50, 0.1), 600)
    assert np.abs(pairs[0][1].soc - pairs[0][0]).mean() > 0.05
    assert all(np.abs(estimate.soc - soc).max() < 0.02 for soc, estimate in pairs[200:])


def test_standard_deviation_is_honest(spme_pack: SpmePack, make_pack: MakePack, table: CellTable) -> None:
    pairs = driven(spme_pack, Ekf(make_pack(24, spread=True), table, 0.55, 0.1), 600)
    errors = np.array([np.abs(estimate.soc - soc) for soc, estimate in pairs])
    stds = np.array([estimate.soc_std for _, estimate in pairs])
    assert (errors < 2.0 * stds).mean() > 0.95
    assert stds[-1].max() < 0.02


def test_belief_does_not_depend_on_the_sample_rate(table: CellTable, make_pack: MakePack) -> None:
    slow, fast = (Ekf(make_pack(), table, 0.5, 0.1) for _ in range(2))
    seen = reading(2.0, np.array([3.8]))
    once = [slow.update(seen, 1.0) for _ in range(60)][-1]
    many = [fast.update(seen, 0.01) for _ in range(6000)][-1]
    assert many.soc[0] == pytest.approx(once.soc[0], abs=2e-3)
    assert many.soc_std[0] == pytest.approx(once.soc_std[0], rel=0.02)


def test_unknown_voltage_leaves_the_count_and_widens_the_belief(table: CellTable, make_pack: MakePack) -> None:
    filtered = Ekf(make_pack(2), table, 0.5, 0.05)
    before = filtered.update(reading(5.0, np.array([np.nan, 3.7])), 1.0)
    after = [filtered.update(reading(5.0, np.array([np.nan, 3.7])), 1.0) for _ in range(36)][-1]
    assert before.soc[0] - after.soc[0] == pytest.approx(5.0 * 36.0 / 3600.0 / 5.0, rel=1e-9)
    assert after.soc_std[0] > before.soc_std[0]
    assert after.soc_std[1] < before.soc_std[1]


def test_unknown_settings_are_refused(make_pack: MakePack) -> None:
    with pytest.raises(ValueError, match="does not know soc; it takes soc0 and soc0_std"):
        ekf.build(make_pack(), {"soc": 0.5})


def column(file: str, name: str) -> Array:
    return np.asarray(PARQUET.read_table(REAL / "25degC" / file).column(name), dtype=np.float64)


def real_table(table: CellTable) -> CellTable:
    """LG HG2 at 25 degC: open-circuit voltage of the C/20 discharge, resistances as a person reads them off a pulse."""
    charge, voltage = column("549_C20DisCh.parquet", "Capacity [Ah]"), column("549_C20DisCh.parquet", "Voltage [V]")
    current = column("549_C20DisCh.parquet", "Current [A]")
    down = current < -0.1
    soc = 1.0 + (charge[down] - charge[down][0]) / (charge[down][0] - charge[down][-1])
    grid = np.linspace(0.0, 1.0, 41)
    ocv = np.interp(grid, soc[::-1], voltage[down][::-1]) + 0.15 * 0.06
    circuit = [np.full(41, value) for value in (0.026, 0.010, 10.0, 0.020, 200.0)]
    return replace(table, capacity_ah=2.78, rows=np.vstack([ocv, *circuit]))


@pytest.mark.skipif(not REAL.is_dir(), reason="the recorded LG HG2 drives (shared/data/lg_hg2_kollmeyer) are not here")
@pytest.mark.parametrize("drive", ["551_UDDS.parquet", "551_Mixed1.parquet"])
def test_filter_follows_a_recorded_drive(drive: str, table: CellTable, make_pack: MakePack) -> None:
    filtered = Ekf(replace(make_pack(), cell_ah=2.78), real_table(table), 0.8, 0.2)
    current, voltage = -column(drive, "Current [A]"), column(drive, "Voltage [V]")
    kelvin, truth = column(drive, "Temperature [degC]") + 273.15, 1.0 + column(drive, "Capacity [Ah]") / 2.78
    believed = [
        float(filtered.update(reading(float(current[k]), voltage[k : k + 1], kelvin[k : k + 1]), 1.0).soc[0])
        for k in range(len(current))
    ]
    rmse = np.sqrt(np.mean((np.array(believed) - truth)[600:] ** 2))
    assert rmse < 0.03
