"""The tuned rules, opponents of every other controller."""

from __future__ import annotations

import numpy as np
import pytest

from control.tasks.controllers import build_controller, make_wrong_cell
from control.tasks.episode_runner import EpisodeRunner, run_episode
from control.tasks.rules import PriceTrader, build_stages, find_stage_current
from control.tasks.task import ControlTask, TaskRule, find_task, read_task
from control.tasks.tune_rules import find_cost
from drivers.errors import Usage
from twin.cell_table import OCV, R0
from twin.plating import look_up


def shipped(name: str) -> ControlTask:
    return read_task(find_task(name))


def make_trader() -> PriceTrader:
    rule = TaskRule(window_h=24.0, buy=0.25, sell=0.25, spread_eur_kwh=0.05, hysteresis=0.1)
    return PriceTrader(shipped("arbitrage").model_copy(update={"rule": rule}), 1)


def trade(prices: list[float], soc: float, trader: PriceTrader) -> float:
    return float(trader.request(np.array([prices]), np.array([soc]))[0])


def test_the_price_rule_buys_when_few_prices_are_lower_and_sells_when_few_are_higher() -> None:
    task, trader = shipped("arbitrage"), make_trader()
    day = [0.1, 0.2, 0.3, 0.4, 0.5]
    assert trade(day, 0.5, trader) == -task.charge_a
    assert trade(day[::-1], 0.5, trader) == task.discharge_a
    assert trade([0.3, *day], 0.5, trader) == 0.0
    assert trade([0.30, 0.31, 0.32], 0.5, trader) == 0.0, "the spread does not pay for the wear"


def test_the_price_rule_waits_after_a_full_pack_until_soc_has_moved() -> None:
    trader, cheap = make_trader(), [0.1, 0.5, 0.6]
    assert trade(cheap, 0.7, trader) < 0.0
    assert trade(cheap, 0.88, trader) == 0.0
    assert trade(cheap, 0.8, trader) == 0.0
    assert trade(cheap, 0.7, trader) < 0.0


def test_the_tuned_rule_is_better_than_its_neighbours_and_than_rest() -> None:
    task = shipped("arbitrage")
    tuned = find_cost(task, task.rule, 40)
    assert tuned < find_cost(task, TaskRule(), 40)
    assert tuned < find_cost(task, task.rule.model_copy(update={"rate": 0.0}), 40)


def test_every_stage_keeps_the_anode_potential_in_the_table_and_no_more() -> None:
    task, kelvin = shipped("fast_charge"), 295.0
    table = task.cell.plating
    aged = task.pack_ah * task.varies.capacity[0] * (1.0 - 3.0 * task.varies.capacity_spread)
    currents = [find_stage_current(task, (soc, soc + 0.1), kelvin) for soc in (0.1, 0.4, 0.7)]
    assert currents[0] > currents[1] > currents[2] > 0.0
    for current_a, end in zip(currents, (0.2, 0.5, 0.8), strict=True):
        at_end = end + task.varies.soc_error
        kept = look_up(table.anode_v, table.rates_c, table.kelvins, current_a / aged, kelvin, at_end)
        assert kept == pytest.approx(task.limits.plating_v, abs=1e-3)


def test_a_charge_in_stages_is_faster_than_cc_cv_and_both_keep_every_limit() -> None:
    task = shipped("fast_charge")
    stages, single = (run_episode(name, task, 1000, 4) for name in ("stages", "rule"))
    assert stages.violations == single.violations == 0
    assert stages.steps < single.steps
    assert min(stages.anode_v, single.anode_v) >= task.limits.plating_v


def test_constant_voltage_follows_the_highest_cell() -> None:
    task = shipped("fast_charge")
    runner, charger = EpisodeRunner(task, 1, 0), build_stages(task)
    first = runner.ask(charger, []).current_a
    runner.simulation.measured.voltage_v[:] = task.limits.voltage_v[1] + 0.05
    assert first < runner.ask(charger, []).current_a <= 0.0


def test_the_rule_of_a_duty_is_the_duty() -> None:
    task = shipped("duty_tracking")
    runner = EpisodeRunner(task, 1, 0)
    follower = build_controller("rule", task, runner.signal, runner.observe)
    assert [runner.ask(follower, []).current_a for _ in range(5)] == runner.signal[:5].tolist()


def test_an_unknown_controller_is_named_with_those_there_are() -> None:
    task = shipped("arbitrage")
    with pytest.raises(Usage, match=r"no controller 'stages' for arbitrage.*mpc"):
        build_controller("stages", task, np.zeros(200), lambda: np.zeros(1))


def test_the_wrong_cell_promises_more_than_the_right_one() -> None:
    cell = shipped("arbitrage").cell
    wrong = make_wrong_cell(cell)
    assert wrong.capacity_ah == pytest.approx(1.3 * cell.capacity_ah)
    assert wrong.circuit.rows[R0] == pytest.approx(0.7 * cell.circuit.rows[R0])
    assert np.array_equal(wrong.circuit.rows[OCV], cell.circuit.rows[OCV])
