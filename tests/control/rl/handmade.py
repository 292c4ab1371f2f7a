"""Policies made by hand: a rule for prices as an ONNX graph, with or without the limits that it observes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from control.rl.policy import INPUT, KEY, OUTPUT, Policy, PolicyInfo
from control.tasks.observation import Observer
from control.tasks.simulation import TaskSimulation

if TYPE_CHECKING:
    from pathlib import Path

    from control.tasks.task import ControlTask

FAR = 1e4
_ONNX: Any = helper  # it carries no types


def make_policy(
    task: ControlTask,
    gain: float = 10.0,
    dead_band: float = 0.05,
    *,
    bias: float = 0.0,
    is_limited: bool = True,
    where: Path | None = None,
    **changes: Any,
) -> bytes:
    """Return a policy that sells above the mean price and buys below it; `is_limited`: within what it may.

    `bias` is added to every action; `where` is the file of a task that is not shipped; `changes` are other values of
    its `PolicyInfo`.
    """
    names = Observer(task).names
    price = names.index("price_00")
    columns = {"price": price, "charge": names.index("charge"), "discharge": names.index("discharge")}
    weights = {name: np.array([column], np.int64) for name, column in columns.items()}
    weights |= {"gain": np.array([gain], np.float32), "band": np.array([dead_band], np.float32)}
    weights["bias"] = np.array([bias], np.float32)
    nodes = [_ONNX.make_node("Gather", [INPUT, name], [f"{name}_seen"], axis=1) for name in columns]
    steps = [
        ("Sub", ["price_seen", "band"], "above"),
        ("Relu", ["above"], "sells"),
        ("Neg", ["price_seen"], "negative"),
        ("Sub", ["negative", "band"], "below"),
        ("Relu", ["below"], "buys"),
        ("Sub", ["sells", "buys"], "trades"),
        ("Mul", ["trades", "gain"], "scaled"),
        ("Add", ["scaled", "bias"], "wanted"),
    ]
    if is_limited:
        steps += [
            ("Neg", ["charge_seen"], "least"),
            ("Max", ["wanted", "least"], "raised"),
            ("Min", ["raised", "discharge_seen"], OUTPUT),
        ]
    else:
        steps += [("Identity", ["wanted"], OUTPUT)]
    nodes += [_ONNX.make_node(kind, inputs, [output]) for kind, inputs, output in steps]
    golden = TaskSimulation(task, 0, 3).observation.astype(np.float32)
    info = PolicyInfo(
        task=task.name if where is None else str(where),
        task_sha256=task.sha256,
        cell_sha256=task.cell.sha256,
        algorithm="by hand",
        seed=0,
        names=names,
        low=(-FAR,) * len(names),
        high=(FAR,) * len(names),
        golden_observations=tuple(tuple(float(value) for value in row) for row in golden),
        golden_actions=(0.0,) * len(golden),
    )
    bare = Policy(_encode(nodes, weights, info), "by hand")
    actions = tuple(float(action) for action in bare.act(golden.astype(np.float64)))
    return _encode(nodes, weights, replace(info, golden_actions=actions, **changes))


def _encode(nodes: list[Any], weights: dict[str, Any], info: PolicyInfo) -> bytes:
    tensors = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    ins = [_ONNX.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["packs", len(info.names)])]
    outs = [_ONNX.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["packs", 1])]
    graph = _ONNX.make_graph(nodes, "policy", ins, outs, tensors)
    model = _ONNX.make_model(graph, opset_imports=[_ONNX.make_opsetid("", 17)], ir_version=9)
    _ONNX.set_model_props(model, {KEY: info.encode()})
    return bytes(model.SerializeToString())
