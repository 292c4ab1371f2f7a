"""Numba as one typed decorator: compiled on first use, kept on disk, one thread."""

from __future__ import annotations

from typing import Any, TypeVar, cast

import numba

F = TypeVar("F")
_NUMBA: Any = numba  # carries no types


def kernel(function: F) -> F:
    """Compile `function` for the argument types that it meets; the cache lies beside its source (NUMBA_CACHE_DIR)."""
    return cast("F", _NUMBA.njit(cache=True)(function))
