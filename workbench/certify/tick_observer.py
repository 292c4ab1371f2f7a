"""The values of instruments, CAN frames and contacts while a case runs: every tick of the ring since it began."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from drivers.errors import BenchError
from drivers.jsonvalues import nan_to_null
from workbench.certify.case_trace import CaseTrace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from drivers.ring import RingReader
    from drivers.snapshot import Floats

POINTS = 500  # of a trace that is kept


class TickObserver:
    """A collector of ticks: values of each channel with the times at which they were sampled."""

    def __init__(self, ring: RingReader) -> None:
        self.table, self.ring = ring.table, ring
        self._count = ring.count
        self._t_s: list[Floats] = []
        self._values: list[Floats] = []
        self._sampled_s: list[Floats] = []

    def restart(self) -> None:
        """Drop the ticks so far."""
        self._count = self.ring.count
        self._t_s.clear()
        self._values.clear()
        self._sampled_s.clear()

    def read_new(self) -> None:
        """Read the new ticks; raise `BenchError` when ticks were overwritten before they could be read."""
        block = self.ring.since(self._count)
        if block.lost:
            raise BenchError(
                f"{block.lost} ticks were missed by a case", hint="run it again on a machine with less load"
            )
        if len(block.t_s):
            self._count = block.following
            self._t_s.append(block.t_s)
            self._values.append(block.values)
            self._sampled_s.append(block.sampled_s)

    def read_newest(self, channel: str) -> float:
        """Return the newest value; NaN where there is none."""
        row = self.ring.latest()
        return float("nan") if row is None else float(row.values[self.table.index(channel)])

    def find_first(self, channel: str, holds: Callable[[Floats], Any], since_s: float) -> tuple[float, float] | None:
        """Return time and value of the first sample at or after `since_s` for which `holds(values)`; else None."""
        column = self.table.index(channel)
        for values, sampled_s in zip(self._values, self._sampled_s, strict=True):
            fits = (sampled_s[column] >= since_s) & np.asarray(holds(values[column]), dtype=np.bool_)
            if fits.any():
                at = int(fits.argmax())
                return float(sampled_s[column, at]), float(values[column, at])
        return None

    def find_last(self, channel: str, holds: Callable[[Floats], Any], since_s: float) -> tuple[float, float] | None:
        """Return time and value of the last sample at or after `since_s` for which `holds(values)`; else None."""
        column = self.table.index(channel)
        for values, sampled_s in zip(reversed(self._values), reversed(self._sampled_s), strict=True):
            fits = (sampled_s[column] >= since_s) & np.asarray(holds(values[column]), dtype=np.bool_)
            if fits.any():
                at = int(np.flatnonzero(fits)[-1])
                return float(sampled_s[column, at]), float(values[column, at])
        return None

    def has_ever(self, channel: str, holds: Callable[[Floats], Any], since_s: float) -> bool:
        """Return whether `holds(values)` in any sample since `since_s`."""
        return self.find_first(channel, holds, since_s) is not None

    def make_trace(self, channel: str, zero_s: float) -> CaseTrace:
        """Return the trace of a channel over the case, from `zero_s`, thinned to the extremes of each part."""
        column = self.table.index(channel)
        unit = self.table.channels[column].unit
        if not self._t_s:
            return CaseTrace(channel, unit, (), ())
        t_s = np.concatenate(self._t_s) - zero_s
        values = np.concatenate([block[column] for block in self._values])
        keep = thin_out(values, POINTS)
        return CaseTrace(
            channel,
            unit,
            t_s=tuple(round(float(t), 4) for t in t_s[keep]),
            values=tuple(nan_to_null(round(float(y), 6)) for y in values[keep]),
        )


def thin_out(values: Floats, most: int) -> Sequence[int]:
    """Return the indices of the lowest and the highest value of each part, and of both ends."""
    count = len(values)
    if count <= most:
        return range(count)
    keep = {0, count - 1}
    for stretch in np.array_split(np.arange(count), most // 2):
        part = np.nan_to_num(values[stretch], nan=0.0)
        keep |= {int(stretch[part.argmin()]), int(stretch[part.argmax()])}
    return sorted(keep)
