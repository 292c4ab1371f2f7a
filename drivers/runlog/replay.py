"""Replay of a run into a snapshot ring, so that every view of a live bench can show the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self

import numpy as np

from drivers.ring import CAPACITY, RingBlock, RingWriter

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.runlog.run import Run

AHEAD: Final = 2000  # ticks per read from disk


class Replay:
    """A run as a ring: `advance(to_s)` fills the ring up to `to_s` seconds after the run's first tick.

    The content of the ring depends only on that time, so the caller's clock sets the speed, a pause and a jump.
    """

    def __init__(self, run: Run, ring_path: Path, capacity: int = CAPACITY) -> None:
        """Create the ring at `ring_path`, empty until the first `advance`."""
        self.run = run
        self._ring = RingWriter.create(ring_path, run.table, run.measured, capacity)
        self._history = capacity - 1
        self._since_start_s = run.t_s - run.start_s
        self._shown = 0  # ticks of the run up to here are in the ring
        self._block: RingBlock = run.block(0, 0)

    @property
    def duration_s(self) -> float:
        return self.run.duration_s

    def advance(self, to_s: float) -> None:
        """Show the run up to `to_s`; a step back starts a new epoch of the ring with the history before that time."""
        end = int(np.searchsorted(self._since_start_s, to_s, side="right"))
        first = self._shown
        if end < first:
            self._ring.restart()
            first = 0
        first = max(first, end - self._history)  # older ones would be overwritten at once
        for tick in range(first, end):
            self._publish(tick)
        self._shown = end

    def close(self) -> None:
        """Close the ring; the run stays open."""
        self._ring.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _publish(self, tick: int) -> None:
        block = self._block
        if not block.first <= tick < block.following:
            block = self._block = self.run.block(tick, min(tick + AHEAD, self.run.count))
        at = tick - block.first
        self._ring.publish(float(block.t_s[at]), block.values[:, at], block.sampled_s[:, at], block.quality[:, at])
