"""What the algorithms learn in minutes, beside a rule that is tuned on other episodes."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest

from control.rl.seed_training import SeedJob, SeedTraining
from control.tasks.simulation import TaskSimulation
from control.tasks.task import find_task, read_task
from drivers.clock import monotonic

if TYPE_CHECKING:
    from control.tasks.task import ControlTask

TUNED_ON, JUDGED_ON, PACKS = 50, 1000, 200
WITHIN_S = 300.0


def run_threshold_rule(task: ControlTask, seed: int, choice: tuple[float, float, float, int]) -> float:
    """Mean cost (EUR) of buying below one quantile of the coming prices and selling above another."""
    (buy, sell, rate, hours), simulation, cost_eur = choice, TaskSimulation(task, seed, PACKS), 0.0
    for _ in range(task.steps):
        ahead = simulation.get_ahead()[:, : 4 * hours]
        low, high = np.quantile(ahead, [buy, sell], axis=1)
        action = rate * ((ahead[:, 0] > high).astype(np.float64) - (ahead[:, 0] < low))
        cost_eur += float(simulation.step(action * task.rating_a).cost_eur.mean())
    return cost_eur


@pytest.mark.soak
@pytest.mark.parametrize("algorithm", ["sac", "cpo"])
def test_a_policy_beats_the_tuned_rule_after_five_minutes(algorithm: str) -> None:
    task = read_task(find_task("arbitrage"))
    choices = list(itertools.product((0.05, 0.1, 0.15, 0.2), (0.8, 0.85, 0.9, 0.95), (0.5, 0.7, 1.0), (6, 12, 24)))
    tuned = min(choices, key=lambda choice: run_threshold_rule(task, TUNED_ON, choice))
    rule_eur = run_threshold_rule(task, JUDGED_ON, tuned)
    training, until_s = SeedTraining(SeedJob(task, algorithm, 0)), monotonic() + WITHIN_S
    while monotonic() < until_s:
        training.advance()
        assert not training.alarm
    policy_eur = training.judge(JUDGED_ON, PACKS).cost_eur
    assert policy_eur < rule_eur, f"rule {tuned}"
