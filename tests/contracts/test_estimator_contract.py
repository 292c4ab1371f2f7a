"""What every estimator keeps to: a new one joins by a line in `ESTIMATORS`."""

from __future__ import annotations

import importlib
from dataclasses import replace

import numpy as np
import pytest

from drivers.snapshot import PackReading
from twin.ports import Estimator, PackSpec

ESTIMATORS = ["twin.ekf", "twin.ckf", "twin.dual_ekf", "twin.coulomb_counter"]
CELLS, LOAD_A = 24, 25.0
UNKNOWN = np.full(CELLS, np.nan)


@pytest.fixture(scope="module")
def pack() -> PackSpec:
    ones = np.ones(CELLS)
    return PackSpec(CELLS, 12, 5.0, soc0=0.9 * ones, capacity_factor=ones, resistance_factor=ones, ambient_k=298.15)


@pytest.fixture(params=ESTIMATORS)
def module(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def estimator(module: str, pack: PackSpec) -> Estimator:
    return importlib.import_module(module).build(pack, {"soc0": 0.6})


def reading(current_a: float = LOAD_A, voltage_v: float = 3.78) -> PackReading:
    return PackReading(0.0, current_a, np.zeros(CELLS), np.full(CELLS, voltage_v), np.full(CELLS, 298.15))


def blind(current_a: float = LOAD_A) -> PackReading:
    return PackReading(0.0, current_a, np.zeros(CELLS), UNKNOWN, UNKNOWN)


def test_belief_is_finite_and_of_one_number_per_cell(estimator: Estimator) -> None:
    estimate = estimator.update(reading(), 0.01)
    for values in (estimate.soc, estimate.soc_std):
        assert values.shape == (CELLS,)
        assert np.isfinite(values).all()
    assert (estimate.soc_std > 0.0).all()


def test_health_is_not_known_before_there_is_evidence(estimator: Estimator) -> None:
    soh = estimator.update(reading(), 0.01).soh
    if soh is not None:
        for values in (soh.capacity, soh.capacity_std, soh.resistance, soh.resistance_std):
            assert values.shape == (CELLS,)
            assert np.isnan(values).all()


def test_belief_starts_from_its_own_setting_and_not_from_the_twins_start(estimator: Estimator) -> None:
    assert estimator.update(blind(0.0), 0.01).soc == pytest.approx(0.6, abs=1e-6)


def test_belief_does_not_know_the_twins_spread(module: str, pack: PackSpec) -> None:
    build = importlib.import_module(module).build
    spread = replace(pack, capacity_factor=np.linspace(0.5, 1.0, CELLS), resistance_factor=np.linspace(1.0, 2.0, CELLS))
    known, unknown = (build(spec, {"soc0": 0.6}).update(reading(), 1.0) for spec in (pack, spread))
    np.testing.assert_array_equal(known.soc, unknown.soc)


def test_discharge_without_voltages_takes_soc_by_charge_over_the_nameplate(estimator: Estimator) -> None:
    before = estimator.update(blind(), 1.0).soc
    after = [estimator.update(blind(), 1.0) for _ in range(100)][-1].soc
    np.testing.assert_allclose(before - after, LOAD_A * 100.0 / (3600.0 * 60.0), rtol=1e-6)


def test_balancing_current_counts_for_its_cell_alone(estimator: Estimator) -> None:
    balanced = replace(blind(0.0), balancing_a=np.eye(CELLS)[3])
    estimate = [estimator.update(balanced, 10.0) for _ in range(10)][-1]
    fallen = 0.6 - estimate.soc
    assert fallen[3] == pytest.approx(100.0 / (3600.0 * 60.0), rel=1e-6)
    np.testing.assert_allclose(np.delete(fallen, 3), 0.0, atol=1e-12)


def test_belief_without_voltages_grows_less_sure(estimator: Estimator) -> None:
    before = estimator.update(blind(), 1.0).soc_std
    after = [estimator.update(blind(), 1.0) for _ in range(100)][-1].soc_std
    assert (after > before).all()


def test_unknown_current_is_held_as_last_known(estimator: Estimator) -> None:
    before = estimator.update(blind(), 1.0)
    after = [estimator.update(blind(float("nan")), 1.0) for _ in range(10)][-1]
    np.testing.assert_allclose(before.soc - after.soc, LOAD_A * 10.0 / (3600.0 * 60.0), rtol=1e-6)
    assert np.isfinite(after.soc_std).all()


def test_a_cell_without_a_voltage_does_not_disturb_the_others(module: str, pack: PackSpec) -> None:
    build = importlib.import_module(module).build
    holed = reading()
    holed.voltage_v[5] = np.nan
    whole, partly = (
        [estimator.update(seen, 1.0) for _ in range(20)][-1]
        for estimator, seen in ((build(pack, {}), reading()), (build(pack, {}), holed))
    )
    np.testing.assert_array_equal(np.delete(whole.soc, 5), np.delete(partly.soc, 5))
    assert np.isfinite(partly.soc[5])


def test_an_answer_does_not_change_when_it_goes_on(estimator: Estimator) -> None:
    estimate = estimator.update(reading(), 1.0)
    kept = estimate.soc.copy(), estimate.soc_std.copy()
    estimator.update(reading(-LOAD_A), 10.0)
    np.testing.assert_array_equal(estimate.soc, kept[0])
    np.testing.assert_array_equal(estimate.soc_std, kept[1])


def test_no_time_changes_no_belief(estimator: Estimator) -> None:
    before = estimator.update(reading(), 1.0)
    after = estimator.update(reading(), 0.0)
    np.testing.assert_array_equal(before.soc, after.soc)


def test_the_same_readings_give_the_same_belief(module: str, pack: PackSpec) -> None:
    build = importlib.import_module(module).build
    one, other = (
        [lane.update(reading(20.0 * turn, 3.7 + 0.01 * turn), 0.1) for turn in range(10)][-1]
        for lane in (build(pack, {}), build(pack, {}))
    )
    np.testing.assert_array_equal(one.soc, other.soc)
    np.testing.assert_array_equal(one.soc_std, other.soc_std)


@pytest.mark.parametrize("dt_s", [1e-4, 0.01, 1.0, 30.0, 600.0])
def test_steps_of_any_length_leave_a_belief_of_numbers(estimator: Estimator, dt_s: float) -> None:
    for volts in (3.78, 0.0, 5.0, float("nan"), float("inf"), 3.78):
        estimate = estimator.update(reading(LOAD_A, volts), dt_s)
        assert np.isfinite(estimate.soc).all()
        assert (estimate.soc_std > 0.0).all()


def test_before_any_time_has_passed_it_believes_its_start(estimator: Estimator) -> None:
    estimate = estimator.update(reading(0.0, 0.0), 0.0)
    np.testing.assert_allclose(estimate.soc, 0.6, atol=1e-12)


def test_nothing_known_from_the_first_turn_on_leaves_the_start_and_grows_less_sure(estimator: Estimator) -> None:
    nothing = PackReading(0.0, float("nan"), UNKNOWN, UNKNOWN, UNKNOWN)
    beliefs = [estimator.update(nothing, 1.0) for _ in range(10)]
    assert beliefs[-1].soc == pytest.approx(0.6, abs=1e-9)
    assert (beliefs[-1].soc_std > beliefs[0].soc_std).all()


def test_charge_fills_and_discharge_empties(estimator: Estimator) -> None:
    start = estimator.update(blind(0.0), 1.0).soc
    filled = estimator.update(blind(-LOAD_A), 60.0).soc
    emptied = estimator.update(blind(2.0 * LOAD_A), 60.0).soc
    assert (filled > start).all()
    assert (emptied < start).all()


def test_a_setting_that_it_does_not_know_is_refused(module: str, pack: PackSpec) -> None:
    with pytest.raises(ValueError, match="colour"):
        importlib.import_module(module).build(pack, {"colour": "red"})
