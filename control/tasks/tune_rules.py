"""Tune the price rule on the episodes that are for tuning: `python -m control.tasks.tune_rules` (a minute)."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from control.tasks.rules import FILE, SCHEMA, PriceRule, PriceTrader
from control.tasks.simulation import TaskSimulation
from control.tasks.task import find_task, read_task

if TYPE_CHECKING:
    from control.tasks.task import ControlTask

SEED, EPISODES = 0, 100  # no judge uses this seed
START: Final = PriceRule(buy=0.25, sell=0.75, rate=1.0, spread_eur_kwh=0.05, hysteresis=0.05)
TOGETHER: Final = (("buy", "sell"), ("rate", "spread_eur_kwh"), ("hysteresis",))
CHOICES: Final[dict[str, tuple[float, ...]]] = {
    "buy": (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45),
    "sell": (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95),
    "rate": (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0),
    "spread_eur_kwh": (0.0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.12, 0.14, 0.16, 0.2),
    "hysteresis": (0.0, 0.02, 0.05, 0.1, 0.2),
}


def find_cost(task: ControlTask, rule: PriceRule, episodes: int = EPISODES) -> float:
    """Return the mean cost of a day (EUR) over the tuning episodes, with the shield."""
    simulation = TaskSimulation(task, SEED, episodes)
    trader, cost_eur = PriceTrader(task, rule, episodes), 0.0
    for _ in range(task.steps):
        soc = simulation.measured.soc.mean(axis=0)
        cost_eur += float(simulation.step(trader.request(simulation.get_ahead(), soc)).cost_eur.sum())
    return cost_eur / episodes


def tune(task: ControlTask, episodes: int = EPISODES) -> tuple[PriceRule, float]:
    """Return the best rule and its cost: every choice of two parameters, pair after pair, until none improves."""
    best, lowest = START, find_cost(task, START, episodes)
    while True:
        before = lowest
        for names in TOGETHER:
            for values in itertools.product(*(CHOICES[name] for name in names)):
                rule = replace(best, **dict(zip(names, values, strict=True)))
                if (cost := find_cost(task, rule, episodes)) < lowest:
                    best, lowest = rule, cost
        if not lowest < before - 1e-6 * abs(before):
            return best, lowest


def main() -> None:
    """Write the tuned rule with the figure that it reached."""
    rule, cost_eur = tune(read_task(find_task("arbitrage")))
    values = [f"{name} = {np.round(value, 6):g}" for name, value in vars(rule).items()]
    lines = [
        "# The rule of the arbitrage task; `python -m control.tasks.tune_rules` writes this file.",
        f'\nschema = "{SCHEMA}"\n',
        "[arbitrage]",
        f'tuned_on = "seed {SEED}, episodes 0 to {EPISODES - 1}"',
        f"mean_cost_eur = {cost_eur:.6f}      # of a day of those",
        *values,
    ]
    FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
