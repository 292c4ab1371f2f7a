"""The MPC's problem solved completely by a solver of nonlinear programs in CasADi: IPOPT, or fatrop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from control import mpc_model as model
from control.mpc_model import FAMILY, INPUTS, SLACKS, STATES, StageData, StageLimits
from control.mpc_program import SETTLED, SLACK
from twin import casadi_functions
from twin.smooth_cell import fit_cell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from control.mpc_goal import MpcGoal
    from control.mpc_plan import InputRange
    from drivers.snapshot import Floats

STAGE: Final = STATES + INPUTS + len(SLACKS)
GIVEN: Final = 3  # besides start, data and limits: energy of the reference and the prices of settlement
OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "ipopt": {
        "ipopt.print_level": 0,
        "ipopt.sb": "yes",
        "ipopt.tol": 1e-7,
        "ipopt.warm_start_init_point": "yes",
        "ipopt.mu_init": 1e-4,
    },
    "fatrop": {
        "structure_detection": "auto",
        "fatrop.print_level": 0,
        "fatrop.tol": 1e-6,
        "fatrop.max_iter": 100,
        "fatrop.mu_init": 1e-2,
    },
}


class NonlinearPlan:
    """A planner like `mpc_plan.MpcPlan`, started from its last solution; `solver`: "ipopt" or "fatrop"."""

    def __init__(self, settings: model.ModelSettings, horizon: int, solver: str = "ipopt") -> None:
        self.horizon, self._settings = horizon, settings
        self.inputs, self.slack = np.zeros((INPUTS, horizon)), np.zeros((len(SLACKS), horizon))
        self._program = _Program(settings, horizon)
        extra: dict[str, Any] = {"equality": self._program.equality} if solver == "fatrop" else {}
        options = {"print_time": False, **OPTIONS[solver], **extra}
        sy: Any = casadi_functions
        self._solver: Any = sy.nlpsol("peer", solver, self._program.parts, options)
        self._last = np.zeros(self._program.variables)
        self._fresh = True

    @property
    def current_c(self) -> Floats:
        return self.inputs[0] - self.inputs[1]

    def shift(self) -> None:
        """Go on by one stage; the last one stays."""
        stages = self._last[: self.horizon * STAGE].reshape(self.horizon, STAGE)
        stages[:-1] = stages[1:].copy()
        self.inputs = np.ascontiguousarray(stages[:, STATES : STATES + INPUTS].T)

    def solve(self, start: Floats, goal: MpcGoal, limits: Sequence[float], allowed: InputRange) -> bool:
        stages = self._last[: self.horizon * STAGE].reshape(self.horizon, STAGE)
        if self._fresh:
            stages[:, :STATES], self._last[self.horizon * STAGE :][:STATES] = start, start
            self._fresh = False
        most = allowed.fill(self.horizon)
        low, high = np.full(len(self._last), -np.inf), np.full(len(self._last), np.inf)
        by_stage = (bound[: self.horizon * STAGE].reshape(self.horizon, STAGE) for bound in (low, high))
        low_stages, high_stages = by_stage
        low_stages[:, STATES:], high_stages[:, STATES : STATES + INPUTS] = 0.0, np.maximum(most, 1e-6).T
        low[-INPUTS:] = 0.0
        energy = float(fit_cell(self._settings.cell).compute_energy(goal.reference_soc)) * self._settings.capacity
        given = np.concatenate([start, goal.data.T.ravel(), np.asarray(limits), [energy, goal.surplus, goal.missing]])
        equal = np.array(self._program.equality)
        found = self._solver(
            x0=self._last, p=given, lbx=low, ubx=high, lbg=np.where(equal, 0.0, -np.inf), ubg=np.zeros(len(equal))
        )
        solution = cast("Floats", np.array(found["x"].full(), np.float64).ravel())
        if not self._solver.stats()["success"]:
            return False
        self._last = solution.copy()
        stages = solution[: self.horizon * STAGE].reshape(self.horizon, STAGE)
        self.inputs = np.clip(stages[:, STATES : STATES + INPUTS].T, 0.0, most)
        self.slack = stages[:, STATES + INPUTS :].T.copy()
        return True


class _Program:
    """The nonlinear program, stage by stage in the order that fatrop finds: state, inputs and slacks."""

    def __init__(self, settings: model.ModelSettings, horizon: int) -> None:
        sy: Any = casadi_functions  # CasADi's expressions carry no types
        stage: Any = model.build_stage_function(model.build_stage(settings))
        smooth = fit_cell(settings.cell)
        data_rows, limit_rows = len(StageData), len(StageLimits)
        start, limits = sy.matrix_symbol("start", STATES), sy.matrix_symbol("limits", limit_rows)
        data = [sy.matrix_symbol(f"data_{k}", data_rows) for k in range(horizon)]
        settles = sy.matrix_symbol("settles", GIVEN)
        x, variables, rows, cost = sy.matrix_symbol("x_0", STATES), list[Any](), list[Any](), 0.0
        self.equality: list[bool] = []
        first = x - start
        for k in range(horizon):
            u, s = sy.matrix_symbol(f"u_{k}", INPUTS), sy.matrix_symbol(f"s_{k}", len(SLACKS))
            after, excess, own_cost = stage(x, u, data[k], limits)
            following = sy.matrix_symbol(f"x_{k + 1}", STATES)
            own = sy.vertcat(*(excess[n] - s[family] for n, family in enumerate(FAMILY)))
            rows += [following - after, *([first] if k == 0 else []), own]
            self.equality += [True] * STATES + [True] * (STATES if k == 0 else 0) + [False] * len(FAMILY)
            cost += own_cost + SLACK[1] * sy.sumsqr(s) + SLACK[0] * sy.sum1(s)
            variables += [x, u, s]
            x = following
        ends = sy.matrix_symbol("ends", INPUTS)
        more = settings.capacity * sy.call_scalar(smooth.compute_energy, x[model.SOC]) - settles[0]
        rows.append(more - ends[0] + ends[1])
        self.equality.append(True)
        cost += settles[1] * ends[0] + settles[2] * ends[1] + 0.5 * SETTLED * sy.sumsqr(ends)
        whole = sy.vertcat(*variables, x, ends)
        self.variables = horizon * STAGE + STATES + INPUTS
        given = sy.vertcat(start, *data, limits, settles)
        self.parts: Any = {"x": whole, "p": given, "f": cost, "g": sy.vertcat(*rows)}
