"""What the algorithms learn in minutes, beside the rule of the task, which is tuned on other episodes."""

from __future__ import annotations

import pytest

from control.rl.seed_training import SeedJob, SeedTraining
from control.tasks.rules import PriceTrader
from control.tasks.simulation import TaskSimulation
from control.tasks.task import find_task, read_task
from drivers.clock import monotonic

JUDGED_ON, PACKS = 1000, 200
WITHIN_S = 300.0
TASK = read_task(find_task("arbitrage"))


def run_rule() -> float:
    """Mean cost (EUR) of a day of the tuned rule."""
    simulation, cost_eur = TaskSimulation(TASK, JUDGED_ON, PACKS), 0.0
    trader = PriceTrader(TASK, PACKS)
    for _ in range(TASK.steps):
        requested_a = trader.request(simulation.get_ahead(), simulation.seen[:2].mean(axis=0))
        cost_eur += float(simulation.step(requested_a).cost_eur.mean())
    return cost_eur


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("algorithm", ["sac", "cpo"])
def test_a_policy_beats_the_tuned_rule_after_five_minutes(algorithm: str) -> None:
    training, until_s = SeedTraining(SeedJob(TASK, algorithm, 0)), monotonic() + WITHIN_S
    while monotonic() < until_s:
        training.advance()
        assert not training.alarm
    assert training.judge(JUDGED_ON, PACKS).cost_eur < run_rule()
