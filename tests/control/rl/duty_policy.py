"""A policy made by hand that follows a duty: one observed value times a gain, plus a bias, as an ONNX graph."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from control.rl.policy import INPUT, KEY, OUTPUT, Policy, PolicyInfo
from control.tasks.observation import Observer
from control.tasks.simulation import TaskSimulation
from control.tasks.task import find_task, read_task

_ONNX: Any = helper  # it carries no types


def make_duty_policy(gain: float = 1.0, bias: float = 0.0, **changes: Any) -> bytes:
    """Return a policy file whose action is `gain` times the duty of this step plus `bias`.

    `changes` replace values of its `PolicyInfo` after the golden vectors were made.
    """
    task = read_task(find_task("duty_tracking"))
    names = Observer(task).names
    weights = np.zeros((len(names), 1), np.float32)
    weights[names.index("duty_0")] = gain
    golden = TaskSimulation(task, 1, 4).observation
    wide = (-1e4,) * len(names), (1e4,) * len(names)
    rows = tuple(tuple(float(value) for value in row) for row in golden)
    info = PolicyInfo(task.name, task.sha256, task.cell.sha256, "by hand", 0, names, *wide, rows, (0.0,) * len(rows))
    tensors = [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(np.array([bias], np.float32), "b")]
    actions = tuple(float(action) for action in Policy(_encode(tensors, info), "by hand").act(golden))
    return _encode(tensors, replace(info, golden_actions=actions, **changes))


def _encode(tensors: list[Any], info: PolicyInfo) -> bytes:
    width = len(info.names)
    nodes = [_ONNX.make_node("MatMul", [INPUT, "w"], ["product"]), _ONNX.make_node("Add", ["product", "b"], [OUTPUT])]
    ins = [_ONNX.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["packs", width])]
    outs = [_ONNX.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["packs", 1])]
    graph = _ONNX.make_graph(nodes, "policy", ins, outs, tensors)
    model = _ONNX.make_model(graph, opset_imports=[_ONNX.make_opsetid("", 17)], ir_version=9)
    _ONNX.set_model_props(model, {KEY: info.encode()})
    return bytes(model.SerializeToString())
