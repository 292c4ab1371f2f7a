"""Zero-order hold of an unknown current, the same in every lane: the last known value (0 A before the first)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from drivers.snapshot import Floats


def replace_nan(values: Floats) -> Floats:
    """Return `values` with 0 for NaN (unknown)."""
    return np.where(np.isnan(values), 0.0, values)


class CurrentHold:
    """The newest finite current of each of `cells` series elements."""

    def __init__(self, cells: int) -> None:
        self._last_a = np.zeros(cells)

    def __call__(self, current_a: Floats) -> Floats:
        """Return the current (A) with the last known value for NaN and infinity; the next call overwrites it."""
        np.copyto(self._last_a, current_a, where=np.isfinite(current_a))
        return self._last_a
