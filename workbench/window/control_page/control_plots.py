"""The plots of the Control page: requests, cost, interventions with violations, and solve time of each controller."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from drivers.channel_names import SUPPLY_CURRENT, lane_channel
from workbench.window.plots.curve import LANE_STROKES, LegendEntry, PlotCurve, PlotSpec, Stroke
from workbench.window.plots.default_plots import MEASURED, list_lane_colours, make_lane_label
from workbench.window.widgets import format as fmt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.session.status import LaneInfo
    from workbench.window.plots.channel_history import ChannelReading

ROLE: Final = "controller"
CURRENT, COST, SHIELD, STEP = "control current", "control cost", "control shield", "control step"
_LANE: Final = LANE_STROKES[ROLE]


def make_control_specs(lanes: Sequence[LaneInfo]) -> list[PlotSpec]:
    """Return the plots of current, cost, interventions with violations, and solve time."""
    colours = list_lane_colours(lanes, ROLE)
    current = [PlotCurve(MEASURED, SUPPLY_CURRENT, "text"), *_make_curves(colours, "current", _LANE)]
    counts = [*_make_curves(colours, "interventions", Stroke.LINE), *_make_curves(colours, "violations", Stroke.DASH)]
    amps = replace(fmt.AMPERE, decimals=1)
    counted, timed = partial(_make_count_legend, colours), partial(_make_time_legend, colours)
    return [
        PlotSpec(CURRENT, "Current", amps, tuple(current), 2.0, "A, discharge +"),
        PlotSpec(COST, "Cost", fmt.NUMBER, _make_curves(colours, "cost", Stroke.LINE), 0.1, "A², mean"),
        PlotSpec(SHIELD, "Interventions / violations", fmt.COUNT, tuple(counts), 4.0, "violations dashed", counted),
        PlotSpec(
            STEP,
            "Solve time",
            fmt.MILLISECOND,
            _make_curves(colours, "longest_step", Stroke.LINE),
            0.05,
            "ms, longest in 1 s",
            timed,
            usual=True,
        ),
    ]


def _make_curves(colours: Sequence[tuple[LaneInfo, str]], what: str, stroke: Stroke) -> tuple[PlotCurve, ...]:
    return tuple(
        PlotCurve(make_lane_label(lane), lane_channel(ROLE, lane.name, what), colour, stroke)
        for lane, colour in colours
    )


def _make_count_legend(colours: Sequence[tuple[LaneInfo, str]], reading: ChannelReading) -> list[LegendEntry]:
    """Return one entry a lane with both counts, so that many lanes have room."""
    entries: list[LegendEntry] = []
    for lane, colour in colours:
        own = partial(lane_channel, ROLE, lane.name)
        counts = (fmt.COUNT.number(reading[own(what)]) for what in ("interventions", "violations"))
        entries.append(LegendEntry(colour, lane.name, " / ".join(counts)))
    return entries


def _make_time_legend(colours: Sequence[tuple[LaneInfo, str]], reading: ChannelReading) -> list[LegendEntry]:
    """Return the times in the unit that suits each: a microsecond is no "0.00 ms"."""
    return [
        LegendEntry(colour, lane.name, fmt.step_time(reading[lane_channel(ROLE, lane.name, "longest_step")]))
        for lane, colour in colours
    ]
