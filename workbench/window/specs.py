"""The plots of the Bench page, declared from what the bench has and which lanes run."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

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
        Curve("cells", "cells/min", "text", Stroke.BAND, "cells/max"),
        Curve("lowest", "cells/min", "amber"),
        Curve("mean", "cells/mean", "text"),
    )
    legend = partial(_voltage_legend, cells)
    return PlotSpec("voltage", "Cell voltage", fmt.VOLT, curves, 0.008, legend=legend)


def _voltage_legend(cells: int, reading: Reading) -> list[Entry]:
    names = [f"cell_{number:02d}" for number in range(1, cells + 1)]
    known = [(reading[f"{name}/voltage"], name) for name in names]
    known = [pair for pair in known if pair[0] == pair[0]]  # not NaN
    low, high = (min(known)[1], max(known)[1]) if known else ("", "")
    return [
        Entry("", f"{cells} cells", ""),
        Entry("amber", "min", fmt.VOLT.text(reading["cells/min"]), low),
        Entry("text", "mean", fmt.VOLT.text(reading["cells/mean"])),
        Entry("", "max", fmt.VOLT.text(reading["cells/max"]), high),
        Entry("", "spread", f"{fmt.MILLIVOLT.text(reading['cells/spread'])}"),
    ]


def _current(lanes: Sequence[LaneInfo]) -> PlotSpec:
    wishes = [
        Curve(f"{lane.name}, active" if lane.active else lane.name, f"controller/{lane.name}/current", colour)
        for lane, colour in coloured(lanes, "controller")
    ]
    curves = (*wishes, Curve("measured", "supply/current", "text"))
    shown = replace(fmt.AMPERE, decimals=1)
    return PlotSpec("current", "Current", shown, (curves[-1], *curves[:-1]), 2.0, "A, discharge +")


def _charge(lanes: Sequence[LaneInfo]) -> PlotSpec:
    curves: list[Curve] = []
    for lane, colour in coloured(lanes, "estimator"):
        soc, band = f"estimator/{lane.name}/soc", f"estimator/{lane.name}/soc_band"
        if lane.active:
            curves.append(Curve(lane.name, soc, colour, Stroke.BAND, band, around=True))
        curves.append(Curve(lane.name, soc, colour))
    truth = next((lane.name for lane in lanes if lane.role == "twin" and lane.active), None)
    if truth is not None:
        curves.insert(0, Curve("active twin", f"twin/{truth}/soc", "text", Stroke.DASH))
    return PlotSpec("charge", "State of charge", fmt.PERCENT, tuple(curves), 1.0)


def _temperature() -> PlotSpec:
    curves = (
        Curve("range", "temperature/coldest", "text", Stroke.BAND, "temperature/hottest"),
        Curve("hottest", "temperature/hottest", "text"),
        Curve("coldest", "temperature/coldest", "muted"),
    )
    return PlotSpec("temperature", "Temperature", fmt.CELSIUS, curves, 2.0, legend=_temperature_legend)


def _temperature_legend(reading: Reading) -> list[Entry]:
    known = [(reading[f"bms/temperature_{number}"], f"sensor {number}") for number in range(1, SENSORS + 1)]
    known = [pair for pair in known if pair[0] == pair[0]]  # not NaN
    hot, cold = (max(known)[1], min(known)[1]) if known else ("", "")
    return [
        Entry("text", "hottest", fmt.CELSIUS.text(reading["temperature/hottest"]), hot),
        Entry("muted", "coldest", fmt.CELSIUS.text(reading["temperature/coldest"]), cold),
    ]


def _twins(lanes: Sequence[LaneInfo], *, residual: bool) -> PlotSpec:
    curves = [
        Curve(
            f"{lane.name.removesuffix(' pack')} {twin_word(lane, residual=residual)}",
            f"twin/{lane.name}/difference",
            colour,
        )
        for lane, colour in coloured(lanes, "twin")
    ]
    return PlotSpec("twins", "Twins", fmt.MILLIVOLT, tuple(curves), 4.0, usual=True)


def twin_word(lane: LaneInfo, *, residual: bool) -> str:
    """What a twin's voltage is held against: its own read-back, the active twin, or a measured pack."""
    return "residual" if residual else "tracking" if lane.active else "difference"
