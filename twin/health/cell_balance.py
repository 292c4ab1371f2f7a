"""Balance of the cells of a pack: how far their voltages and states of charge lie apart, at rest and at the ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from twin.health.log_capacity import LEAST_S
from twin.health.log_segments import find_rests

if TYPE_CHECKING:
    from drivers.snapshot import Floats
    from twin.health.log_capacity import JudgedCell
    from twin.health.log_segments import LogSamples

LEAST_CELLS: Final = 2


@dataclass(frozen=True)
class CellSpread:
    """Cells at one instant: `spread_v` in V, `soc_spread` from 0 to 1, None without an open-circuit voltage.

    `lowest` and `highest` are numbers of cells, from 1; `at` says which instant it is.
    """

    log: str
    at: str
    time_s: float
    spread_v: float
    soc_spread: float | None
    lowest: int
    highest: int
    cells: int


def find_balance(
    log: LogSamples, numbers: tuple[int, ...], cells_v: Floats, cell: JudgedCell | None
) -> tuple[list[CellSpread], list[str]]:
    """Return the spreads of a log, and sentences about what is not judged.

    `cells_v[k]` is the voltage (V) of the cell `numbers[k]` at the times of `log`, NaN where it is not known. The state
    of charge follows from the cell's open-circuit voltage, at the end of a rest of 10 minutes alone.
    """
    whole = np.flatnonzero(np.isfinite(cells_v).all(axis=0)) if len(numbers) >= LEAST_CELLS else np.array([], int)
    if not len(whole):
        return [], [f"{log.name}: no balance: it does not hold the voltages of two cells or more at one time"]
    voltages = cells_v[:, whole]
    ends = ((int(whole[np.argmax(voltages.max(axis=0))]), "highest voltage"),)
    ends += ((int(whole[np.argmin(voltages.min(axis=0))]), "lowest voltage"),)
    found = [_measure(log, place, at, numbers, cells_v, None) for place, at in ends]
    known = set(whole.tolist())
    rests = [last for _, last in find_rests(log, LEAST_S) if last in known]
    gaps: list[str] = []
    if rests:
        found.insert(0, _measure(log, rests[-1], "end of the last rest", numbers, cells_v, cell))
    else:
        gaps.append(f"{log.name}: no balance at rest: no rest of {LEAST_S / 60:.0f} min")
    if rests and cell is None:
        gaps.append(f"{log.name}: no spread of the state of charge without the cell's voltages: name the cell (--cell)")
    return found, gaps


def _measure(  # noqa: PLR0917  # one instant of a pack
    log: LogSamples, place: int, at: str, numbers: tuple[int, ...], cells_v: Floats, cell: JudgedCell | None
) -> CellSpread:
    now = cells_v[:, place]
    low, high = int(np.argmin(now)), int(np.argmax(now))
    soc = None if cell is None else cell.find_soc(float(now[high])) - cell.find_soc(float(now[low]))
    spread = float(now[high] - now[low])
    return CellSpread(log.name, at, float(log.time_s[place]), spread, soc, numbers[low], numbers[high], len(numbers))
