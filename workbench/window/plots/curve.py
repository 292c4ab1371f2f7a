"""Specification of a plot: curves over channels of the history, and the entries of its legend."""

from __future__ import annotations

from collections.abc import Callable, Sequence  # fields of records name them
from dataclasses import dataclass
from enum import Enum
from typing import Final

from workbench.window.plots.channel_history import ChannelReading  # a type alias names it
from workbench.window.widgets.format import Display  # noqa: TC001  # a field of a record names it


class Stroke(Enum):
    """How a curve is drawn: measured and modelled solid, estimated dashed, requested dotted; a band is filled."""

    LINE = "line"
    DASH = "dash"
    DOT = "dot"
    BAND = "band"


LANE_STROKES: Final = {"twin": Stroke.LINE, "estimator": Stroke.DASH, "controller": Stroke.DOT}


@dataclass(frozen=True, slots=True)
class PlotCurve:
    """One curve: `channel`, and for a band `other`; `colour` is a key of the theme; a band has no legend of its own.

    With `around`, a band lies `other` above and below `channel`.
    """

    label: str
    channel: str
    colour: str
    stroke: Stroke = Stroke.LINE
    other: str = ""
    around: bool = False
    added: bool = False


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """One entry of a legend: a swatch in `colour` (none if empty), a label (none if empty), the value, a note."""

    colour: str
    label: str
    value: str
    note: str = ""
    stroke: Stroke = Stroke.LINE


Legend = Callable[[ChannelReading], Sequence[LegendEntry]]


@dataclass(frozen=True)
class PlotSpec:
    """A plot as declared: title, quantity, curves; `least` is the narrowest range worth showing, in shown units.

    With `usual`, rare spikes leave the range instead of setting it; a double-click shows them too.
    """

    key: str
    title: str
    display: Display
    curves: tuple[PlotCurve, ...]
    least: float
    axis: str = ""
    legend: Legend | None = None
    usual: bool = False

    @property
    def unit(self) -> str:
        """The unit on the axis."""
        return self.axis or self.display.unit


def plain_legend(curves: Sequence[PlotCurve], display: Display) -> Legend:
    """Return label and live value of every curve, with the width of a band around it."""
    widths = {curve.channel: curve.other for curve in curves if curve.stroke is Stroke.BAND and curve.around}

    def entries(reading: ChannelReading) -> list[LegendEntry]:
        made: list[LegendEntry] = []
        for curve in curves:
            if curve.stroke is Stroke.BAND:
                continue
            value = display.text(reading[curve.channel])
            width = reading[widths[curve.channel]] if curve.channel in widths else float("nan")
            if width == width:  # noqa: PLR0124  # not NaN
                value = f"{display.number(reading[curve.channel])} ±{width * display.scale:.{display.decimals}f}"
                value = f"{value} {display.unit}"
            made.append(LegendEntry(curve.colour, curve.label, value, stroke=curve.stroke))
        return made

    return entries
