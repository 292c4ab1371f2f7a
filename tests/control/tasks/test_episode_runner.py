"""Any controller over an episode: its score is the cost of the simulation, on the fast twin and on PyBaMM."""

from __future__ import annotations

import multiprocessing
import threading
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest

from control.ports import Decision, Fallback
from control.rl.policy import Policy
from control.rl.policy_controller import PolicyController
from control.tasks.controllers import RULE, build_controller
from control.tasks.episode_runner import EpisodeRunner, describe_score, run_episode, run_in_processes
from control.tasks.observation import Observer
from control.tasks.reference_packs import ReferencePacks
from control.tasks.rules import PriceTrader
from control.tasks.simulation import TaskSimulation
from control.tasks.task import ControlTask, find_task, read_task
from tests.control.rl.handmade import make_policy
from tests.control.tasks.small import make_task
from tests.twin.cell_physics import PHYSICS
from tests.waiting import wait_until
from twin import ecm
from twin.pybamm_models import ReferenceCell

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from control.ports import CurrentRange
    from drivers.snapshot import Estimate, PackReading

SEED = 1000


def shipped(name: str) -> ControlTask:
    return read_task(find_task(name))


def test_the_score_of_the_rule_is_the_sum_of_the_simulations_costs() -> None:
    task = shipped("arbitrage")
    simulation, trader, total_eur = TaskSimulation(task, SEED, 1, first=3), PriceTrader(task, 1), 0.0
    for _ in range(task.steps):
        soc = simulation.measured.soc.mean(axis=0)
        total_eur += simulation.step(trader.request(simulation.get_ahead(), soc)).cost_eur[0]
    score = run_episode(RULE, task, SEED, 3)
    assert score.cost_eur == pytest.approx(total_eur, abs=1e-12)
    assert (score.steps, score.number, score.seed) == (task.steps, 3, SEED)
    assert len(score.took_s) == task.steps


def test_a_policy_in_the_runner_costs_what_it_costs_in_the_batch(tmp_path: Path) -> None:
    task = shipped("arbitrage")
    (tmp_path / "p.onnx").write_bytes(make_policy(task))
    policy, simulation = Policy.load(tmp_path / "p.onnx"), TaskSimulation(task, SEED, 4)
    batch_eur = np.zeros(4)
    for _ in range(task.steps):
        batch_eur += simulation.step(policy.act(simulation.observation) * task.rating_a).cost_eur
    scores = [run_episode(str(tmp_path / "p.onnx"), task, SEED, n, instead=RULE) for n in range(4)]
    assert [score.cost_eur for score in scores] == pytest.approx(batch_eur, abs=1e-9)
    assert sum(score.fallbacks for score in scores) == 0


def test_the_measured_cells_lie_between_the_extremes_of_the_simulation() -> None:
    runner = EpisodeRunner(shipped("duty_tracking"), SEED, 0)
    reading, estimate = runner.read()
    measured = runner.simulation.measured
    assert (reading.voltage_v.min(), reading.voltage_v.max()) == tuple(measured.voltage_v[:, 0])
    assert (estimate.soc.min(), estimate.soc.max()) == tuple(measured.soc[:, 0])
    assert reading.current_a == measured.current_a[0]


def test_without_the_shield_the_same_episode_shows_what_the_shield_hid() -> None:
    task = shipped("duty_tracking")
    with_it, without = (run_episode(RULE, task, SEED, 1, shielded=shielded) for shielded in (True, False))
    assert with_it.violations == 0
    assert without.violations > 0
    assert without.violation_eur == without.violations * task.cost.violation_eur


def test_episodes_in_other_processes_are_the_same_and_in_order(tmp_path: Path) -> None:
    task = make_task(tmp_path)
    calls = [partial(run_episode, RULE, task, SEED, number) for number in range(4)]
    here, elsewhere = (list(run_in_processes(calls, processes)) for processes in (1, 2))
    assert [score.cost_eur for score in here] == [score.cost_eur for score in elsewhere]
    assert [score.number for score in elsewhere] == [0, 1, 2, 3]
    assert describe_score(here[0])["p99_ms"] >= describe_score(here[0])["p50_ms"] > 0.0


@pytest.mark.parametrize(
    ("spoiled", "took_s", "why"),
    [
        ({}, 0.0, ""),
        ({"soc": np.nan}, 0.0, "outside the trained range: soc = nan"),
        ({"high_v": 1e6}, 0.0, "outside the trained range: high_v"),
        ({}, 0.01, "answered after 10.0 ms, limit 5 ms"),
    ],
)
def test_another_decides_where_the_policy_must_not(
    spoiled: dict[str, float], took_s: float, why: str, tmp_path: Path
) -> None:
    task = make_task(tmp_path)
    policy = Policy(make_policy(task), "by hand")
    runner, clock = EpisodeRunner(task, SEED, 0), iter([0.0, took_s])

    def observe() -> np.ndarray:
        observation = runner.observe().copy()
        for name, value in spoiled.items():
            observation[policy.info.names.index(name)] = value
        return observation

    class Instead:
        def decide(self, reading: PackReading, estimate: Estimate, allowed: CurrentRange, dt_s: float) -> Decision:
            return Decision(1.25, 0.0, 0)

        def take_over(self, current_a: float) -> None: ...

    began: list[int] = []

    def build_instead(step: int) -> Instead:
        began.append(step)
        return Instead()

    controller = PolicyController(policy, task, observe, build_instead, deadline_s=0.005, now=partial(next, clock))
    decision = runner.ask(controller, [])
    assert why in decision.note
    assert (decision.fallback is Fallback.OTHER) == (decision.current_a == 1.25) == (began == [0]) == bool(why)


