"""What every controller keeps; a new one inherits these by one line in `BUILT`."""

from __future__ import annotations

import importlib
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from control.ports import CurrentRange
from drivers.snapshot import Estimate, PackReading
from twin.ports import PackSpec

if TYPE_CHECKING:
    from control.ports import Controller

CELLS = 4
DT_S = 0.01
DUTY = Path(__file__).parents[2] / "fixtures" / "benches" / "duty.csv"
BUILT: dict[str, dict[str, Any]] = {
    "control.profile": {"file": str(DUTY)},
    "control.cccv": {"current_a": 30.0, "voltage_v": 4.18},
    "control.mpc": {"file": str(DUTY), "voltage_v": [3.0, 4.18], "temperature_degc": 45.0},
}
PACK = PackSpec(CELLS, 12, 5.0, np.full(CELLS, 0.6), np.ones(CELLS), np.ones(CELLS), 298.15)
WIDE = CurrentRange(60.0, 60.0)


@pytest.fixture(params=BUILT)
def controller(request: pytest.FixtureRequest) -> Controller:
    return built(request.param)


def built(module: str) -> Controller:
    return importlib.import_module(module).build(PACK, BUILT[module])


def reading(volts: float = 3.8, current_a: float = 0.0, kelvin: float = 298.15) -> PackReading:
    return PackReading(0.0, current_a, np.zeros(CELLS), np.full(CELLS, volts), np.full(CELLS, kelvin))


def belief(soc: float = 0.6) -> Estimate:
    return Estimate(np.full(CELLS, soc), np.full(CELLS, 0.01))


def test_every_decision_lies_within_what_is_allowed(controller: Controller) -> None:
    rng = np.random.default_rng(3)
    for _ in range(600):
        allowed = CurrentRange(*rng.uniform(0.0, 40.0, 2).tolist())
        current_a = controller.decide(
            reading(rng.uniform(2.9, 4.3)), belief(rng.uniform(0, 1)), allowed, 0.05
        ).current_a
        assert -allowed.charge_a <= current_a <= allowed.discharge_a


def test_nothing_allowed_gives_zero_current(controller: Controller) -> None:
    for nothing in (0.0, math.nan, -5.0):
        for _ in range(30):
            decision = controller.decide(reading(), belief(), CurrentRange(nothing, nothing), 0.1)
            assert decision.current_a == 0.0


def test_a_decision_is_a_number_whatever_is_measured(controller: Controller) -> None:
    for volts, current_a, soc, kelvin in ((math.nan, 0.0, 0.6, 298.0), (3.8, math.nan, 0.6, 298.0),
                                          (3.8, 0.0, math.nan, 298.0), (3.8, 0.0, 0.6, math.nan)):  # fmt: skip
        for _ in range(30):
            decision = controller.decide(reading(volts, current_a, kelvin), belief(soc), WIDE, 0.1)
            assert math.isfinite(decision.current_a)
            assert math.isfinite(decision.cost)


@pytest.mark.parametrize("module", ["control.cccv", "control.mpc"])
@pytest.mark.parametrize("unknown", ["current", "one cell"])
def test_what_plans_by_what_it_measures_asks_for_nothing_while_that_is_not_known(module: str, unknown: str) -> None:
    lane, seen = built(module), reading(current_a=math.nan if unknown == "current" else 0.0)
    if unknown == "one cell":
        seen.voltage_v[1] = math.nan
    before = [lane.decide(reading(), belief(), WIDE, 0.1).current_a for _ in range(50)]
    assert any(before)
    assert lane.decide(seen, belief(), WIDE, 0.1).current_a == 0.0


def test_it_takes_over_without_a_bump(controller: Controller) -> None:
    for present_a in (20.0, -15.0):
        controller.take_over(present_a)
        currents = [present_a]
        for _ in range(300):
            currents.append(controller.decide(reading(current_a=currents[-1]), belief(), WIDE, DT_S).current_a)
        assert abs(currents[1] - present_a) <= 1.5
        assert np.max(np.abs(np.diff(currents[:50]))) <= 1.5


def test_it_is_its_own_wish_again_after_the_change(controller: Controller, request: pytest.FixtureRequest) -> None:
    undisturbed = built(request.node.callspec.params["controller"])
    controller.take_over(-15.0)
    currents = [
        [lane.decide(reading(), belief(), WIDE, DT_S).current_a for lane in (controller, undisturbed)]
        for _ in range(300)
    ]
    assert currents[-1][0] == pytest.approx(currents[-1][1], abs=0.05)


def test_cost_is_not_negative_and_violations_never_fall(controller: Controller) -> None:
    violations = 0
    for turn in range(300):
        decision = controller.decide(reading(4.3 if turn % 2 else 2.5), belief(), CurrentRange(10.0, 10.0), DT_S)
        assert decision.cost >= 0.0
        assert decision.violations >= violations
        violations = decision.violations


@pytest.mark.parametrize("dt_s", [0.0, 1e-4, 0.01, 1.0, 100.0])
def test_time_that_stands_or_jumps_gives_currents_within_what_is_allowed(controller: Controller, dt_s: float) -> None:
    for _ in range(20):
        decision = controller.decide(reading(), belief(), CurrentRange(20.0, 25.0), dt_s)
        assert -20.0 <= decision.current_a <= 25.0
        assert math.isfinite(decision.cost)


def test_it_waits_for_the_run(controller: Controller, request: pytest.FixtureRequest) -> None:
    fresh = built(request.node.callspec.params["controller"])
    for _ in range(100):
        waiting = controller.decide(reading(0.0), belief(), CurrentRange(0.0, 0.0), 0.0)
        assert (waiting.current_a, waiting.cost, waiting.violations) == (0.0, 0.0, 0)
    ran = [[lane.decide(reading(), belief(), WIDE, DT_S) for lane in (controller, fresh)] for _ in range(300)]
    assert ran[-1][0].current_a == pytest.approx(ran[-1][1].current_a, abs=0.05)
    assert ran[-1][0].violations == ran[-1][1].violations


def test_the_same_bench_gives_the_same_decisions(request: pytest.FixtureRequest, controller: Controller) -> None:
    twin = built(request.node.callspec.params["controller"])
    for turn in range(200):
        arguments = reading(3.6 + 0.002 * turn, 10.0), belief(0.5), WIDE, DT_S
        assert controller.decide(*arguments) == twin.decide(*arguments)
