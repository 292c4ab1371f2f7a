"""Minimum and maximum per pixel of a plot's lines, updated from new rows alone.

A bin is one pixel wide and aligned to absolute time, so that a curve moves by whole pixels and does not shimmer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.window.plots.channel_history import ChannelHistory

Extremes = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]

_EDGE: Final = 0.01
_RARE: Final = 0.03  # of the bins: a spike at each step of the current


class MinMaxBins:
    """`low[channels,width]`, `high[channels,width]` over the bins that end with `last`; bin `k` is at `k % width`."""

    def __init__(self, channels: Sequence[str], width: int, bin_s: float) -> None:
        """Make `width` bins of `bin_s`; each is NaN until a value falls into it."""
        self.row = {name: number for number, name in enumerate(channels)}
        self.channels = tuple(channels)
        self.width = width
        self.bin_s = bin_s
        self.last: int | None = None
        self._low: Extremes = np.full((len(channels), width), np.nan)
        self._high: Extremes = np.full((len(channels), width), np.nan)

    def update(self, store: ChannelHistory, last: int) -> None:
        """Update the bins up to number `last`; read the newest known bin again."""
        oldest = last - self.width + 1
        first = oldest if self.last is None else max(self.last, oldest)
        stale = np.arange(first, last + 1) % self.width
        self._low[:, stale] = np.nan
        self._high[:, stale] = np.nan
        self.last = last
        # a little more than the bins span: a time on an edge may round to either side of it
        t_s, values = store.between(self.channels, (first - _EDGE) * self.bin_s, (last + 1 + _EDGE) * self.bin_s)
        number = np.floor(t_s / self.bin_s).astype(np.int64)
        start, end = (int(row) for row in number.searchsorted((first, last + 1)))
        if start == end:
            return
        number, values = number[start:end], values[:, start:end]
        edges = np.concatenate(([0], (number[1:] != number[:-1]).nonzero()[0] + 1))
        slots = number[edges] % self.width
        self._low[:, slots] = np.fmin.reduceat(values, edges, axis=1)
        self._high[:, slots] = np.fmax.reduceat(values, edges, axis=1)

    def between(self, first: int, last: int) -> tuple[Numbers, Extremes, Extremes]:
        """Return the numbers of the bins `first` .. `last`, and minimum and maximum of every channel there."""
        newest = -1 if self.last is None else self.last
        number = np.arange(max(first, newest - self.width + 1), min(last, newest) + 1)
        slots = number % self.width
        return number, self._low[:, slots], self._high[:, slots]

    def extent(self, channel: str, *, usual: bool = False) -> tuple[float, float]:
        """Return minimum and maximum of a channel, `usual` without the rarest bins; (inf, -inf) if nothing is known."""
        row = self.row[channel]
        known = np.isfinite(self._low[row])
        if usual and known.any():
            share = np.array([_RARE, 1.0 - _RARE])
            low, _ = np.quantile(self._low[row][known], share).tolist()
            _, high = np.quantile(self._high[row][known], share).tolist()
            return low, high
        low, high = float(np.fmin.reduce(self._low[row])), float(np.fmax.reduce(self._high[row]))
        return (low, high) if low == low else (float("inf"), float("-inf"))  # noqa: PLR0124  # NaN
