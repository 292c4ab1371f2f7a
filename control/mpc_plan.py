"""The plan of the MPC: one quadratic program of stages for each sample (real-time iteration, Diehl et al. 2005).

Each solve simulates the last plan from the present state, linearises every stage along it, and PIQP solves the
program of stages (Schwan et al. 2023; its multistage factorisation takes a time that grows with the number of stages).
Limits are soft, one slack a stage and family, so a solution always exists; the range of the current is hard.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import piqp
from scipy import sparse

from control import mpc_model as model
from control.mpc_model import FAMILY, INPUTS, SLACKS, SOC, STATES
from twin import casadi_functions as sy
from twin.batch_function import BatchFunction
from twin.smooth_cell import fit_cell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from control.mpc_goal import MpcGoal
    from drivers.snapshot import Columns, Floats

SLACK: Final = (2.0, 0.1)  # linear and quadratic price of one unit of slack
EXCESSES: Final = len(FAMILY)
MOVES: Final = STATES + INPUTS  # what a stage is linearised over
WIDTH: Final = MOVES + len(SLACKS)  # variables of a stage
LEAST_C: Final = 1e-4  # a narrower range makes the solver's interior vanish; the plan is cut to the real one
ITERATIONS: Final = 60
ACCURACY: Final = (1e-5, 1e-6)  # absolute and relative residual: a plan is within 1e-4 C of the exact one
NEVER: Final = 1e-14  # of the solver's tests for no solution: slacks make one, and large slacks mislead the tests
STEP_SHARE: Final = 0.995  # of the way to the boundary
UPPER_ROWS, UPPER_COLUMNS = np.triu_indices(MOVES)
UPPER: Final = UPPER_ROWS + MOVES * UPPER_COLUMNS  # of a square matrix, column by column
SETTLED: Final = 1e-3  # weight of the settlement's square, so that it is determined


@dataclass(frozen=True)
class InputRange:
    """The hard range of the current in C, both as magnitudes: now, and in all later stages."""

    now_c: tuple[float, float]
    later_c: tuple[float, float]

    def fill(self, horizon: int) -> Floats:
        """Return the largest discharge and charge of each stage, `[2, horizon]`; what is no number allows nothing."""
        most = np.empty((INPUTS, horizon))
        (charge, discharge), (later_charge, later_discharge) = self.now_c, self.later_c
        most[0], most[1] = later_discharge, later_charge
        most[:, 0] = discharge, charge
        return np.where(most > 0.0, most, 0.0)


class SparsePattern:
    """A sparse matrix whose values are replaced as a whole: `rows` and `columns` of its entries."""

    def __init__(self, rows: Any, columns: Any, shape: tuple[int, int]) -> None:
        numbered = sparse.csc_matrix((np.arange(1.0, len(rows) + 1.0), (rows, columns)), shape)
        numbered.sort_indices()
        self.matrix: Any = numbered
        self._order: Columns = np.asarray(self.matrix.data, np.intp) - 1

    def fill(self, values: Floats) -> Any:
        """Return the matrix with `values`, in the order of `rows` and `columns`."""
        np.take(values, self._order, out=self.matrix.data)
        return self.matrix


class MpcPlan:
    """`inputs[2, horizon]` in C: discharge and charge. Also `states[5, horizon + 1]` and `slack[4, horizon]`."""

    def __init__(self, settings: model.ModelSettings, horizon: int) -> None:
        stage = model.build_stage(settings)
        step, linear = model.build_step(stage), model.build_linear_stage(stage)
        self._roll, self._linear = sy.CompiledFunction(sy.accumulate(step, horizon)), BatchFunction(linear, horizon)
        self._smooth, self._capacity, self.horizon = fit_cell(settings.cell), settings.capacity, horizon
        self.inputs, self.slack = np.zeros((INPUTS, horizon)), np.zeros((len(SLACKS), horizon))
        self.states = np.zeros((STATES, horizon + 1))
        self._equalities, self._inequalities, self._squares = _build_patterns(horizon)
        variables = horizon * WIDTH + MOVES
        self._gradient, self._low, self._high = np.zeros(variables), *(np.full(variables, b) for b in (-np.inf, np.inf))
        self._split(self._gradient)[MOVES:] = SLACK[0]
        self._split(self._low)[MOVES:] = 0.0
        self._low[-INPUTS:] = 0.0
        self._right = np.zeros((horizon + 1) * STATES + 1)
        self._constant_squares = np.array([2.0 * SLACK[1]] * (len(SLACKS) * horizon) + [SETTLED] * INPUTS)
        self._solver: Any = None

    @property
    def current_c(self) -> Floats:
        """The current of each stage, discharge positive."""
        return self.inputs[0] - self.inputs[1]

    def shift(self) -> None:
        """Go on by one stage; the last one stays."""
        self.inputs[:, :-1] = self.inputs[:, 1:].copy()

    def solve(self, start: Floats, goal: MpcGoal, limits: Sequence[float], allowed: InputRange) -> bool:
        """Improve the plan by one iteration from `start[5]`; return False, and keep it, if none was found."""
        most = allowed.fill(self.horizon)
        self.inputs = np.clip(self.inputs, 0.0, most)
        self._simulate(start, goal, limits)
        if not np.isfinite(self.states).all():
            return False
        program = self._assemble(goal, limits, most)
        if not (self._improve(program) or self._improve(program)):  # once more, set up afresh
            return False
        found = self._split(np.asarray(self._solver.result.x))
        self.inputs = np.clip(self.inputs + found[STATES:MOVES], 0.0, most)
        self.slack = found[MOVES:].copy()
        return True

    def _improve(self, program: dict[str, Any]) -> bool:
        """Solve the program; a solver that failed is thrown away."""
        solver = self._solver
        if solver is None:
            solver = _make_solver()
            solver.setup(**program)
        else:
            solver.update(**program)
        solved = solver.solve() == piqp.PIQP_SOLVED
        self._solver = solver if solved else None
        return solved

    def _simulate(self, start: Floats, goal: MpcGoal, limits: Sequence[float]) -> None:
        """Fill `states` with where the present plan leads."""
        roll = self._roll.inputs
        roll[0][:], roll[1][:], roll[2][:] = start, self.inputs, goal.data
        roll[3][:] = np.asarray(limits)[:, None]
        self.states[:, 0], self.states[:, 1:] = start, self._roll()[0]

    def _assemble(self, goal: MpcGoal, limits: Sequence[float], most: Floats) -> dict[str, Any]:
        """Return the quadratic program over the change of states and inputs, and over the slacks."""
        linear = self._linear.inputs
        linear[0][:], linear[1][:], linear[2][:] = self.states[:, :-1], self.inputs, goal.data
        linear[3][:] = np.asarray(limits)[:, None]
        excess, slopes, gradient, hessian = self._linear()
        slopes = slopes.reshape(MOVES, STATES + EXCESSES, self.horizon)
        end_soc = float(self.states[SOC, -1])
        worth = self._capacity * float(self._smooth.compute_ocv(end_soc))
        more = self._capacity * (
            float(self._smooth.compute_energy(end_soc)) - float(self._smooth.compute_energy(goal.reference_soc))
        )
        ones = np.ones((self.horizon + 1) * STATES)
        equalities = self._equalities.fill(
            np.concatenate([-slopes[:, :STATES].ravel(), ones, np.array([worth, -1.0, 1.0])])
        )
        inequalities = self._inequalities.fill(
            np.concatenate([slopes[:, STATES:].ravel(), np.full(EXCESSES * self.horizon, -1.0)])
        )
        squares = self._squares.fill(np.concatenate([hessian[UPPER].ravel(), self._constant_squares]))
        self._right[-1] = -more
        self._split(self._gradient)[:MOVES] = gradient
        self._gradient[-INPUTS:] = goal.surplus, goal.missing
        self._split(self._low)[STATES:MOVES] = -self.inputs
        self._split(self._high)[STATES:MOVES] = np.maximum(most, LEAST_C) - self.inputs
        return {
            "P": squares,
            "c": self._gradient,
            "A": equalities,
            "b": self._right,
            "G": inequalities,
            "h_u": -excess.T.ravel(),
            "x_l": self._low,
            "x_u": self._high,
        }

    def _split(self, variables: Floats) -> Floats:
        """Return the variables of the stages as `[WIDTH, horizon]`, in place."""
        return variables[: self.horizon * WIDTH].reshape(self.horizon, WIDTH).T


def _make_solver() -> Any:
    solver: Any = piqp.SparseSolver()
    solver.settings.kkt_solver = piqp.KKTSolver.sparse_multistage
    solver.settings.eps_abs, solver.settings.eps_rel = ACCURACY
    solver.settings.eps_duality_gap_abs, solver.settings.eps_duality_gap_rel = ACCURACY
    solver.settings.eps_primal_inf = solver.settings.eps_dual_inf = NEVER
    solver.settings.tau = STEP_SHARE
    solver.settings.preconditioner_reuse_on_update = True
    solver.settings.max_iter = ITERATIONS
    return solver


def _build_patterns(horizon: int) -> tuple[SparsePattern, SparsePattern, SparsePattern]:
    """Return where the entries of equalities, inequalities and squares are.

    Equalities: the first state stays, each stage leads to the next state, and the settlement. The order of the entries
    is that of `MpcPlan._assemble`: over variable, equation, stage.
    """
    stages, end = np.arange(horizon), horizon * WIDTH
    variables = end + MOVES
    j, i, k = np.meshgrid(np.arange(MOVES), np.arange(STATES), stages, indexing="ij")
    state, stage = (axis.ravel() for axis in np.meshgrid(np.arange(STATES), np.arange(horizon + 1)))
    last = (horizon + 1) * STATES
    equalities = SparsePattern(
        np.concatenate([((k + 1) * STATES + i).ravel(), stage * STATES + state, np.full(3, last)]),
        np.concatenate([(k * WIDTH + j).ravel(), stage * WIDTH + state, end + np.array([SOC, STATES, STATES + 1])]),
        (last + 1, variables),
    )
    j, i, k = np.meshgrid(np.arange(MOVES), np.arange(EXCESSES), stages, indexing="ij")
    own, of_stage = np.meshgrid(np.arange(EXCESSES), stages)
    inequalities = SparsePattern(
        np.concatenate([(k * EXCESSES + i).ravel(), (of_stage * EXCESSES + own).ravel()]),
        np.concatenate([(k * WIDTH + j).ravel(), (of_stage * WIDTH + MOVES + np.array(FAMILY)[own]).ravel()]),
        (EXCESSES * horizon, variables),
    )
    slacks = (stages[:, None] * WIDTH + np.arange(MOVES, WIDTH)).ravel()
    diagonal = np.concatenate([slacks, end + np.arange(STATES, MOVES)])
    squares = SparsePattern(
        np.concatenate([(stages * WIDTH + UPPER_ROWS[:, None]).ravel(), diagonal]),
        np.concatenate([(stages * WIDTH + UPPER_COLUMNS[:, None]).ravel(), diagonal]),
        (variables, variables),
    )
    return equalities, inequalities, squares
