"""A policy file: an ONNX graph with its normaliser inside, and what it was trained for in its metadata.

Input `observation` float32 `[packs, names]`, output `action` float32 `[packs, 1]`: a fraction of the rating, discharge
positive. It is read without torch and without the package onnx.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Self, cast

import numpy as np

from drivers.errors import BenchFileError, describe_error

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.snapshot import Floats

SCHEMA: Final = "pulsebms.policy/1"
KEY: Final = "pulsebms"  # of the graph's metadata
INPUT, OUTPUT = "observation", "action"
TOLERANCE: Final = 1e-4  # of an action, between two machines


@dataclass(frozen=True)
class PolicyInfo:
    """What a policy was trained for. `low` and `high`: the range of each observed value in training.

    `golden_observations` and `golden_actions`: pairs that every machine must repeat. `price_days`: hashes of the days
    of a price table that the training drew of; empty if it had none.
    """

    task: str
    task_sha256: str
    cell_sha256: str
    algorithm: str
    seed: int
    names: tuple[str, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    golden_observations: tuple[tuple[float, ...], ...]
    golden_actions: tuple[float, ...]
    price_days: tuple[str, ...] = ()

    def encode(self) -> str:
        """Return the text for the metadata of the graph."""
        content = {name: value for name, value in asdict(self).items() if name != "price_days" or value}
        return json.dumps({"schema": SCHEMA, **content}, allow_nan=False)

    @classmethod
    def decode(cls, text: str) -> Self:
        """Return the record of `encode`; raise `ValueError` for another text."""
        loaded: Any = json.loads(text)
        content = cast("dict[str, Any]", loaded) if isinstance(loaded, dict) else {}
        if content.pop("schema", None) != SCHEMA:
            raise ValueError(f"its schema is not {SCHEMA}")
        try:
            info = cls(**{name: _freeze(value) for name, value in content.items()})
        except TypeError as error:
            raise ValueError(str(error)) from error
        widths = {len(info.names), len(info.low), len(info.high), *map(len, info.golden_observations)}
        if len(widths) != 1 or len(info.golden_observations) != len(info.golden_actions) or not info.golden_actions:
            raise ValueError("its observation, ranges and golden vectors have different lengths")
        return info


class Policy:
    """A loaded policy; one thread. `sha256` is that of the file."""

    def __init__(self, data: bytes, where: str) -> None:
        """Raise `BenchFileError` for what is no policy."""
        runtime: Any = import_module("onnxruntime")  # 50 ms that only a policy costs; it carries no types
        options: Any = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            session: Any = runtime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
            self.info = PolicyInfo.decode(session.get_modelmeta().custom_metadata_map.get(KEY, "null"))
        except Exception as error:  # its exceptions have no common base
            hint = "name a file that train has written"
            raise BenchFileError(f"is not a policy: {describe_error(error)}", where=where, hint=hint) from error
        self.sha256 = hashlib.sha256(data).hexdigest()
        self._run = session.run
        self._low, self._high = np.array(self.info.low), np.array(self.info.high)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a policy file; raise `BenchFileError`."""
        try:
            data = path.read_bytes()
        except OSError as error:
            hint = "name a file that train has written"
            raise BenchFileError(f"cannot be read: {error.strerror}", where=str(path), hint=hint) from error
        return cls(data, str(path))

    def act(self, observations: Floats) -> Floats:
        """Return one action a row of `observations[packs, names]`."""
        (actions,) = self._run([OUTPUT], {INPUT: observations.astype(np.float32)})
        return np.asarray(actions, np.float64)[:, 0]

    def find_outside(self, observation: Floats) -> str:
        """Return the first value outside the trained range as words; empty if all are inside. A NaN is outside."""
        inside = (observation >= self._low) & (observation <= self._high)
        if inside.all():
            return ""
        n = int(np.flatnonzero(~inside)[0])
        return f"{self.info.names[n]} = {observation[n]:.4g}, trained from {self._low[n]:.4g} to {self._high[n]:.4g}"

    def find_golden_error(self) -> float:
        """Return by how much the golden vectors differ here, at worst."""
        actions = self.act(np.array(self.info.golden_observations))
        return float(np.max(np.abs(actions - np.array(self.info.golden_actions))))


def _freeze(value: Any) -> Any:
    return tuple(_freeze(item) for item in cast("list[Any]", value)) if isinstance(value, list) else value
