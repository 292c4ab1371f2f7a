"""The episodes that choose the best policy of a training: apart from those that train and those that judge."""

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


def validate(
    task: ControlTask, act: Callable[[Floats], Floats], *, seed: int = SEED, packs: int = PACKS, shielded: bool = True
) -> Validation:
    """Run one episode of each of `packs` packs under `act(observations[packs, names]) -> actions[packs]`."""
    simulation = TaskSimulation(task, seed, packs, shielded=shielded)
    cost_eur, running = np.zeros(packs), np.ones(packs)
    interventions = violations = steps = 0.0
    for _ in range(task.steps):
        outcome = simulation.step(act(simulation.observation) * task.rating_a)
        cost_eur += running * outcome.cost_eur
        interventions += float((running * outcome.intervened).sum())
        violations += float((running * outcome.parts.broken).sum())
        steps += float(running.sum())
        running = running * ~outcome.ended
        if not running.any():
            break
    return Validation(float(cost_eur.mean()), interventions / steps, violations / steps)
