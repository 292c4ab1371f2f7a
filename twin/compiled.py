"""Numba as one typed decorator: compiled on first use, kept on disk, one thread.

A kernel is compiled anew when its own file changes, not when a kernel that it calls from another file does: after a
change to one of those remove `twin/__pycache__/*.nbi`.
"""

from __future__ import annotations

from typing import Any, TypeVar, cast

import numba

F = TypeVar("F")
_NUMBA: Any = numba  # carries no types


def kernel(function: F) -> F:
    """Compile `function` for the argument types that it meets; the cache lies beside its source (NUMBA_CACHE_DIR)."""
    return cast("F", _NUMBA.njit(cache=True)(function))
