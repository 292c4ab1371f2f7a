"""The two counterfactual scores: single steps on the states of the bench, and a run on a twin of its own."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from control.shadow.scorer import ShadowScorer
from control.shadow.scores import STEP_S, TASK, ShadowLane, ShadowOrder, choose_lanes
from control.tasks.task import find_task, read_task
from tests.control.shadow.scored import DUTY_A, PERIOD_S, make_order, make_step, repeat

if TYPE_CHECKING:
    from pathlib import Path

    from control.shadow.scores import ShadowScore

OFF_A = 5.0  # that the second controller is beside the duty


def score(order: ShadowOrder, *requests_a: float, steps: int = 20, soc: float = math.nan) -> dict[str, ShadowScore]:
    scorer = ShadowScorer(order)
    found: dict[str, ShadowScore] = {}
    for number in range(steps):
        first = number == 0
        found = scorer.score(make_step(repeat(*requests_a), is_start=first, soc=soc if first else math.nan))
    return found


def test_a_step_is_that_of_the_task() -> None:
    assert read_task(find_task(TASK)).step_s == STEP_S


def test_in_open_loop_each_pays_for_its_own_request_on_the_states_of_the_bench(tmp_path: Path) -> None:
    found = score(make_order(tmp_path), DUTY_A, DUTY_A + OFF_A)
    price = read_task(find_task(TASK)).cost.tracking_eur_a2_h
    tracking_eur = price * OFF_A**2 * 20 * STEP_S / 3600.0
    more_eur = found["watches"].open_loop_cost - found["acts"].open_loop_cost
    assert more_eur == pytest.approx(tracking_eur, rel=0.25), "the rest is wear of the larger current"
    assert more_eur > tracking_eur
    assert found["acts"].open_loop_violations == found["acts"].open_loop_interventions == 0.0


def test_in_closed_loop_it_drives_its_own_twin_whatever_it_requested_on_the_bench(tmp_path: Path) -> None:
    found = score(make_order(tmp_path), DUTY_A, DUTY_A + OFF_A)
    acts, watches = found["acts"], found["watches"]
    assert acts.closed_loop_cost == watches.closed_loop_cost, "the same controller, the same start, the same duty"
    assert acts.closed_loop_cost == pytest.approx(acts.open_loop_cost, rel=1e-6), "the bench went the same way"


def test_a_request_that_the_shield_changes_counts_once_a_step(tmp_path: Path) -> None:
    found = score(make_order(tmp_path, duty_a=-30.0), -30.0, 0.0, steps=4, soc=0.949)
    assert found["acts"].open_loop_interventions == found["acts"].closed_loop_interventions == 4.0
    assert found["watches"].open_loop_interventions == 0.0
    assert found["acts"].open_loop_violations == 0.0, "the shield acted"


def test_a_state_beyond_its_limit_counts_as_a_violation(tmp_path: Path) -> None:
    found = score(make_order(tmp_path), DUTY_A, 0.0, steps=3, soc=0.02)
    assert found["acts"].open_loop_violations == found["watches"].open_loop_violations == 3.0
    price = read_task(find_task(TASK)).cost.violation_eur
    assert found["acts"].open_loop_cost > 3.0 * price


def test_a_new_run_begins_every_twin_at_the_state_of_the_bench(tmp_path: Path) -> None:
    scorer = ShadowScorer(make_order(tmp_path))
    scorer.score(make_step(repeat(DUTY_A, DUTY_A), is_start=True, soc=0.02))
    before = scorer.score(make_step(repeat(DUTY_A, DUTY_A)))
    after = scorer.score(make_step(repeat(DUTY_A, DUTY_A), is_start=True, soc=0.5))
    assert before["acts"].closed_loop_violations == after["acts"].closed_loop_violations == 2.0


def test_a_lane_that_fails_has_no_score_and_the_others_go_on(tmp_path: Path) -> None:
    order = make_order(tmp_path, ShadowLane("lost", "no.such.module", {}))
    found = score(order, DUTY_A, DUTY_A, math.nan, steps=2)
    assert all(math.isnan(value) for value in found["lost"])
    assert all(math.isfinite(value) for value in found["acts"])


def test_only_controllers_of_one_duty_are_scored() -> None:
    duty, other = {"file": "duty.csv"}, {"file": "other.csv"}
    lanes = {"Profile": ("a", duty), "CC-CV": ("b", {"current_a": 3.0}), "MPC": ("c", duty), "RL": ("d", other)}
    assert [lane.name for lane in choose_lanes(lanes)] == ["Profile", "MPC"]
    assert choose_lanes({"CC-CV": ("b", {"current_a": 3.0})}) == ()


def test_the_order_of_a_bench_says_how_many_turns_a_step_has(tmp_path: Path) -> None:
    assert make_order(tmp_path).turns == round(STEP_S / PERIOD_S)
