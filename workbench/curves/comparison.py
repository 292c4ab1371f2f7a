"""Policies of trainings beside the rule and the MPC, right or wrong: all on the same episodes, with the same code."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Final

import numpy as np

from control.rl.validation import run_policy
from control.tasks.controllers import MPC, RULE, STAGES, WRONG, WRONG_MPC
from control.tasks.episode_runner import run_episode, run_in_processes
from control.tasks.task import TaskKind
from workbench.curves.statistics import EpisodeBootstrap, find_interval, make_band

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from control.rl.finished_training import FinishedSeed, FinishedTraining
    from control.tasks.episode_runner import EpisodeScore
    from control.tasks.task import ControlTask
    from drivers.snapshot import Floats
    from workbench.curves.statistics import CurveBand

JUDGE_SEED: Final = 4000  # episodes that neither trained, nor chose, nor tuned anything
RULES: Final = {TaskKind.ARBITRAGE: "tuned rule", TaskKind.CHARGE: "CC-CV", TaskKind.DUTY: "rule"}
LABELS: Final = {
    STAGES: "multi-stage CC",
    MPC: "MPC that knows the model",
    WRONG_MPC: f"MPC that is {100.0 * WRONG:.0f} % wrong",
}


@dataclass(frozen=True)
class Contender:
    """One controller, or one algorithm with all its seeds; costs of an episode in EUR.

    `judged_eur[seeds, episodes]` on the judge's episodes, `validated_eur[seeds]` the mean on those of the validation.
    Shares are those of the judge's steps; `bare_violations`, without the shield, is None where that was not run.
    """

    name: str
    label: str
    judged_eur: Floats
    validated_eur: Floats
    interventions: float
    violations: float
    bare_violations: float | None = None
    seeds: tuple[FinishedSeed, ...] = ()

    @property
    def has_learned(self) -> bool:
        return bool(self.seeds)

    @property
    def alarms(self) -> int:
        return sum(bool(seed.alarm) for seed in self.seeds)

    @property
    def final_eur(self) -> Floats:
        """Cost at the last row of each seed that came to its end."""
        return np.array([-seed.return_eur[-1] for seed in self.seeds if not seed.alarm])

    def make_band(self) -> CurveBand:
        return make_band(self.seeds)


@dataclass(frozen=True)
class Difference:
    """By how much `one` costs more than `other` in an episode (EUR), with the bounds of 95 %; see `winner`."""

    one: Contender
    other: Contender
    mean_eur: float
    low_eur: float
    high_eur: float
    cheaper: int  # episodes

    @property
    def winner(self) -> Contender | None:
        """Who costs less; None where the interval includes both."""
        return self.one if self.high_eur < 0.0 else self.other if self.low_eur > 0.0 else None


@dataclass(frozen=True)
class Comparison:
    """All contenders on one task, algorithms first; `intervals` of their mean costs on the judge's episodes."""

    task: str
    contenders: list[Contender]
    intervals: dict[str, tuple[float, float]]
    differences: list[Difference]
    validation: tuple[int, int]
    judged: tuple[int, int]

    def find(self, name: str) -> Contender:
        return next(one for one in self.contenders if one.name == name)

    @property
    def learned(self) -> list[Contender]:
        return [one for one in self.contenders if one.has_learned]

    @property
    def peers(self) -> list[Contender]:
        return [one for one in self.contenders if not one.has_learned]


def compare(
    task: ControlTask,
    trainings: Sequence[FinishedTraining],
    episodes: int,
    *,
    processes: int,
    say: Callable[[str], None],
) -> Comparison:
    """Run every kept policy and every peer; raise `BenchFileError` for a policy that cannot be loaded."""
    seed, packs = trainings[0].validation
    seeds = sorted((one for training in trainings for one in training.seeds), key=lambda one: (one.algorithm, one.seed))
    by_algorithm = {name: tuple(group) for name, group in groupby(seeds, lambda one: one.algorithm)}
    contenders = [_judge_seeds(name, group, task, episodes, say) for name, group in by_algorithm.items()]
    names = [RULE, *([STAGES] if task.kind is TaskKind.CHARGE else []), MPC, WRONG_MPC]
    wanted = [(JUDGE_SEED, n) for n in range(episodes)] + [(seed, n) for n in range(packs)]
    for name in names:
        label = LABELS.get(name) or RULES[task.kind]
        say(f"{label}: {len(wanted)} episodes")
        calls = [partial(run_episode, name, task, *episode) for episode in wanted]
        scores = list(run_in_processes(calls, processes))
        contenders.append(_make_peer(name, label, scores[:episodes], scores[episodes:]))
    bootstrap = EpisodeBootstrap(episodes)
    draws = {one.name: bootstrap.draw(one.judged_eur) for one in contenders}
    return Comparison(
        task.name,
        contenders,
        {name: find_interval(drawn) for name, drawn in draws.items()},
        [_subtract(one, other, draws) for one, other in _list_pairs(contenders)],
        (seed, packs),
        (JUDGE_SEED, episodes),
    )


def _judge_seeds(
    name: str, seeds: tuple[FinishedSeed, ...], task: ControlTask, episodes: int, say: Callable[[str], None]
) -> Contender:
    say(f"{name}: {len(seeds)} policies on {episodes} episodes")
    policies = [seed.load_policy() for seed in seeds]
    run = partial(run_policy, task, seed=JUDGE_SEED, packs=episodes)
    judged = [run(policy.act) for policy in policies]
    figures = [one.summarise() for one in judged]
    bare = [run(policy.act, shielded=False).summarise().violations for policy in policies]
    return Contender(
        name=name,
        label=name.upper(),
        judged_eur=np.array([one.cost_eur for one in judged]),
        validated_eur=np.array([seed.kept_eur for seed in seeds]),
        interventions=float(np.mean([one.interventions for one in figures])),
        violations=float(np.mean([one.violations for one in figures])),
        bare_violations=float(np.mean(bare)),
        seeds=seeds,
    )


def _make_peer(name: str, label: str, judged: list[EpisodeScore], validated: list[EpisodeScore]) -> Contender:
    steps = sum(score.steps for score in judged)
    return Contender(
        name=name,
        label=label,
        judged_eur=np.array([[score.cost_eur for score in judged]]),
        validated_eur=np.array([float(np.mean([score.cost_eur for score in validated]))]),
        interventions=sum(score.interventions for score in judged) / steps,
        violations=sum(score.violations for score in judged) / steps,
    )


def _list_pairs(contenders: list[Contender]) -> list[tuple[Contender, Contender]]:
    """Return each algorithm beside all that follow it, and the MPC beside the other peers."""
    learned = [one for one in contenders if one.has_learned]
    peers = {one.name: one for one in contenders if not one.has_learned}
    pairs = [(one, other) for one in learned for other in peers.values()]
    pairs += [(one, other) for n, one in enumerate(learned) for other in learned[n + 1 :]]
    mpc = peers.pop(MPC)
    return pairs + [(mpc, other) for other in peers.values()]


def _subtract(one: Contender, other: Contender, draws: dict[str, Floats]) -> Difference:
    low_eur, high_eur = find_interval(draws[one.name] - draws[other.name])
    mine, theirs = one.judged_eur.mean(axis=0), other.judged_eur.mean(axis=0)
    return Difference(one, other, float((mine - theirs).mean()), low_eur, high_eur, int((mine < theirs).sum()))
