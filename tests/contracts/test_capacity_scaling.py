"""Every lane takes the capacity of its pack from what is declared: large cells, or as much of small ones, are one."""

from __future__ import annotations

import functools
import importlib
from dataclasses import astuple, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from control.ports import CurrentRange
from drivers.snapshot import Estimate, PackReading
from tests.waiting import wait_until
from twin import dfn
from twin.ports import PackSpec

if TYPE_CHECKING:
    from control.ports import Controller, Decision
    from drivers.snapshot import Floats
    from twin.ports import Estimator, Twin

CELLS, AMBIENT_K, LOAD_A, DT_S = 4, 298.15, 30.0, 0.1
DUTY = Path(__file__).parents[2] / "fixtures" / "benches" / "duty.csv"
MANY = PackSpec(
    CELLS, 12, 5.0, np.linspace(0.5, 0.7, CELLS), np.linspace(0.9, 1.1, CELLS), np.linspace(0.8, 1.2, CELLS), AMBIENT_K
)
ALIKE = [(1, 60.0), (2, 30.0), (24, 2.5)]  # the same pack otherwise cut
SMALL = 1.0 / 12.0  # of its size: one cell of 5 Ah
CONTROLLERS: dict[str, dict[str, Any]] = {
    "control.profile": {"file": str(DUTY)},
    "control.cccv": {"current_a": 30.0, "voltage_v": 3.9},
    "control.mpc": {"file": str(DUTY), "voltage_v": [3.0, 3.85], "temperature_degc": 45.0},
}


def cut(parallel: int, cell_ah: float) -> PackSpec:
    return replace(MANY, parallel=parallel, cell_ah=cell_ah)


def stepped(module: str, pack: PackSpec, current_a: float) -> list[tuple[Floats, ...]]:
    """SoC, temperature and voltage of each cell under a load that comes and goes."""
    twin: Twin = importlib.import_module(module).build(pack, {})
    loads = [current_a] * 100 + [0.0] * 50 + [-current_a] * 50
    told = [twin.step(np.full(CELLS, load), AMBIENT_K, DT_S) for load in loads]
    twin.close()
    return [(state.soc, state.temperature_k, state.voltage_v) for state in told]


@functools.cache
def stepped_whole(module: str) -> list[tuple[Floats, ...]]:
    """The course of the one large pack, which every cut of it is compared with."""
    return stepped(module, MANY, LOAD_A)


@pytest.mark.parametrize("module", ["twin.ecm", "twin.spme"])
@pytest.mark.parametrize(("parallel", "cell_ah"), ALIKE)
def test_a_twin_is_the_same_however_its_capacity_is_cut(module: str, parallel: int, cell_ah: float) -> None:
    expected, found = stepped_whole(module), stepped(module, cut(parallel, cell_ah), LOAD_A)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("module", ["twin.ecm", "twin.spme"])
def test_a_twelfth_of_the_pack_under_a_twelfth_of_the_load_does_the_same(module: str) -> None:
    np.testing.assert_allclose(stepped(module, cut(1, 5.0), SMALL * LOAD_A), stepped_whole(module), rtol=1e-9)


@pytest.mark.long
def test_a_dfn_lane_is_the_same_however_its_capacity_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dfn, "NICENESS", 0)  # a niced worker would get nothing of cores that others keep full

    def last(pack: PackSpec) -> tuple[float, float]:
        lane: Twin = importlib.import_module("twin.dfn").build(pack, {"cell": 2})
        try:
            states = [lane.step(np.full(CELLS, LOAD_A), AMBIENT_K, 2.0)]

            def follows() -> bool:
                states.append(lane.step(np.full(CELLS, LOAD_A), AMBIENT_K, 0.0))  # no time passes while it waits
                return lane.age_s() == 0.0

            wait_until(follows, what="the worker's answer to all of it", every_s=0.02)
            return float(states[-1].voltage_v[0]), float(states[-1].soc[0])
        finally:
            lane.close()

    assert last(cut(1, 60.0)) == pytest.approx(last(MANY), abs=1e-6)


def believed(module: str, pack: PackSpec, current_a: float) -> list[Any]:
    estimator: Estimator = importlib.import_module(module).build(pack, {"soc0": 0.6})
    volts, warm = np.linspace(3.7, 3.8, CELLS), np.full(CELLS, AMBIENT_K)
    reading = PackReading(0.0, current_a, np.zeros(CELLS), volts, warm)
    return [estimator.update(reading, DT_S) for _ in range(200)]


@functools.cache
def believed_whole(module: str) -> list[Any]:
    return believed(module, MANY, LOAD_A)


@pytest.mark.parametrize("module", ["twin.ekf", "twin.coulomb_counter"])
@pytest.mark.parametrize(("parallel", "cell_ah"), ALIKE)
def test_an_estimator_is_the_same_however_the_capacity_is_cut(module: str, parallel: int, cell_ah: float) -> None:
    expected, found = believed_whole(module), believed(module, cut(parallel, cell_ah), LOAD_A)
    for one, other in zip(astuple(expected[-1]), astuple(found[-1]), strict=True):
        if one is None:  # what the lane does not estimate
            assert other is None
        else:
            np.testing.assert_allclose(other, one, rtol=1e-9)


