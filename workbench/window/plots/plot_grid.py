"""Grid of all plots of the Bench page over one channel history and one time view."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from workbench.window.plots.cell_strip import CellStrip
from workbench.window.plots.channel_history import NOTHING
from workbench.window.plots.curve import PlotCurve, PlotSpec
from workbench.window.plots.default_plots import plot_specs
from workbench.window.plots.plot import Plot
from workbench.window.plots.time_view import RightEdge, TimeView
from workbench.window.widgets import format as fmt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.session.status import LaneInfo
    from workbench.window.plots.channel_history import ChannelHistory
    from workbench.window.widgets.themes import Theme

_PLACES: Final = ((0, 0, 2), (1, 0, 1), (1, 1, 1), (2, 0, 1), (2, 1, 1))  # row, column, columns
_LAST_ROW: Final = 2
REPLAY: Final = "REPLAY"
NO_ROWS: Final = "▲ no rows for"
VIEW_PAUSED: Final = "view paused"
_EXTRA: Final = ("text", "blue", "orange", "green")


class PlotGrid(QWidget):
    """Five plots and the added ones; `frame` is called 30 times a second, `values` ten times."""

    refused = Signal(str)
    cell_chosen = Signal(int)

    def __init__(self, theme: Theme, cells: int) -> None:
        super().__init__()
        self.theme = theme
        self.view = TimeView(self)
        self.store: ChannelHistory | None = None
        self.replaying = False
        self._live: ChannelHistory | None = None
        self._cells = cells
        self.setObjectName("board")
        self.setAutoFillBackground(True)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(1)
        self.strip = CellStrip(cells, theme)
        self.strip.cell_selected.connect(self.cell_chosen)
        self.plots: list[Plot] = []
        for spec, (row, column, columns) in zip(plot_specs(cells, ()), _PLACES, strict=True):
            plot = self._make_plot(spec, closable=False)
            place: QWidget = self._with_strip(plot) if spec.key == "voltage" else plot
            self._grid.addWidget(place, row, column, 1, columns)
            self._grid.setRowStretch(row, 115 if row == 0 else 100)
        self._declared = tuple(self.plots)
        self._grid.setColumnStretch(0, 1)
        self._grid.setColumnStretch(1, 1)
        self.view.changed.connect(self._paused)
        self.set_theme(theme)

    def _with_strip(self, plot: Plot) -> QWidget:
        both = QWidget()
        column = QVBoxLayout(both)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(plot, 1)
        column.addWidget(self.strip)
        return both

    def _make_plot(self, spec: PlotSpec, *, closable: bool) -> Plot:
        plot = Plot(spec, self.view, self.theme, closable=closable)
        plot.show_store(self.store)
        plot.refused.connect(self._refuse)
        plot.closed.connect(partial(self.remove_plot, plot))
        self.plots.append(plot)
        return plot

    def plot(self, key: str) -> Plot:
        """Return the plot of that key; raise `StopIteration` if there is none."""
        return next(plot for plot in self.plots if plot.spec.key == key)

    def show_room(self, *, cell_strip: bool, third_row: bool) -> None:
        """Show the cell strip and the third row, or leave their room to the rest."""
        self.strip.setVisible(cell_strip)
        for plot, (row, _, _) in zip(self._declared, _PLACES, strict=True):
            plot.setVisible(row < _LAST_ROW or third_row)
        self._grid.setRowStretch(_LAST_ROW, 100 if third_row else 0)

    # ---- what is shown

    def set_cells(self, cells: int) -> None:
        """Set the number of cells of the bench."""
        if cells != self._cells:
            self._cells = cells
            self.strip.set_cells(cells)
            self.show_lanes(())

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        palette = self.palette()
        palette.setColor(self.backgroundRole(), theme.colour("line"))
        self.setPalette(palette)
        self.strip.set_theme(theme)
        for plot in self.plots:
            plot.set_theme(theme)

    def show_store(self, store: ChannelHistory | None) -> None:
        """Show another channel history; restart the view."""
        self._live = self.store = store
        self.view.start_anew()
        for plot in self.plots:
            plot.show_store(store)

    def show_lanes(self, lanes: Sequence[LaneInfo], *, residual: bool = False) -> None:
        """Show the curves of these lanes; `residual`: twins are compared with a real pack."""
        for spec in plot_specs(self._cells, lanes, residual=residual):
            self.plot(spec.key).show_curves(spec)

    def add_plot(self, channels: Sequence[str]) -> Plot | None:
        """Add a plot for signals of one unit; return None if no such channel exists."""
        store = self.store
        known = [name for name in channels if store is not None and name in store]
        if store is None or not known:
            return None
        display = fmt.find_display(known[0], store.channel(known[0]).unit)
        curves = tuple(PlotCurve(name, name, _EXTRA[n % len(_EXTRA)]) for n, name in enumerate(known))
        least = 10.0**-display.decimals * 8.0
        plot = self._make_plot(PlotSpec(f"extra {id(curves)}", "Signals", display, curves, least), closable=True)
        self._place_extras()
        return plot

    def remove_plot(self, plot: Plot) -> None:
        """Close a plot that was added."""
        if plot.closable and plot in self.plots:
            self.plots.remove(plot)
            self._grid.removeWidget(plot)
            plot.hide()
            plot.deleteLater()
            self._place_extras()

    def _place_extras(self) -> None:
        extras = [plot for plot in self.plots if plot.closable]
        for number, plot in enumerate(extras):
            alone = number == len(extras) - 1 and number % 2 == 0
            self._grid.addWidget(plot, 3 + number // 2, number % 2, 1, 2 if alone else 1)
        for row in range(3, self._grid.rowCount()):
            self._grid.setRowStretch(row, 100 if row < 3 + (len(extras) + 1) // 2 else 0)

    def _refuse(self, channel: str, sentence: str) -> None:
        """Put a signal of another unit onto its own plot."""
        plot = self.add_plot([channel])
        self.refused.emit(f"{sentence} It is in a new plot." if plot else sentence)

    # ---- each frame

    def fit(self) -> None:
        for plot in self.plots:
            plot.canvas.fit()

    def frame(self) -> None:
        """Draw the new rows; the caller has fed the history."""
        if self.advance_view():
            for plot in self.plots:
                if plot.isVisible():
                    plot.canvas.advance()

    def advance_view(self) -> bool:
        """Move the time view on to the newest row, for all plots that share it; return whether there is a history."""
        store = self.store
        if store is None:
            return False
        if not self.view.paused:
            self.view.right_s = store.newest_s
        self.view.set_edge(self._edge(store))
        return True

    def values(self) -> None:
        """Update legends and cells."""
        store, instant = self.store, self.view.hover_s
        for plot in self.plots:
            if plot.isVisible():
                plot.show_values(self._word(wide=plot.spec.key == "voltage"))
        if self.strip.isVisible():
            at_s = self.view.right_s if instant is None else instant
            self.strip.show_values(NOTHING if store is None else store.at(at_s))

    def _edge(self, store: ChannelHistory) -> RightEdge:
        if self.view.paused:
            return RightEdge.PAUSED
        return RightEdge.REPLAY if self.replaying else RightEdge.STOPPED if store.stopped_s else RightEdge.NOW

    def _word(self, *, wide: bool) -> str:
        words = [REPLAY] if self.replaying else []
        if wide and self.view.hover_s is not None:
            words.append(f"at {fmt.figure(self.view.hover_s - self.view.right_s, 2)} s")
        elif wide and not self.view.paused and self.store is not None and self.store.stopped_s:
            words.append(f"{NO_ROWS} {fmt.age(self.store.stopped_s)}")
        elif wide:
            words.append(VIEW_PAUSED if self.view.paused else f"last {self.view.span_s:g} s")
        return "  ".join(words)

    def _paused(self) -> None:
        if self.view.paused and self.store is self._live and self._live is not None:
            self._swap(self._live.freeze())
        elif not self.view.paused and self.store is not self._live:
            self._swap(self._live)

    def _swap(self, store: ChannelHistory | None) -> None:
        self.store = store
        for plot in self.plots:
            plot.show_store(store)
