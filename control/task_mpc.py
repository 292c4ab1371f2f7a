"""The MPC on a reference task: it knows the task, the declared middle of what varies, and the signal ahead."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from control.mpc import MpcController, MpcSettings
from control.mpc_goal import Market, track_current, trade
from control.mpc_model import ModelSettings, MpcLimits
from control.mpc_observer import PackObserver
from control.mpc_plan import MpcPlan
from control.shield import Shield, make_shield_settings
from control.tasks.cost import HOUR_S, TaskCosts
from control.tasks.task import TaskKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from control.mpc import Planner
    from control.mpc_goal import MpcGoal
    from control.shield import ShieldSettings
    from control.tasks.task import ControlTask
    from drivers.snapshot import Floats
    from twin.cell_parameters import CellParameters

CHARGE_HORIZON: Final = 40  # steps, where a task has no signal to look ahead at
FIRST_SOLVES: Final = 8  # iterations of the first plan; then one a step


class TaskGoals:
    """The goal of each step of a task, from its `signal[steps]` or longer; each decision is one step.

    At a market, the energy left at the end is settled at the mean of the prices that are known by then.
    """

    def __init__(self, task: ControlTask, signal: Floats, horizon: int) -> None:
        self._task, self._signal, self._horizon = task, np.asarray(signal, np.float64), horizon
        self._costs, self._step, self._soc0 = TaskCosts(task), -1, math.nan

    def begin(self, dt_s: float) -> None:
        del dt_s
        self._step += 1

    def make(self, soc: float) -> MpcGoal:
        self._soc0 = self._soc0 if math.isfinite(self._soc0) else soc
        task = self._task
        if task.kind is TaskKind.ARBITRAGE:
            return self._trade()
        if task.kind is TaskKind.CHARGE:
            return track_current(np.full(self._horizon, -task.limits.charge_c))
        squared_eur = task.cost.tracking_eur_a2_h * task.pack_ah**2 * task.step_s / HOUR_S
        wear = self._costs.wear_eur / squared_eur if squared_eur else 0.0
        return track_current(self._look_ahead() / task.pack_ah, wear)

    def find_error(self, current_a: float) -> float:
        """Return the distance from the duty; other tasks follow no current."""
        follows = self._task.kind is TaskKind.DUTY
        return current_a - float(self._signal[min(self._step, len(self._signal) - 1)]) if follows else 0.0

    def _trade(self) -> MpcGoal:
        task = self._task
        known = self._signal[: self._step + task.preview]
        kwh = task.pack.cells * task.pack_ah / 1e3
        market = Market(kwh, task.cost.efficiency, self._costs.wear_eur, float(known.mean()), self._soc0)
        is_open = self._step + np.arange(self._horizon) < task.steps
        return trade(market, self._look_ahead(), is_open, task.step_s)

    def _look_ahead(self) -> Floats:
        """Return the signal of the plan's stages; its last value stays."""
        places = self._step + np.arange(self._horizon)
        return self._signal[np.minimum(places, len(self._signal) - 1)]


def build_task_mpc(
    task: ControlTask,
    signal: Floats,
    *,
    cell: CellParameters | None = None,
    make_plan: Callable[[ModelSettings, int], Planner] = MpcPlan,
) -> MpcController:
    """Build the MPC for one episode of `task`, whose `signal` is a price (EUR/kWh) or a current (A) for each step.

    Call `decide` once a step. `cell` is what the MPC believes (default: the cell of the task); its shield and limits
    are those of the task. `make_plan` makes the planner.
    """
    believed, varies = cell or task.cell, task.varies
    model = ModelSettings(believed, task.step_s, float(np.mean(varies.capacity)), float(np.mean(varies.resistance)))
    horizon = CHARGE_HORIZON if task.kind is TaskKind.CHARGE else task.preview
    shield_settings = make_shield_settings(task, task.pack.parallel)
    limits = make_limits(shield_settings)
    later_c = task.limits.charge_c, task.limits.discharge_c
    settings = MpcSettings(model, horizon, task.pack_ah, limits, task.step_s, later_c, FIRST_SOLVES)
    goals, observer = TaskGoals(task, signal, horizon), PackObserver(model, task.pack.parallel)
    return MpcController(settings, goals, observer, Shield(task.cell, shield_settings), make_plan(model, horizon))


def make_limits(settings: ShieldSettings) -> MpcLimits:
    """Return the limits that the shield of the task keeps, margins for the sensors included."""
    (low_v, high_v), (low_soc, high_soc) = settings.voltage_v, settings.soc
    return MpcLimits(low_v, high_v, low_soc, high_soc, settings.high_k, settings.plating_v)
