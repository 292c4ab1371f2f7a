"""The packs that a learner steps, and what is known of their episodes."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from control.rl.environment import PackVectorEnv

if TYPE_CHECKING:
    from control.tasks.task import ControlTask
    from drivers.snapshot import Flags, Floats

RECENT: Final = 100  # episodes whose mean cost is shown
CHANGE: Final = 0.1  # of the random actions of a step that are drawn anew: a longer action reaches further


class Transition(NamedTuple):
    """One step of all packs. `own` and `safe`: the action of the policy, and the one that the shield applied.

    `earned`: the negative cost in EUR with what accrued, without the price of the shield; `broken`: 1 where the step
    counts for the constraint: with a shield where it had to correct, without one where a limit was broken.
    """

    observation: Floats
    own: Floats
    safe: Floats
    earned: Floats
    broken: Floats
    following: Floats
    ended: Flags


class Collector:
    """Steps `packs` packs of a task; `low` and `high` are the range of each value observed so far."""

    def __init__(self, task: ControlTask, seed: int, packs: int, *, shielded: bool) -> None:
        self._env, self._shielded = PackVectorEnv(task, packs, shielded=shielded), shielded
        self.observation: Floats
        self.observation, _info = self._env.reset(seed=seed)
        self.low, self.high = self.observation.min(axis=0), self.observation.max(axis=0)
        self.steps = 0  # of all packs together
        self._cost_eur = np.zeros(packs)
        self._recent = deque[float](maxlen=RECENT)
        self._random_actions = np.zeros(packs)

    @property
    def packs(self) -> int:
        return len(self.observation)

    @property
    def recent_cost_eur(self) -> float:
        """The mean cost of the episodes that ended last; NaN before the first."""
        return float(np.mean(self._recent)) if self._recent else float("nan")

    def step(self, own: Floats) -> Transition:
        """Apply the actions `own[packs]`."""
        before = self.observation
        self.observation, _reward, _ended, ended, info = self._env.step(own)
        following = np.where(ended[:, None], info["final_obs"], self.observation) if ended.any() else self.observation
        self.low = np.minimum(self.low, following.min(axis=0))
        self.high = np.maximum(self.high, following.max(axis=0))
        self.steps += self.packs
        self._cost_eur += info["cost_eur"]
        self._recent.extend(self._cost_eur[ended])
        self._cost_eur[ended] = 0.0
        broken = info["intervened"] if self._shielded else info["violation"]
        return Transition(before, own, info["safe_action"], -info["accrued_cost_eur"], broken, following, ended)

    def draw_random(self, random: np.random.Generator) -> Floats:
        """Return uniform actions `[packs]`, each kept for ten steps on average."""
        fresh = random.random(self.packs) < CHANGE
        self._random_actions = np.where(fresh, random.uniform(-1.0, 1.0, self.packs), self._random_actions)
        return self._random_actions

    def get_state(self) -> dict[str, Any]:
        """Return all that the next steps depend on, for `set_state`."""
        arrays = {name: getattr(self, name).copy() for name in self._ARRAYS}
        return {"simulation": self._env.simulation.get_state(), "recent": list(self._recent), "steps": self.steps} | {
            "arrays": arrays
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Continue from `get_state` of the same task, seed and number of packs."""
        self._env.simulation.set_state(state["simulation"])
        for name in self._ARRAYS:
            setattr(self, name, state["arrays"][name].copy())
        self._recent = deque(state["recent"], maxlen=RECENT)
        self.steps = state["steps"]

    _ARRAYS = ("observation", "low", "high", "_cost_eur", "_random_actions")
