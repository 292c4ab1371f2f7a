"""A policy on thousands of episodes of the fast environment, without anybody who takes over."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from control.rl.policy import TOLERANCE, Policy
from control.tasks.simulation import TaskSimulation

if TYPE_CHECKING:
    from pathlib import Path

    from control.tasks.task import ControlTask

PACKS: Final = 500  # at once


@dataclass(frozen=True)
class FastScore:
    """Counts over some episodes. `violated`: episodes with a broken limit, `broken`: steps with one.

    `outside`: observations outside the trained range, `first_outside` the first of them in words; `wrong`: actions that
    are no number or beyond the rating.
    """

    episodes: int = 0
    violated: int = 0
    actions: int = 0
    broken: int = 0
    interventions: int = 0
    outside: int = 0
    wrong: int = 0
    cost_eur: float = 0.0
    first_outside: str = ""

    def __add__(self, other: FastScore) -> FastScore:
        values: dict[str, Any] = {name: getattr(self, name) + getattr(other, name) for name in COUNTED}
        return FastScore(**values, first_outside=self.first_outside or other.first_outside)


COUNTED: Final = tuple(field.name for field in fields(FastScore) if field.name != "first_outside")


def run_fast_episodes(
    path: Path, task: ControlTask, seed: int, first: int, packs: int, *, shielded: bool = True
) -> FastScore:
    """Run `packs` episodes from the number `first` on, each once; raise `BenchFileError` for what is no policy."""
    policy = Policy.load(path)
    low, high = np.array(policy.info.low), np.array(policy.info.high)
    simulation = TaskSimulation(task, seed, packs, first=first, shielded=shielded)
    running, violated, score = np.ones(packs, np.bool_), np.zeros(packs, np.bool_), FastScore()
    while running.any():
        seen = simulation.observation[running]
        outside = ~((seen >= low) & (seen <= high)).all(axis=1)
        actions = policy.act(simulation.observation)
        outcome = simulation.step(np.clip(actions, -1.0, 1.0) * task.rating_a)
        broken = running & (outcome.parts.broken > 0.0)
        violated |= broken
        score += FastScore(
            actions=int(running.sum()),
            broken=int(broken.sum()),
            interventions=int((running & outcome.intervened).sum()),
            outside=int(outside.sum()),
            wrong=int((~(np.abs(actions[running]) <= 1.0 + TOLERANCE)).sum()),
            cost_eur=float(outcome.cost_eur[running].sum()),
            first_outside=policy.find_outside(seen[outside][0]) if outside.any() else "",
        )
        running &= ~outcome.ended
    return score + FastScore(episodes=packs, violated=int(violated.sum()))
