"""Numbers for JSON, which has neither NaN nor infinity."""

from __future__ import annotations

import math
from typing import Any


def nan_to_null(value: float) -> float | None:
    """Return the value, None for NaN and infinity."""
    return value if math.isfinite(value) else None


def replace_nan(value: Any) -> Any:
    """Return `value` with None for every NaN and infinity inside it; keys become strings, tuples lists."""
    if isinstance(value, float):
        return nan_to_null(value)
    if isinstance(value, dict):
        return {str(key): replace_nan(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(value, (list, tuple)):
        return [replace_nan(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return value
