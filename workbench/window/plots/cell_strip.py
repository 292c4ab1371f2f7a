"""One box per cell under the voltage plot: brighter is higher, the lowest is outlined, a drop marks balancing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from drivers.channel_names import BMS_BALANCING, cell_name, cell_voltage
from workbench.window.widgets import format as fmt
from workbench.window.widgets.themes import LABEL_PX, Theme, contrast, font

if TYPE_CHECKING:
    from workbench.window.plots.channel_history import ChannelReading

_LEAST_V: Final = 0.010  # narrowest range of colours
_PAD: Final = 14
_DRAIN: Final = 4.5
_HIGH: Final = "#a9c9e0"
_INKS: Final = ("#ffffff", "#000000")


class CellStrip(QWidget):
    """Boxes of all cells; a click selects one."""

    cell_selected = Signal(int)  # cell number, from 1

    def __init__(self, cells: int, theme: Theme) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(44)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName("Cells")
        self.theme = theme
        self._marked = 1
        self._volts: list[float] = [float("nan")] * cells
        self.balancing: frozenset[int] = frozenset()

    def sizeHint(self) -> QSize:  # noqa: N802  # Qt's name
        return QSize(600, 44)

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.update()

    def set_cells(self, cells: int) -> None:
        self._volts = [float("nan")] * cells
        self.update()

    def show_values(self, reading: ChannelReading) -> None:
        volts = [round(reading[cell_voltage(number)], 4) for number in range(1, len(self._volts) + 1)]
        balancing = fmt.bits(reading[BMS_BALANCING])
        if (volts, balancing) != (self._volts, self.balancing):
            self._volts, self.balancing = volts, balancing
            low = self.lowest()
            words = f"lowest cell {low}" if low else "no voltages"
            numbers = ", ".join(map(str, sorted(balancing)))
            self.setAccessibleDescription(f"{words}; balancing {numbers}" if balancing else words)
            self.update()

    def lowest(self) -> int | None:
        """Number of the lowest cell, None while no voltage is known."""
        known = [(volts, number) for number, volts in enumerate(self._volts, 1) if volts == volts]  # noqa: PLR0124  # NaN
        return min(known)[1] if known else None

    def box(self, number: int) -> QRectF:
        """Return the box of cell `number`."""
        width = (self.width() - 2.0 * _PAD) / len(self._volts)
        return QRectF(_PAD + (number - 1) * width, 4.0, width - 2.0, 32.0)

    def cell_at(self, place: QPointF) -> int | None:
        numbers = range(1, len(self._volts) + 1)
        return next((number for number in numbers if self.box(number).contains(place)), None)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  # Qt's name
        del event
        painter = QPainter(self)
        painter.fillRect(self.rect(), self.theme.colour("background"))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=True)
        painter.setFont(font(LABEL_PX))
        known = [volts for volts in self._volts if volts == volts]  # noqa: PLR0124  # NaN
        middle = (min(known) + max(known)) / 2.0 if known else 0.0
        span = max(max(known) - min(known), _LEAST_V) if known else 1.0
        lowest = self.lowest()
        for number, volts in enumerate(self._volts, 1):
            self._paint_cell(painter, number, 0.5 + (volts - middle) / span, outlined=number == lowest)
        painter.end()

    def _paint_cell(self, painter: QPainter, number: int, level: float, *, outlined: bool) -> None:
        box, known = self.box(number), level == level  # noqa: PLR0124  # NaN
        fill = fill_colour(self.theme, level) if known else self.theme.colour("grid")
        amber = outlined or (self.hasFocus() and number == self._marked)
        painter.setPen(QPen(self.theme.colour("amber" if outlined else "text"), 2) if amber else Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        painter.drawRoundedRect(box.adjusted(1, 1, -1, -1) if amber else box, 3, 3)
        painter.setPen(ink_colour(fill) if known else self.theme.colour("muted"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, str(number))
        if number in self.balancing:
            self._paint_drain(painter, box)

    def _paint_drain(self, painter: QPainter, box: QRectF) -> None:
        """Paint a small triangle that points out of the cell, in the colour of its number."""
        x, bottom = box.center().x(), box.bottom() - 3.0
        painter.setBrush(painter.pen().color())
        painter.setPen(Qt.PenStyle.NoPen)
        corners = ((x - _DRAIN, bottom - _DRAIN), (x + _DRAIN, bottom - _DRAIN), (x, bottom))
        painter.drawPolygon(QPolygonF([QPointF(*corner) for corner in corners]))

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802  # Qt's name
        number = self.cell_at(event.position())
        if number is not None:
            self.cell_selected.emit(number)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  # Qt's name
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0)
        if step:
            self._marked = min(max(self._marked + step, 1), len(self._volts))
            self.update()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.cell_selected.emit(self._marked)
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            number = self.cell_at(QPointF(event.pos()))
            if number is not None:
                text = f"{cell_name(number)}  {fmt.VOLT.text(self._volts[number - 1])}"
                text += "  balancing" if number in self.balancing else ""
                QToolTip.showText(event.globalPos(), text, self)
                return True
        return super().event(event)


def fill_colour(theme: Theme, level: float) -> QColor:
    """Return the colour of a cell whose voltage is at `level` of the range, 0 to 1."""
    return _mix(theme.colour("deep"), QColor(_HIGH), level)


def ink_colour(fill: QColor) -> QColor:
    """Return the colour in which a number on `fill` is easiest to read."""
    return QColor(max(_INKS, key=lambda ink: contrast(ink, fill.name())))


def _mix(one: QColor, other: QColor, share: float) -> QColor:
    """Mix two colours: `one` at 0, `other` at 1."""
    share = min(max(share, 0.0), 1.0)
    pairs = ((one.red(), other.red()), (one.green(), other.green()), (one.blue(), other.blue()))
    red, green, blue = (round(a + (b - a) * share) for a, b in pairs)
    return QColor(red, green, blue)
