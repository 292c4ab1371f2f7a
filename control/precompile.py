"""Precompilation of what would delay the first connect: the twins' part, then the kernels of MPC, shield and tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from control.tasks.simulation import TaskSimulation
from control.tasks.task import find_task, read_task
from twin.precompile import precompile as precompile_twins

if TYPE_CHECKING:
    from pathlib import Path


def precompile(cache: Path | None = None) -> None:
    """Precompile the twins with `cache`, then compile each kernel of the controllers by one step of a task."""
    precompile_twins(cache)
    TaskSimulation(read_task(find_task("duty_tracking")), 0, 1).step(np.zeros(1))


if __name__ == "__main__":
    precompile()
