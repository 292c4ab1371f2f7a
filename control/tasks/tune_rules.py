"""Tune the rule of a task on the episodes that are for tuning: `python -m control.tasks.tune_rules` (some minutes)."""

from __future__ import annotations

import itertools
import sys
from typing import TYPE_CHECKING, Final

from control.tasks.rules import PriceTrader
from control.tasks.simulation import TaskSimulation
from control.tasks.task import TaskRule, find_task, read_task

if TYPE_CHECKING:
    from control.tasks.task import ControlTask

SEED, EPISODES = 0, 100  # no judge uses this seed
TOGETHER: Final = (
    ("window_h", "buy"),
    ("window_h", "sell"),
    ("buy", "sell"),
    ("rate", "spread_eur_kwh"),
    ("hysteresis",),
)
CHOICES: Final[dict[str, tuple[float, ...]]] = {
    "window_h": (3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0, 20.0, 24.0),
    "buy": (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4),
    "sell": (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4),
    "rate": (0.3, 0.4, 0.5, 0.6, 0.8, 1.0),
    "spread_eur_kwh": (0.0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.12, 0.14, 0.16, 0.2),
    "hysteresis": (0.0, 0.02, 0.05, 0.1, 0.2),
}


def find_cost(task: ControlTask, rule: TaskRule, episodes: int = EPISODES) -> float:
    """Return the mean cost of a day (EUR) under `rule` over the tuning episodes, with the shield."""
    task = task.model_copy(update={"rule": rule})
    simulation = TaskSimulation(task, SEED, episodes)
    trader, cost_eur = PriceTrader(task, episodes), 0.0
    for _ in range(task.steps):
        soc = simulation.measured.soc.mean(axis=0)
        cost_eur += float(simulation.step(trader.request(simulation.get_ahead(), soc)).cost_eur.sum())
    return cost_eur / episodes


def tune(task: ControlTask, episodes: int = EPISODES) -> tuple[TaskRule, float]:
    """Return the best rule and its cost: every choice of two parameters, pair after pair, until none improves."""
    best, lowest = TaskRule(), find_cost(task, TaskRule(), episodes)
    while True:
        before = lowest
        for names in TOGETHER:
            for values in itertools.product(*(CHOICES[name] for name in names)):
                rule = best.model_copy(update=dict(zip(names, values, strict=True)))
                if (cost := find_cost(task, rule, episodes)) < lowest:
                    best, lowest = rule, cost
        if not lowest < before - 1e-6 * abs(before):
            return best, lowest


def main() -> None:
    """Print the tuned rule as the table of a task file, with the figure that it reached."""
    rule, cost_eur = tune(read_task(find_task("arbitrage")))
    tuned_on = f"Tuned on the episodes 0 to {EPISODES - 1} of seed {SEED}: {cost_eur:.6f} EUR a day"
    lines = [f"# {tuned_on}; see control.tasks.tune_rules.", "[rule]"]
    lines += [f"{name} = {value:g}" for name, value in rule]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
