"""The cell-order check: every cell is a step above the one before it, so that each reading identifies its cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from drivers.snapshot import Floats

STEP_V: Final = 0.005


def staircase(cells: int) -> Floats:
    """Return offsets in V, `STEP_V` times the cell's number, around zero."""
    return STEP_V * (np.arange(cells, dtype=np.float64) - (cells - 1) / 2)


def wrong_order(seen_v: Floats) -> str:
    """Return a sentence on the readings `seen_v[n]` that are not their cell's; empty if all are in place."""
    unknown = [n + 1 for n in np.flatnonzero(~np.isfinite(seen_v)).tolist()]
    if unknown:
        return f"the BMS reads nothing at cell {', '.join(map(str, unknown))}"
    reach_v = STEP_V * (len(seen_v) + 1) / 2
    strange = np.flatnonzero(np.abs(seen_v - np.median(seen_v)) > reach_v).tolist()
    if strange:
        return "; ".join(f"the BMS reads {seen_v[n]:.3f} V at cell {n + 1}, which no cell was given" for n in strange)
    offset_v = seen_v - float(np.mean(seen_v))  # the mean stays, however cells are permuted
    found = (np.rint(offset_v / STEP_V + (len(seen_v) - 1) / 2).astype(int) + 1).tolist()
    wrong = {place: cell for place, cell in enumerate(found, start=1) if place != cell}
    pairs = sorted((a, b) for a, b in wrong.items() if a < b and wrong.get(b) == a)
    told = [f"cells {a} and {b} are swapped" for a, b in pairs]
    swapped = {cell for pair in pairs for cell in pair}
    told += [f"the BMS reads cell {cell} in place {place}" for place, cell in wrong.items() if place not in swapped]
    return "; ".join(told)
