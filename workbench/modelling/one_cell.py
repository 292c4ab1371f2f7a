"""Whether the voltage of a log is that of one cell."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.logs.table import refuse_log

if TYPE_CHECKING:
    from drivers.logs.log import CellLog

APART_V: Final = 1.0  # beyond its limits no cell spends half of a log


def require_one_cell(log: CellLog, low_v: float, high_v: float) -> None:
    """Raise `LogError` where the median voltage is far from the limits (V) of the cell: it is that of a pack."""
    middle_v = float(np.median(log.voltage_v))
    if low_v - APART_V <= middle_v <= high_v + APART_V:
        return
    what = f"has a median voltage of {middle_v:.4g} V, but the cell has {low_v:g} to {high_v:g} V"
    column = "name another column: --columns voltage=..."
    if middle_v < low_v:
        raise refuse_log(log.path, what, column)
    few, many = math.ceil(middle_v / high_v), math.floor(middle_v / low_v)
    raise refuse_log(
        log.path, what, f"of a pack name its cells in series ({few} to {many} of these): --series N; or {column}"
    )
