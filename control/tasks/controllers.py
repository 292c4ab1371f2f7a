"""The controllers of the tasks by name: each process of a judge builds its own."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from control.tasks.rules import build_rule, build_stages
from control.tasks.task import TaskKind
from drivers.errors import Usage
from twin.cell_table import R0, R1, R2

if TYPE_CHECKING:
    from collections.abc import Callable

    from control.ports import Controller
    from control.rl.policy import Policy
    from control.tasks.task import ControlTask
    from drivers.snapshot import Floats
    from twin.cell_parameters import CellParameters

RULE, STAGES, MPC, WRONG_MPC = NAMES = ("rule", "stages", "mpc", "mpc-wrong")
POLICY_SUFFIX: Final = ".onnx"
WRONG: Final = 0.3  # capacity that the wrong MPC believes in addition, and resistance that it believes away


def build_controller(
    name: str, task: ControlTask, signal: Floats, observe: Callable[[], Floats], instead: str = MPC
) -> Controller:
    """Return the controller `name` (of `NAMES`, or a policy file) for one episode.

    `signal[steps + preview]`: what the task follows; `observe` returns the observation of the step, for a policy;
    `instead`: who decides where a policy must not. Raise `Usage` for an unknown name and `BenchFileError` for a file
    that is no policy.
    """
    match name:
        case "rule":
            return build_rule(task, signal)
        case "stages" if task.kind is TaskKind.CHARGE:
            return build_stages(task)
        case "mpc":
            return _build_mpc(task, signal)
        case "mpc-wrong":
            return _build_mpc(task, signal, make_wrong_cell(task.cell))
        case _ if name.endswith(POLICY_SUFFIX):
            return build_policy_controller(load_policy(name), task, signal, observe, instead)
        case _:
            raise Usage(f"there is no controller {name!r} for {task.name}", value=name, hint=f"use {', '.join(NAMES)}")


def build_policy_controller(
    policy: Policy, task: ControlTask, signal: Floats, observe: Callable[[], Floats], instead: str, **more: Any
) -> Controller:
    """Return a policy with `instead` behind it; see `PolicyController` for more options."""
    from control.rl.policy_controller import PolicyController  # noqa: PLC0415  # only a policy needs it

    def build_instead(step: int) -> Controller:
        left = np.concatenate([signal[step:], np.full(step, signal[-1])])
        return build_controller(instead, task, left, observe)

    return PolicyController(policy, task, observe, build_instead, **more)


def load_policy(name: str) -> Policy:
    """Return the policy of a file; raise `BenchFileError`."""
    from control.rl.policy import Policy  # noqa: PLC0415  # only a policy needs onnxruntime

    return Policy.load(Path(name))


def make_wrong_cell(cell: CellParameters, share: float = WRONG) -> CellParameters:
    """Return a cell that promises too much: more capacity, less resistance."""
    rows = cell.circuit.rows.copy()
    rows[[R0, R1, R2]] *= 1.0 - share
    circuit = replace(cell.circuit, rows=rows, capacity_ah=cell.capacity_ah * (1.0 + share))
    return replace(cell, circuit=circuit, sha256=f"{cell.sha256}, {share:.0%} wrong")


def _build_mpc(task: ControlTask, signal: Floats, cell: CellParameters | None = None) -> Controller:
    module: Any = import_module("control.task_mpc")  # CasADi takes a moment
    return module.build_task_mpc(task, signal, cell=cell)
