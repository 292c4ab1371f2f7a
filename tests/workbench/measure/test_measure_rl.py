"""`measure rl`: short, beside its peers."""

from __future__ import annotations

import importlib.util
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from control.rl.torch_peer import time_torch
from control.tasks.task import find_task, read_task
from tests.control.rl.handmade import make_policy
from workbench.measure import rl
from workbench.measure.job import MeasureJob

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.skipif(importlib.util.find_spec("control.task_mpc") is None, reason="there is no MPC for tasks to measure")
def test_a_short_measurement_yields_every_declared_figure(tmp_path: Path) -> None:
    said: list[str] = []
    rows = list(rl.measure(MeasureJob(said.append, tmp_path, share=0.02)))
    assert [row.metric for row in rows] == list(rl.METRICS)
    without_policy = {rl.ANSWER, rl.TRADER, rl.DUTY}
    assert all(math.isfinite(row.value) for row in rows if row.metric not in without_policy)
    assert all("cores" in row.conditions for row in rows)
    assert any("with mpc" in line for line in said)


def test_torch_is_timed_on_the_layers_of_the_file(tmp_path: Path) -> None:
    task = read_task(find_task("arbitrage"))
    path = tmp_path / "p.onnx"
    path.write_bytes(make_policy(task))
    took_s = time_torch(path, np.zeros(1), 20)
    assert len(took_s) == 20
    assert min(took_s) > 0.0
