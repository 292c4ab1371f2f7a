"""A plot's header: its title and legend with live values, so that nothing lies on top of the curves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from workbench.window.themes import BODY_PX, LABEL_PX, Theme, font

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.window.curve import Entry

HEIGHT: Final = 36
ROW: Final = 20
_PAD: Final = 14
_SWATCH: Final = 14


class Header(QWidget):
    """Paints a title, entries, and a word at the right; a second row shows what lies between the cursors."""

    def __init__(self, title: str, theme: Theme) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(HEIGHT)
        self.title = title
        self.theme = theme
        self.entries: tuple[Entry, ...] = ()
        self.word = ""
        self.between = ""

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.update()

    def show_values(self, entries: Sequence[Entry], word: str, between: str) -> None:
        """Repaint only when a text differs."""
        new = (tuple(entries), word, between)
        if new == (self.entries, self.word, self.between):
            return
        if bool(between) != bool(self.between):
            self.setFixedHeight(HEIGHT + (ROW if between else 0))
        self.entries, self.word, self.between = new
        spoken = "; ".join(" ".join(filter(None, (entry.label, entry.value, entry.note))) for entry in entries)
        self.setToolTip("\n".join(filter(None, (self.title, *spoken.split("; "), between))))
        self.setAccessibleDescription(spoken)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  # Qt's name
        del event
        painter = QPainter(self)
        painter.fillRect(self.rect(), self.theme.colour("background"))
        right = self._paint_word(painter)
        for px, gap, notes in ((BODY_PX, 16.0, True), (BODY_PX, 12.0, False), (LABEL_PX, 8.0, False)):
            if self._width(px, gap, notes=notes) <= right or px == LABEL_PX:
                self._paint_entries(painter, px, gap, right, notes=notes)
                break
        if self.between:
            painter.setFont(font(LABEL_PX))
            painter.setPen(self.theme.colour("blue"))
            room = QRectF(_PAD, HEIGHT - 6, self.width() - 2 * _PAD, ROW)
            text = painter.fontMetrics().elidedText(self.between, Qt.TextElideMode.ElideRight, int(room.width()))
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, text)
        painter.end()

    def _paint_word(self, painter: QPainter) -> float:
        painter.setFont(font(LABEL_PX))
        painter.setPen(self.theme.colour("muted"))
        room = QRectF(0, 0, self.width() - _PAD, HEIGHT)
        painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self.word)
        return self.width() - _PAD - painter.fontMetrics().horizontalAdvance(self.word) - 8

    def _width(self, px: int, gap: float, *, notes: bool) -> float:
        plain, bold = QFontMetricsF(font(px)), QFontMetricsF(font(px, bold=True))
        width = _PAD + QFontMetricsF(font(BODY_PX, bold=True)).horizontalAdvance(self.title)
        for entry in self.entries:
            width += gap + (_SWATCH + 6 if entry.colour else 0) + plain.horizontalAdvance(entry.label)
            width += 6 + bold.horizontalAdvance(entry.value)
            width += 6 + plain.horizontalAdvance(entry.note) if notes and entry.note else 0
        return width

    def _paint_entries(self, painter: QPainter, px: int, gap: float, right: float, *, notes: bool) -> None:
        theme = self.theme
        x = self._text(painter, _PAD, self.title, "text", BODY_PX, bold=True)
        shortage = self._width(px, gap, notes=notes) - right
        for entry in self.entries:
            x += gap
            if entry.colour:
                pen = QPen(theme.colour(entry.colour), 2)
                pen.setStyle(Qt.PenStyle.DotLine if entry.dashed else Qt.PenStyle.SolidLine)
                painter.setPen(pen)
                painter.drawLine(int(x), HEIGHT // 2, int(x + _SWATCH), HEIGHT // 2)
                x += _SWATCH + 6
            label = entry.label
            if shortage > 0:
                metrics = QFontMetricsF(font(px))
                room = max(24.0, metrics.horizontalAdvance(label) - shortage)
                short = metrics.elidedText(label, Qt.TextElideMode.ElideRight, room)
                shortage -= metrics.horizontalAdvance(label) - metrics.horizontalAdvance(short)
                label = short
            x = self._text(painter, x, label, "muted", px)
            x = self._text(painter, x + 6, entry.value, "text", px, bold=True)
            if notes and entry.note:
                x = self._text(painter, x + 6, entry.note, "muted", px)

    def _text(self, painter: QPainter, x: float, text: str, colour: str, px: int, *, bold: bool = False) -> float:
        painter.setFont(font(px, bold=bold))
        painter.setPen(self.theme.colour(colour))
        width = QFontMetricsF(painter.font()).horizontalAdvance(text)
        painter.drawText(QRectF(x, 0, width + 2, HEIGHT), Qt.AlignmentFlag.AlignVCenter, text)
        return x + width
