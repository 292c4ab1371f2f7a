"""The MPC's problem as a user of do-mpc would write it: model, objective, slacks as inputs; it solves with IPOPT."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from control import mpc_model as model
from control.mpc_model import FAMILY, INPUTS, SLACKS, STATES, StageData, StageLimits
from control.mpc_program import SLACK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from control.mpc_goal import MpcGoal
    from control.mpc_plan import InputRange
    from drivers.snapshot import Floats


class DoMpcPlan:
    """A planner like `mpc_plan.MpcPlan`, for goals without a settlement of energy."""

    def __init__(self, settings: model.ModelSettings, horizon: int) -> None:
        self.horizon, self.inputs, self.slack = horizon, np.zeros((INPUTS, horizon)), np.zeros((len(SLACKS), horizon))
        self._data: Floats = np.zeros((len(StageData), horizon + 1))
        self._limits: Floats = np.zeros(len(StageLimits))
        self._fresh = True
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of parts that are not installed, and of CasADi about numpy
            library: Any = import_module("do_mpc")
            own = _describe(library.model.Model("discrete", "SX"), settings)
            self._controller: Any = self._configure(library.controller.MPC(own), own)

    @property
    def current_c(self) -> Floats:
        return self.inputs[0] - self.inputs[1]

    def shift(self) -> None:
        """Do nothing: it starts from its last solution."""

    def solve(self, start: Floats, goal: MpcGoal, limits: Sequence[float], allowed: InputRange) -> bool:
        self._data[:, :-1], self._data[:, -1], self._limits = goal.data, goal.data[:, -1], np.asarray(limits)
        most = allowed.fill(self.horizon)[:, 0]
        self._controller.bounds["upper", "_u", "u"] = most
        self._controller.x0 = start
        if self._fresh:
            self._controller.set_initial_guess()
            self._fresh = False
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._controller.make_step(start.reshape(-1, 1))
        planned = [self._controller.opt_x_num["_u", k, 0] for k in range(self.horizon)]
        scaling = np.array(self._controller._u_scaling.cat.full()).ravel()  # noqa: SLF001  # it has no other door
        values = np.array([np.array(one.full()).ravel() * scaling for one in planned]).T
        self.inputs, self.slack = values[:INPUTS], values[INPUTS:]
        return bool(self._controller.solver_stats["success"])

    def _configure(self, controller: Any, own: Any) -> Any:
        """Give the controller the same cost, bounds and limits."""
        controller.settings.n_horizon, controller.settings.t_step = self.horizon, 1.0
        controller.settings.store_full_solution = False
        controller.settings.supress_ipopt_output()
        controller.set_objective(mterm=0.0 * own.x["x"][0], lterm=own.aux["cost"])
        controller.set_rterm(u=np.zeros(INPUTS), s=np.zeros(len(SLACKS)))
        controller.bounds["lower", "_u", "u"] = np.zeros(INPUTS)
        controller.bounds["upper", "_u", "u"] = np.ones(INPUTS)
        controller.bounds["lower", "_u", "s"] = np.zeros(len(SLACKS))
        for n in range(len(FAMILY)):
            controller.set_nl_cons(f"limit_{n}", own.aux[f"broken_{n}"], ub=0.0)
        template, given = controller.get_tvp_template(), controller.get_p_template(1)

        def read_data(_now: Any) -> Any:
            for k in range(self.horizon + 1):
                template["_tvp", k, "data"] = self._data[:, k]
            return template

        def read_limits(_now: Any) -> Any:
            given["_p", 0, "limits"] = self._limits
            return given

        controller.set_tvp_fun(read_data)
        controller.set_p_fun(read_limits)
        controller.setup()
        return controller


def _describe(own: Any, settings: model.ModelSettings) -> Any:
    """Give an empty model of do-mpc our stage."""
    x, u = own.set_variable("_x", "x", (STATES, 1)), own.set_variable("_u", "u", (INPUTS, 1))
    s, data = own.set_variable("_u", "s", (len(SLACKS), 1)), own.set_variable("_tvp", "data", (len(StageData), 1))
    limits = own.set_variable("_p", "limits", (len(StageLimits), 1))
    stage: Any = model.build_stage_function(model.build_stage(settings))
    after, excess, cost = stage(x, u, data, limits)
    own.set_rhs("x", after)
    own.set_expression("cost", cost + sum(SLACK[0] * s[n] + SLACK[1] * s[n] ** 2 for n in range(len(SLACKS))))
    for n, family in enumerate(FAMILY):
        own.set_expression(f"broken_{n}", excess[n] - s[family])
    own.setup()
    return own
