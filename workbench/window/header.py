"""A plot's header: its title and legend with live values, so that nothing lies on top of the curves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from workbench.window.themes import BODY_PX, LABEL_PX, Theme, font

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.window.curve import Entry

HEIGHT: Final = 36
ROW: Final = 20
_PAD: Final = 14
_SWATCH: Final = 14
_LINE: Final = 18
_MODES: Final = ((BODY_PX, 16.0, True), (BODY_PX, 12.0, False), (LABEL_PX, 8.0, False))  # size, gap, notes


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
        self._wrapped = False

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.update()

    def show_values(self, entries: Sequence[Entry], word: str, between: str) -> None:
        """Repaint only when a text differs."""
        if (tuple(entries), word, between) == (self.entries, self.word, self.between):
            return
        self.entries, self.word, self.between = tuple(entries), word, between
        self._fit()
        spoken = "; ".join(" ".join(filter(None, (entry.label, entry.value, entry.note))) for entry in entries)
        self.setToolTip("\n".join(filter(None, (self.title, *spoken.split("; "), between))))
        self.setAccessibleDescription(spoken)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  # Qt's name
        del event
        painter = QPainter(self)
        painter.fillRect(self.rect(), self.theme.colour("background"))
        right = self._paint_word(painter)
        if self._wrapped:
            self._paint_entries(painter, LABEL_PX, 12.0, right, notes=False)
        for px, gap, notes in () if self._wrapped else _MODES:
            if self._width(px, gap, notes=notes) <= right:
                self._paint_entries(painter, px, gap, right, notes=notes)
                break
        if self.between:
            painter.setFont(font(LABEL_PX))
            painter.setPen(self.theme.colour("blue"))
            room = QRectF(_PAD, self.height() - ROW - 2, self.width() - 2 * _PAD, ROW)
            text = painter.fontMetrics().elidedText(self.between, Qt.TextElideMode.ElideRight, int(room.width()))
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, text)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  # Qt's name
        if event.size().width() != event.oldSize().width():
            self._wrapped = False
            self._fit()

    def _fit(self) -> None:
        """Two lines where one is too short; they stay until the width changes, so that nothing jumps."""
        px, gap, notes = _MODES[-1]
        if self.entries and self._width(px, gap, notes=notes) > self._right():
            self._wrapped = True
        height = HEIGHT + (ROW if self.between else 0) + (_LINE if self._wrapped else 0)
        if height != self.height():
            self.setFixedHeight(height)

    def _right(self) -> float:
        return self.width() - _PAD - QFontMetricsF(font(LABEL_PX)).horizontalAdvance(self.word) - 8

    def _paint_word(self, painter: QPainter) -> float:
        painter.setFont(font(LABEL_PX))
        painter.setPen(self.theme.colour("muted"))
        room = QRectF(0, 0, self.width() - _PAD, HEIGHT)
        painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self.word)
        return self._right()

    def _width(self, px: int, gap: float, *, notes: bool) -> float:
        width = _PAD + QFontMetricsF(font(BODY_PX, bold=True)).horizontalAdvance(self.title)
        return width + sum(gap + _entry_width(entry, px, notes=notes) for entry in self.entries)

    def _paint_entries(self, painter: QPainter, px: int, gap: float, right: float, *, notes: bool) -> None:
        x, top = self._text(painter, (_PAD, 0.0), self.title, "text", BODY_PX, bold=True) + gap, 0.0
        for entry in self.entries:
            if self._wrapped and top == 0.0 and x + _entry_width(entry, px, notes=notes) > right:
                x, top = _PAD, float(_LINE)
            x = self._entry(painter, x, top, entry, px, notes=notes) + gap

    def _entry(self, painter: QPainter, x: float, top: float, entry: Entry, px: int, *, notes: bool) -> float:
        if entry.colour:
            pen = QPen(self.theme.colour(entry.colour), 2)
            pen.setStyle(Qt.PenStyle.DotLine if entry.dashed else Qt.PenStyle.SolidLine)
            painter.setPen(pen)
            middle = int(top) + HEIGHT // 2
            painter.drawLine(int(x), middle, int(x + _SWATCH), middle)
            x += _SWATCH + 6
        x = self._text(painter, (x, top), entry.label, "muted", px)
        x = self._text(painter, (x + 6, top), entry.value, "text", px, bold=True)
        if notes and entry.note:
            x = self._text(painter, (x + 6, top), entry.note, "muted", px)
        return x

    def _text(
        self, painter: QPainter, at: tuple[float, float], text: str, colour: str, px: int, *, bold: bool = False
    ) -> float:
        x, top = at
        painter.setFont(font(px, bold=bold))
        painter.setPen(self.theme.colour(colour))
        width = QFontMetricsF(painter.font()).horizontalAdvance(text)
        painter.drawText(QRectF(x, top, width + 2, HEIGHT), Qt.AlignmentFlag.AlignVCenter, text)
        return x + width


def _entry_width(entry: Entry, px: int, *, notes: bool) -> float:
    plain, bold = QFontMetricsF(font(px)), QFontMetricsF(font(px, bold=True))
    width = (_SWATCH + 6 if entry.colour else 0) + plain.horizontalAdvance(entry.label)
    width += 6 + bold.horizontalAdvance(entry.value)
    return width + (6 + plain.horizontalAdvance(entry.note) if notes and entry.note else 0)
