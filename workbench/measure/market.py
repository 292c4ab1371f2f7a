"""Arbitrage on a published market: rules are tuned on one year, every controller is judged on the next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from workbench.measure.metric import MeasuredMetric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from control.ports import Controller
    from control.tasks.episode_runner import EpisodeRunner
    from control.tasks.task import ControlTask, TaskRule
    from workbench.measure.job import MeasureJob
    from workbench.measure.metric import MeasureRow

_Builder: TypeAlias = "Callable[[EpisodeRunner], Controller | None]"
FOLDER, TABLE, UNIT = "grid_prices", "BE_day_ahead_2022_2023.csv", "EUR/kWh"
TUNED_FROM, JUDGED_FROM, JUDGED_TO = date(2022, 1, 1), date(2023, 1, 1), date(2024, 1, 1)
DAYS: Final = 40
TUNED_DAYS: Final = 100
_OTHER_DAYS: Final = "the policy was trained on the generator, whose days differ from those of this market"
MPC: Final = MeasuredMetric(
    "arbitrage on a published market, a day of the MPC less one of the tuned rule", "EUR", "<", 0.0
)
POLICY: Final = MeasuredMetric(
    "arbitrage on a published market, a day of the policy less one of the tuned rule", "EUR", "<", 0.0, "", _OTHER_DAYS
)
METRICS: Final = (MPC, POLICY)


@dataclass(frozen=True)
class JudgedMarket:
    """A task on the two spans of a table, and the seed of the judged episodes."""

    tuned: ControlTask
    judged: ControlTask
    seed: int


def find_table(data: Path | None) -> Path | None:
    """Return the price table in the folder of recorded data, if it is there."""
    path = None if data is None else data / FOLDER / TABLE
    return path if path is not None and path.is_file() else None


def open_market(path: Path, task: ControlTask, seed: int) -> JudgedMarket:
    """Return the task on the year for tuning, and on the year after it; the expectation is fitted to the former."""
    from control.tasks.price_source import PriceSource  # noqa: PLC0415  # only this figure needs it
    from control.tasks.task import replace_prices  # noqa: PLC0415

    tuned = PriceSource(path, UNIT, begin=TUNED_FROM, end=JUDGED_FROM)
    judged = PriceSource(path, UNIT, begin=JUDGED_FROM, end=JUDGED_TO, fit_begin=TUNED_FROM)
    return JudgedMarket(replace_prices(task, tuned), replace_prices(task, judged), seed)


def measure_market(
    job: MeasureJob, task: ControlTask, seed: int, policy: Path | None, conditions: str
) -> Iterator[MeasureRow]:
    """Compare what a day costs on the same days; the shield is on for all. Nothing without a table."""
    from control.tasks.tune_rules import tune  # noqa: PLC0415  # only this figure needs it

    if (path := find_table(job.data)) is None:
        job.say(f"arbitrage on a published market left out: no {FOLDER}/{TABLE} in PULSEBMS_DATA or --data")
        return
    market, days = open_market(path, task, seed), job.times(DAYS)
    job.say(f"arbitrage on {TABLE}: the rule is tuned on {TUNED_FROM.year}")
    rules = {"tuned rule": tune(market.tuned, job.times(TUNED_DAYS))[0], "shipped rule": task.rule}
    others = {"MPC": "mpc"} | ({} if policy is None else {"policy": str(policy)})
    builders: dict[str, _Builder] = {name: partial(_build_rule, rule, market.judged) for name, rule in rules.items()}
    builders |= {name: partial(_build, other, market.judged) for name, other in others.items()}
    builders["at rest"] = _build_nothing
    costs = {name: _run(job, market, days, name, build) for name, build in builders.items()}
    shown = ", ".join(f"{name} {cost:.4f}" for name, cost in costs.items())
    words = f"{conditions}; {days} days of {JUDGED_FROM.year} from {path.stem}, seed {seed}, ECM; EUR a day: {shown}"
    yield MPC.make_row(costs["MPC"] - costs["tuned rule"], None, words)
    yield POLICY.make_row(costs.get("policy", float("nan")) - costs["tuned rule"], None, words)


def _build(name: str, task: ControlTask, runner: EpisodeRunner) -> Controller:
    from control.tasks import controllers  # noqa: PLC0415  # only this figure needs it

    return controllers.build_controller(name, task, runner.signal, runner.observe, controllers.MPC)


def _build_rule(rule: TaskRule, task: ControlTask, runner: EpisodeRunner) -> Controller:
    from control.tasks.rules import PriceRuleController  # noqa: PLC0415  # only this figure needs it

    return PriceRuleController(task.model_copy(update={"rule": rule}), runner.signal)


def _build_nothing(runner: EpisodeRunner) -> None:
    del runner  # a pack at rest needs no controller


def _run(job: MeasureJob, market: JudgedMarket, days: int, name: str, build: _Builder) -> float:
    """Return the mean cost (EUR) of the judged days under what `build` makes for each; at rest under nothing."""
    from control.ports import Decision  # noqa: PLC0415  # only this figure needs it
    from control.tasks.episode_runner import EpisodeRunner  # noqa: PLC0415

    job.say(f"arbitrage on {TABLE}: {days} days with {name}")
    costs: list[float] = []
    for day in range(days):
        runner = EpisodeRunner(market.judged, market.seed, day)
        controller = build(runner)
        while not runner.has_ended:
            runner.apply(Decision(0.0, 0.0, 0) if controller is None else runner.ask(controller, []))
        costs.append(runner.make_score(name).cost_eur)
    return float(np.mean(costs))
