"""The state of a bench's outputs, derived from what the instruments read back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from control.state import BenchState, OutputState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.snapshot import Snapshot

LIVE_CELL_V: Final = 0.1  # below that a cell output is off: its own noise and offset


class OutputStates:
    """Derives the output state from read-backs no older than `late_s`; UNKNOWN if one is not known."""

    def __init__(self, supply: int, contactor: int, cells: Sequence[int], late_s: float) -> None:
        """Take the columns of the supply's output flag, the contactor's contact and the cells' measured voltages."""
        self._columns = np.array([supply, contactor, *cells], dtype=np.intp)
        self._late_s = late_s

    def derive(self, snapshot: Snapshot, state: BenchState) -> OutputState:
        values = snapshot.values[self._columns]
        fresh = np.abs(snapshot.t_s - snapshot.sampled_s[self._columns]) <= self._late_s
        if not (np.isfinite(values) & fresh).all():
            return OutputState.UNKNOWN
        supply, contactor, cells = values[0], values[1], values[2:]
        if supply != 0.0:
            return OutputState.ENERGISED
        if state is BenchState.TRIPPED:
            return OutputState.TRIPPED
        if contactor != 0.0:
            return OutputState.CURRENT_OFF
        return OutputState.CELLS_LIVE if bool((np.abs(cells) > LIVE_CELL_V).any()) else OutputState.DE_ENERGISED
