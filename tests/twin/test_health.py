"""What the filter believes of charge, resistance and power, against a circuit whose every number is known."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest

from drivers.snapshot import PackReading
from twin import cell_table
from twin.cell_parameters import load_cell
from twin.ecm import EcmPack
from twin.ekf import Ekf
from twin.ports import PackSpec, PackState

if TYPE_CHECKING:
    from drivers.snapshot import Floats
    from twin.cell_table import CellTable
    from twin.ports import HealthEstimate

AMBIENT_K, PARALLEL, CELL_AH = 298.15, 12, 5.0


@pytest.fixture(scope="module")
def table() -> CellTable:
    return load_cell().estimator


@pytest.fixture(scope="module")
def other() -> CellTable:
    """Of the same cell by another laboratory: what the filter does not know."""
    return load_cell().circuit


@dataclass
class Rig:
    """A circuit pack on `table` and a filter on the shipped one, which knows the nameplate alone."""

    twin: EcmPack
    filtered: Ekf
    rng: np.random.Generator

    def drive(self, current_a: Floats, noise_v: float = 0.0, wrong_v: float = 0.0) -> tuple[PackState, HealthEstimate]:
        """Seconds of `current_a`; `wrong_v` is how far the model is off at a time, for five minutes."""
        cells = len(self.twin.columns)
        off_v = wrong_v * self.rng.standard_normal(cells)
        state, estimate = self.twin.step(np.zeros(cells), AMBIENT_K, 0.0), self.filtered.update(_nothing(cells), 0.0)
        for current in current_a:
            off_v = off_v * np.exp(-1 / 300.0) + wrong_v * np.sqrt(1 - np.exp(-2 / 300.0)) * self.rng.standard_normal(
                cells
            )
            state = self.twin.step(np.full(cells, current), AMBIENT_K, 1.0)
            seen_v = state.voltage_v + off_v + noise_v * self.rng.standard_normal(cells)
            reading = PackReading(0.0, float(current), np.zeros(cells), seen_v, state.temperature_k)
            estimate = self.filtered.update(reading, 1.0)
        return state, estimate


def _nothing(cells: int) -> PackReading:
    unknown = np.full(cells, np.nan)
    return PackReading(0.0, 0.0, unknown, unknown, unknown)


def rig(played: CellTable, soc: Floats, health: Floats, resistance: Floats, soc0: float) -> Rig:
    known = load_cell().estimator
    pack = PackSpec(len(soc), PARALLEL, CELL_AH, soc, health, resistance, AMBIENT_K)
    return Rig(EcmPack(pack, played), Ekf(pack, known, soc0, 0.1), np.random.default_rng(4))


def wave(low_a: float, high_a: float, seconds: int) -> Floats:
    return np.repeat(np.random.default_rng(9).uniform(low_a, high_a, seconds // 20), 20)


def real_ohm(played: CellTable, state: PackState, health: Floats, resistance: Floats) -> Floats:
    """R0 of a series element as the circuit has it."""
    grid = np.linspace(0.0, 1.0, played.rows.shape[1])
    hot = np.exp(played.arrhenius_k * (1.0 / state.temperature_k - 1.0 / 298.15))
    scale = played.capacity_ah / (PARALLEL * CELL_AH * health)
    cold_ohm = np.asarray(np.interp(state.soc, grid, played.rows[cell_table.R0]), dtype=np.float64)
    return cold_ohm * hot * resistance * scale


def test_beliefs_err_as_much_as_their_deviations_say_where_the_model_is_true(table: CellTable) -> None:
    """All drawn as the filter assumes, but for sensors and pairs without fault: squared errors over variances."""
    rng, cells = np.random.default_rng(12), 200
    soc = 0.55 + 0.1 * rng.standard_normal(cells).clip(-2.5, 2.5)
    health, resistance = 1.0 / (1.0 + 0.06 * rng.standard_normal(cells)), 1.0 + 0.1 * rng.standard_normal(cells)
    made = rig(table, soc, health, resistance, soc0=0.55)
    state, estimate = made.drive(wave(-40.0, 50.0, 600), noise_v=0.002, wrong_v=0.008)
    ohm = real_ohm(table, state, health, resistance)
    for error, deviation in (
        (estimate.soc - state.soc, estimate.soc_std),
        (estimate.r0_ohm - ohm, estimate.r0_std_ohm),
    ):
        assert 0.2 < np.mean((error / deviation) ** 2) < 1.3


def test_resistance_of_a_strange_cell_is_found_within_minutes(other: CellTable) -> None:
    health, resistance = np.ones(3), np.array([0.8, 1.0, 1.6])
    made = rig(other, np.full(3, 0.62), health, resistance, soc0=0.6)
    state, estimate = made.drive(wave(-40.0, 50.0, 300), noise_v=0.002)
    assert estimate.r0_ohm == pytest.approx(real_ohm(other, state, health, resistance), rel=0.03)


def test_charge_of_a_worn_cell_is_believed_within_its_deviations(other: CellTable) -> None:
    """Capacity that the filter does not know and does not learn, three quarters of an hour of discharge."""
    made = rig(other, np.full(3, 0.9), np.array([0.85, 0.92, 1.0]), np.ones(3), soc0=0.88)
    state, estimate = made.drive(wave(0.0, 70.0, 2700), noise_v=0.002)
    assert state.soc.max() < 0.5
    assert (np.abs(estimate.soc - state.soc) < 3.0 * estimate.soc_std).all()


def after_ten_seconds(made: Rig, current_a: float) -> Floats:
    """Cell voltages (V) of a copy of the circuit after ten seconds of `current_a`."""
    twin = copy.deepcopy(made.twin)
    return [twin.step(np.full(len(twin.columns), current_a), AMBIENT_K, 0.1).voltage_v for _ in range(100)][-1]


def bearable_a(made: Rig, sign: float, limit_v: float) -> float:
    """By bisection on the circuit: the constant current that brings its first cell to `limit_v` in ten seconds."""
    low, high = 0.0, 400.0
    for _ in range(30):
        current_a = 0.5 * (low + high)
        volts = after_ten_seconds(made, sign * current_a)
        within = volts.min() > limit_v if sign > 0 else volts.max() < limit_v
        low, high = (current_a, high) if within else (low, current_a)
    return low


@pytest.mark.parametrize(("sign", "soc"), [(1.0, [0.055, 0.045]), (-1.0, [0.97, 0.95])])
def test_power_is_what_the_weakest_cell_bears_for_ten_seconds(table: CellTable, sign: float, soc: list[float]) -> None:
    made = rig(table, np.array(soc), np.ones(2), np.array([1.0, 1.1]), soc0=0.05 if sign > 0 else 0.96)
    _, estimate = made.drive(wave(-3.0, 3.0, 1200))
    cell = load_cell()
    current_a = bearable_a(made, sign, cell.bms.low_v if sign > 0 else cell.limits.high_v)
    assert current_a < cell.bms.discharge_c * PARALLEL * CELL_AH
    real_w = current_a * float(after_ten_seconds(made, sign * current_a).sum())
    ten_s = estimate.power[0]
    power_w, low_w, high_w = ten_s[:3] if sign > 0 else ten_s[3:]
    assert power_w == pytest.approx(real_w, rel=0.1)
    assert low_w < real_w < high_w


def test_power_of_a_pack_far_from_its_voltages_is_what_its_current_allows(table: CellTable) -> None:
    made = rig(table, np.full(2, 0.6), np.ones(2), np.ones(2), soc0=0.6)
    _, estimate = made.drive(np.zeros(60))
    most_a = load_cell().bms.discharge_c * PARALLEL * CELL_AH
    assert estimate.power[0].discharge_w == pytest.approx(most_a * after_ten_seconds(made, most_a).sum(), rel=2e-3)


def test_an_empty_pack_gives_nothing_and_a_full_one_takes_nothing(table: CellTable) -> None:
    empty = rig(table, np.full(2, 0.0), np.ones(2), np.ones(2), soc0=0.0)
    full = rig(table, np.full(2, 1.0), np.ones(2), np.ones(2), soc0=1.0)
    assert empty.drive(np.zeros(30))[1].power[0].discharge_w < 100.0
    assert full.drive(np.zeros(30))[1].power[0].charge_w < 100.0
