"""The plan of the MPC: against IPOPT on the same problem, against finite differences, and against its limits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from control import mpc_model as model
from control.mpc_goal import Market, MpcGoal, mark_half_cycles, track_current, track_power, trade
from control.mpc_model import ModelSettings, MpcLimits, StageData
from control.mpc_plan import InputRange, MpcPlan
from twin import casadi_functions as sy
from twin import ecm
from twin.cell_parameters import load_cell
from twin.ports import PackSpec
from twin.smooth_cell import fit_cell
from workbench.measure.peers.nonlinear_plan import NonlinearPlan

if TYPE_CHECKING:
    from drivers.snapshot import Floats

CELL = load_cell()
HORIZON, STEP_S, AMBIENT_K = 24, 0.5, 298.15
FAST = ModelSettings(CELL, STEP_S)
QUARTERS = ModelSettings(CELL, 900.0)
LIMITS = MpcLimits(3.0, 4.18, 0.05, 0.95, 318.15)
START = np.array([0.6, 0.01, 0.02, AMBIENT_K, 0.0])
WIDE = InputRange((1.0, 1.0), (1.0, 1.0))
HALF = InputRange((0.5, 0.5), (0.5, 0.5))


def solve(
    goal: MpcGoal,
    limits: MpcLimits = LIMITS,
    settings: ModelSettings = FAST,
    *,
    start: Floats = START,
    allowed: InputRange = WIDE,
    turns: int = 6,
    ambient_k: float = AMBIENT_K,
) -> MpcPlan:
    """The plan after some iterations from the same start."""
    plan = MpcPlan(settings, goal.data.shape[1])
    for _ in range(turns):
        mark_half_cycles(goal.data, plan.inputs, 0.0)
        assert plan.solve(start, goal, limits.list_rows(ambient_k, 0.0), allowed)
    return plan


def constant(rate_c: float, horizon: int = HORIZON) -> MpcGoal:
    return track_current(np.full(horizon, rate_c))


def sell_high(wear_eur: float = 0.0, hours: int = 24) -> tuple[MpcGoal, Floats]:
    """A day of a cheap night and a dear evening, in quarters of an hour."""
    quarters = np.arange(4 * hours) / 4.0
    price = 0.17 + 0.08 * np.sin((quarters - 8.0) / 24.0 * 2.0 * np.pi)
    market = Market(0.24, 0.96, wear_eur, 0.17, 0.5)
    return trade(market, price, np.ones(4 * hours, np.bool_), 900.0), price


@pytest.mark.parametrize(
    ("goal", "limits"),
    [
        (constant(0.75), LIMITS),
        (constant(0.75), MpcLimits(3.7, 3.9, 0.05, 0.95, 318.15)),
        (constant(-0.7), MpcLimits(3.7, 3.9, 0.05, 0.95, 318.15)),
        (constant(-0.9), replace(LIMITS, anode_v=0.02)),
        (track_current(0.7 * np.sin(np.arange(24.0))), LIMITS),
        (track_power(np.linspace(-2.0, 2.5, 24)), LIMITS),
    ],
    ids=["discharge", "lowest voltage", "highest voltage", "plating", "wave", "power"],
)
def test_the_real_time_iteration_converges_to_what_ipopt_finds(goal: MpcGoal, limits: MpcLimits) -> None:
    peer = NonlinearPlan(FAST, HORIZON)
    assert peer.solve(START, goal, limits.list_rows(AMBIENT_K, 0.0), WIDE)
    assert solve(goal, limits).current_c == pytest.approx(peer.current_c, abs=1e-3)


def test_one_iteration_is_already_close_to_ipopt() -> None:
    goal, tight = constant(0.75), MpcLimits(3.7, 3.9, 0.05, 0.95, 318.15).list_rows(AMBIENT_K, 0.0)
    plan, peer = solve(goal, MpcLimits(3.7, 3.9, 0.05, 0.95, 318.15)), NonlinearPlan(FAST, HORIZON)
    nearby = START + np.array([0.0005, 0.0004, 0.0003, 0.1, 0.0])
    assert plan.solve(nearby, goal, tight, WIDE)
    assert peer.solve(nearby, goal, tight, WIDE)
    assert plan.current_c == pytest.approx(peer.current_c, abs=2e-3)


def test_a_day_of_trade_is_planned_as_ipopt_plans_it() -> None:
    goal, _ = sell_high(500.0, hours=12)
    plan = solve(goal, replace(LIMITS, anode_v=0.01), QUARTERS, allowed=HALF, turns=10)
    mark_half_cycles(goal.data, plan.inputs, 0.0)
    peer = NonlinearPlan(QUARTERS, 48)
    rows = replace(LIMITS, anode_v=0.01).list_rows(AMBIENT_K, 0.0)
    assert plan.solve(START, goal, rows, HALF)
    assert peer.solve(START, goal, rows, HALF)
    assert plan.current_c == pytest.approx(peer.current_c, abs=0.03)


def test_the_slopes_of_a_stage_are_those_of_finite_differences() -> None:
    stage, goal = model.build_stage(QUARTERS), sell_high(400.0)[0]
    linear, whole = model.build_linear_stage(stage), model.build_stage_function(stage)
    data, limits = goal.data[:, 3], np.array(replace(LIMITS, anode_v=0.01).list_rows(AMBIENT_K, 0.5))
    data[[StageData.WEIGHT_C, StageData.WEIGHT_W, StageData.REFERENCE_C, StageData.ENDS]] = 0.7, 0.3, 0.2, 1.0
    z = np.array([0.43, 0.01, 0.02, 300.0, 0.1, 0.05, 0.37])

    def call(at: Floats) -> Floats:
        return np.concatenate([part.ravel() for part in sy.evaluate(whole, [at[:5], at[5:], data, limits])])

    _, slopes, gradient, hessian = sy.evaluate(linear, [z[:5], z[5:], data, limits])
    for n, step in enumerate((1e-6, 1e-6, 1e-6, 1e-4, 1e-6, 1e-6, 1e-6)):
        moved = np.zeros(7)
        moved[n] = step
        difference = (call(z + moved) - call(z - moved)) / (2.0 * step)
        assert difference[:-1] == pytest.approx(slopes[:, n], rel=1e-4, abs=1e-4)
        assert difference[-1] == pytest.approx(float(gradient[n, 0]), rel=1e-4, abs=1e-4)
    assert np.linalg.eigvalsh(hessian, "U").min() > -1e-9, "the quadratic program is convex"


def test_a_stage_goes_on_as_the_circuit_of_the_cell_does() -> None:
    plant = ecm.build(PackSpec(1, 1, CELL.capacity_ah, np.full(1, 0.6), np.ones(1), np.ones(1), AMBIENT_K), {})
    plan, goal = MpcPlan(FAST, HORIZON), constant(0.8)
    plan.inputs[0] = 0.8
    plan.solve(np.array([0.6, 0.0, 0.0, AMBIENT_K, 0.0]), goal, LIMITS.list_rows(AMBIENT_K, 0.0), WIDE)
    smooth = fit_cell(CELL)
    for stage in range(1, HORIZON + 1):
        state = plant.step(np.full(1, 0.8 * CELL.capacity_ah), AMBIENT_K, STEP_S)
        soc, v1, v2, kelvin, _ = plan.states[:, stage]
        volts = smooth.compute_ocv(soc) - 0.8 * CELL.capacity_ah * smooth.compute_rows(soc)[1] - v1 - v2
        assert soc == pytest.approx(state.soc[0], abs=1e-9)
        assert volts == pytest.approx(state.voltage_v[0], abs=0.005)
        assert kelvin == pytest.approx(state.temperature_k[0], abs=0.1)


def test_it_tracks_a_current_and_a_power_where_no_limit_is_near() -> None:
    assert solve(constant(0.4)).current_c == pytest.approx(0.4, abs=2e-4)
    assert solve(constant(-0.4)).current_c == pytest.approx(-0.4, abs=2e-4)
    plan = solve(track_power(np.full(HORIZON, 1.5)))
    smooth, soc = fit_cell(CELL), plan.states[0, 1:]
    ohm = smooth.compute_rows(soc)[1] * CELL.capacity_ah
    volts = smooth.compute_ocv(soc) - ohm * plan.current_c - plan.states[1, 1:] - plan.states[2, 1:]
    assert volts * plan.current_c == pytest.approx(1.5, abs=0.01)


@pytest.mark.parametrize(
    ("goal", "limits", "row"),
    [
        (constant(1.0), replace(LIMITS, low_v=3.7), 1),
        (constant(-1.0), replace(LIMITS, high_v=3.9), 0),
        (constant(1.0), replace(LIMITS, low_soc=0.599), 4),
        (constant(-1.0), replace(LIMITS, high_soc=0.601), 3),
        (constant(-1.0), replace(LIMITS, anode_v=0.02), 5),
        (constant(1.0), replace(LIMITS, high_k=AMBIENT_K + 0.05), 2),
    ],
    ids=["low voltage", "high voltage", "low SoC", "high SoC", "plating", "temperature"],
)
def test_it_keeps_each_soft_limit_and_goes_up_to_it(goal: MpcGoal, limits: MpcLimits, row: int) -> None:
    plan, whole = solve(goal, limits, turns=8), model.build_stage_function(model.build_stage(FAST))
    rows = np.array(limits.list_rows(AMBIENT_K, 0.0))
    excess = np.array(
        [
            sy.evaluate(whole, [plan.states[:, k], plan.inputs[:, k], goal.data[:, k], rows])[1][:, 0]
            for k in range(HORIZON)
        ]
    )
    assert excess[:, row].max() == pytest.approx(0.0, abs=0.5 if row in {2, 3, 4} else 0.05), "0.5 mV, 0.05 K, 0.05 %"
    assert np.abs(plan.current_c - goal.data[StageData.REFERENCE_C]).max() > 0.05, "it had to give way"
    assert (plan.slack.max(axis=1) < (0.05, 0.5, 0.5, 0.05)).all()


def test_what_is_impossible_costs_slack_and_still_has_a_plan() -> None:
    impossible = np.array([0.01, 0.0, 0.0, 330.0, 0.0])
    plan = solve(constant(0.8), start=impossible)
    assert plan.slack[1].max() > 1.0
    assert plan.slack[2].max() > 1.0


def test_the_range_of_the_bms_is_never_left() -> None:
    random = np.random.default_rng(2)
    plan = MpcPlan(FAST, HORIZON)
    for _ in range(60):
        now, later = random.uniform(0.0, 1.0, 2), random.uniform(0.0, 1.0, 2)
        now = np.where(random.random(2) < 0.3, 0.0, now)
        start = np.array([random.uniform(0.0, 1.0), 0.0, 0.0, random.uniform(275.0, 325.0), 0.0])
        reference = track_current(random.uniform(-2.0, 2.0, HORIZON))
        allowed = InputRange((now[0], now[1]), (later[0], later[1]))
        assert plan.solve(start, reference, LIMITS.list_rows(AMBIENT_K, 0.0), allowed)
        assert -now[0] <= plan.current_c[0] <= now[1]
        assert (plan.inputs[0, 1:] <= later[1]).all()
        assert (plan.inputs[1, 1:] <= later[0]).all()


def test_a_range_without_sense_is_no_range() -> None:
    plan = solve(constant(0.5), allowed=InputRange((np.nan, -5.0), (np.nan, -5.0)), turns=2)
    assert np.abs(plan.current_c).max() == 0.0


def test_a_start_that_is_no_number_gives_no_plan_and_keeps_the_last() -> None:
    plan, goal, rows = solve(constant(0.5)), constant(0.5), LIMITS.list_rows(AMBIENT_K, 0.0)
    before = plan.current_c.copy()
    assert not plan.solve(np.array([np.nan, 0.0, 0.0, AMBIENT_K, 0.0]), goal, rows, WIDE)
    assert (plan.current_c == before).all()
    assert plan.solve(START, goal, rows, WIDE)


def test_it_buys_low_and_sells_high_and_never_does_both() -> None:
    goal, price = sell_high()
    plan = solve(goal, LIMITS, QUARTERS, allowed=HALF, turns=10)
    buys, sells = plan.inputs[1] > 0.05, plan.inputs[0] > 0.05
    assert price[buys].max() < price[sells].min()
    assert plan.inputs.min(axis=0).max() < 1e-3


def test_the_first_charge_earns_nothing() -> None:
    market = Market(0.24, 0.96, 0.0, 0.17, 0.7)
    goal, start = trade(market, np.full(48, 0.17), np.ones(48, np.bool_), 900.0), START.copy()
    start[0] = 0.7
    assert np.abs(solve(goal, LIMITS, QUARTERS, start=start, allowed=HALF).current_c).max() < 1e-3


def test_wear_makes_it_cycle_less_and_much_wear_hardly_at_all() -> None:
    moved = [
        np.abs(solve(sell_high(wear_eur)[0], LIMITS, QUARTERS, allowed=HALF, turns=10).current_c).sum()
        for wear_eur in (0.0, 400.0, 5000.0)
    ]
    assert moved[1] < 0.85 * moved[0]
    assert moved[2] < 0.1 * moved[0], "what remains lowers the charge, at which the cell ages less"


def test_nothing_is_traded_after_the_end() -> None:
    goal, price = sell_high()
    market = Market(0.24, 0.96, 0.0, 0.17, 0.5)
    goal = trade(market, price, np.arange(96) < 60, 900.0)
    assert np.abs(solve(goal, LIMITS, QUARTERS, allowed=HALF, turns=8).current_c[60:]).max() < 1e-3


def test_a_pause_belongs_to_the_nearer_half_cycle_and_the_last_direction_goes_on() -> None:
    goal, inputs = constant(0.0, 8), np.zeros((2, 8))
    inputs[0, 1], inputs[1, 5:7] = 0.3, 0.2
    mark_half_cycles(goal.data, inputs, 1.0)
    assert goal.data[StageData.GOES_ON].tolist() == [1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0]
    assert goal.data[StageData.ENDS].tolist() == [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    mark_half_cycles(goal.data, inputs, -1.0)
    assert goal.data[StageData.GOES_ON].tolist() == [1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0]


def test_the_plan_goes_on_by_one_stage_and_what_was_read_of_it_stays() -> None:
    plan = solve(track_current(np.linspace(0.0, 0.5, HORIZON)))
    read, before = plan.inputs, plan.current_c.copy()
    plan.shift()
    assert (plan.current_c == np.append(before[1:], before[-1])).all()
    assert (read[0] - read[1] == before).all()


@pytest.mark.parametrize("low_v", [3.0, 3.7], ids=["far from its limits", "at its lowest voltage"])
def test_a_plan_takes_few_iterations_of_the_solver(low_v: float) -> None:
    plan, limits = MpcPlan(FAST, 96), replace(LIMITS, low_v=low_v).list_rows(AMBIENT_K, 0.0)
    wave, taken = 0.75 + 0.2 * np.sin(np.arange(116.0)), list[int]()
    for turn in range(20):
        plan.shift()
        assert plan.solve(START, track_current(wave[turn:][:96]), limits, WIDE)
        taken.append(plan.iterations)
    assert 0 < np.mean(taken) <= 10.0


def test_a_pack_that_jumps_far_out_of_its_limits_takes_hardly_more() -> None:
    plan, reference, limits = MpcPlan(FAST, HORIZON), constant(0.5), replace(LIMITS, low_soc=0.2, high_soc=0.8)
    for soc, kelvin in ((0.0, 330.0), (1.0, 270.0), (0.5, 298.0), (0.0, 263.0), (1.0, 328.0)):
        start = np.array([soc, 0.0, 0.0, kelvin, 0.0])
        assert plan.solve(start, reference, limits.list_rows(AMBIENT_K, 0.0), WIDE)
        assert 0 < plan.iterations <= 20
