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
from twin import ekf
from twin.cell_parameters import load_cell
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
    return load_cell().estimator


class MatrixFilter:
    """The textbook's filter in matrices: numeric derivatives, Gauss-Newton on the whole posterior, Joseph's form.

    `learns[6]` is 0 for a state that only counts (Schmidt 1966): it keeps its value, Joseph's form holds for any gain.
    """

    def __init__(self, table: CellTable, soc0: float, soc0_std: float, learns: Array) -> None:
        self._table, self._grid = table, np.linspace(0.0, 1.0, len(table.rows[0]))
        self.x = np.array([soc0, 0.0, 0.0, 0.0, 1.0, 1.0])
        model_v = ekf.MODEL_V
        self.p = np.diag(np.square([soc0_std, model_v, model_v, model_v, ekf.RESISTANCE_STD, ekf.CAPACITY_STD]))
        self._lagged, self._learns = 0.0, learns

    def at(self, soc: float) -> Array:
        return np.array([np.asarray(np.interp(soc, self._grid, self._table.rows[k]), np.float64) for k in range(6)])

    def moved(self, x: Array, i: float, dt: float) -> Array:
        _, _, r1, tau1, r2, tau2 = self.at(float(self.x[0]))
        a1, a2, a3 = (float(np.exp(-dt / tau)) for tau in (tau1, tau2, ekf.MODEL_S))
        soc = x[0] - x[5] * i * dt / 3600.0 / self._table.capacity_ah
        return np.array([soc, a1 * x[1] + (1 - a1) * r1 * i, a2 * x[2] + (1 - a2) * r2 * i, a3 * x[3], x[4], x[5]])

    def shown(self, x: Array, i: float, kelvin: float) -> float:
        ocv, r0 = self.at(float(x[0]))[:2]
        hot = float(np.exp(self._table.arrhenius_k * (1.0 / kelvin - 1.0 / 298.15)))
        return float(ocv - x[4] * r0 * hot * i - x[1] - x[2] + x[3])

    def ohm(self, kelvin: float) -> float:
        hot = float(np.exp(self._table.arrhenius_k * (1.0 / kelvin - 1.0 / 298.15)))
        return float(self.at(float(self.x[0]))[1]) * hot

    def update(self, i: float, v: float, dt: float, kelvin: float) -> None:
        charge = 3600.0 * self._table.capacity_ah
        _, _, r1, tau1, r2, tau2 = self.at(float(self.x[0]))
        f = slopes(lambda x: self.moved(x, i, dt), self.x)
        pairs = [(1.0 - np.exp(-2.0 * dt / tau)) * (ekf.PAIR_SHARE * r * i) ** 2 for tau, r in ((tau1, r1), (tau2, r2))]
        wrong = (1.0 - np.exp(-2.0 * dt / ekf.MODEL_S)) * ekf.MODEL_V**2
        unsure = dt * (ekf.SENSOR_A**2 * ekf.MODEL_S / charge**2 + ekf.DRIFT_PER_S)
        noise = np.diag([unsure, *pairs, wrong, dt * ekf.RESISTANCE_PER_S, dt * ekf.CAPACITY_PER_S])
        self.x, self.p = self.moved(self.x, i, dt), f @ self.p @ f.T + noise
        self._lagged += (1.0 - float(np.exp(-dt / ekf.SKEW_S))) * (i - self._lagged)
        prior, x, h, gain, variance = self.x, self.x, np.empty(6), np.empty(6), 0.0
        for _ in range(3):
            h = slopes(lambda y: np.array([self.shown(y, i, kelvin)]), x)[0]
            h[0] = slopes(lambda y: np.array([self.shown(y, 0.0, kelvin)]), x)[0, 0]  # R0's own slope is left out
            skew = self.shown(np.array([x[0], 0, 0, 0, 1, 1]), 0.0, kelvin)
            skew -= self.shown(np.array([x[0], 0, 0, 0, 1, 1]), i - self._lagged, kelvin)
            variance = (ekf.NOISE_V**2 + skew**2 * ekf.SKEW_S) / dt
            error = v - self.shown(x, i, kelvin) - h @ (prior - x)
            variance = max(variance, (error / ekf.INNOVATION_LIMIT) ** 2 - h @ self.p @ h)
            gain = self._learns * (self.p @ h) / (h @ self.p @ h + variance)
            x = prior + gain * error
        keep = np.eye(6) - np.outer(gain, h)
        self.x, self.p = x, keep @ self.p @ keep.T + variance * np.outer(gain, gain)


