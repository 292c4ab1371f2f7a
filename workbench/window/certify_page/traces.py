"""The trace of one channel over a case as a channel history, which the window's own plot can draw."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.snapshot import Channel
from workbench.window.plots.channel_history import ChannelHistory, Line, Times
from workbench.window.plots.curve import PlotCurve, PlotSpec
from workbench.window.widgets import format as fmt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.certify.case_trace import CaseTrace

APART_S: Final = 0.3  # a plot leaves longer holes open; a trace was thinned, its holes are not the bench's
_LEAST: Final = 12.0  # the narrowest range, in the last decimal of the unit
_FLAG: Final = 1.2


class TraceHistory(ChannelHistory):
    """A channel history of one channel that has all its rows at once."""

    def __init__(self, trace: CaseTrace) -> None:
        channel = Channel(trace.channel, trace.unit)
        measured = np.array([np.nan if y is None else y for y in trace.values], dtype=np.float32)
        t_s, values = fill_gaps(np.array(trace.t_s, dtype=np.float64), measured)
        self.generation = self.lost = 0
        self.channels = (channel,)
        self._clock = None
        self._column = {channel.name: 0}
        self._rows = self._end = len(t_s)
        self._t_s, self._values = t_s, values[None, :]
        self.taken: set[int] = set(
            np.rint(measured[np.isfinite(measured)]).astype(int).tolist()
        )  # by a flag or a count

    @property
    def span(self) -> tuple[float, float]:
        """Return the first and last time; 0 and 0 without rows."""
        return (float(self._t_s[0]), float(self._t_s[-1])) if self._end else (0.0, 0.0)

    def first_from(self, t_s: float) -> float:
        """Return the time of the first row at or after `t_s`, which has its sample; the last row if none follows."""
        return float(self._t_s[min(int(np.searchsorted(self._t_s, t_s)), self._end - 1)]) if self._end else t_s


def fill_gaps(t_s: Times, values: Line) -> tuple[Times, Line]:
    """Interpolate rows linearly between two rows that are far apart; add none if one of the two is unknown."""
    if len(t_s) == 0 or not (np.diff(t_s) > APART_S).any():
        return t_s, values
    between = [np.arange(a + APART_S, b, APART_S, dtype=np.float64) for a, b in pairwise(t_s.tolist())]
    dense: Times = np.sort(np.concatenate([t_s, *between]))
    unknown = np.interp(dense, t_s, np.isnan(values).astype(np.float64)) > 0.0
    line = np.interp(dense, t_s, np.nan_to_num(values))
    return dense, np.where(unknown, np.nan, line).astype(np.float32)


def is_flag(display: fmt.Display) -> bool:
    """Whether values are words or counts, whose plot needs little height."""
    return display.words is not None or (not display.unit and not display.decimals)


def make_spec(trace: CaseTrace, words: Mapping[str, Mapping[int, str]]) -> PlotSpec:
    """Return how a trace is drawn; `words` name the values of states and flags."""
    channel = trace.channel
    display = fmt.find_display(channel, trace.unit, words)
    least = _FLAG if is_flag(display) else 10.0**-display.decimals * _LEAST
    return PlotSpec(f"case {channel}", channel, display, (PlotCurve("", channel, "text"),), least)
