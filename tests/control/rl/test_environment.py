"""The tasks as Gymnasium environments."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from control.rl.environment import PackEnv, PackVectorEnv
from control.tasks.task import find_task, list_tasks, read_task

each_task = pytest.mark.parametrize("name", list_tasks())


@each_task
@pytest.mark.filterwarnings("ignore:.*Box observation space.*infinity:UserWarning")
@pytest.mark.filterwarnings("ignore:.*not within the observation space.*:UserWarning")
@pytest.mark.filterwarnings("ignore:.*Box observation space m.*imum value is.*:UserWarning")
def test_gymnasium_accepts_the_environment(name: str) -> None:
    check_env(PackEnv(read_task(find_task(name))), skip_render_check=True)


@each_task
def test_the_same_seed_gives_the_same_episode(name: str) -> None:
    task = read_task(find_task(name))
    runs: list[Any] = []
    for _ in range(2):
        env, random = PackEnv(task), np.random.default_rng(1)
        first, _info = env.reset(seed=9)
        steps = [env.step(random.uniform(-1.0, 1.0, 1).astype(np.float32)) for _ in range(20)]
        runs.append([first, *(step[0] for step in steps), [step[1] for step in steps]])
    assert all(np.array_equal(one, other) for one, other in zip(*runs, strict=True))


def test_a_pack_that_ends_begins_its_next_episode_in_the_same_step() -> None:
    task = read_task(find_task("arbitrage"))
    env = PackVectorEnv(task, 3)
    env.reset(seed=2)
    steps = [env.step(np.zeros((3, 1), np.float32)) for _ in range(task.steps)]
    assert [bool(step[3].all()) for step in steps] == [False] * (task.steps - 1) + [True]
    observation, reward, terminated, _, info = steps[-1]
    assert not terminated.any()
    assert info["final_obs"].shape == observation.shape
    assert np.isfinite(reward).all()
    assert not np.array_equal(info["final_obs"], observation)


def test_info_tells_the_safe_action_and_the_intervention() -> None:
    env = PackEnv(read_task(find_task("arbitrage")))
    env.reset(seed=1)
    info = [env.step(np.array([1.0], np.float32)) for _ in range(30)][-1][-1]
    assert info["safe_action"] < 0.9, "an empty pack cannot give more"
    assert info["intervened"] == 1.0
    assert info["violation"] == 0.0


@pytest.mark.skipif(
    importlib.util.find_spec("stable_baselines3") is None, reason="the extra rl-dev (stable_baselines3) is missing"
)
def test_stable_baselines_trains_on_it_for_a_few_hundred_steps() -> None:
    peer: Any = importlib.import_module("stable_baselines3")
    small = {"batch_size": 32, "policy_kwargs": {"net_arch": [16, 16]}}  # a third of the time
    learner = peer.SAC("MlpPolicy", PackEnv(read_task(find_task("arbitrage"))), learning_starts=50, seed=0, **small)
    before = [one.detach().clone() for one in learner.actor.parameters()]
    learner.learn(300)
    assert learner.num_timesteps == 300
    after = list(learner.actor.parameters())
    assert all(bool(one.isfinite().all()) for one in after)
    assert not all(bool((one == other).all()) for one, other in zip(before, after, strict=True)), "it has learned"
