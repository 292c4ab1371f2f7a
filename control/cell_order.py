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


def wrong_order(read_v: Floats) -> str:
    """Return a sentence on the readings `read_v[n]` that are not their cell's; empty if all are in place."""
    unknown = [n + 1 for n in np.flatnonzero(~np.isfinite(read_v)).tolist()]
    if unknown:
        return f"the BMS reports no voltage for cell {', '.join(map(str, unknown))}"
    reach_v = STEP_V * (len(read_v) + 1) / 2
    strange = np.flatnonzero(np.abs(read_v - np.median(read_v)) > reach_v).tolist()
    if strange:
        return "; ".join(
            f"the BMS reports {read_v[n]:.3f} V for cell {n + 1}, a voltage that was set on no cell" for n in strange
        )
    offset_v = read_v - float(np.mean(read_v))  # the mean stays, however cells are permuted
    cells = (np.rint(offset_v / STEP_V + (len(read_v) - 1) / 2).astype(int) + 1).tolist()
    wrong = {place: cell for place, cell in enumerate(cells, start=1) if place != cell}
    pairs = sorted((a, b) for a, b in wrong.items() if a < b and wrong.get(b) == a)
    errors = [f"cells {a} and {b} are swapped" for a, b in pairs]
    swapped = {cell for pair in pairs for cell in pair}
    errors += [f"the BMS reports cell {cell} as cell {place}" for place, cell in wrong.items() if place not in swapped]
    return "; ".join(errors)
