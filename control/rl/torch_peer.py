"""The network of a policy file in torch, to time it beside onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import onnx
import torch
from onnx import numpy_helper

from drivers.clock import monotonic

if TYPE_CHECKING:
    from drivers.snapshot import Floats


def time_torch(path: Path, observation: Floats, repeats: int) -> list[float]:
    """Return the time of each answer (s) of the layers of a policy file on one `observation[names]`, on one thread.

    Weights are those of the file, in its order; normaliser and cuts are left out, so torch computes less.
    """
    model: Any = onnx.load_model_from_string(Path(path).read_bytes())
    arrays = [
        torch.as_tensor(numpy_helper.to_array(tensor).copy(), dtype=torch.float32) for tensor in model.graph.initializer
    ]
    layers = [array for array in arrays if array.ndim == 2]  # noqa: PLR2004  # matrices
    torch.set_num_threads(1)
    took_s: list[float] = []
    with torch.inference_mode():
        for _ in range(repeats):
            began_s = monotonic()
            values = torch.as_tensor(observation, dtype=torch.float32)[None]
            for number, layer in enumerate(layers):
                values = torch.nn.functional.linear(values, layer)
                values = torch.relu(values) if number < len(layers) - 1 else torch.tanh(values)
            float(values[0, 0])
            took_s.append(monotonic() - began_s)
    return took_s
