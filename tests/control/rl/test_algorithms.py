"""The parts of the algorithms beside independent references, and what both learn."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from control.rl.collector import Collector
from control.rl.cpo import find_step, solve_conjugate
from control.rl.export import WIDENED, export_policy
from control.rl.multiplier import PidMultiplier
from control.rl.networks import Actor
from control.rl.policy import Policy
from control.rl.validation import validate
from control.tasks.prices import draw_prices, expect_means
from control.tasks.rules import PriceTrader
from control.tasks.simulation import TaskSimulation
from control.tasks.task import find_task, list_tasks, read_task

if TYPE_CHECKING:
    from drivers.snapshot import Floats

each_task = pytest.mark.parametrize("name", list_tasks())


def make_problem(seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    random = np.random.default_rng(seed)
    root = random.standard_normal((6, 6))
    matrix = root @ root.T + 0.5 * np.eye(6)
    g, b = random.standard_normal((2, 6))
    return tuple(torch.as_tensor(one) for one in (matrix, g, b))  # pyright: ignore[reportReturnType]


def test_conjugate_gradients_solve_a_linear_system() -> None:
    matrix, g, _ = make_problem(1)
    assert np.allclose(solve_conjugate(lambda v: matrix @ v, g, 20), np.linalg.solve(matrix, g))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("excess", [-1.0, -0.02, 0.02])
def test_the_step_of_cpo_is_the_optimum_of_its_problem(seed: int, excess: float) -> None:
    matrix, g, b = make_problem(seed)
    step, multiplier = find_step(g, b, excess, 0.01, lambda v: matrix @ v, conjugate_steps=30)
    h, gain, cost = matrix.numpy(), g.numpy(), b.numpy()

    def stay_near(x: Floats) -> float:
        return float(0.01 - 0.5 * x @ h @ x)

    def keep(x: Floats) -> float:
        return float(-cost @ x - excess)

    def lose(x: Floats) -> float:
        return float(-gain @ x)

    rules = [{"type": "ineq", "fun": stay_near}, {"type": "ineq", "fun": keep}]
    start, minimize = -0.05 * cost / np.linalg.norm(cost), import_module("scipy.optimize").minimize
    solved: Any = minimize(lose, start, constraints=rules, options={"maxiter": 500, "ftol": 1e-12})
    assert solved.success
    assert float(g @ step) == pytest.approx(-solved.fun, abs=1e-5)
    assert float(b @ step) + excess <= 1e-9
    assert multiplier >= 0.0


def test_a_step_that_cannot_keep_the_constraint_lowers_it_fastest() -> None:
    matrix, g, b = make_problem(2)
    step, _ = find_step(g, b, 50.0, 0.01, lambda v: matrix @ v, conjugate_steps=30)
    moved, away = step.numpy(), -np.linalg.solve(matrix, b)
    assert np.allclose(moved / np.linalg.norm(moved), away / np.linalg.norm(away))
    assert 0.5 * float(step @ (matrix @ step)) == pytest.approx(0.01)


def test_the_multiplier_grows_above_the_limit_and_falls_below_it() -> None:
    multiplier = PidMultiplier(0.05, 1.0, 0.02, 1.0)
    values: list[float] = []
    for rate in [0.2] * 50 + [0.0] * 400:
        multiplier.update(rate)
        values.append(multiplier.value)
    assert values[0] < values[10] < values[49]
    assert values[-1] == 0.0
    assert min(values) == 0.0


@each_task
def test_the_projection_of_the_networks_is_that_of_the_shield(name: str) -> None:
    task = read_task(find_task(name))
    actor, random = Actor(task, (8,), 2, torch.Generator().manual_seed(1)), np.random.default_rng(2)
    collector = Collector(task, 5, 16, shielded=True)
    for _ in range(40):
        step = collector.step(random.uniform(-1.0, 1.0, 16))
        seen = torch.as_tensor(step.observation)
        assert np.allclose(actor.project(seen, torch.as_tensor(step.own)), step.safe, atol=1e-6)


@pytest.mark.long
def test_what_accrues_in_an_episode_is_its_settlement_on_average() -> None:
    simulation = TaskSimulation(read_task(find_task("arbitrage")), 3, 2000)
    accrued, random = np.zeros(2000), np.random.default_rng(1)
    drift = random.uniform(-0.2, 0.2, 2000)  # many end with other energy than they began with
    settled = np.zeros(2000)
    for _ in range(simulation.task.steps):
        outcome = simulation.step(drift * simulation.task.rating_a)
        accrued, settled = accrued + outcome.accrued_eur, settled + outcome.settled_eur
    difference = settled - accrued
    assert abs(difference.mean()) < 3.0 * difference.std() / np.sqrt(2000)
    assert difference.std() < 0.4 * settled.std(), "most of it was known before"


def test_the_expected_settling_price_has_no_bias_and_ends_at_the_mean() -> None:
    task = read_task(find_task("arbitrage"))
    assert task.prices is not None
    signal = np.repeat([draw_prices(np.random.default_rng(n), task.prices, 48) for n in range(4000)], 4, axis=1)
    means = expect_means(task.prices, signal, task.steps, 4)
    errors = means - signal.mean(axis=1)[:, None]
    assert np.abs(errors.mean(axis=0)).max() < 4.0 * errors[:, 0].std() / np.sqrt(4000)
    assert np.abs(errors[:, -1]).max() < 1e-12
    spreads = errors.std(axis=0)
    assert spreads[0] == pytest.approx(0.5 * task.prices.day_eur_kwh, rel=0.1), "the level of the second day"
    assert spreads[8] < 0.5 * spreads[0], "two of its hours tell most of it"


@each_task
def test_a_simulation_continues_from_its_state(name: str) -> None:
    task = read_task(find_task(name))
    actions = np.random.default_rng(3).uniform(-1.0, 1.0, (140, 3)) * task.rating_a
    straight, other = TaskSimulation(task, 8, 3), TaskSimulation(task, 8, 3)
    for action in actions[:70]:
        straight.step(action)
    other.set_state(straight.get_state())
    for action in actions[70:]:
        one, two = straight.step(action), other.step(action)
        assert np.array_equal(one.observation, two.observation)
        assert np.array_equal(one.cost_eur, two.cost_eur)
    with pytest.raises(ValueError, match="another task or size"):
        other.set_state(TaskSimulation(task, 8, 2).get_state())


@each_task
def test_an_exported_policy_answers_as_the_actor(name: str) -> None:
    task = read_task(find_task(name))
    actor, random = Actor(task, (24, 24), 2, torch.Generator().manual_seed(4)), np.random.default_rng(2)
    collector = Collector(task, 5, 20, shielded=True)
    seen = [collector.step(random.uniform(-1.0, 1.0, 20)).observation for _ in range(20)]
    actor.normaliser.fit(np.concatenate(seen).astype(np.float64))
    with torch.no_grad():
        list(actor.layers.parameters())[-2].mul_(50.0)  # beyond the dead band
    spread = collector.low, collector.high
    data = export_policy(task, actor, algorithm="sac", seed=1, seen=collector.observation, spread=spread)
    policy = Policy(data, "here")
    for observation in seen:
        with torch.no_grad():
            expected = actor.decide(torch.as_tensor(observation)).numpy()
        assert np.allclose(policy.act(observation.astype(np.float64)), expected, atol=1e-6)
        assert not any(policy.find_outside(row) for row in observation)
    beyond = collector.high + 2.0 * WIDENED * (collector.high - collector.low) + 1e-6
    assert policy.find_outside(beyond.astype(np.float64))
    assert len(data) < 200_000


def test_a_fresh_policy_of_a_market_is_the_rule_and_small_corrections_are_none() -> None:
    task = read_task(find_task("arbitrage"))
    actor, simulation = Actor(task, (8,), 2, torch.Generator().manual_seed(1)), TaskSimulation(task, 7, 50)
    trader = PriceTrader(task, 50)
    for _ in range(40):
        seen = torch.as_tensor(simulation.observation, dtype=torch.float32)
        with torch.no_grad():
            decided = actor.decide(seen).numpy() * task.rating_a
        asked_a = trader.request(simulation.get_ahead(), simulation.measured.soc.mean(axis=0))
        asked_a = np.clip(asked_a, -simulation.allowed[0], simulation.allowed[1])
        follows = ~((asked_a == 0.0) & (decided != 0.0))  # the rule waits after a full or an empty pack
        assert follows.mean() > 0.8
        assert np.allclose(decided[follows], asked_a[follows], atol=1e-4 * task.rating_a)
        simulation.step(asked_a)
    seen, jitter = torch.as_tensor(simulation.observation, dtype=torch.float32), torch.full((50,), 0.1)
    assert torch.equal(actor.complete(seen, jitter), actor.complete(seen, 0.0 * jitter))
    assert (actor.complete(seen, 8.0 * jitter) > actor.complete(seen, -8.0 * jitter)).all()


def test_a_fresh_policy_of_a_charge_takes_all_that_the_shield_allows_and_is_full_in_time() -> None:
    task = read_task(find_task("fast_charge"))
    actor, simulation = Actor(task, (8,), 2, torch.Generator().manual_seed(1)), TaskSimulation(task, 7, 20)
    missing, minutes, broken = simulation.observer.names.index("missing_soc"), np.full(20, np.inf), 0.0
    assert simulation.observation[:, missing] == pytest.approx(0.7, abs=0.06)
    for step in range(1, task.steps):
        with torch.no_grad():
            actions = actor.decide(torch.as_tensor(simulation.observation, dtype=torch.float32)).numpy()
        outcome = simulation.step(actions * task.rating_a)
        broken += outcome.parts.broken.sum()
        minutes = np.where(outcome.ended & np.isinf(minutes), step * task.step_s / 60.0, minutes)
        if np.isfinite(minutes).all():
            break
    assert broken == 0.0
    assert minutes.max() < 75.0, "CC-CV at the same margin takes 93 minutes"


def test_a_value_that_never_changed_in_training_is_inside_as_the_bench_gives_it() -> None:
    task = read_task(find_task("duty_tracking"))
    actor, seen = Actor(task, (8,), 2, torch.Generator().manual_seed(1)), TaskSimulation(task, 7, 20).observation
    never: Floats = np.full(seen.shape, float(np.float32(0.8)))  # as a training has it
    spread = never[0], never[0]
    policy = Policy(export_policy(task, actor, algorithm="sac", seed=1, seen=never, spread=spread), "here")
    assert policy.find_outside(np.full(len(never[0]), 0.8)) == ""
    assert policy.find_outside(np.full(len(never[0]), 0.801))


@each_task
def test_noise_alone_never_needs_the_shield(name: str) -> None:
    task = read_task(find_task(name))
    actor, random = Actor(task, (8,), 2, torch.Generator().manual_seed(1)), torch.Generator().manual_seed(2)
    seen = torch.as_tensor(TaskSimulation(task, 7, 400).observation, dtype=torch.float32)
    seen[:, actor.limits[0]] = torch.linspace(0.0, 1.0, 400)
    mean, noisy = torch.zeros(400), torch.rand(400, generator=random) * 2.0 - 1.0
    middle, own = actor.complete(seen, mean), actor.explore(seen, mean, noisy)
    assert (middle - actor.project(seen, middle)).abs().max() == 0.0
    assert (own - actor.project(seen, own)).abs().max() == 0.0
    outside = actor.explore(seen, -torch.ones(400), -torch.ones(400))
    assert torch.equal(outside, actor.complete(seen, -torch.ones(400))), "what the policy itself wants is not hidden"


def test_a_policy_of_a_market_sees_how_far_its_half_cycle_has_come() -> None:
    simulation = TaskSimulation(read_task(find_task("arbitrage")), 7, 3)
    moved = simulation.observer.names.index("moved")
    begins = simulation.measured.soc.mean(axis=0)
    for _ in range(3):
        simulation.step(np.full(3, -10.0))
    risen = simulation.measured.soc.mean(axis=0) - begins
    assert simulation.observation[:, moved] == pytest.approx(risen)
    simulation.step(np.full(3, 10.0))
    assert (simulation.observation[:, moved] < 0.0).all(), "since the turn"


def test_a_fresh_policy_of_a_duty_already_follows_it() -> None:
    task = read_task(find_task("duty_tracking"))
    actor = Actor(task, (8,), 2, torch.Generator().manual_seed(1))

    def decide(observations: Floats) -> Floats:
        with torch.no_grad():
            return actor.decide(torch.as_tensor(observations, dtype=torch.float32)).numpy().astype(np.float64)

    def rest(observations: Floats) -> Floats:
        return np.zeros(len(observations))

    followed, rested = (validate(task, act, packs=4).cost_eur for act in (decide, rest))
    assert followed < 0.3 * rested
