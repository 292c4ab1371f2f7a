"""Reports of a pack in the last two minutes, as a channel history that the window's own plots draw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.snapshot import Channel
from edge_bridge.metrics import CURRENT, SOC, SOC_STD, VOLTAGE
from workbench.window.fleet_page.table_row import STALE_S, is_fresh, number
from workbench.window.plots.channel_history import ChannelHistory, Line
from workbench.window.plots.curve import PlotCurve, PlotSpec, Stroke
from workbench.window.widgets import format as fmt

if TYPE_CHECKING:
    from edge_bridge.fleet.view import NodeView

HELD_S: Final = 0.3  # plots leave a gap open only if it is longer than twice this
ROWS: Final = 1_300  # two minutes at ten polls a second, and a margin
CHANNELS: Final = (Channel(CURRENT, "A"), Channel(VOLTAGE, "V"), Channel(SOC, "1"), Channel(SOC_STD, "1"))
SPECS: Final = (
    PlotSpec("fleet current", "Pack current", fmt.AMPERE, (PlotCurve("", CURRENT, "text"),), 1.0),
    PlotSpec("fleet voltage", "Pack voltage", fmt.PACK_VOLT, (PlotCurve("", VOLTAGE, "text"),), 0.5),
    PlotSpec(
        "fleet soc",
        "State of charge",
        fmt.PERCENT,
        (PlotCurve("", SOC, "green", Stroke.BAND, other=SOC_STD, around=True), PlotCurve("", SOC, "green")),
        2.0,
    ),
)


class PackTrend(ChannelHistory):
    """One row per poll: the last report, held; nothing while it is stale. Times are those of the polls."""

    def __init__(self) -> None:
        self.generation = self.lost = 0
        self.channels = CHANNELS
        self._clock = None
        self._column = {channel.name: number for number, channel in enumerate(CHANNELS)}
        self._rows, self._end = ROWS, 0
        self._t_s = np.empty(2 * ROWS)
        self._values = np.empty((len(CHANNELS), 2 * ROWS), dtype=np.float32)

    def append_status(self, node: NodeView, now_ms: float, t_s: float) -> None:
        """Append the pack's report at `t_s` of the window's clock; a busy window makes no gap."""
        while self._end and HELD_S < t_s - self.newest_s < STALE_S:
            self._append_held(self.newest_s + HELD_S, self._values[:, self._end - 1].copy())
        known = is_fresh(node, now_ms)
        values = [number(node.status, one.name) if known else np.nan for one in CHANNELS]
        self._append_held(t_s, np.array(values, dtype=np.float32))

    def _append_held(self, t_s: float, values: Line) -> None:
        if self._end == 2 * self._rows:
            self._t_s[: self._rows] = self._t_s[self._rows :]
            self._values[:, : self._rows] = self._values[:, self._rows :]
            self._end = self._rows
        self._t_s[self._end] = t_s
        self._values[:, self._end] = values
        self._end += 1