def test_who_takes_over_from_a_policy_sees_the_signal_from_that_step_on(tmp_path: Path) -> None:
    task = shipped("duty_tracking")
    trained_on = make_task(tmp_path)
    (tmp_path / "p.onnx").write_bytes(make_policy(trained_on))
    runner, nothing = EpisodeRunner(task, SEED, 0), np.full(len(Observer(trained_on).names), np.nan)
    controller = build_controller(str(tmp_path / "p.onnx"), task, runner.signal, lambda: nothing, RULE)
    asked = [runner.ask(controller, []).current_a for _ in range(6)]
    assert asked == runner.signal[:6].tolist()


def test_a_reference_pack_is_the_dfn_cell_scaled_to_the_pack() -> None:
    task = shipped("arbitrage")
    simulation = TaskSimulation(task, SEED, 1, make_packs=ReferencePacks)
    drawn, cell = simulation.episodes, ReferenceCell(0.5, PHYSICS)
    weakest = int(drawn.capacity[0].argmin())
    cell.rest(float(drawn.soc0[0, weakest]))
    ambient_k, current_a = float(drawn.ambient_k[0]), 12.0
    cell_a = current_a / (task.pack.parallel * drawn.capacity[0, weakest])
    cell.step(0.0, ambient_k, 1e-3)
    cell.step(cell_a, ambient_k, 450.0)
    outcome = simulation.step(np.array([current_a]))
    expected = cell.step(cell_a, ambient_k, 450.0)
    assert simulation.batch.read(ecm.SOC)[0] == pytest.approx(expected.soc, abs=1e-4)
    losses_v = expected.surface_ocv_v - expected.voltage_v
    aged_v = expected.surface_ocv_v - drawn.resistance[0, weakest] * losses_v
    assert outcome.step.low_v[0] == pytest.approx(aged_v, abs=0.005), "the cell warms a little meanwhile"


@pytest.mark.long
def test_a_day_on_pybamm_costs_about_what_it_costs_on_the_fast_twin() -> None:
    task = shipped("arbitrage")
    fast, reference = (run_episode(RULE, task, SEED, 6, model=model) for model in ("ECM", "SPMe"))
    assert reference.violations == 0
    assert reference.cost_eur == pytest.approx(fast.cost_eur, abs=0.02)
    assert reference.energy_eur == pytest.approx(fast.energy_eur, abs=0.02)


@pytest.mark.long
def test_an_episode_on_pybamm_repeats_with_a_cell_that_another_one_has_used(tmp_path: Path) -> None:
    task = make_task(tmp_path)
    runs = [run_episode(RULE, task, SEED, number, model="SPMe") for number in (2, 5, 2)]
    assert runs[0].cost_eur == runs[2].cost_eur != runs[1].cost_eur
    both = [TaskSimulation(task, SEED, 1, make_packs=partial(ReferencePacks, model="SPMe")) for _ in range(2)]
    both[0].step(np.array([20.0]))
    assert not np.array_equal(both[0].batch.read(ecm.SOC), both[1].batch.read(ecm.SOC)), "no cell is shared"


def test_a_reference_cell_that_ends_breaks_its_limits(tmp_path: Path) -> None:
    simulation = TaskSimulation(make_task(tmp_path), SEED, 1, make_packs=ReferencePacks, shielded=False)
    outcomes = [simulation.step(np.array([30.0])) for _ in range(7)]
    assert outcomes[-1].parts.broken[0] == 1.0
    assert np.isfinite([outcome.cost_eur[0] for outcome in outcomes]).all()


def wait_for_ever() -> None:
    threading.Event().wait()


@pytest.mark.timeout(60)
def test_work_in_other_processes_ends_at_once_when_nobody_wants_it(tmp_path: Path) -> None:
    task = make_task(tmp_path)
    calls: list[Callable[[], object]] = [partial(run_episode, "rule", task, 1, 0), wait_for_ever, wait_for_ever]
    before = multiprocessing.active_children()  # of tests before this one
    results = run_in_processes(calls, 2)
    next(results)
    others = [process for process in multiprocessing.active_children() if process not in before]
    results.close()  # as an exception, or a Ctrl-C, does
    assert others
    wait_until(lambda: all(process.exitcode is not None for process in others), 5.0, "the end of all of them")
