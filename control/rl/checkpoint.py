"""A checkpoint as bytes: everything that a training needs to continue bit for bit. Reading one runs no code."""

from __future__ import annotations

import io
from typing import Any, Final, cast

import numpy as np
import torch

from drivers.errors import RunLogError, describe_error

SCHEMA: Final = "pulsebms.checkpoint/1"
HINT: Final = "remove the folder and train anew"


def encode_checkpoint(state: dict[str, Any], about: dict[str, Any]) -> bytes:
    """Return `state` (nested dicts of numbers, texts, arrays and tensors) and what it is `about` as bytes."""
    file = io.BytesIO()
    torch.save(_to_tensors({"schema": SCHEMA, "about": about, "state": state}), file)
    return file.getvalue()


def decode_checkpoint(data: bytes, about: dict[str, Any], where: str) -> dict[str, Any]:
    """Return the state; raise `RunLogError` for a damaged file, another format, or one about something else."""
    try:
        loaded: Any = torch.load(io.BytesIO(data), weights_only=True)
        content = cast("dict[str, Any]", _to_arrays(loaded))
        schema, found = content["schema"], content["about"]
    except Exception as error:  # its exceptions have no common base
        raise RunLogError(f"is not a checkpoint: {describe_error(error)}", where=where, hint=HINT) from error
    if schema != SCHEMA:
        raise RunLogError(f"has the format {schema}", where=where, value=schema, bound=SCHEMA, hint=HINT)
    for key, wanted in about.items():
        if found.get(key) != wanted:
            what = f"is of a training with {key} {found.get(key)}, not {wanted}"
            hint = "name another folder, or repeat the command that began it"
            raise RunLogError(what, where=where, key=key, value=found.get(key), bound=wanted, hint=hint)
    return content["state"]


ARRAY: Final = "numpy"


def _to_tensors(value: Any) -> Any:
    """Return `value` with each array as a marked tensor: the reader accepts no other object."""
    if isinstance(value, np.ndarray):
        return {ARRAY: torch.as_tensor(np.ascontiguousarray(cast("Any", value)))}
    if isinstance(value, dict):
        return {key: _to_tensors(inner) for key, inner in cast("dict[Any, Any]", value).items()}
    if isinstance(value, (list, tuple)):
        return [_to_tensors(inner) for inner in cast("list[Any]", value)]
    return cast("Any", value).item() if isinstance(value, np.generic) else value


def _to_arrays(value: Any) -> Any:
    if isinstance(value, dict):
        inner = cast("dict[Any, Any]", value)
        if set(inner) == {ARRAY}:
            return inner[ARRAY].numpy()
        return {key: _to_arrays(one) for key, one in inner.items()}
    return [_to_arrays(one) for one in cast("list[Any]", value)] if isinstance(value, list) else value
