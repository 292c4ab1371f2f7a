"""The plots of the Bench page, declared from the bench's cells and the lanes that run."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Final

from drivers.channel_names import (
    CELLS_MAX,
    CELLS_MEAN,
    CELLS_MIN,
    CELLS_SPREAD,
    COLDEST,
    HOTTEST,
    SUPPLY_CURRENT,
    cell_name,
    cell_voltage,
    lane_channel,
    sensed_temperature,
)
from workbench.window.plots.curve import LANE_STROKES, LegendEntry, PlotCurve, PlotSpec, Stroke
from workbench.window.widgets import format as fmt
from workbench.window.widgets.themes import lane_colour

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.session.status import LaneInfo
    from workbench.window.plots.channel_history import ChannelReading

SENSORS: Final = 8
ACTIVE_TWIN: Final = "active twin"
MEASURED: Final = "measured"
MIN, MEAN, MAX, SPREAD = "min", "mean", "max", "spread"  # of the cell voltages
HOTTEST_SENSOR, COLDEST_SENSOR = "hottest", "coldest"


class TwinError(StrEnum):
    """What a twin's voltage is compared with."""

    TRACKING = "tracking"  # the read-back of its own set-point
    DIFFERENCE = "difference"  # the active twin
    RESIDUAL = "residual"  # a measured pack


def plot_specs(cells: int, lanes: Sequence[LaneInfo], *, residual: bool = False) -> list[PlotSpec]:
    """Return the plots of cell voltage, current, state of charge, temperature and twins."""
    return [_voltage(cells), _current(lanes), _charge(lanes), _temperature(), _twins(lanes, residual=residual)]


def list_lane_colours(lanes: Sequence[LaneInfo], role: str) -> list[tuple[LaneInfo, str]]:
    """Return the lanes of a role with their colour keys, in the bench file's order."""
    own = [lane for lane in lanes if lane.role == role]
    return [(lane, lane_colour(position)) for position, lane in enumerate(own)]


def _voltage(cells: int) -> PlotSpec:
    curves = (
        PlotCurve("cells", CELLS_MIN, "text", Stroke.BAND, CELLS_MAX),
        PlotCurve("lowest", CELLS_MIN, "amber"),
        PlotCurve(MEAN, CELLS_MEAN, "text"),
    )
    legend = partial(_voltage_legend, cells)
    return PlotSpec("voltage", "Cell voltage", fmt.VOLT, curves, 0.008, legend=legend)


def _voltage_legend(cells: int, reading: ChannelReading) -> list[LegendEntry]:
    known = [(reading[cell_voltage(number)], cell_name(number)) for number in range(1, cells + 1)]
    known = [pair for pair in known if pair[0] == pair[0]]  # not NaN
    low, high = (min(known)[1], max(known)[1]) if known else ("", "")
    return [
        LegendEntry("", f"{cells} cells", ""),
        LegendEntry("amber", MIN, fmt.VOLT.text(reading[CELLS_MIN]), low),
        LegendEntry("text", MEAN, fmt.VOLT.text(reading[CELLS_MEAN])),
        LegendEntry("", MAX, fmt.VOLT.text(reading[CELLS_MAX]), high),
        LegendEntry("", SPREAD, f"{fmt.MILLIVOLT.text(reading[CELLS_SPREAD])}"),
    ]


def _current(lanes: Sequence[LaneInfo]) -> PlotSpec:
    requested = [
        PlotCurve(
            make_lane_label(lane),
            lane_channel("controller", lane.name, "current"),
            colour,
            LANE_STROKES["controller"],
        )
        for lane, colour in list_lane_colours(lanes, "controller")
    ]
    curves = (*requested, PlotCurve(MEASURED, SUPPLY_CURRENT, "text"))
    shown = replace(fmt.AMPERE, decimals=1)
    return PlotSpec("current", "Current", shown, (curves[-1], *curves[:-1]), 2.0, "A, discharge +")


def make_lane_label(lane: LaneInfo) -> str:
    """Return the lane's name in legends, with a mark on the active lane."""
    return f"{lane.name}, active" if lane.active else lane.name


def _charge(lanes: Sequence[LaneInfo]) -> PlotSpec:
    curves: list[PlotCurve] = []
    for lane, colour in list_lane_colours(lanes, "estimator"):
        soc, band = lane_channel("estimator", lane.name, "soc"), lane_channel("estimator", lane.name, "soc_band")
        if lane.active:
            curves.append(PlotCurve(lane.name, soc, colour, Stroke.BAND, band, around=True))
        curves.append(PlotCurve(lane.name, soc, colour, LANE_STROKES["estimator"]))
    active_twin = next((lane.name for lane in lanes if lane.role == "twin" and lane.active), None)
    if active_twin is not None:
        curves.insert(0, PlotCurve(ACTIVE_TWIN, lane_channel("twin", active_twin, "soc"), "text", LANE_STROKES["twin"]))
    return PlotSpec("charge", "State of charge", fmt.PERCENT, tuple(curves), 1.0)


def _temperature() -> PlotSpec:
    curves = (
        PlotCurve("range", COLDEST, "text", Stroke.BAND, HOTTEST),
        PlotCurve(HOTTEST_SENSOR, HOTTEST, "text"),
        PlotCurve(COLDEST_SENSOR, COLDEST, "muted"),
    )
    return PlotSpec("temperature", "Temperature", fmt.CELSIUS, curves, 2.0, legend=_temperature_legend)


def _temperature_legend(reading: ChannelReading) -> list[LegendEntry]:
    known = [(reading[sensed_temperature(number)], f"sensor {number}") for number in range(1, SENSORS + 1)]
    known = [pair for pair in known if pair[0] == pair[0]]  # not NaN
    hot, cold = (max(known)[1], min(known)[1]) if known else ("", "")
    return [
        LegendEntry("text", HOTTEST_SENSOR, fmt.CELSIUS.text(reading[HOTTEST]), hot),
        LegendEntry("muted", COLDEST_SENSOR, fmt.CELSIUS.text(reading[COLDEST]), cold),
    ]


def _twins(lanes: Sequence[LaneInfo], *, residual: bool) -> PlotSpec:
    curves = [
        PlotCurve(
            f"{lane.name.removesuffix(' pack')} {find_twin_error(lane, residual=residual)}",
            lane_channel("twin", lane.name, "difference"),
            colour,
            LANE_STROKES["twin"],
        )
        for lane, colour in list_lane_colours(lanes, "twin")
    ]
    return PlotSpec("twins", "Twins", fmt.MILLIVOLT, tuple(curves), 4.0, usual=True)


def find_twin_error(lane: LaneInfo, *, residual: bool) -> TwinError:
    """Return which error of a twin is shown."""
    if residual:
        return TwinError.RESIDUAL
    return TwinError.TRACKING if lane.active else TwinError.DIFFERENCE
