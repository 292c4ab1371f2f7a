"""The tasks as Gymnasium environments: one pack, or many at once on one core."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from control.tasks.observation import Observer
from control.tasks.simulation import TaskSimulation

if TYPE_CHECKING:
    from control.tasks.simulation import Outcome
    from control.tasks.task import ControlTask
    from drivers.snapshot import Floats

ACTION: Final = spaces.Box(-1.0, 1.0, (1,), np.float32)  # of the rating, discharge positive
SHIELD_EUR_KWH: Final = 0.1  # price of the energy that the shield had to change, of the size of what trade earns


def make_observation_space(task: ControlTask) -> spaces.Box:
    """Return the space of the observation: see `control.tasks.observation`."""
    return spaces.Box(-np.inf, np.inf, (len(Observer(task).names),), np.float32)


def price_shield(task: ControlTask) -> float:
    """Return the price (EUR) of a whole rating between the action and the safe one, for one step."""
    nominal_v = task.pack.cells * float(task.cell.circuit.rows[0].mean())
    return SHIELD_EUR_KWH * nominal_v * task.rating_a * task.step_s / 3.6e6


def compute_reward(outcome: Outcome, requested_a: Floats, task: ControlTask) -> Floats:
    """Return the reward: the negative cost, less a price for what the shield had to change.

    The settlement counts as it accrues, at the price expected then, not at the end: over many episodes the sum is the
    same, but what is stored counts at once (shaping by a potential: Ng, Harada and Russell 1999), without the chance of
    prices that nobody knows yet. A duty beyond the range of the shield counts from the nearest current within: what no
    action can change would hide the small differences between good ones.
    """
    return -price_step(outcome, task) - price_shield(task) * measure_change(outcome, requested_a, task)


def price_step(outcome: Outcome, task: ControlTask) -> Floats:
    """Return the cost of a step (EUR) with what accrued of the settlement, without what no action could avoid."""
    return outcome.parts.sum(task.cost.violation_eur) + outcome.accrued_eur - outcome.unavoidable_eur


def measure_change(outcome: Outcome, requested_a: Floats, task: ControlTask) -> Floats:
    """Return the distance between the action and the one that was applied, as a fraction of the rating."""
    return np.abs(requested_a - outcome.applied_a) / task.rating_a


class PackEnv(gymnasium.Env[Any, Any]):
    """One pack. `info` has the parts of the cost, the violation, and the safe action beside the policy's own."""

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012  # Gymnasium declares it so

    def __init__(self, task: ControlTask, *, shielded: bool = True) -> None:
        self.task, self._shielded = task, shielded
        self.observation_space, self.action_space = make_observation_space(task), ACTION
        self._episode = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        del options
        own = int(self.np_random.integers(2**31))
        self._simulation = TaskSimulation(self.task, own, 1, shielded=self._shielded)
        return self._simulation.observation[0].astype(np.float32), {"episode_seed": own}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        requested_a = np.asarray(action, np.float64).reshape(1) * self.task.rating_a
        outcome = self._simulation.step(requested_a)
        reward = float(compute_reward(outcome, requested_a, self.task)[0])
        info = {name: float(values[0]) for name, values in make_info(outcome, self.task).items()}
        return outcome.observation[0].astype(np.float32), reward, False, bool(outcome.ended[0]), info


class PackVectorEnv(VectorEnv[Any, Any, Any]):
    """`packs` packs in one process; each begins its next episode in the step that ended the one before."""

    metadata: dict[str, Any] = {"autoreset_mode": AutoresetMode.SAME_STEP}  # noqa: RUF012  # as above

    def __init__(self, task: ControlTask, packs: int, *, shielded: bool = True) -> None:
        self.task, self.num_envs, self._shielded = task, packs, shielded
        self.single_observation_space, self.single_action_space = make_observation_space(task), ACTION
        self.observation_space = batch_space(self.single_observation_space, packs)
        self.action_space = batch_space(self.single_action_space, packs)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        del options
        own = int(self.np_random.integers(2**31))
        self.simulation = TaskSimulation(self.task, own, self.num_envs, shielded=self._shielded)
        return self.simulation.observation.astype(np.float32), {"episode_seed": np.full(self.num_envs, own)}

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        requested_a = np.asarray(actions, np.float64).reshape(self.num_envs) * self.task.rating_a
        outcome = self.simulation.step(requested_a)
        reward = compute_reward(outcome, requested_a, self.task)
        info: dict[str, Any] = dict(make_info(outcome, self.task))
        if outcome.ended.any():
            info["final_obs"] = outcome.observation.astype(np.float32)
            info["_final_obs"] = outcome.ended
        terminated = np.zeros(self.num_envs, np.bool_)
        return self.simulation.observation.astype(np.float32), reward, terminated, outcome.ended, info


def make_info(outcome: Outcome, task: ControlTask) -> dict[str, Floats]:
    """Return what a step's `info` holds, one entry a pack."""
    return {
        "cost_eur": outcome.cost_eur,
        "accrued_cost_eur": price_step(outcome, task),
        "violation": outcome.parts.broken,
        "intervened": outcome.intervened.astype(np.float64),
        "safe_action": outcome.applied_a / task.rating_a,
    }
