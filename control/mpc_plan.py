"""The plan of the MPC: one quadratic program of stages for each sample (real-time iteration, Diehl et al. 2005).

Each solve simulates the last plan from the present state, linearises every stage along it, and PIQP solves the program
of stages (Schwan et al. 2023; its sparse factorisation takes a time that grows with the number of stages). Limits are
soft, one slack a stage and family, so a solution always exists; the range of the current is hard.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import piqp

from control import mpc_model as model
from control.mpc_model import INPUTS, SLACKS, STATES
from control.mpc_program import StageProgram
from twin import casadi_functions as sy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from control.mpc_goal import MpcGoal
    from drivers.snapshot import Floats

ITERATIONS: Final = 60
ACCURACY: Final = (1e-6, 1e-7)  # absolute and relative residual: the first current is within 1e-4 C of the exact one
NEVER: Final = 1e-14  # of the solver's tests for no solution: slacks make one, and large slacks mislead the tests
STEP_SHARE: Final = 0.995  # of the way to the boundary
LOOSENESS: Final = 1e-8  # of the equations, in each iteration: with less, round-off; with more, many iterations


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


class MpcPlan:
    """`inputs[2, horizon]` in C: discharge and charge. Also `states[5, horizon + 1]` and `slack[4, horizon]`.

    Inputs and slack are replaced as a whole, so that another thread can read them at any time. `iterations` are those
    of PIQP in the last plan that was found.
    """

    def __init__(self, settings: model.ModelSettings, horizon: int) -> None:
        self._roll = sy.CompiledFunction(sy.accumulate(model.build_step(model.build_stage(settings)), horizon))
        self._program, self.horizon = StageProgram(settings, horizon), horizon
        self.inputs, self.slack = np.zeros((INPUTS, horizon)), np.zeros((len(SLACKS), horizon))
        self.states = np.zeros((STATES, horizon + 1))
        self._solver: Any = None
        self.iterations = 0

    @property
    def current_c(self) -> Floats:
        """The current of each stage, discharge positive."""
        discharge_c, charge_c = self.inputs
        return discharge_c - charge_c

    def shift(self) -> None:
        """Go on by one stage; the last one stays."""
        self.inputs = np.append(self.inputs[:, 1:], self.inputs[:, -1:], axis=1)

    def solve(self, start: Floats, goal: MpcGoal, limits: Sequence[float], allowed: InputRange) -> bool:
        """Improve the plan by one iteration from `start[5]`; return False, and keep it, if none was found."""
        most = allowed.fill(self.horizon)
        self.inputs = np.clip(self.inputs, 0.0, most)
        self._simulate(start, goal, limits)
        if not np.isfinite(self.states).all():
            return False
        program = self._program.assemble(self.states, self.inputs, goal, limits, most)
        solver = self._improve(program)
        if solver is None:
            return False
        self.iterations = int(solver.result.info.iter)
        change, slack = self._program.read(np.asarray(solver.result.x))
        self.inputs, self.slack = np.clip(self.inputs + change, 0.0, most), slack.copy()
        return True

    def _improve(self, program: dict[str, Any]) -> Any:
        """Solve the program, if need be once more by the slower way; return the solver, or None if both failed."""
        solver = self._solver
        if solver is None:
            solver = self._solver = _make_solver()
            solver.setup(**program)
        else:
            solver.update(**program)
        if solver.solve() == piqp.PIQP_SOLVED:
            return solver
        self._solver, solver = None, _make_solver(slow=True)
        solver.setup(**program)
        return solver if solver.solve() == piqp.PIQP_SOLVED else None

    def _simulate(self, start: Floats, goal: MpcGoal, limits: Sequence[float]) -> None:
        """Fill `states` with where the present plan leads."""
        roll = self._roll.inputs
        roll[0][:], roll[1][:], roll[2][:] = start, self.inputs, goal.data
        roll[3][:] = np.asarray(limits)[:, None]
        self.states[:, 0], self.states[:, 1:] = start, self._roll()[0]


def _make_solver(*, slow: bool = False) -> Any:
    """Return a solver that eliminates the equations and relies on the scale of the program; a slow one does neither."""
    solver: Any = piqp.SparseSolver()
    if slow:
        solver.settings.kkt_solver = piqp.KKTSolver.sparse_multistage
    else:
        solver.settings.kkt_solver = piqp.KKTSolver.sparse_ldlt_eq_cond
        solver.settings.preconditioner_iter = 0
    solver.settings.eps_abs, solver.settings.eps_rel = ACCURACY
    solver.settings.eps_duality_gap_abs, solver.settings.eps_duality_gap_rel = ACCURACY
    solver.settings.eps_primal_inf = solver.settings.eps_dual_inf = NEVER
    solver.settings.tau = STEP_SHARE
    solver.settings.delta_init = LOOSENESS
    solver.settings.reg_lower_limit = solver.settings.reg_finetune_lower_limit = LOOSENESS
    solver.settings.max_iter = ITERATIONS
    return solver
