"""What every twin keeps to: a new one joins by a line in `TWINS`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.waiting import wait_until
from twin import dfn
from twin.ports import PackSpec, PackState, Twin

if TYPE_CHECKING:
    from collections.abc import Iterator

# module, settings, seconds after which its answer may come (0: in place)
pytestmark = pytest.mark.timeout(240)
TWINS: list[tuple[str, dict[str, Any], float]] = [
    ("twin.spme", {}, 0.0),
    ("twin.ecm", {}, 0.0),
    ("twin.dfn", {"cell": 7}, 100.0),
]
CELLS, AMBIENT_K, LOAD_A = 24, 298.15, 25.0


class Patient:
    """A twin with the patience of a test: steps, then waits until the answer covers them."""

    def __init__(self, twin: Twin, patience_s: float) -> None:
        self.twin, self._patience_s = twin, patience_s
        # what works elsewhere meets stretches of other lengths each time, and solves them to its own tolerance
        self.repeats_within_v = 0.0 if patience_s == 0.0 else 0.5e-3

    def step(self, current_a: float, duration_s: float, parts: int = 1) -> PackState:
        currents, dt_s = np.full(CELLS, current_a), duration_s / parts
        states = [self.twin.step(currents, AMBIENT_K, dt_s) for _ in range(parts)]

        def follows() -> bool:
            if self.twin.age_s() > 0.15:
                states.append(self.twin.step(currents, AMBIENT_K, 1e-3))
            return self.twin.age_s() <= 0.15

        wait_until(follows, self._patience_s, "an answer to all of it", every_s=0.02)
        return states[-1]


@pytest.fixture(scope="module")
def pack() -> PackSpec:
    spread = np.random.default_rng(24).standard_normal((3, CELLS))
    return PackSpec(
        cells=CELLS,
        parallel=12,
        cell_ah=5.0,
        soc0=0.62 + 0.01 * spread[0],
        capacity_factor=1.0 + 0.03 * spread[1],
        resistance_factor=1.0 + 0.08 * spread[2],
        ambient_k=AMBIENT_K,
    )


@pytest.fixture(scope="module", params=TWINS, ids=lambda case: case[0])
def patient(request: pytest.FixtureRequest, pack: PackSpec) -> Iterator[Patient]:
    """One twin for all laws of a module: each test starts it from the same state."""
    module, settings, patience_s = request.param
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dfn, "NICENESS", 0)  # a niced worker would get nothing of cores that others keep full
        twin: Twin = importlib.import_module(module).build(pack, settings)
    yield Patient(twin, patience_s)
    twin.close()


@pytest.fixture
def twin(patient: Patient, pack: PackSpec) -> Patient:
    patient.step(0.0, 0.2)
    rested = PackState(pack.soc0, np.full(CELLS, AMBIENT_K), 3.5 + 0.55 * pack.soc0, np.zeros(CELLS))
    patient.twin.take_over(rested)
    patient.step(0.0, 0.2)
    return patient


def test_answers_are_finite_and_shaped_like_its_columns(twin: Patient) -> None:
    state = twin.step(LOAD_A, 0.2)
    shape = (len(twin.twin.columns),)
    for values in (state.soc, state.temperature_k, state.voltage_v, state.current_a):
        assert values.shape == shape
        assert np.isfinite(values).all()


def test_its_columns_are_cells_of_the_pack(twin: Patient) -> None:
    assert set(twin.twin.columns) <= set(range(CELLS))
    assert len(set(twin.twin.columns)) == len(twin.twin.columns)


def test_answer_does_not_change_when_it_steps_on(twin: Patient) -> None:
    state = twin.step(LOAD_A, 0.2)
    kept = state.voltage_v.copy()
    twin.step(-LOAD_A, 5.0)
    np.testing.assert_array_equal(state.voltage_v, kept)


def test_discharge_takes_soc_by_the_charge_over_each_cells_capacity(twin: Patient, pack: PackSpec) -> None:
    before = twin.step(LOAD_A, 0.2).soc
    fallen = before - twin.step(LOAD_A, 100.0, parts=20).soc
    capacity_as = 3600.0 * pack.parallel * pack.cell_ah * pack.capacity_factor[list(twin.twin.columns)]
    np.testing.assert_allclose(fallen, LOAD_A * 100.0 / capacity_as, rtol=0.02)


def test_discharge_lowers_the_voltage_and_charge_lifts_it(twin: Patient) -> None:
    rest = twin.step(0.0, 0.2).voltage_v
    loaded = twin.step(LOAD_A, 0.2).voltage_v
    lifted = twin.step(-LOAD_A, 0.2).voltage_v
    assert (loaded < rest - 0.01).all()
    assert (lifted > rest + 0.01).all()


def test_load_warms_a_cell_above_its_surroundings(twin: Patient) -> None:
    before = twin.step(LOAD_A, 0.2).temperature_k
    assert (twin.step(2.0 * LOAD_A, 100.0, parts=20).temperature_k > before + 0.05).all()


def test_small_steps_and_large_ones_arrive_alike(twin: Patient, pack: PackSpec) -> None:
    start = twin.step(0.0, 0.2)
    start = PackState(pack.soc0, np.full(CELLS, AMBIENT_K), np.full(CELLS, start.voltage_v.mean()), np.zeros(CELLS))
    ends: list[PackState] = []
    for parts in (10, 200):
        twin.twin.take_over(start)
        twin.step(0.0, 0.2)
        ends.append(twin.step(LOAD_A, 10.0, parts))
    np.testing.assert_allclose(ends[0].voltage_v, ends[1].voltage_v, atol=0.5e-3)
    np.testing.assert_allclose(ends[0].soc, ends[1].soc, atol=1e-4)


@pytest.mark.parametrize("current_a", [LOAD_A, 0.0])
def test_takes_over_with_a_step_below_two_millivolts(twin: Patient, current_a: float) -> None:
    wanted = PackState(
        np.full(CELLS, 0.60),
        np.full(CELLS, 303.15),
        np.full(CELLS, 3.82 - 0.0024 * current_a),
        np.full(CELLS, current_a),
    )
    twin.twin.take_over(wanted)
    at_once = twin.twin.step(np.full(CELLS, current_a), AMBIENT_K, 0.01)
    settled = twin.step(current_a, 0.01)
    for state in (at_once, settled):
        np.testing.assert_allclose(state.voltage_v, wanted.voltage_v[0], atol=2e-3)
        np.testing.assert_allclose(state.soc, 0.60, atol=2e-3)
        np.testing.assert_allclose(state.temperature_k, 303.15, atol=0.05)


def test_its_own_state_handed_back_goes_on_where_it_stood(twin: Patient) -> None:
    twin.step(LOAD_A, 20.0, parts=20)
    state = twin.step(LOAD_A, 0.1)
    full = PackState(
        np.resize(state.soc, CELLS),
        np.resize(state.temperature_k, CELLS),
        np.resize(state.voltage_v, CELLS),
        np.resize(state.current_a, CELLS),
    )
    twin.twin.take_over(full)
    after = twin.step(LOAD_A, 0.01)
    np.testing.assert_allclose(after.voltage_v, state.voltage_v, atol=2e-3)
    np.testing.assert_allclose(after.soc, state.soc, atol=1e-3)


def test_no_time_moves_no_charge_and_no_heat(twin: Patient) -> None:
    before = twin.step(LOAD_A, 0.2)
    after = [twin.twin.step(np.full(CELLS, LOAD_A), AMBIENT_K, 0.0) for _ in range(50)][-1]
    np.testing.assert_array_equal(after.soc, before.soc)
    np.testing.assert_allclose(after.temperature_k, before.temperature_k, atol=1e-12)


@pytest.mark.parametrize("dt_s", [1e-3, 0.01, 1.0, 5.0])
def test_steps_of_any_length_give_numbers(twin: Patient, dt_s: float) -> None:
    for current_a in (0.0, LOAD_A, -LOAD_A, float("nan"), float("inf"), float("-inf")):
        state = twin.step(current_a, dt_s)
        for values in (state.soc, state.temperature_k, state.voltage_v, state.current_a):
            assert np.isfinite(values).all()


def test_the_same_currents_give_the_same_pack(twin: Patient, pack: PackSpec) -> None:
    start = PackState(pack.soc0, np.full(CELLS, AMBIENT_K), 3.5 + 0.55 * pack.soc0, np.zeros(CELLS))
    ends: list[PackState] = []
    for _ in range(2):
        twin.twin.take_over(start)
        twin.step(0.0, 0.2)
        ends.append(twin.step(LOAD_A, 5.0, parts=5))
    np.testing.assert_allclose(ends[0].voltage_v, ends[1].voltage_v, atol=twin.repeats_within_v)
    np.testing.assert_allclose(ends[0].soc, ends[1].soc, atol=twin.repeats_within_v)


def test_unknown_current_is_held_as_last_known(twin: Patient) -> None:
    before = twin.step(LOAD_A, 0.2)
    after = twin.step(float("nan"), 10.0, parts=5)
    assert (after.soc < before.soc).all()
    assert np.isfinite(after.voltage_v).all()
    np.testing.assert_array_equal(after.current_a, LOAD_A)


def test_answer_in_place_has_no_age(patient: Patient) -> None:
    patient.step(0.0, 0.2)
    assert 0.0 <= patient.twin.age_s() <= 0.2


@pytest.mark.parametrize("module", [case[0] for case in TWINS])
def test_a_setting_that_it_does_not_know_is_refused(module: str, pack: PackSpec) -> None:
    with pytest.raises(ValueError, match="colour"):
        importlib.import_module(module).build(pack, {"colour": "red"})
