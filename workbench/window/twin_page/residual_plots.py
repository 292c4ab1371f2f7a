"""Four plots of twins: voltage and residual over time, the residual by SoC and by temperature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtWidgets import QGridLayout, QWidget

from workbench.window.control_page.xy_plot import XyAxes, XyLine, XyPlot
from workbench.window.plots.curve import LegendEntry, Stroke
from workbench.window.twin_page.model import LaidTwin, ResidualBin, ThinnedCurve, pool_bins
from workbench.window.twin_page.twin_table import find_colours
from workbench.window.widgets import format as fmt

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workbench.window.widgets.themes import Theme

NO_TWIN: Final = "Choose a log and a cell and lay a twin, or drop a log, a run or a cell file here."
NO_TEMPERATURE: Final = "The log has no temperature."
MEASURED: Final = "measured"
_SIGNED: Final = fmt.Display("mV", scale=1e3, decimals=1, signed=True)
_TIMES: Final = ((3 * 3600.0, 3600.0, "h"), (600.0, 60.0, "min"), (0.0, 1.0, "s"))  # from, in s, its word
_TITLES: Final = ("Voltage", "Residual over time", "Residual by SoC", "Residual by temperature")
_BINS: Final = (LegendEntry("muted", "RMSE", ""), LegendEntry("muted", "mean", "", stroke=Stroke.DASH))
_PLOT_PX: Final = 190


class ResidualPlots(QWidget):
    """Plots over time show the twins of one log; those by SoC and temperature pool all logs of a cell and model."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        axes = (
            XyAxes(fmt.VOLT, 0.01, "s"),
            XyAxes(_SIGNED, 1.0, "s", has_zero=True),
            XyAxes(_SIGNED, 1.0, "%", has_zero=True),
            XyAxes(_SIGNED, 1.0, "°C", has_zero=True),
        )
        self.plots = [XyPlot(title, one, theme) for title, one in zip(_TITLES, axes, strict=True)]
        self.voltage, self.residual, self.by_soc, self.by_kelvin = self.plots
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(1)
        for place, plot in enumerate(self.plots):
            plot.setMinimumHeight(_PLOT_PX)
            grid.addWidget(plot, place // 2, place % 2)
        for line in range(2):
            grid.setColumnStretch(line, 1)
            grid.setRowStretch(line, 1)
        self.show_twins((), None)

    def set_theme(self, theme: Theme) -> None:
        for plot in self.plots:
            plot.set_theme(theme)

    def show_twins(self, twins: Sequence[LaidTwin], chosen: LaidTwin | None) -> None:
        """Show all twins, over time those of the chosen one's log."""
        colours = find_colours(twins)
        same = [twin for twin in twins if chosen is not None and _log_of(twin) == _log_of(chosen)]
        unit_s, word = _choose_unit(same)
        for plot in (self.voltage, self.residual):
            plot.show_x_word(word)

        def make(twin: LaidTwin, curve: ThinnedCurve, value: str) -> XyLine:
            colour = colours[twin.request.cell, twin.request.model]
            return XyLine(twin.request.name, colour, tuple(x / unit_s for x in curve.x), curve.y, value=value)

        measured = [
            XyLine(MEASURED, "text", tuple(x / unit_s for x in twin.measured.x), twin.measured.y, value="")
            for twin in same[:1]
        ]
        voltages = [*measured, *(make(twin, twin.voltage, "") for twin in same)]
        self.voltage.show_lines(voltages, NO_TWIN)
        residuals = [make(twin, twin.residual, fmt.MILLIVOLT.text(twin.rmse_v)) for twin in same]
        self.residual.show_lines(residuals, "")
        self.by_soc.show_lines(_make_bins(twins, lambda twin: twin.by_soc, 100.0, 0.0), "")
        by_kelvin = _make_bins(twins, lambda twin: twin.by_kelvin, 1.0, -fmt.KELVIN)
        self.by_kelvin.show_lines(by_kelvin, NO_TEMPERATURE if twins else "")
        for plot in (self.by_soc, self.by_kelvin):
            plot.header.show_values(_BINS if twins else (), "", ())


def _log_of(twin: LaidTwin) -> tuple[object, ...]:
    return twin.request.log, twin.request.number


def _choose_unit(twins: Sequence[LaidTwin]) -> tuple[float, str]:
    """Return the unit of time (s) and its word for the longest log."""
    longest_s = max((twin.measured.x[-1] for twin in twins if twin.measured.x), default=0.0)
    return next((unit_s, word) for least_s, unit_s, word in _TIMES if longest_s >= least_s)


def _make_bins(
    twins: Sequence[LaidTwin], take: Callable[[LaidTwin], tuple[ResidualBin, ...]], scale: float, offset: float
) -> list[XyLine]:
    """Return RMSE and mean of each cell and model over all its logs."""
    lines: list[XyLine] = []
    for (cell, model), colour in find_colours(twins).items():
        of = [twin for twin in twins if (twin.request.cell, twin.request.model) == (cell, model)]
        bins = pool_bins([take(twin) for twin in of])
        x = tuple(scale * one.centre + offset for one in bins)
        lines.append(XyLine("", colour, x, tuple(one.rmse for one in bins)))
        lines.append(XyLine("", colour, x, tuple(one.mean for one in bins), stroke=Stroke.DASH))
    return lines
