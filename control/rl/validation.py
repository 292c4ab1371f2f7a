"""Episodes of a policy alone, behind the shield or without it, and those that choose the best of a training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from control.tasks.simulation import TaskSimulation

if TYPE_CHECKING:
    from collections.abc import Callable

    from control.tasks.task import ControlTask
    from drivers.snapshot import Floats

SEED: Final = 100  # training uses 0 to 99, validation 100 to 199, judges 1000 and above
PACKS: Final = 64


class Validation(NamedTuple):
    """Mean cost of an episode (EUR); shares of the steps in which the shield corrected, or a limit was broken."""

    cost_eur: float
    interventions: float
    violations: float


class PolicyEpisodes(NamedTuple):
    """One episode of each pack: its cost (EUR), its steps, and those with a correction, with a broken limit."""

    cost_eur: Floats
    steps: Floats
    interventions: Floats
    violations: Floats

    def summarise(self) -> Validation:
        """Return the means over all steps and episodes."""
        cost_eur, steps = float(self.cost_eur.mean()), self.steps.sum()
        return Validation(cost_eur, float(self.interventions.sum() / steps), float(self.violations.sum() / steps))


def run_policy(
    task: ControlTask, act: Callable[[Floats], Floats], *, seed: int, packs: int, shielded: bool = True
) -> PolicyEpisodes:
    """Run the episodes 0 to `packs` - 1 of `seed` under `act(observations[packs, names]) -> actions[packs]`."""
    simulation = TaskSimulation(task, seed, packs, shielded=shielded)
    sums, running = np.zeros((4, packs)), np.ones(packs)
    for _ in range(task.steps):
        outcome = simulation.step(act(simulation.observation) * task.rating_a)
        sums += running * np.array([outcome.cost_eur, running, outcome.intervened, outcome.parts.broken])
        running = running * ~outcome.ended
        if not running.any():
            break
    return PolicyEpisodes(*sums)


def validate(
    task: ControlTask, act: Callable[[Floats], Floats], *, seed: int = SEED, packs: int = PACKS, shielded: bool = True
) -> Validation:
    """Return the figures of `run_policy` over all its episodes."""
    return run_policy(task, act, seed=seed, packs=packs, shielded=shielded).summarise()
