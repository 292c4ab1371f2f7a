"""What every lane does with a current that is not known: the last known one goes on (0 A before the first)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from drivers.snapshot import Floats


def replace_nan(values: Floats) -> Floats:
    """`values` with 0 for what is not known (NaN)."""
    return np.where(np.isnan(values), 0.0, values)


class CurrentHold:
    """The newest finite current of each of `cells` series elements."""

    def __init__(self, cells: int) -> None:
        self._last_a = np.zeros(cells)

    def __call__(self, current_a: Floats) -> Floats:
        """Current with NaN and infinity replaced by what was last known (A); overwritten by the next call."""
        np.copyto(self._last_a, current_a, where=np.isfinite(current_a))
        return self._last_a
