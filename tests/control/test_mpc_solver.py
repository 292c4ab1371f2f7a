"""The solver of an MPC plan: it finds a plan from any state, and where it fails, a slower one finds the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import piqp
import pytest

from control.mpc_goal import Market, MpcGoal, mark_half_cycles, track_current, track_power, trade
from control.mpc_model import ModelSettings, MpcLimits
from control.mpc_plan import InputRange, MpcPlan
from twin.cell_parameters import load_cell

if TYPE_CHECKING:
    from drivers.snapshot import Floats

HORIZON, PLANS = 24, 60
SETTINGS = ModelSettings(load_cell(), 3600.0, 0.7, 1.6)
WIDE = InputRange((1.0, 1.0), (1.0, 1.0))
made = list[Any]()


class Counted(piqp.SparseSolver):
    """A solver that is counted when it is set up."""

    def setup(self, *given: Any, **program: Any) -> None:
        made.append(self.settings.kkt_solver)
        super().setup(*given, **program)


class Failing(Counted):
    """One that succeeds only where it is the slow one."""

    def solve(self) -> Any:
        status = super().solve()
        slow = self.settings.kkt_solver == piqp.KKTSolver.sparse_multistage
        return status if slow else piqp.PIQP_MAX_ITER_REACHED


def draw_goal(random: np.random.Generator) -> MpcGoal:
    kind = random.integers(3)
    if kind == 0:
        return track_current(random.uniform(-2.0, 2.0, HORIZON), float(random.choice([0.0, 1.0, 100.0])))
    if kind == 1:
        return track_power(random.uniform(-5.0, 5.0, HORIZON))
    market = Market(0.24, random.uniform(0.8, 1.0), float(random.choice([0.0, 400.0, 5000.0])), 0.17, 0.5)
    return trade(market, random.uniform(-0.1, 0.5, HORIZON), np.arange(HORIZON) < HORIZON // 2, SETTINGS.step_s)


def draw_limits(random: np.random.Generator) -> MpcLimits:
    low_v, high_v = random.uniform(3.0, 3.7), random.uniform(3.8, 4.2)
    low_soc, high_soc = random.uniform(0.0, 0.3), random.uniform(0.7, 1.0)
    return MpcLimits(low_v, high_v, low_soc, high_soc, random.uniform(300.0, 330.0), float(random.choice([-1.0, 0.03])))


def draw_start(random: np.random.Generator) -> Floats:
    volt = 0.02 * random.normal(size=2)
    return np.array([random.uniform(), *volt, random.uniform(255.0, 335.0), random.uniform()])


def test_plans_from_far_outside_their_limits_are_found_and_few_need_the_slow_solver(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made.clear()
    monkeypatch.setattr(piqp, "SparseSolver", Counted)
    random, plan = np.random.default_rng(5), MpcPlan(SETTINGS, HORIZON)
    for _ in range(PLANS):
        goal, rows = draw_goal(random), draw_limits(random).list_rows(random.uniform(270.0, 310.0), 1.0)
        mark_half_cycles(goal.data, plan.inputs, 0.0)
        plan.shift()
        assert plan.solve(draw_start(random), goal, rows, WIDE)
    assert made.count(piqp.KKTSolver.sparse_multistage) <= PLANS // 10


def test_where_the_fast_solver_fails_the_slow_one_finds_the_same_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    made.clear()
    plan, other = MpcPlan(SETTINGS, HORIZON), MpcPlan(SETTINGS, HORIZON)
    goal, limits = track_current(np.linspace(0.3, 0.1, HORIZON)), MpcLimits(3.0, 4.1, 0.2, 0.9, 318.15)
    start, rows = np.array([0.6, 0.0, 0.0, 298.0, 0.0]), limits.list_rows(298.0, 0.0)
    assert plan.solve(start, goal, rows, WIDE)
    monkeypatch.setattr(piqp, "SparseSolver", Failing)
    assert other.solve(start, goal, rows, WIDE)
    assert other.current_c == pytest.approx(plan.current_c, abs=1e-4)
    assert other.iterations > 0
    assert other.solve(start, goal, rows, WIDE)
    assert len(made) == 4, "one that failed is not used again"
