"""The MPC's problem solved completely by IPOPT: same cost, same limits, no linearisation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from control import mpc, mpc_model
from twin import casadi_functions

if TYPE_CHECKING:
    from control.ports import CurrentRange
    from drivers.snapshot import Floats


class IpoptPlan:
    """A planner with `solve` as in `mpc.MpcPlan`, started from its last solution."""

    def __init__(self, horizon: int, step_s: float, parallel: int, cell_ah: float, limits: mpc_model.MpcLimits) -> None:
        sy: Any = casadi_functions  # CasADi's expressions carry no types
        u, x, g = mpc_model.compute_excess(horizon, step_s, parallel, cell_ah, limits)
        slack, wanted = sy.symbol("s", mpc_model.FAMILIES), sy.symbol("w", horizon)
        cost = sy.sumsqr(u - wanted) + mpc.SMOOTH * sy.sumsqr(u[1:] - u[:-1])
        cost += mpc.SLACK[1] * sy.sumsqr(slack) + mpc.SLACK[0] * sum(slack[n] for n in range(mpc_model.FAMILIES))
        constraints = sy.vertcat(*(g[k] - slack[k // horizon] for k in range(mpc_model.FAMILIES * horizon)))
        problem = {"x": sy.vertcat(u, slack), "p": sy.vertcat(x, wanted), "f": cost, "g": constraints}
        quiet = {"ipopt.print_level": 0, "print_time": 0, "ipopt.sb": "yes"}
        warm = {"ipopt.warm_start_init_point": "yes", "ipopt.mu_init": 1e-4}
        self._solver: Any = sy.nlpsol("peer", "ipopt", problem, {**quiet, **warm})
        self.current_a = np.zeros(horizon)
        self._last = np.zeros(horizon + mpc_model.FAMILIES)

    def solve(self, start: Floats, profile_a: Floats, allowed: CurrentRange) -> bool:
        horizon, slacks = len(self.current_a), mpc_model.FAMILIES
        low = np.concatenate([np.full(horizon, -allowed.charge_a), np.zeros(slacks)])
        high = np.concatenate([np.full(horizon, allowed.discharge_a), np.full(slacks, np.inf)])
        given = np.concatenate([start, profile_a])
        found = self._solver(x0=self._last, p=given, lbx=low, ubx=high, lbg=-np.inf, ubg=0.0)
        self._last = cast("Floats", np.array(found["x"].full(), np.float64).ravel())
        self.current_a = self._last[:horizon]
        return bool(self._solver.stats()["success"])
