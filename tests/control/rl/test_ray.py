"""Seeds spread over a Ray cluster: the same command, the same result to the seed, and nobody else is let in."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from contextlib import suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from control.rl.ray_workers import PORTS
from control.rl.seed_training import SeedJob
from control.rl.training_names import CURVE, POLICY, SUMMARY
from control.tasks.task import find_task, read_task
from tests.control.rl.inline import train
from tests.docs.markdown import ROOT

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = "train arbitrage --algorithm cpo --seeds 2 --steps 12000 --every 6000 --ray local --out"


def test_the_ports_of_the_local_cluster_are_fixed_and_below_those_of_the_system() -> None:
    assert len(set(PORTS.values())) == len(PORTS)
    assert max(PORTS.values()) < 32_768
    assert PORTS["min-worker-port"] > max(port for name, port in PORTS.items() if "worker" not in name)


def list_listeners(pid: int) -> list[tuple[str, int]]:
    """Address and port of all that a process and its children listen at."""
    family, found = psutil.Process(pid), list[Any]()
    for member in (family, *family.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):  # it has ended meanwhile
            found += member.net_connections("inet")
    return [(one.laddr.ip, one.laddr.port) for one in found if one.status == psutil.CONN_LISTEN]


def is_loopback(address: str) -> bool:
    return ip_address(address.removeprefix("::ffff:")).is_loopback


@pytest.mark.slow
@pytest.mark.timeout(500)
@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="the extra distributed (ray) is missing")
def test_two_workers_of_a_cluster_train_as_this_process_does(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "main.py"), *COMMAND.split(), str(tmp_path / "spread")]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as verb:
        assert verb.stdout is not None
        has_row = any(line.startswith("seed ") for line in verb.stdout)
        listeners = list_listeners(verb.pid)
        _, err = verb.communicate(timeout=400.0)
    assert has_row, err
    summary = json.loads((tmp_path / "spread" / SUMMARY).read_text())
    assert [seed["alarm"] for seed in summary["seeds"]] == ["", ""], "the status also judges how fast answers are"
    assert {PORTS["port"], PORTS["node-manager-port"]} <= {port for _, port in listeners}, "the cluster was there"
    assert [one for one in listeners if not is_loopback(one[0])] == []
    assert all(PORTS["port"] <= port <= PORTS["max-worker-port"] for _, port in listeners)
    task = read_task(find_task("arbitrage"))
    here = train([SeedJob(task, "cpo", seed, row_steps=6_000) for seed in range(2)], tmp_path / "here", 12_000)
    assert [seed.steps for seed in here] == [12_288, 12_288]
    for seed in range(2):
        for name in (CURVE, POLICY):
            one, other = (tmp_path / folder / f"seed_{seed}" / name for folder in ("spread", "here"))
            assert one.read_bytes() == other.read_bytes(), f"{name} of seed {seed}"
