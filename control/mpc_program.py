"""The quadratic program of the stages of an MPC plan, as PIQP takes it: over the change of the plan, and slacks.

Entries that are always zero are left out. The program is scaled, so that PIQP starts near its solution: states are
changed in units of their own, and a limit that is far away counts in its own distance. The solution is the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
from scipy import sparse

from control import mpc_model as model
from control.mpc_model import FAMILY, HOUR_S, INPUTS, SLACKS, SOC, STATES
from twin import casadi_functions as sy
from twin.batch_function import BatchFunction
from twin.smooth_cell import fit_cell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from control.mpc_goal import MpcGoal
    from drivers.snapshot import Columns, Floats

    Entries = tuple[Columns, Columns, Floats]  # rows, columns, factors

SLACK: Final = (2.0, 0.1)  # linear and quadratic price of one unit of slack
SETTLED: Final = 1e-3  # weight of the settlement's square, so that it is determined
LEAST_C: Final = 1e-4  # a narrower range makes the solver's interior vanish; the plan is cut to the real one
UNIT: Final = np.array([0.01, 0.1, 0.1, 1.0, 1.0, 1.0, 1.0])  # of a state (1 %, 100 mV, 1 K, 1) and input, at least
EXCESSES: Final = len(FAMILY)
MOVES: Final = STATES + INPUTS  # what a stage is linearised over
WIDTH: Final = MOVES + len(SLACKS)  # variables of a stage


class StageProgram:
    """The program of `horizon` stages; its variables are those of each stage, the last state, and the settlement."""

    def __init__(self, settings: model.ModelSettings, horizon: int) -> None:
        linear = model.build_linear_stage(model.build_stage(settings))
        self._linear, self.horizon = BatchFunction(linear, horizon), horizon
        self._settle = sy.CompiledFunction(_build_settlement(settings))
        slopes, squares = sy.list_entries(linear, 1), sy.list_entries(linear, 3)
        (of, by), unit = slopes, find_unit(settings.step_s)
        self._of_state, self.unit = of < STATES, unit
        self._equalities = _list_equalities(of[self._of_state], by[self._of_state], horizon, unit)
        self._inequalities = _list_inequalities(of[~self._of_state], by[~self._of_state], horizon, unit)
        self._squares = _list_squares(*squares, horizon, unit)
        variables = horizon * WIDTH + MOVES
        self._gradient, self._low, self._high = np.zeros(variables), *(np.full(variables, b) for b in (-np.inf, np.inf))
        self._split(self._gradient)[MOVES:] = SLACK[0]
        self._split(self._low)[MOVES:] = 0.0
        self._low[-INPUTS:] = 0.0
        self._right = np.zeros((horizon + 1) * STATES + 1)

    def assemble(
        self, states: Floats, inputs: Floats, goal: MpcGoal, limits: Sequence[float], most: Floats
    ) -> dict[str, Any]:
        """Return the program around `states[5, horizon + 1]` and `inputs[2, horizon]`; the next call overwrites it."""
        given = self._linear.inputs
        given[0][:], given[1][:], given[2][:] = states[:, :-1], inputs, goal.data
        given[3][:] = np.asarray(limits)[:, None]
        excess, slopes, gradient, hessian = self._linear()
        self._settle.inputs[0][:] = states[SOC, -1], goal.reference_soc
        worth, more = self._settle()[0]
        share = 1.0 / np.maximum(1.0, -excess.T.ravel())
        self._equalities.of_stages[:], self._equalities.values[-3] = slopes[self._of_state], worth
        self._inequalities.of_stages[:], self._squares.of_stages[:] = slopes[~self._of_state], hessian
        limited = self._inequalities.fill()
        limited.data *= share[limited.indices]
        self._right[-1] = -more
        np.multiply(gradient, self.unit[:, None], out=self._split(self._gradient)[:MOVES])
        self._gradient[-INPUTS:] = goal.surplus, goal.missing
        np.negative(inputs, out=self._split(self._low)[STATES:MOVES])
        np.subtract(np.maximum(most, LEAST_C), inputs, out=self._split(self._high)[STATES:MOVES])
        return {
            "P": self._squares.fill(),
            "c": self._gradient,
            "A": self._equalities.fill(),
            "b": self._right,
            "G": limited,
            "h_u": -excess.T.ravel() * share,
            "x_l": self._low,
            "x_u": self._high,
        }

    def read(self, solution: Floats) -> tuple[Floats, Floats]:
        """Return the change of the inputs `[2, horizon]` and the slacks `[4, horizon]` of a solution."""
        found = self._split(solution)
        return found[STATES:MOVES], found[MOVES:]

    def _split(self, variables: Floats) -> Floats:
        """Return the variables of the stages as `[WIDTH, horizon]`, in place."""
        return variables[: self.horizon * WIDTH].reshape(self.horizon, WIDTH).T


class SparsePattern:
    """A sparse matrix whose entries are replaced: write `values` or `of_stages[entry, stage]`, then `fill`.

    `rows`, `columns` and `factors` of all entries: first those of the stages, `[entry, stage]`, then `others`.
    """

    def __init__(self, stages: Entries, others: Entries, shape: tuple[int, int]) -> None:
        rows, columns, factors = (np.concatenate([a.ravel(), b]) for a, b in zip(stages, others, strict=True))
        numbered = sparse.csc_matrix((np.arange(1.0, len(rows) + 1.0), (rows, columns)), shape)
        numbered.sort_indices()
        self.matrix: Any = numbered
        self._order: Columns = np.asarray(self.matrix.data, np.intp) - 1
        self._factors: Any = factors[self._order]
        self.values = np.ones(len(rows))
        self.of_stages = self.values[: stages[0].size].reshape(stages[0].shape)

    def fill(self) -> Any:
        """Return the matrix of `values`, each by its factor."""
        np.take(self.values, self._order, out=self.matrix.data, mode="clip")  # any other mode copies
        self.matrix.data *= self._factors
        return self.matrix


def find_unit(step_s: float) -> Floats:
    """Return the unit of a change of each state and input; of SoC, what 1 C moves in a step, if that is more."""
    unit = UNIT.copy()
    unit[SOC] = max(unit[SOC], step_s / HOUR_S)
    return unit


def _list_equalities(of: Columns, by: Columns, horizon: int, unit: Floats) -> SparsePattern:
    """Return the equations: the first state stays, each stage leads to the next state, and the settlement."""
    k, last, end = np.arange(horizon), (horizon + 1) * STATES, horizon * WIDTH
    leads = _spread((k + 1) * STATES, of), _spread(k * WIDTH, by), _repeat(-unit[by] / unit[of], horizon)
    stage, state = (axis.ravel() for axis in np.indices((horizon + 1, STATES)))
    others = (
        np.concatenate([stage * STATES + state, np.full(3, last)]),
        np.concatenate([stage * WIDTH + state, end + np.array([SOC, STATES, STATES + 1])]),
        np.concatenate([np.ones(last), [unit[SOC], -1.0, 1.0]]),
    )
    return SparsePattern(leads, others, (last + 1, end + MOVES))


def _list_inequalities(of: Columns, by: Columns, horizon: int, unit: Floats) -> SparsePattern:
    """Return the limits of each stage, relieved by the slack of their family."""
    k, rows = np.arange(horizon), of - STATES
    limits = _spread(k * EXCESSES, rows), _spread(k * WIDTH, by), _repeat(unit[by], horizon)
    stage, limit = (axis.ravel() for axis in np.indices((horizon, EXCESSES)))
    slack = stage * WIDTH + MOVES + np.array(FAMILY)[limit]
    others = stage * EXCESSES + limit, slack, np.full(len(slack), -1.0)
    return SparsePattern(limits, others, (EXCESSES * horizon, horizon * WIDTH + MOVES))


def _list_squares(of: Columns, by: Columns, horizon: int, unit: Floats) -> SparsePattern:
    """Return the squares of the cost: of each stage, of its slacks, and of the settlement."""
    k, variables = np.arange(horizon), horizon * WIDTH + MOVES
    costs = _spread(k * WIDTH, of), _spread(k * WIDTH, by), _repeat(unit[of] * unit[by], horizon)
    slacks, ends = _spread(k * WIDTH, np.arange(MOVES, WIDTH)).ravel(), np.arange(variables - INPUTS, variables)
    prices = np.concatenate([np.full(len(slacks), 2.0 * SLACK[1]), np.full(INPUTS, SETTLED)])
    diagonal = np.concatenate([slacks, ends])
    return SparsePattern(costs, (diagonal, diagonal, prices), (variables, variables))


def _spread(firsts: Columns, places: Columns) -> Columns:
    """Return where entries are in the whole program, `[entry, stage]`."""
    return firsts + places[:, None]


def _repeat(factors: Floats, horizon: int) -> Floats:
    return np.repeat(factors[:, None], horizon, axis=1)


def _build_settlement(settings: model.ModelSettings) -> sy.Function:
    """Return the function from the last SoC and that of reference to the energy: its slope, and how much is more."""
    smooth, soc = fit_cell(settings.cell), sy.symbol("soc", 2)
    more = smooth.compute_energy(soc[0]) - smooth.compute_energy(soc[1])
    result = settings.capacity * cast("Any", sy).vertcat(smooth.compute_ocv(soc[0]), more)
    return sy.function("settlement", {"soc": soc}, {"energy": sy.dense(result)})
