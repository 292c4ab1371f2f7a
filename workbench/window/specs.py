"""The plots of the Bench page, declared from what the bench has and which lanes run."""

from __future__ import annotations

from dataclasses import replace
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
from workbench.window import format as fmt
from workbench.window.curve import Curve, Entry, PlotSpec, Stroke
from workbench.window.themes import lane_colour

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.session.status import LaneInfo
    from workbench.window.store import Reading

SENSORS: Final = 8


def plot_specs(cells: int, lanes: Sequence[LaneInfo], *, residual: bool = False) -> list[PlotSpec]:
    """Cell voltage, current, state of charge, temperature, twins."""
    return [_voltage(cells), _current(lanes), _charge(lanes), _temperature(), _twins(lanes, residual=residual)]


def coloured(lanes: Sequence[LaneInfo], role: str) -> list[tuple[LaneInfo, str]]:
    """The lanes of a role with their colour keys, in the bench file's order."""
    own = [lane for lane in lanes if lane.role == role]
    return [(lane, lane_colour(role, position)) for position, lane in enumerate(own)]


def _voltage(cells: int) -> PlotSpec:
    curves = (
        Curve("cells", CELLS_MIN, "text", Stroke.BAND, CELLS_MAX),
        Curve("lowest", CELLS_MIN, "amber"),
        Curve("mean", CELLS_MEAN, "text"),
    )
    legend = partial(_voltage_legend, cells)
    return PlotSpec("voltage", "Cell voltage", fmt.VOLT, curves, 0.008, legend=legend)


def _voltage_legend(cells: int, reading: Reading) -> list[Entry]:
    known = [(reading[cell_voltage(number)], cell_name(number)) for number in range(1, cells + 1)]
    known = [pair for pair in known if pair[0] == pair[0]]  # not NaN
    low, high = (min(known)[1], max(known)[1]) if known else ("", "")
    return [
        Entry("", f"{cells} cells", ""),
        Entry("amber", "min", fmt.VOLT.text(reading[CELLS_MIN]), low),
        Entry("text", "mean", fmt.VOLT.text(reading[CELLS_MEAN])),
        Entry("", "max", fmt.VOLT.text(reading[CELLS_MAX]), high),
        Entry("", "spread", f"{fmt.MILLIVOLT.text(reading[CELLS_SPREAD])}"),
    ]


def _current(lanes: Sequence[LaneInfo]) -> PlotSpec:
    wishes = [
        Curve(
            f"{lane.name}, active" if lane.active else lane.name,
            lane_channel("controller", lane.name, "current"),
            colour,
        )
        for lane, colour in coloured(lanes, "controller")
    ]
    curves = (*wishes, Curve("measured", SUPPLY_CURRENT, "text"))
    shown = replace(fmt.AMPERE, decimals=1)
    return PlotSpec("current", "Current", shown, (curves[-1], *curves[:-1]), 2.0, "A, discharge +")


def _charge(lanes: Sequence[LaneInfo]) -> PlotSpec:
    curves: list[Curve] = []
    for lane, colour in coloured(lanes, "estimator"):
        soc, band = lane_channel("estimator", lane.name, "soc"), lane_channel("estimator", lane.name, "soc_band")
        if lane.active:
            curves.append(Curve(lane.name, soc, colour, Stroke.BAND, band, around=True))
        curves.append(Curve(lane.name, soc, colour))
    truth = next((lane.name for lane in lanes if lane.role == "twin" and lane.active), None)
    if truth is not None:
        curves.insert(0, Curve("active twin", lane_channel("twin", truth, "soc"), "text", Stroke.DASH))
    return PlotSpec("charge", "State of charge", fmt.PERCENT, tuple(curves), 1.0)


def _temperature() -> PlotSpec:
    curves = (
        Curve("range", COLDEST, "text", Stroke.BAND, HOTTEST),
        Curve("hottest", HOTTEST, "text"),
        Curve("coldest", COLDEST, "muted"),
    )
    return PlotSpec("temperature", "Temperature", fmt.CELSIUS, curves, 2.0, legend=_temperature_legend)


def _temperature_legend(reading: Reading) -> list[Entry]:
    known = [(reading[sensed_temperature(number)], f"sensor {number}") for number in range(1, SENSORS + 1)]
    known = [pair for pair in known if pair[0] == pair[0]]  # not NaN
    hot, cold = (max(known)[1], min(known)[1]) if known else ("", "")
    return [
        Entry("text", "hottest", fmt.CELSIUS.text(reading[HOTTEST]), hot),
        Entry("muted", "coldest", fmt.CELSIUS.text(reading[COLDEST]), cold),
    ]


def _twins(lanes: Sequence[LaneInfo], *, residual: bool) -> PlotSpec:
    curves = [
        Curve(
            f"{lane.name.removesuffix(' pack')} {twin_word(lane, residual=residual)}",
            lane_channel("twin", lane.name, "difference"),
            colour,
        )
        for lane, colour in coloured(lanes, "twin")
    ]
    return PlotSpec("twins", "Twins", fmt.MILLIVOLT, tuple(curves), 4.0, usual=True)


def twin_word(lane: LaneInfo, *, residual: bool) -> str:
    """What a twin's voltage is held against: its own read-back, the active twin, or a measured pack."""
    return "residual" if residual else "tracking" if lane.active else "difference"
