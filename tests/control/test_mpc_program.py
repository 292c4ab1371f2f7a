"""The quadratic program of an MPC plan: what its entries say in physical units, and that scaling keeps the solution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import piqp
import pytest
from scipy import sparse

from control import mpc_model as model
from control.mpc_goal import track_current
from control.mpc_model import ModelSettings, MpcLimits
from control.mpc_program import EXCESSES, MOVES, WIDTH, StageProgram, find_unit
from twin import casadi_functions as sy
from twin.cell_parameters import load_cell

if TYPE_CHECKING:
    from drivers.snapshot import Floats

HORIZON = 6
SETTINGS = ModelSettings(load_cell(), 60.0)
ROWS = MpcLimits(3.6, 4.0, 0.1, 0.9, 310.0, 0.01).list_rows(298.15, 0.0)
START = np.array([0.3, 0.01, 0.02, 300.0, 0.0])
UNIT = find_unit(SETTINGS.step_s)
GOAL = track_current(np.full(HORIZON, 0.4))
INPUTS = np.vstack([np.linspace(0.2, 0.5, HORIZON), np.full(HORIZON, 0.1)])


def go(inputs: Floats) -> tuple[Floats, Floats]:
    """States `[5, horizon + 1]` and excess `[6, horizon]` along a plan."""
    stage = model.build_stage_function(model.build_stage(SETTINGS))
    states, excess = [START], list[Any]()
    for k in range(HORIZON):
        after, over, _ = sy.evaluate(stage, [states[-1], inputs[:, k], GOAL.data[:, k], np.array(ROWS)])
        states.append(after[:, 0])
        excess.append(over[:, 0])
    return np.array(states).T, np.array(excess).T


def assemble() -> dict[str, Any]:
    made = StageProgram(SETTINGS, HORIZON).assemble(go(INPUTS)[0], INPUTS, GOAL, ROWS, np.ones((2, HORIZON)))
    return {name: value.copy() for name, value in made.items()}


def change(inputs: Floats) -> Floats:
    """The variables of the program that lead from the plan to `inputs`, without slack."""
    states = go(inputs)[0] - go(INPUTS)[0]
    found = np.zeros(HORIZON * WIDTH + MOVES)
    stages = found[: HORIZON * WIDTH].reshape(HORIZON, WIDTH).T
    stages[:5], stages[5:MOVES] = states[:, :-1] / UNIT[:5, None], inputs - INPUTS
    found[HORIZON * WIDTH :][:5] = states[:, -1] / UNIT[:5]
    return found


def test_a_small_change_of_the_plan_keeps_the_equations_and_changes_the_excess_as_the_limits_say() -> None:
    program, nearby = assemble(), INPUTS + 1e-4 * np.random.default_rng(4).normal(size=INPUTS.shape)
    moved = change(nearby)
    assert (program["A"] @ moved)[:-1] == pytest.approx(program["b"][:-1], abs=1e-6)
    room = -go(INPUTS)[1].T.ravel()
    share = 1.0 / np.maximum(1.0, room)
    assert share.min() < 0.01, "a limit that is far away"
    assert share.max() == 1.0, "and one that is near"
    assert program["h_u"] == pytest.approx(room * share, abs=1e-9)
    more = (go(nearby)[1] - go(INPUTS)[1]).T.ravel()
    assert np.abs(more).max() > 1e-3
    assert program["G"] @ moved == pytest.approx(more * share, abs=1e-2 * np.abs(more).max())


def test_entries_that_are_always_zero_are_left_out() -> None:
    program = assemble()
    assert program["A"].nnz < 0.7 * (HORIZON * MOVES * 5 + (HORIZON + 1) * 5)
    assert program["G"].nnz < 0.8 * HORIZON * EXCESSES * (MOVES + 1)


def test_the_soc_of_a_long_step_counts_in_what_1_c_moves() -> None:
    hours = StageProgram(ModelSettings(load_cell(), 3600.0, 0.7), HORIZON)
    made = hours.assemble(go(INPUTS)[0], INPUTS, GOAL, ROWS, np.ones((2, HORIZON)))
    assert made["A"][5, 5] == pytest.approx(1.0 / 0.7), "the next SoC by the discharge"


def test_the_program_has_the_solution_of_one_in_physical_units() -> None:
    program, room = assemble(), -go(INPUTS)[1].T.ravel()
    unit = np.tile(np.append(UNIT, np.ones(WIDTH - MOVES)), HORIZON + 1)[: len(program["c"])]
    by_unit, share = diagonal(1.0 / unit), 1.0 / np.maximum(1.0, room)
    rows = diagonal(np.append(np.tile(UNIT[:5], HORIZON + 1), 1.0))
    physical = program | {
        "P": (by_unit @ program["P"] @ by_unit).tocsc(),
        "c": by_unit @ program["c"],
        "A": (rows @ program["A"] @ by_unit).tocsc(),
        "G": (diagonal(1.0 / share) @ program["G"] @ by_unit).tocsc(),
        "h_u": room,
    }
    assert solve(physical) / unit == pytest.approx(solve(program), abs=1e-5)


def diagonal(entries: Floats) -> Any:
    return cast("Any", sparse).diags(entries)


def solve(program: dict[str, Any]) -> Floats:
    solver: Any = piqp.SparseSolver()
    solver.settings.eps_abs, solver.settings.eps_duality_gap_abs = 1e-9, 1e-9
    solver.setup(**program)
    assert solver.solve() == piqp.PIQP_SOLVED
    return np.array(solver.result.x)
