"""A candidate in the shadow: the same samples for both, the same days on its own twin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from control.tasks.controllers import RULE
from control.tasks.episode_runner import run_episode
from control.tasks.shadow import describe_day, run_shadow_day, summarise, try_step
from control.tasks.simulation import TaskSimulation
from control.tasks.task import find_task, read_task
from tests.control.rl.handmade import make_policy
from twin import ecm

if TYPE_CHECKING:
    from pathlib import Path

TASK = read_task(find_task("arbitrage"))


@pytest.fixture
def candidate(tmp_path: Path) -> str:
    path = tmp_path / "candidate.onnx"
    path.write_bytes(make_policy(TASK, gain=10.0, dead_band=0.05))
    return str(path)


def test_the_active_controller_acts_as_if_nobody_watched(candidate: str) -> None:
    day = run_shadow_day(RULE, candidate, TASK, 5000, 2, instead=RULE)
    alone, own = (run_episode(name, TASK, 5000, 2, instead=RULE) for name in (RULE, candidate))
    assert day.active.cost_eur == alone.cost_eur
    assert day.closed_loop.cost_eur == own.cost_eur, "its own twin runs the same day"
    assert day.open_loop.distance_a > 0.0


def test_a_controller_in_its_own_shadow_differs_in_nothing() -> None:
    day = run_shadow_day(RULE, RULE, TASK, 5000, 1)
    assert (day.open_loop.more_eur, day.open_loop.distance_a) == (0.0, 0.0)
    assert day.open_loop.interventions == day.active.interventions
    assert day.closed_loop.cost_eur == day.active.cost_eur


def test_a_step_that_is_tried_leaves_the_pack_as_it_is() -> None:
    simulation, other = TaskSimulation(TASK, 5000, 1), TaskSimulation(TASK, 5000, 1)
    before = simulation.batch.read(ecm.SOC).copy()
    tried = try_step(simulation, 25.0)
    assert np.array_equal(simulation.batch.read(ecm.SOC), before)
    outcome = other.step(np.array([25.0]))
    parts = outcome.parts.sum(TASK.cost.violation_eur)[0]
    stored = other.costs.settle(
        before, other.batch.read(ecm.SOC), other.episodes.capacity, other.episodes.signal.mean(axis=1)
    )[0]
    assert tried.cost_eur == pytest.approx(parts + stored)
    assert tried.is_changed is bool(outcome.intervened[0])


def test_a_summary_says_what_is_counterfactual_and_pairs_by_day(candidate: str) -> None:
    days = [run_shadow_day(RULE, candidate, TASK, 5000, number, instead=RULE) for number in range(3)]
    figures = summarise(days, seed=1)
    assert figures["closed_loop"]["is_counterfactual"]
    assert figures["open_loop"]["is_counterfactual"]
    assert "is_counterfactual" not in figures["active"]
    pairs = [day.closed_loop.cost_eur - day.active.cost_eur for day in days]
    assert figures["closed_loop"]["more_eur"] == pytest.approx(np.mean(pairs))
    assert {day.active.number for day in days} == {day.closed_loop.number for day in days} == {0, 1, 2}
    assert describe_day(days[0])["open_loop"]["distance_a"] == days[0].open_loop.distance_a
