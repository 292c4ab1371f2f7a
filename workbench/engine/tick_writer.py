"""The writer of ticks: a row in the ring and a row on disk. The guard is woken after it and reads the row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from control.tick import Tick, TickLayout
    from drivers.ring import RingWriter
    from drivers.snapshot import Bytes, Floats


class RowRecorder(Protocol):
    """The recorder, which writes rows to disk."""

    def put(self, t_s: float, values: Floats, sampled_s: Floats, quality: Bytes) -> None: ...


class TickWriter:
    """Converts each tick to one row, for the ring and the recorder."""

    def __init__(self, layout: TickLayout, ring: RingWriter, recorder: RowRecorder) -> None:
        self._layout, self._ring, self._recorder = layout, ring, recorder
        self._row = np.empty(len(layout.table))

    def put(self, tick: Tick) -> None:
        snapshot = tick.snapshot
        self._layout.fill(tick, self._row)
        self._ring.publish(snapshot.t_s, self._row, snapshot.sampled_s, snapshot.quality)
        self._recorder.put(snapshot.t_s, self._row, snapshot.sampled_s, snapshot.quality)