@pytest.mark.parametrize("module", ["twin.ekf", "twin.coulomb_counter"])
def test_an_estimator_of_a_twelfth_believes_a_twelfth_of_the_power_and_twelve_times_the_resistance(module: str) -> None:
    whole, small = believed_whole(module)[-1], believed(module, cut(1, 5.0), SMALL * LOAD_A)[-1]
    np.testing.assert_allclose(small.soc, whole.soc, rtol=1e-9)
    np.testing.assert_allclose(small.soc_std, whole.soc_std, rtol=1e-9)
    if hasattr(whole, "r0_ohm"):
        np.testing.assert_allclose(SMALL * small.r0_ohm, whole.r0_ohm, rtol=1e-9)
        np.testing.assert_allclose(small.power, SMALL * np.array(whole.power), rtol=1e-9)


def decided(module: str, pack: PackSpec, size: float = 1.0, *, kelvin: float = AMBIENT_K) -> list[Decision]:
    """A run near the upper voltage and the highest temperature, closed over a pack that answers as a cell would."""
    settings = dict(CONTROLLERS[module])
    if "current_a" in settings:
        settings["current_a"] *= size
    controller: Controller = importlib.import_module(module).build(pack, settings)
    allowed = CurrentRange(60.0 * size, 60.0 * size)
    belief, current_a, told = Estimate(np.full(CELLS, 0.6), np.full(CELLS, 0.01)), 0.0, list["Decision"]()
    for turn in range(400):
        cell_v = np.linspace(3.78, 3.84, CELLS) - 0.03 * current_a / 12.0 / size
        reading = PackReading(0.1 * turn, current_a, np.zeros(CELLS), cell_v, np.full(CELLS, kelvin))
        told.append(controller.decide(reading, belief, allowed, DT_S))
        current_a = told[-1].current_a
    return told


@functools.cache
def decided_whole(module: str, kelvin: float) -> list[Decision]:
    return decided(module, MANY, kelvin=kelvin)


@pytest.mark.parametrize("kelvin", [AMBIENT_K, 318.0])
@pytest.mark.parametrize("module", CONTROLLERS)
@pytest.mark.parametrize(("parallel", "cell_ah"), ALIKE)
def test_a_controller_decides_the_same_however_the_capacity_is_cut(
    module: str, parallel: int, cell_ah: float, kelvin: float
) -> None:
    expected, found = decided_whole(module, kelvin), decided(module, cut(parallel, cell_ah), kelvin=kelvin)
    parts = [[(one.current_a, one.cost, one.violations) for one in told] for told in (found, expected)]
    np.testing.assert_allclose(*parts, rtol=1e-6, atol=1e-6)
    assert [one.fallback for one in found] == [one.fallback for one in expected]
    assert max(abs(one.current_a) for one in expected) > 1.0, "it did something"


def test_a_cc_cv_of_a_twelfth_charges_with_a_twelfth() -> None:
    whole, small = decided("control.cccv", MANY), decided("control.cccv", cut(1, 5.0), SMALL)
    np.testing.assert_allclose(
        [one.current_a for one in small], [SMALL * one.current_a for one in whole], rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize(("parallel", "cell_ah"), [(1, 5.0), (3, 100.0)])
def test_an_mpc_plans_for_another_size_what_it_plans_for_this_one(
    parallel: int, cell_ah: float, tmp_path: Path
) -> None:
    """As far as its quadratic program is solved: to some thousandths of a rate of 1/h."""
    module = importlib.import_module("control.mpc")

    def plan(pack: PackSpec, size: float) -> Floats:
        duty = tmp_path / f"{size:g}.csv"
        duty.write_text(f"t_s,current_a\n0,{-50.0 * size}\n100,{20.0 * size}\n")
        lane = module.build(pack, {"file": str(duty), "voltage_v": [3.0, 3.85], "horizon": 12, "step_s": 2.0})
        for _ in range(6):
            belief = Estimate(np.full(CELLS, 0.6), np.full(CELLS, 0.01))
            lane.decide(reading_at_rest(), belief, CurrentRange(60.0 * size, 60.0 * size), DT_S)
        return lane.plan_a / size

    expected = plan(MANY, 1.0)
    assert np.abs(expected + 50.0).min() > 1.0, "a limit binds"
    np.testing.assert_allclose(plan(cut(parallel, cell_ah), parallel * cell_ah / 60.0), expected, atol=0.05)


def reading_at_rest() -> PackReading:
    return PackReading(0.0, 0.0, np.zeros(CELLS), np.full(CELLS, 3.8), np.full(CELLS, AMBIENT_K))


def test_the_mpc_expects_the_same_of_one_large_cell_as_of_twelve_small_ones() -> None:
    observer, model = (importlib.import_module(f"control.{name}") for name in ("mpc_observer", "mpc_model"))
    load_cell = importlib.import_module("twin.cell_parameters").load_cell
    settings, drops = model.ModelSettings(load_cell(), 0.5), list[float]()
    for pack in (MANY, cut(1, 60.0)):
        seen = observer.PackObserver(settings, pack.parallel * pack.cell_ah / settings.cell.capacity_ah, AMBIENT_K)
        loaded = replace(reading_at_rest(), current_a=60.0)
        assert seen.observe(loaded, Estimate(np.full(CELLS, 0.6), np.full(CELLS, 0.01)), 10.0)
        drops.append(seen.start[1] + seen.start[2])
    assert drops[0] == drops[1]
    assert 0.01 < drops[0] < 0.1
