"""One plot: header, canvas, and the handling of mouse and keyboard."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QDragEnterEvent,
    QDragMoveEvent,
    QDropEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget

from workbench.window.plots.canvas import PlotCanvas
from workbench.window.plots.channel_history import NOTHING
from workbench.window.plots.curve import LegendEntry, PlotCurve, PlotSpec, Stroke, plain_legend
from workbench.window.plots.header import PlotHeader
from workbench.window.widgets import format as fmt

if TYPE_CHECKING:
    from workbench.window.plots.channel_history import ChannelHistory
    from workbench.window.plots.time_view import TimeView
    from workbench.window.widgets.themes import Theme

MIME: Final = "application/x-pulsebms-signal"
_ADDED: Final = ("yellow", "pink", "vermilion", "green", "blue", "orange")
_NEAR_PX: Final = 5.0


class Plot(QWidget):
    """A header above a canvas. Accepts dropped signals; emits `refused` with the reason if one does not fit."""

    refused = Signal(str, str)  # channel, sentence
    closed = Signal()

    def __init__(
        self,
        spec: PlotSpec,
        view: TimeView,
        theme: Theme,
        *,
        closable: bool = False,
        canvas: type[PlotCanvas] = PlotCanvas,
    ) -> None:
        super().__init__()
        self.view = view
        self.closable = closable
        self.header = PlotHeader(spec.title, theme)
        self.canvas = canvas(spec, view, theme)
        self._dragged = ""
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.canvas, 1)
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(f"Plot {spec.title}")
        self.canvas.setMouseTracking(True)
        self.setMouseTracking(True)
        view.changed.connect(self.canvas.invalidate)
        view.pointed.connect(self.canvas.update)

    @property
    def spec(self) -> PlotSpec:
        return self.canvas.spec

    def set_theme(self, theme: Theme) -> None:
        self.header.set_theme(theme)
        self.canvas.set_theme(theme)

    def show_store(self, store: ChannelHistory | None) -> None:
        self.canvas.show_store(store)

    # ---- values

    def show_values(self, word: str) -> None:
        """Update the legend: the hovered instant if there is one, else the newest row shown."""
        store, hover = self.canvas.store, self.view.hover_s
        reading = NOTHING if store is None else store.at(self.view.right_s if hover is None else hover)
        legend = self.spec.legend or plain_legend(self.spec.curves, self.spec.display)
        entries = list(legend(reading))
        if self.spec.legend is not None:
            added = [curve for curve in self.spec.curves if curve.added]
            entries += plain_legend(added, self.spec.display)(reading)
        self.header.show_values(entries, word, self.between())

    def between(self) -> list[LegendEntry]:
        """Return the time, then difference and slope of each curve between the cursors; empty without both."""
        delta_s, store = self.view.delta_s, self.canvas.store
        if delta_s is None or store is None:
            return []
        one, other = store.at(self.view.cursors["A"]), store.at(self.view.cursors["B"])
        display = self.spec.display
        made = [LegendEntry("", f"B{fmt.MINUS}A", f"{fmt.figure(delta_s, 2, signed=True)} s")]
        for curve in self.spec.curves:
            if curve.stroke is not Stroke.BAND:
                step = other[curve.channel] - one[curve.channel]
                slope = display.slope(step / delta_s) if delta_s else fmt.DASH
                text = f"{display.difference(step)}, {slope}"
                made.append(LegendEntry(curve.colour, "", text, curve.label, curve.stroke))
        return made

    # ---- curves

    def add_signal(self, channel: str) -> bool:
        """Draw `channel` here too; return False and emit the reason if it has another unit or is here already."""
        store, spec = self.canvas.store, self.spec
        if store is None or channel not in store:
            self.refused.emit(channel, f"{channel} is not available now.")
            return False
        display = fmt.find_display(channel, store.channel(channel).unit)
        fits = display.unit.lstrip("m") == spec.display.unit.lstrip("m") and display.offset == spec.display.offset
        if not fits or display.words is not None:
            unit = display.unit or "no unit"
            self.refused.emit(channel, f"{channel} is in {unit}, but the plot {spec.title} is in {spec.display.unit}.")
            return False
        if any(curve.channel == channel and curve.stroke is not Stroke.BAND for curve in spec.curves):
            return True
        used = {curve.colour for curve in spec.curves}
        colour = next((key for key in _ADDED if key not in used), "muted")
        self.canvas.set_curves((*spec.curves, PlotCurve(channel, channel, colour, added=True)))
        return True

    def remove(self, channel: str) -> None:
        """Remove an added signal."""
        kept = tuple(curve for curve in self.spec.curves if not (curve.added and curve.channel == channel))
        self.canvas.set_curves(kept)

    def show_curves(self, spec: PlotSpec) -> None:
        """Replace the plot's specification (the lanes changed); keep signals that were dropped on it."""
        added = tuple(curve for curve in self.spec.curves if curve.added)
        curves = (*spec.curves, *added)
        before, self.canvas.spec = self.spec, replace(spec, curves=curves)  # its legend may be another one too
        if curves != before.curves or spec.title != before.title:
            self.canvas.invalidate()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802  # Qt's name
        if event.mimeData().hasFormat(MIME):
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:  # noqa: N802  # Qt's name
        event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802  # Qt's name
        names = bytes(event.mimeData().data(MIME).data()).decode().split("\n")
        for name in names:
            self.add_signal(name)
        event.acceptProposedAction()

    # ---- mouse and keyboard

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802  # Qt's name
        place = self.canvas.mapFrom(self, event.position())
        t_s = self.canvas.time_at(place.x())
        if self._dragged:
            self.view.place(self._dragged, t_s)
        elif self.canvas.area.contains(place.toPoint()):
            self.view.hover(t_s)
        else:
            self.view.hover(None)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802  # Qt's name
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        place = self.canvas.mapFrom(self, event.position())
        t_s = self.canvas.time_at(place.x())
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.view.place("A", t_s)
        elif event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.view.place("B", t_s)
        else:
            near = [name for name, at in self.view.cursors.items() if abs(self.canvas.x_of(at) - place.x()) < _NEAR_PX]
            self._dragged = near[0] if near else ""

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802  # Qt's name
        del event
        self._dragged = ""

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802  # Qt's name
        del event
        self.canvas.fit()

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802  # Qt's name
        super().focusInEvent(event)
        self.header.show_focus(focused=True)

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802  # Qt's name
        super().focusOutEvent(event)
        self.header.show_focus(focused=False)

    def leaveEvent(self, event: object) -> None:  # noqa: N802  # Qt's name
        del event
        self.view.hover(None)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802  # Qt's name
        up = event.angleDelta().y() > 0
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            place = self.canvas.mapFrom(self, event.position())
            self.canvas.stretch(0.8 if up else 1.25, place.y())
        else:
            self.view.zoom(-1 if up else 1)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  # Qt's name
        step = {Qt.Key.Key_Left: -1.0, Qt.Key.Key_Right: 1.0}.get(Qt.Key(event.key()), 0.0)
        if step and self.view.cursors:
            name = "B" if "B" in self.view.cursors else "A"
            fast = 10.0 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1.0
            self.view.nudge(name, step * fast, self.canvas.bin_s)
        elif event.key() == Qt.Key.Key_F:
            self.canvas.fit()
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802  # Qt's name
        at = event.pos() if event.reason() is QContextMenuEvent.Reason.Mouse else self.rect().center()
        menu = self.menu(self.canvas.time_at(self.canvas.mapFrom(self, at).x()))
        menu.exec(self.mapToGlobal(QPoint(at)))

    def menu(self, t_s: float) -> QMenu:
        """Return the context menu at the instant `t_s`."""
        menu = QMenu(self)
        menu.addAction("Fit\tdouble-click, F", self.canvas.fit)
        menu.addAction("Longer time\twheel down", partial(self.view.zoom, 1))
        menu.addAction("Shorter time\twheel up", partial(self.view.zoom, -1))
        menu.addSeparator()
        menu.addAction("Cursor A here\tCtrl+click", partial(self.view.place, "A", t_s))
        menu.addAction("Cursor B here\tShift+click", partial(self.view.place, "B", t_s))
        menu.addAction("Clear cursors", self.view.clear_cursors).setEnabled(bool(self.view.cursors))
        added = [curve for curve in self.spec.curves if curve.added]
        if added or self.closable:
            menu.addSeparator()
        for curve in added:
            menu.addAction(f"Remove {curve.channel}", partial(self.remove, curve.channel))
        if self.closable:
            menu.addAction("Close this plot", self.closed.emit)
        return menu