def slopes(of: Callable[[Array], Array], x: Array) -> Array:
    """Jacobian by central differences."""
    near = 1e-6 * np.eye(len(x))
    return np.array([(of(x + step) - of(x - step)) / 2e-6 for step in near]).T


def test_kernels_agree_with_filters_in_matrices(table: CellTable, make_pack: MakePack) -> None:
    rng = np.random.default_rng(8)
    kernel = Ekf(make_pack(cell_ah=table.capacity_ah), table, 0.53, 0.1)
    charge = MatrixFilter(table, 0.53, 0.1, np.array([1.0, 1.0, 1.0, 1.0, 0.0, 0.0]))
    resistance = MatrixFilter(table, 0.53, 0.1, np.array([1.0, 1.0, 1.0, 1.0, 1.0, 0.0]))
    for current, kelvin in zip(np.repeat(rng.uniform(-5.0, 8.0, 30), 10), rng.uniform(280.0, 310.0, 300), strict=True):
        voltage = 3.75 - 0.03 * float(current) + 0.002 * rng.standard_normal()
        estimate = kernel.update(reading(float(current), np.array([voltage]), np.array([kelvin])), 1.0)
        for matrices in (charge, resistance):
            matrices.update(float(current), voltage, 1.0, float(kelvin))
        r0_ohm = resistance.ohm(float(kelvin))
        for found, exact in (
            (estimate.soc, charge.x[0]),
            (estimate.soc_std, np.sqrt(charge.p[0, 0])),
            (estimate.r0_ohm, resistance.x[4] * r0_ohm),
            (estimate.r0_std_ohm, np.sqrt(resistance.p[4, 4]) * r0_ohm),
        ):
            assert found[0] == pytest.approx(exact, rel=1e-6)


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
    assert np.abs(0.50 - pairs[0][0]).mean() > 0.05
    assert all(np.abs(estimate.soc - soc).max() < 0.02 for soc, estimate in pairs[60:])


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


def test_unpowered_cells_and_a_short_fault_do_not_spoil_the_belief(table: CellTable, make_pack: MakePack) -> None:
    filtered = Ekf(make_pack(2), table, 0.5, 0.1)
    for volts in (0.0, 9.9):
        unmoved = filtered.update(reading(0.0, np.full(2, volts)), 0.01).soc
        np.testing.assert_allclose(unmoved, 0.5, atol=1e-9)
    before = [filtered.update(reading(0.0, np.full(2, 3.75)), 0.1) for _ in range(600)][-1]
    during = [filtered.update(reading(0.0, np.array([3.75, 4.30])), 0.1) for _ in range(20)][-1]
    after = [filtered.update(reading(0.0, np.full(2, 3.75)), 0.1) for _ in range(600)][-1]
    assert during.soc[0] == pytest.approx(before.soc[0], abs=1e-3)
    assert after.soc[1] == pytest.approx(before.soc[1], abs=0.01)


@pytest.mark.parametrize("kelvin", [0.0, 1.0, float("nan"), float("inf"), 2000.0])
def test_a_temperature_that_is_none_counts_as_not_known(table: CellTable, make_pack: MakePack, kelvin: float) -> None:
    known, strange = (Ekf(make_pack(), table, 0.5, 0.1) for _ in range(2))
    for lane, at_k in ((known, 298.15), (strange, kelvin)):
        believed = [lane.update(reading(2.0, np.array([3.8]), np.array([at_k])), 0.1) for _ in range(20)][-1]
        assert np.isfinite([believed.soc, believed.soc_std, believed.r0_ohm]).all()


def test_unknown_settings_are_refused(make_pack: MakePack) -> None:
    with pytest.raises(ValueError, match="has no setting soc; its settings are soc0, soc0_std"):
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
    print(f"LG HG2 {drive}: SoC RMSE {rmse:.2%} after ten minutes, from a start 20 % off")  # noqa: T201  # the figure
    assert rmse < 0.03
