"""The last minutes of every channel as contiguous lines, filled from the ring; plots and tables read them."""

from __future__ import annotations

from mmap import mmap
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from drivers.snapshot import Quality
from workbench.window.plots.derived_channels import DerivedChannel, HistoryRows, make_derived_channels

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from drivers.ring import RingBlock, RingReader
    from drivers.snapshot import Channel
    from workbench.session.status import LaneInfo

Line = npt.NDArray[np.float32]  # 0.3 uV at 4 V: enough to look at
Times = npt.NDArray[np.float64]

STOPPED_S: Final = 1.0  # shorter pauses are a busy window, not a lost engine
ROWS: Final = 13_000  # two minutes at 100 Hz and what a frozen view may need


class ChannelReading:
    """All channels at one instant: `reading["cells/min"]`, NaN if unknown."""

    def __init__(self, column: dict[str, int], t_s: float, values: Line) -> None:
        """Make a reading; `column` gives the index of each channel in `values`."""
        self._column = column
        self._values = values
        self.t_s = t_s

    def __getitem__(self, name: str) -> float:
        column = self._column.get(name)
        return float("nan") if column is None else float(self._values[column])


NOTHING: Final = ChannelReading({}, float("nan"), np.empty(0, dtype=np.float32))


class ChannelHistory:
    """Lines over time by channel name: channels of the ring and channels that the window derives."""

    def __init__(
        self,
        ring: RingReader,
        lanes: Sequence[LaneInfo],
        rows: int = ROWS,
        *,
        residual: bool = False,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """Make lines for the ring's channels and the derived channels of `lanes`; without a `clock` rows do not age."""
        self._clock = clock
        self._ring = ring
        self._next = 0
        self._epoch = ring.epoch
        self._rows = rows
        self._residual = residual
        self.generation = 0
        self.lost = 0
        self._own = len(ring.table)
        self._formulas: list[DerivedChannel] = make_derived_channels(ring.table.names, lanes, residual=residual)
        self.channels: tuple[Channel, ...] = (*ring.table, *(formula.channel for formula in self._formulas))
        self._column = {channel.name: number for number, channel in enumerate(self.channels)}
        # twice the rows: new ones are appended; when it is full, the newest half moves to the front
        self._t_s: Times = np.empty(2 * rows)
        self._values: Line = _make_lines(len(self.channels), 2 * rows)
        self._end = 0
        self._sampled: Times = np.full(ring.measured, np.nan)
        self._quality = np.full(ring.measured, Quality.MISSING, dtype=np.uint8)

    def __contains__(self, name: object) -> bool:
        return name in self._column

    def channel(self, name: str) -> Channel:
        """Return the channel; raise `KeyError` if there is none of that name."""
        return self.channels[self._column[name]]

    def set_lanes(self, lanes: Sequence[LaneInfo]) -> None:
        """Compute differences of twins from the lane that is active now."""
        made = make_derived_channels(self._ring.table.names, lanes, residual=self._residual)
        if [formula.channel for formula in made] == [formula.channel for formula in self._formulas]:
            self._formulas = made

    def feed(self) -> int:
        """Take the new rows of the ring; return how many."""
        block = self._ring.since(self._next)
        if block.epoch != self._epoch:  # a replay went back
            self.clear()
            self._epoch, self._next = block.epoch, 0
            block = self._ring.since(0)
        self.lost += block.lost if self._next else 0
        self._next = block.following
        count = min(len(block.t_s), self._rows)
        if count:
            self._append(block, count)
        return count

    def clear(self) -> None:
        """Remove all rows; views restart."""
        self._end = 0
        self.generation += 1

    def _append(self, block: RingBlock, count: int) -> None:
        if self._end + count > 2 * self._rows:
            kept = self._rows - count if count < self._rows else 0
            self._t_s[:kept] = self._t_s[self._end - kept : self._end]
            self._values[:, :kept] = self._values[:, self._end - kept : self._end]
            self._end = kept
        start, end = self._end, self._end + count
        values = block.values[:, -count:]
        self._t_s[start:end] = block.t_s[-count:]
        self._values[: self._own, start:end] = values
        rows = HistoryRows(values, block.sampled_s[:, -count:], self._t_s[:end], self._values[: self._own, :end])
        for number, formula in enumerate(self._formulas):
            self._values[self._own + number, start:end] = formula.of(rows)
        self._sampled[:] = block.sampled_s[:, -1]
        self._quality[:] = block.quality[:, -1]
        self._end = end

    @property
    def newest_s(self) -> float:
        """Time of the newest row, NaN before the first."""
        return float(self._t_s[self._end - 1]) if self._end else float("nan")

    @property
    def t_s(self) -> Times:
        """Times of all rows kept, oldest first."""
        return self._t_s[max(0, self._end - self._rows) : self._end]

    def line(self, name: str) -> Line:
        """Return the values of one channel over `t_s`."""
        return self._values[self._column[name], max(0, self._end - self._rows) : self._end]

    def between(self, names: Sequence[str], start_s: float, end_s: float) -> tuple[Times, Line]:
        """Return times `[k]` and values `[len(names),k]` of the rows from `start_s` to before `end_s`."""
        times = self.t_s
        start, end = (int(row) for row in times.searchsorted((start_s, end_s)))
        offset = self._end - len(times)
        columns = [self._column[name] for name in names]
        return times[start:end], self._values[columns, offset + start : offset + end]

    def at(self, t_s: float | None = None) -> ChannelReading:
        """Return the row nearest before `t_s`, or the newest."""
        end = self._end
        if not end:
            return NOTHING
        times = self.t_s
        index = len(times) - 1 if t_s is None else max(0, int(np.searchsorted(times, t_s, side="right")) - 1)
        row = end - len(times) + index
        return ChannelReading(self._column, float(self._t_s[row]), self._values[:, row].copy())

    def newest(self, name: str) -> float:
        """Return the newest value of one channel, NaN before the first."""
        return float(self._values[self._column[name], self._end - 1]) if self._end else float("nan")

    @property
    def stopped_s(self) -> float:
        """Time in s without a new row; 0 while rows arrive, and without a clock."""
        silent_s = self._clock() - self.newest_s if self._clock is not None else 0.0
        return silent_s if silent_s > STOPPED_S else 0.0

    def state(self, name: str) -> tuple[Quality, float]:
        """Return quality and age in s of the newest value of `name`; a derived value is as fresh as its row."""
        column, stopped_s = self._column[name], self.stopped_s
        fresh = Quality.STALE if stopped_s else Quality.GOOD
        if column >= len(self._quality):
            return fresh, stopped_s
        quality, age_s = Quality(int(self._quality[column])), self.newest_s - float(self._sampled[column])
        return fresh if quality is Quality.GOOD else quality, age_s + stopped_s

    def freeze(self) -> ChannelHistory:
        """Return a copy that no longer grows, for a paused view."""
        still = ChannelHistory.__new__(ChannelHistory)
        still.__dict__.update(self.__dict__)
        still._t_s = self.t_s.copy()  # noqa: SLF001  # a copy of itself
        still._values = self._values[:, max(0, self._end - self._rows) : self._end].copy()  # noqa: SLF001  # of its own class
        still._end = len(still._t_s)  # noqa: SLF001  # of its own class
        still._sampled, still._quality = self._sampled.copy(), self._quality.copy()  # noqa: SLF001  # of its own class
        return still


def _make_lines(channels: int, rows: int) -> Line:
    """Return `[channels,rows]` that takes memory as rows arrive.

    numpy asks for huge pages: the first row of all channels would touch each of them, 0.1 s at the first frame.
    """
    return np.frombuffer(mmap(-1, 4 * channels * rows), dtype=np.float32).reshape(channels, rows)
