"""Seeds spread over a Ray cluster: the same command, the same result to the seed."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import pytest

from control.rl.ray_workers import LOCAL, PORTS, RayPool
from control.rl.seed_training import SeedJob
from control.rl.training import CURVE, POLICY
from control.tasks.task import find_task, read_task
from tests.control.rl.inline import train

if TYPE_CHECKING:
    from pathlib import Path


def test_the_ports_of_the_local_cluster_are_fixed_and_below_those_of_the_system() -> None:
    assert len(set(PORTS.values())) == len(PORTS)
    assert max(PORTS.values()) < 32_768
    assert PORTS["min-worker-port"] > max(port for name, port in PORTS.items() if "worker" not in name)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="the extra distributed (ray) is missing")
def test_two_workers_of_a_cluster_train_as_this_process_does(tmp_path: Path) -> None:
    task = read_task(find_task("arbitrage"))
    jobs = [SeedJob(task, "cpo", seed, row_steps=6_000, packs=4) for seed in range(2)]
    pool = RayPool(LOCAL, 2)
    assert pool.slots == 2
    spread = train(jobs, tmp_path / "spread", 12_000, pool)
    train(jobs, tmp_path / "here", 12_000)
    assert [seed.steps for seed in spread] == [12_288, 12_288]
    for seed in range(2):
        for name in (CURVE, POLICY):
            one, other = (tmp_path / folder / f"seed_{seed}" / name for folder in ("spread", "here"))
            assert one.read_bytes() == other.read_bytes(), f"{name} of seed {seed}"
