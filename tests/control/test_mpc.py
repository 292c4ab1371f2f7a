"""The MPC against IPOPT on the same problem without linearisation, and against a plant that it does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from control import mpc, mpc_model
from control.ports import CurrentRange
from drivers.errors import BenchFileError
from drivers.snapshot import Estimate, PackReading
from twin import casadi_functions as sy
from twin import ecm
from twin.ports import PackSpec, PackState

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.snapshot import Floats

HORIZON, STEP_S, PARALLEL = 24, 0.5, 12
LIMITS = mpc_model.MpcLimits(3.0, 4.18, 0.05, 0.95, 318.15)
TIGHT = mpc_model.MpcLimits(3.7, 3.9, 0.05, 0.95, 318.15)
START = np.array([0.6, 0.01, 0.02, 0.004, -0.006])
WIDE = CurrentRange(60.0, 60.0)


def ipopt(limits: mpc_model.MpcLimits, start: Floats, wanted_a: Floats, allowed: CurrentRange) -> Floats:
    """The same cost and limits, solved whole."""
    u, x, g = mpc_model.compute_excess(HORIZON, STEP_S, PARALLEL, 5.0, limits)
    any_sy, slack = cast("Any", sy), cast("Any", sy.symbol("s", mpc_model.FAMILIES))  # CasADi is untyped in the middle
    cost = any_sy.sumsqr(u - wanted_a) + mpc.SMOOTH * any_sy.sumsqr(u[1:] - u[:-1])
    cost += mpc.SLACK[1] * any_sy.sumsqr(slack) + mpc.SLACK[0] * sum(slack[n] for n in range(mpc_model.FAMILIES))
    relieved = any_sy.vertcat(*(g[k] - slack[k // HORIZON] for k in range(mpc_model.FAMILIES * HORIZON)))
    problem: Any = {"x": any_sy.vertcat(u, slack), "p": x, "f": cost, "g": relieved}
    quiet = {"ipopt.print_level": 0, "print_time": 0, "ipopt.sb": "yes", "ipopt.tol": 1e-9}
    oracle = any_sy.nlpsol("oracle", "ipopt", problem, quiet)
    low = [*[-allowed.charge_a] * HORIZON, *[0.0] * mpc_model.FAMILIES]
    high = [*[allowed.discharge_a] * HORIZON, *[np.inf] * mpc_model.FAMILIES]
    solution = oracle(x0=0.0, p=start, lbx=low, ubx=high, lbg=-np.inf, ubg=0.0)
    assert oracle.stats()["success"]
    return np.array(solution["x"].full()).ravel()[:HORIZON]


def iterated(
    limits: mpc_model.MpcLimits, start: Floats, wanted_a: Floats, allowed: CurrentRange, turns: int
) -> mpc.MpcPlan:
    plan = mpc.MpcPlan(HORIZON, STEP_S, PARALLEL, 5.0, limits)
    for _ in range(turns):
        assert plan.solve(start, wanted_a, allowed)
    return plan


WANTED = {
    "discharge": np.full(HORIZON, 45.0),
    "charge": np.full(HORIZON, -40.0),
    "wave": 40.0 * np.sin(np.arange(24.0)),
}


@pytest.mark.parametrize("wanted_a", WANTED.values(), ids=list(WANTED))
@pytest.mark.parametrize("limits", [LIMITS, TIGHT], ids=["wide", "tight"])
def test_the_real_time_iteration_converges_to_what_ipopt_finds(limits: mpc_model.MpcLimits, wanted_a: Floats) -> None:
    found = iterated(limits, START, wanted_a, WIDE, turns=6).current_a
    assert found == pytest.approx(ipopt(limits, START, wanted_a, WIDE), abs=0.02)


def test_one_iteration_is_already_close_to_ipopt() -> None:
    plan = iterated(TIGHT, START, WANTED["discharge"], WIDE, turns=3)
    nearby = START + np.array([0.0005, 0.0004, 0.0003, 0.001, 0.001])
    plan.solve(nearby, WANTED["discharge"], WIDE)
    assert plan.current_a == pytest.approx(ipopt(TIGHT, nearby, WANTED["discharge"], WIDE), abs=0.1)


def test_what_the_bms_allows_is_hard_and_what_limits_ask_is_soft() -> None:
    plan = iterated(LIMITS, START, WANTED["discharge"], CurrentRange(10.0, 20.0), turns=3)
    assert plan.current_a.max() <= 20.0 + 1e-6
    impossible = START.copy()
    impossible[0] = 0.01  # below the lowest SoC already
    assert iterated(LIMITS, impossible, WANTED["discharge"], WIDE, turns=3).slack.max() > 1.0


def test_the_jacobian_is_the_slope_of_the_excess() -> None:
    whole = mpc_model.linearise(*mpc_model.compute_excess(HORIZON, STEP_S, PARALLEL, 5.0, LIMITS))
    whole.inputs[0][:], whole.inputs[1][:] = 20.0, START
    before, slope = (array.copy() for array in whole())
    whole.inputs[0][7] += 1e-3
    after = whole()[0].copy()
    assert (after - before) / 1e-3 == pytest.approx(slope[:, 7], abs=1e-4)


def lane(tmp_path: Path, current_a: float, **settings: Any) -> Any:
    path = tmp_path / "duty.csv"
    path.write_text(f"t_s,current_a\n0,{current_a}\n1000,{current_a}\n")
    pack = PackSpec(2, PARALLEL, 5.0, np.full(2, 0.6), np.ones(2), np.ones(2), 298.15)
    return mpc.build(pack, {"file": str(path), **settings})


def test_it_keeps_the_lowest_cell_above_its_limit_on_a_plant_it_does_not_know(tmp_path: Path) -> None:
    controller = lane(tmp_path, 50.0, voltage_v=[3.60, 4.18])
    soc, current_a, slow_v, lowest, volts = 0.5, 0.0, 0.0, 9.0, np.empty(2)
    for turn in range(6000):
        drop_v = 0.0026 * current_a + slow_v  # a third more resistance than the model has
        slow_v += 0.01 / 30.0 * (0.0012 * current_a - slow_v)
        ocv = float(mpc_model.ocv_v(soc)) + 0.01
        volts = np.array([ocv - drop_v, ocv - 0.015 - 1.05 * drop_v])
        reading = PackReading(turn * 0.01, current_a, np.zeros(2), volts, np.full(2, 299.0))
        current_a = controller.decide(reading, Estimate(np.full(2, soc), np.full(2, 0.01)), WIDE, 0.01).current_a
        soc -= current_a * 0.01 / 3600.0 / 60.0
        lowest = min(lowest, volts.min()) if turn > 500 else lowest
    assert lowest > 3.60 - 0.003
    assert volts.min() < 3.60 + 0.003
    assert 0.0 < current_a < 50.0


def gives_up(_: object) -> Any:
    return mpc.piqp.PIQP_MAX_ITER_REACHED


def test_where_no_plan_is_found_it_asks_for_nothing_counts_it_and_recovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    controller = lane(tmp_path, 25.0)
    reading = PackReading(0.0, 25.0, np.zeros(2), np.full(2, 3.8), np.full(2, 298.15))
    belief = Estimate(np.full(2, 0.6), np.full(2, 0.01))
    before = [controller.decide(reading, belief, WIDE, 0.1) for _ in range(5)][-1]
    with monkeypatch.context() as patched:
        patched.setattr("piqp.DenseSolver.solve", gives_up)
        during = [controller.decide(reading, belief, WIDE, 0.1) for _ in range(3)][-1]
    after = [controller.decide(reading, belief, WIDE, 0.1) for _ in range(3)][-1]
    assert (before.current_a, before.violations) == (pytest.approx(25.0, abs=0.01), 0)
    assert (during.current_a, during.violations) == (0.0, 3)
    assert (after.current_a, after.violations) == (pytest.approx(25.0, abs=0.01), 3)


def test_a_range_without_sense_is_no_range_and_its_plans_lie_exactly_within() -> None:
    for allowed, most_a in ((CurrentRange(np.nan, -5.0), 0.0), (CurrentRange(12.0, 12.0), 12.0)):
        plan = mpc.MpcPlan(HORIZON, STEP_S, PARALLEL, 5.0, LIMITS)
        assert plan.solve(START, WANTED["wave"], allowed)
        assert np.abs(plan.current_a).max() <= most_a


@pytest.mark.parametrize(("wanted_a", "begins_k"), [(60.0, 298.15), (-40.0, 303.15)])
def test_it_brings_the_hottest_cell_to_its_limit_without_swinging(
    tmp_path: Path, wanted_a: float, begins_k: float
) -> None:
    """The plant resists up to a fifth more than the model; from 30 degC it begins above the limit of 27 degC."""
    controller, soc = lane(tmp_path, wanted_a, temperature_degc=27.0), np.full(2, 0.8 if wanted_a > 0.0 else 0.3)
    plant = ecm.build(PackSpec(2, PARALLEL, 5.0, soc, np.ones(2), np.array([1.0, 1.2]), 298.15), {})
    plant.take_over(PackState(soc, np.full(2, begins_k), mpc_model.ocv_v(soc), np.zeros(2)))
    currents, hottest_k = [0.0], np.empty(4000)
    for turn in range(4000):
        state = plant.step(np.full(2, currents[-1]), 298.15, 0.1)
        hottest_k[turn] = state.temperature_k.max()
        reading = PackReading(turn * 0.1, currents[-1], np.zeros(2), state.voltage_v, state.temperature_k)
        belief = Estimate(state.soc, np.full(2, 0.01))
        currents.append(controller.decide(reading, belief, CurrentRange(60.0, 60.0), 0.1).current_a)
    assert (np.diff(hottest_k)[hottest_k[1:] > 300.15 + 0.15] < 0.0).all()
    assert hottest_k[-1] == pytest.approx(300.15, abs=0.15 if begins_k < 300.0 else 1.5)
    assert np.abs(np.diff(currents[30:])).max() < 1.0
    assert (np.array(currents) * np.sign(wanted_a) > -1e-6).all()
    assert abs(currents[-1]) < abs(wanted_a) - 5.0


def test_it_follows_the_duty_where_no_limit_is_near(tmp_path: Path) -> None:
    controller = lane(tmp_path, 25.0)
    reading = PackReading(0.0, 25.0, np.zeros(2), np.full(2, 3.8), np.full(2, 298.15))
    belief = Estimate(np.full(2, 0.6), np.full(2, 0.01))
    decision = [controller.decide(reading, belief, WIDE, 0.01) for _ in range(100)][-1]
    assert decision.current_a == pytest.approx(25.0, abs=0.01)
    assert decision.violations == 0


@pytest.mark.parametrize("settings", [{"voltage_v": [4.2, 3.0]}, {"voltage_v": 3.0}, {"soc": ["a", "b"]}])
def test_limits_without_sense_are_errors_of_the_bench_file(tmp_path: Path, settings: dict[str, Any]) -> None:
    with pytest.raises(BenchFileError, match="lower and an upper limit"):
        lane(tmp_path, 1.0, **settings)
