"""Writes a trained actor as a policy file: an ONNX graph of a few nodes with its normaliser inside; see `policy`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from onnx import TensorProto, checker, helper, numpy_helper
from torch import nn

from control.rl.networks import FAR
from control.rl.policy import INPUT, KEY, OUTPUT, TOLERANCE, Policy, PolicyInfo
from control.tasks.observation import Observer
from drivers.errors import CheckFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from control.rl.networks import Actor
    from control.tasks.task import ControlTask
    from drivers.snapshot import Floats

WIDENED: Final = 0.05  # of its range in training, by which a value may lie beyond it
ROUNDING: Final = 1e-6  # of float32: a value that never changed in training is inside as a float64, too
GOLDEN: Final = 16  # vectors
NUMBERS: Final = {"near": -FAR, "far": FAR, "least": -1.0, "most": 1.0}
OPSET, IR_VERSION = 17, 9  # old enough for every onnxruntime that this project accepts


def export_policy(
    task: ControlTask, actor: Actor, *, algorithm: str, seed: int, seen: Floats, spread: tuple[Floats, Floats]
) -> bytes:
    """Return the policy file; raise `CheckFailed` if onnxruntime does not repeat what torch computes.

    `seen[n, names]`: observations of the training, of which the golden vectors are taken; `spread`: the lowest and the
    highest value of each.
    """
    low, high = (side.astype(np.float64) for side in spread)
    margin = WIDENED * (high - low) + ROUNDING * np.maximum(np.abs(low), np.abs(high))
    golden = seen[np.linspace(0, len(seen) - 1, GOLDEN).astype(int)].astype(np.float32)
    with torch.no_grad():
        actions = actor.decide(torch.as_tensor(golden)).numpy()
    info = PolicyInfo(
        task=task.name,
        task_sha256=task.sha256,
        cell_sha256=task.cell.sha256,
        algorithm=algorithm,
        seed=seed,
        names=Observer(task).names,
        low=_freeze(low - margin),
        high=_freeze(high + margin),
        golden_observations=tuple(map(_freeze, golden)),
        golden_actions=_freeze(actions),
        price_days=() if task.market is None else task.market.table.day_hashes,
    )
    data = build_graph(actor, info)
    worst = Policy(data, "the exported policy").find_golden_error()
    if not worst <= TOLERANCE:
        raise CheckFailed(
            f"the exported policy differs from the trained one by {worst:.2g} of the rating",
            value=worst,
            bound=TOLERANCE,
            hint="report it with the versions of torch and onnxruntime",
        )
    return data


def measure_inference_us(data: bytes, now: Callable[[], float], repeats: int = 2000) -> tuple[float, float]:
    """Return the median and the 99th percentile of the time of one answer (us) on this machine."""
    policy = Policy(data, "the exported policy")
    observation = np.array(policy.info.golden_observations[:1])
    took_s: list[float] = []
    for _ in range(repeats):
        began_s = now()
        policy.act(observation)
        took_s.append(now() - began_s)
    median, late = np.percentile(took_s[repeats // 10 :], [50.0, 99.0]) * 1e6
    return float(median), float(late)


def build_graph(actor: Actor, info: PolicyInfo) -> bytes:
    """Return the graph: normalise, layers with ReLU between them, tanh, add what is asked for and allowed, cut."""
    onnx: Any = helper  # they carry no types
    untyped: Any = checker
    weights: dict[str, Any] = {
        "mean": actor.normaliser.mean.numpy(),
        "scale": actor.normaliser.scale.numpy(),
        **{name: np.float32(value) for name, value in NUMBERS.items()},
    }
    nodes: list[Any] = []

    def add(kind: str, inputs: list[str], **attributes: Any) -> str:
        output = f"{kind.lower()}_{len(nodes)}"
        nodes.append(onnx.make_node(kind, inputs, [output], **attributes))
        return output

    last = add("Clip", [add("Div", [add("Sub", [INPUT, "mean"]), "scale"]), "near", "far"])
    linear = [layer for layer in actor.layers if isinstance(layer, nn.Linear)]
    for number, layer in enumerate(linear):
        is_last = number == len(linear) - 1
        kept = slice(0, 1) if is_last else slice(None)  # of the last layer, the mean alone
        weights[f"weight_{number}"] = layer.weight.detach().numpy()[kept]
        weights[f"bias_{number}"] = layer.bias.detach().numpy()[kept]
        last = add("Gemm", [last, f"weight_{number}", f"bias_{number}"], transB=1)
        last = add("Tanh" if is_last else "Relu", [last])
    columns = dict(zip(("charge", "discharge"), actor.limits, strict=True), base=actor.base)
    weights |= {name: np.array([column]) for name, column in columns.items()}
    weights |= {"reach": np.float32(actor.reach), "sign": np.float32(actor.sign)}
    charge, discharge, asked = (add("Gather", [INPUT, name], axis=1) for name in columns)
    asked = add("Max", [add("Mul", [asked, "sign"]), add("Neg", [charge])])
    shrunk = add("Shrink", [last], lambd=actor.least, bias=actor.least)
    last = add("Add", [add("Min", [asked, discharge]), add("Mul", [shrunk, "reach"])])
    nodes.append(onnx.make_node("Clip", [last, "least", "most"], [OUTPUT]))
    graph = onnx.make_graph(
        nodes,
        "policy",
        [onnx.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["packs", len(info.names)])],
        [onnx.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["packs", 1])],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in weights.items()],
    )
    model = onnx.make_model(
        graph, producer_name="pulsebms", opset_imports=[onnx.make_opsetid("", OPSET)], ir_version=IR_VERSION
    )
    onnx.set_model_props(model, {KEY: info.encode()})
    untyped.check_model(model)
    return bytes(model.SerializeToString())


def _freeze(values: Floats) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
