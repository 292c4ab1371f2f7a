"""python-can without its MF4 writer, which would load asammdf, sympy and pandas: over 1 s in every process."""

from __future__ import annotations

import sys

_MF4 = "asammdf"
_loaded = sys.modules.get(_MF4)
sys.modules[_MF4] = None  # type: ignore[assignment]  # python-can takes it as not installed
try:
    import can
    import can.interfaces  # pyright: ignore[reportUnusedImport]
finally:
    del sys.modules[_MF4]
    if _loaded is not None:
        sys.modules[_MF4] = _loaded

__all__ = ["can"]
