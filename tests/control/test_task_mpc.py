"""The MPC on the reference tasks: it earns, tracks and charges, also with a wrong cell, and begins with the episode."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from control.ports import CurrentRange, Fallback
from control.task_mpc import build_task_mpc
from control.tasks.controllers import make_wrong_cell
from control.tasks.simulation import TaskSimulation
from control.tasks.task import ControlTask, find_task, read_task
from drivers.snapshot import Estimate, PackReading
from twin.cell_parameters import load_cell

if TYPE_CHECKING:
    from drivers.snapshot import Floats

SEED = 11


def shorten(name: str, **changes: Any) -> ControlTask:
    return read_task(find_task(name)).model_copy(update=changes)


def read_pack(simulation: TaskSimulation) -> tuple[PackReading, Estimate, CurrentRange]:
    """What the sensors say, and what the shield allows."""
    seen, measured_a = simulation.seen[:, 0].copy(), simulation.last_a[0] + simulation.episodes.current_bias_a[0]
    reading = PackReading(0.0, float(measured_a), np.zeros(2), simulation.voltage_v[:, 0].copy(), seen[6:])
    return reading, Estimate(seen[:2], np.full(2, 0.01)), CurrentRange(*simulation.allowed[:, 0].tolist())


def run(task: ControlTask, number: int = 0, **options: Any) -> tuple[float, Floats]:
    """The cost of an episode (EUR), and the current of each step."""
    simulation = TaskSimulation(task, SEED, 1, first=number)
    controller = build_task_mpc(task, simulation.episodes.signal[0].copy(), **options)
    cost_eur, currents = 0.0, list[float]()
    for _ in range(task.steps):
        decision = controller.decide(*read_pack(simulation), task.step_s)
        assert decision.fallback is Fallback.NONE
        currents.append(decision.current_a)
        outcome = simulation.step(np.array([decision.current_a]))
        cost_eur += float(outcome.cost_eur[0])
        if outcome.ended[0]:
            break
    return cost_eur, np.array(currents)


def rest(task: ControlTask, number: int = 0) -> float:
    simulation = TaskSimulation(task, SEED, 1, first=number)
    return sum(float(simulation.step(np.zeros(1)).cost_eur[0]) for _ in range(task.steps))


MARKET = shorten("arbitrage", steps=32, preview=32)


@pytest.mark.parametrize("number", [0, 1])
def test_it_earns_more_than_a_pack_at_rest(number: int) -> None:
    cost_eur, currents = run(MARKET, number)
    assert cost_eur < rest(MARKET, number)
    assert np.abs(currents).max() > 1.0


@pytest.mark.parametrize("share", [0.3, -0.3])
def test_a_cell_that_is_a_third_wrong_still_earns(share: float) -> None:
    wrong = make_wrong_cell(load_cell(), share)
    assert wrong.sha256 != load_cell().sha256
    assert run(MARKET, 1, cell=wrong)[0] < rest(MARKET, 1)


def test_it_follows_a_duty() -> None:
    task = shorten("duty_tracking", steps=80)
    signal = TaskSimulation(task, SEED, 1).episodes.signal[0]
    _, currents = run(task)
    assert currents == pytest.approx(signal[: task.steps], abs=1.0)


def test_it_charges_as_fast_as_the_shield_allows_and_the_plan_keeps_the_plating_margin() -> None:
    task = shorten("fast_charge", steps=40)
    _, currents = run(task)
    assert (currents < -40.0).all()


def test_a_step_without_a_known_value_still_counts_as_a_step_of_the_signal() -> None:
    task = shorten("duty_tracking", steps=80)
    simulation, signal = TaskSimulation(task, SEED, 1), np.linspace(-20.0, 20.0, 80)
    controller = build_task_mpc(task, signal)
    reading, estimate, allowed = read_pack(simulation)
    blind = PackReading(0.0, np.nan, reading.balancing_a, reading.voltage_v, reading.temperature_k)
    assert controller.decide(blind, estimate, allowed, task.step_s).fallback is Fallback.ZERO
    assert controller.decide(reading, estimate, allowed, task.step_s).current_a == pytest.approx(signal[1], abs=0.3)
    assert controller.plan_step_s == task.step_s
    assert controller.plan_a[:10] == pytest.approx(signal[1:11], abs=0.3)
