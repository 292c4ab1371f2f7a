"""A candidate in the shadow of the active controller: both see the same samples, one acts.

What the candidate would have cost cannot be measured. Two answers stand beside each other: its single steps on the
states of the active one (open loop), and its own run of the same episode on a twin of its own (closed loop).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from control.ports import Fallback
from control.tasks.controllers import MPC, build_controller
from control.tasks.episode_runner import EpisodeRunner, EpisodeScore, describe_score, run_episode
from control.tasks.simulation import NEEDED
from control.tasks.statistics import bound_relative_difference
from twin import ecm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from control.tasks.simulation import TaskSimulation
    from control.tasks.task import ControlTask

SEED: Final = 5000  # neither trainings nor judges use it


class StepScore(NamedTuple):
    """One step from a state: its cost (EUR) with what it stored at the mean price, and what it broke or needed."""

    cost_eur: float
    is_broken: bool
    is_changed: bool


@dataclass(frozen=True)
class OpenLoopScore:
    """The candidate's single steps on the states of the active controller, each from there; one entry for both.

    `more_eur`: what they cost more than the steps of the active one; `distance_a`: mean distance of the requests.
    """

    more_eur: float
    distance_a: float
    violations: int
    interventions: int
    fallbacks: int


@dataclass(frozen=True)
class ShadowDay:
    """One episode: `active` acted; `open_loop`, `closed_loop` and `bare` (without the shield) are counterfactual."""

    active: EpisodeScore
    open_loop: OpenLoopScore
    closed_loop: EpisodeScore
    bare: EpisodeScore


def run_shadow_day(
    active: str, candidate: str, task: ControlTask, seed: int, number: int, *, instead: str = MPC
) -> ShadowDay:
    """Run one episode with `candidate` in the shadow of `active`; names as for `build_controller`."""
    runner = EpisodeRunner(task, seed, number)
    acts, watches = (
        build_controller(name, task, runner.signal, runner.observe, instead) for name in (active, candidate)
    )
    more_eur = distance_a = 0.0
    violations = interventions = fallbacks = 0
    while not runner.has_ended:
        decision = runner.ask(acts, runner.tally.took_s)
        shadow = runner.ask(watches, [])
        taken, would = (try_step(runner.simulation, one.current_a) for one in (decision, shadow))
        more_eur += would.cost_eur - taken.cost_eur
        distance_a += abs(shadow.current_a - decision.current_a)
        violations, interventions = violations + would.is_broken, interventions + would.is_changed
        fallbacks += shadow.fallback is not Fallback.NONE
        runner.apply(decision)
    score = runner.make_score(active)
    return ShadowDay(
        score,
        OpenLoopScore(more_eur, distance_a / score.steps, violations, interventions, fallbacks),
        run_episode(candidate, task, seed, number, instead=instead),
        run_episode(candidate, task, seed, number, instead=instead, shielded=False),
    )


def try_step(simulation: TaskSimulation, requested_a: float) -> StepScore:
    """Return what one step would cost from the present state of one pack, which stays as it is."""
    charge_a, discharge_a = simulation.allowed[:, 0]
    safe_a = np.clip(np.nan_to_num([requested_a]), -charge_a, discharge_a)
    packs = copy.deepcopy(simulation.batch)
    before = packs.read(ecm.SOC).copy()
    signal = simulation.get_signal()
    parts = simulation.costs.price_step(packs.step(safe_a), safe_a, signal)
    episodes = simulation.episodes
    mean = episodes.signal.mean(axis=1)
    stored = simulation.costs.settle(before, packs.read(ecm.SOC), episodes.capacity, mean)
    cost_eur = parts.sum(simulation.task.cost.violation_eur) + stored
    is_changed = abs(float(safe_a[0]) - requested_a) > NEEDED * simulation.task.rating_a
    return StepScore(float(cost_eur[0]), bool(parts.broken[0]), is_changed)


def summarise(days: Sequence[ShadowDay], seed: int) -> dict[str, Any]:
    """Return the figures of some days as scripts read them; costs in EUR a day."""
    active, closed = ([getattr(day, which) for day in days] for which in ("active", "closed_loop"))
    costs, peers = (np.array([score.cost_eur for score in scores]) for scores in (closed, active))
    more, bound = bound_relative_difference(costs, peers, seed=seed)
    opened = [day.open_loop for day in days]
    steps = sum(score.steps for score in active)
    return {
        "days": len(days),
        "active": _sum_up(active),
        "closed_loop": {
            **_sum_up(closed),
            "is_counterfactual": True,
            "more_eur": float((costs - peers).mean()),
            "difference": more,
            "bound": bound,
            "violations_without_shield": sum(day.bare.violations for day in days),
        },
        "open_loop": {
            "is_counterfactual": True,
            "more_eur": sum(one.more_eur for one in opened) / len(days),
            "distance_a": sum(one.distance_a for one in opened) / len(days),
            "violations": sum(one.violations for one in opened),
            "interventions": sum(one.interventions for one in opened) / steps,
            "fallbacks": sum(one.fallbacks for one in opened),
        },
    }


def _sum_up(scores: Sequence[EpisodeScore]) -> dict[str, Any]:
    steps = sum(score.steps for score in scores)
    took_ms = 1e3 * np.concatenate([score.took_s for score in scores])
    return {
        "cost_eur": sum(score.cost_eur for score in scores) / len(scores),
        "violations": sum(score.violations for score in scores),
        "interventions": sum(score.interventions for score in scores) / steps,
        "fallbacks": sum(score.fallbacks for score in scores),
        "p50_ms": float(np.percentile(took_ms, 50.0)),
        "p99_ms": float(np.percentile(took_ms, 99.0)),
    }


def describe_day(day: ShadowDay) -> dict[str, Any]:
    """Return one day as scripts read it."""
    return {
        "number": day.active.number,
        "active": describe_score(day.active),
        "open_loop": vars(day.open_loop),
        "closed_loop": describe_score(day.closed_loop),
        "without_shield": describe_score(day.bare),
    }
