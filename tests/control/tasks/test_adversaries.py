"""What a judge adds to an episode: other packs, and sensors that fail."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest

from control.tasks.adversaries import Adversary, AdversaryKind, AdversaryRules
from control.tasks.episodes import draw_episodes
from control.tasks.simulation import TaskSimulation
from control.tasks.task import find_task, read_task

if TYPE_CHECKING:
    from control.tasks.episodes import Episodes
    from control.tasks.simulation import MeasuredPacks
    from drivers.snapshot import Columns

TASK = read_task(find_task("arbitrage"))
RULES = AdversaryRules(bias=1.0, freeze_share=0.25, parameters=0.2, ambient_k=10.0, dropout_share=0.3)


def simulate(kind: AdversaryKind, number: int = 0) -> TaskSimulation:
    return TaskSimulation(TASK, 2000, 1, first=number, disturbance=Adversary(kind, RULES, TASK, 2000))


def test_every_sensor_has_its_whole_bias_with_a_drawn_sign() -> None:
    biases = np.array(
        [
            [drawn.voltage_bias_v[0], drawn.current_bias_a[0], drawn.temperature_bias_k[0], drawn.soc_error[0]]
            for drawn in (simulate(AdversaryKind.BIAS, number).episodes for number in range(12))
        ]
    )
    declared = (0.005, 0.1, 0.5, 0.02)
    assert np.abs(biases) == pytest.approx(np.broadcast_to(declared, biases.shape))
    assert (biases.min(axis=0) < 0.0).all()
    assert (biases.max(axis=0) > 0.0).all()


def test_r_and_q_are_a_fifth_above_or_below_the_cell_file() -> None:
    pairs = {
        (float(drawn.capacity[0, 0]), float(drawn.resistance[0, 0]))
        for drawn in (simulate(AdversaryKind.PARAMETERS, number).episodes for number in range(20))
    }
    assert pairs == {(0.8, 0.8), (0.8, 1.2), (1.2, 0.8), (1.2, 1.2)}


def test_the_ambient_is_ten_kelvin_above_or_below_the_drawn_one() -> None:
    numbers = range(12)
    drawn = draw_episodes(TASK, 2000, numbers).ambient_k
    changed = [float(simulate(AdversaryKind.AMBIENT, number).episodes.ambient_k[0]) for number in numbers]
    assert {round(value, 9) for value in changed - drawn} == {-10.0, 10.0}


def test_frozen_voltages_repeat_for_their_share_of_the_episode_while_the_rest_goes_on() -> None:
    simulation = simulate(AdversaryKind.FREEZE)
    shown = [(simulation.voltage_v.copy(), simulation.measured.soc.copy())]
    for _ in range(TASK.steps - 1):
        simulation.step(np.array([0.3]))
        shown.append((simulation.voltage_v.copy(), simulation.measured.soc.copy()))
    same = [np.array_equal(one[0], other[0]) for one, other in itertools.pairwise(shown)]
    assert sum(same) == round(RULES.freeze_share * TASK.steps)
    assert not any(np.array_equal(one[1], other[1]) for one, other in itertools.pairwise(shown))


def test_dropped_telemetry_is_unknown_and_the_shield_then_allows_nothing() -> None:
    simulation, unknown = simulate(AdversaryKind.DROPOUT), 0
    for _ in range(60):
        outcome = simulation.step(np.array([5.0]))
        is_unknown = bool(np.isnan(simulation.voltage_v).any())
        unknown += is_unknown
        assert bool((simulation.allowed == 0.0).all()) or not is_unknown
        assert np.isfinite(outcome.cost_eur).all()
    assert unknown == pytest.approx(0.3 * 60, abs=8)
    assert np.isfinite(simulation.observation).any(), "one lost sample must not poison the next ones"


def test_the_shield_keeps_the_temperature_in_surroundings_hotter_than_declared() -> None:
    class Hotter:
        def change(self, episodes: Episodes, numbers: Columns) -> Episodes:
            return replace(episodes, ambient_k=episodes.ambient_k + 10.0)

        def spoil(self, measured: MeasuredPacks, numbers: Columns, steps: Columns) -> MeasuredPacks:
            return measured

    simulation, random = TaskSimulation(TASK, 7, 64, disturbance=Hotter()), np.random.default_rng(2)
    hottest_k = 0.0
    for _ in range(TASK.steps - 1):
        outcome = simulation.step(random.choice([-1.0, 1.0], 64) * TASK.rating_a)
        hottest_k = max(hottest_k, float(outcome.step.high_k.max()))
    assert TASK.limits.high_k - 3.0 < hottest_k <= TASK.limits.high_k


def test_the_same_number_has_the_same_trouble() -> None:
    for kind in AdversaryKind:
        runs = [simulate(kind, 3), simulate(kind, 3)]
        steps = [[partial(one.step, np.array([3.0]))().cost_eur[0] for _ in range(20)] for one in runs]
        assert steps[0] == steps[1]
