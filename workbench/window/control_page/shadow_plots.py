"""The plots of the live shadow score: what each controller costs more than the active one, in open and closed loop."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Final

from drivers.channel_names import lane_channel
from workbench.window.control_page.control_plots import ROLE
from workbench.window.plots.curve import LegendEntry, PlotCurve, PlotSpec, Stroke
from workbench.window.plots.default_plots import list_lane_colours, make_lane_label
from workbench.window.widgets import format as fmt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.session.status import LaneInfo
    from workbench.window.plots.channel_history import ChannelReading

OPEN, CLOSED = "open_loop", "closed_loop"  # as the channels are named
TITLES: Final = {
    OPEN: "Open loop, same states: not what would have happened",
    CLOSED: "Closed loop on a twin of its own: not what happened here",
}
MILLI_EUR: Final = fmt.Display("mEUR", scale=1e3, decimals=3, signed=True)


def make_shadow_specs(lanes: Sequence[LaneInfo]) -> list[PlotSpec]:
    """Return both plots; the active controller is the line at zero."""
    colours = list_lane_colours(lanes, ROLE)
    return [
        PlotSpec(
            loop,
            title,
            MILLI_EUR,
            tuple(
                PlotCurve(make_lane_label(lane), lane_channel(ROLE, lane.name, f"{loop}_more"), colour, Stroke.LINE)
                for lane, colour in colours
            ),
            0.01,
            "mEUR above the active one, so far",
            partial(_make_legend, colours, loop),
        )
        for loop, title in TITLES.items()
    ]


def _make_legend(colours: Sequence[tuple[LaneInfo, str]], loop: str, reading: ChannelReading) -> list[LegendEntry]:
    """Return one entry for each controller that is scored: cost above the active one, violations, interventions."""
    entries: list[LegendEntry] = []
    for lane, colour in colours:
        own = partial(lane_channel, ROLE, lane.name)
        more = reading[own(f"{loop}_more")]
        if math.isfinite(more):
            counts = (fmt.COUNT.number(reading[own(f"{loop}_{what}")]) for what in ("violations", "interventions"))
            entries.append(LegendEntry(colour, lane.name, MILLI_EUR.text(more), " / ".join(counts)))
    return entries
