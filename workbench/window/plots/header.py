"""Header of a plot: its title and legend with live values, so that nothing covers the curves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from workbench.window.plots.swatch import SWATCH_PX, paint_swatch
from workbench.window.widgets.themes import BODY_PX, LABEL_PX, Theme, font, measure_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.window.plots.curve import LegendEntry

HEIGHT: Final = 36
_PAD: Final = 14
_LINE: Final = 18
_GAP: Final = 12.0
_MODES: Final = ((BODY_PX, 16.0, True), (BODY_PX, 12.0, False), (LABEL_PX, 8.0, False))  # size, gap, notes


class PlotHeader(QWidget):
    """Paints a title, entries, and a word at the right; below them the differences between the cursors."""

    def __init__(self, title: str, theme: Theme) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(HEIGHT)
        self.title = title
        self.theme = theme
        self.entries: tuple[LegendEntry, ...] = ()
        self.word = ""
        self.between: tuple[LegendEntry, ...] = ()
        self._focused = False
        self._more = [0, 0]  # lines beside the first that the legend takes, and lines of what lies between

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.update()

    def show_focus(self, *, focused: bool) -> None:
        """Show a bar beside the title while this plot has the keyboard focus."""
        self._focused = focused
        self.update()

    def show_values(self, entries: Sequence[LegendEntry], word: str, between: Sequence[LegendEntry]) -> None:
        """Show these values; repaint only if a text differs."""
        if (tuple(entries), word, tuple(between)) == (self.entries, self.word, self.between):
            return
        if (len(entries), len(between)) != (len(self.entries), len(self.between)):
            self._more = [0, 0]
        self.entries, self.word, self.between = tuple(entries), word, tuple(between)
        self._fit()
        spoken, compared = [_spoken(entry) for entry in entries], [_spoken(entry) for entry in between]
        self.setToolTip("\n".join((self.title, *spoken, *compared)))
        self.setAccessibleDescription("; ".join((*spoken, *compared)))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  # Qt's name
        del event
        painter = QPainter(self)
        painter.fillRect(self.rect(), self.theme.colour("background"))
        if self._focused:
            painter.fillRect(QRectF(5.0, 10.0, 2.0, HEIGHT - 20.0), self.theme.colour("blue"))
        self._paint_word(painter)
        self._text(painter, (_PAD, 0.0), self.title, "text", BODY_PX, bold=True)
        px, _, notes = self._mode()
        for entry, (left, line) in zip(self.entries, self._legend(), strict=True):
            self._entry(painter, left, line * _LINE, entry, px, notes=notes)
        top = (1 + self._more[0]) * _LINE
        for entry, (left, line) in zip(self.between, self._compared(), strict=True):
            self._entry(painter, left, top + line * _LINE, entry, LABEL_PX, notes=False)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  # Qt's name
        if event.size().width() != event.oldSize().width():
            self._more = [0, 0]
            self._fit()

    # ---- layout

    def _fit(self) -> None:
        """Use as many lines as needed; keep them until width or entries change, so that nothing jumps."""
        legend, compared = self._legend(), self._compared()
        self._more[0] = max(self._more[0], legend[-1][1] if legend else 0)
        self._more[1] = max(self._more[1], compared[-1][1] + 1 if compared else 0)
        height = HEIGHT + sum(self._more) * _LINE
        if height != self.height():
            self.setFixedHeight(height)

    def _mode(self) -> tuple[int, float, bool]:
        """Return the largest mode that fits the legend in one line, else the smallest."""
        if not self._more[0]:
            for px, gap, notes in _MODES:
                if self._title() + sum(gap + _width(entry, px, notes=notes) for entry in self.entries) <= self._right():
                    return px, gap, notes
        return LABEL_PX, _GAP, False

    def _legend(self) -> list[tuple[float, int]]:
        px, gap, notes = self._mode()
        widths = [_width(entry, px, notes=notes) for entry in self.entries]
        return _flow(self._title() + gap, widths, gap, self._right())

    def _compared(self) -> list[tuple[float, int]]:
        widths = [_width(entry, LABEL_PX, notes=False) for entry in self.between]
        return _flow(_PAD, widths, _GAP, self.width() - _PAD)

    def _title(self) -> float:
        return _PAD + measure_text(self.title, BODY_PX, bold=True)

    def _right(self) -> float:
        return self.width() - _PAD - measure_text(self.word, LABEL_PX) - 8

    # ---- painting

    def _paint_word(self, painter: QPainter) -> None:
        painter.setFont(font(LABEL_PX))
        painter.setPen(self.theme.colour("muted"))
        room = QRectF(0, 0, self.width() - _PAD, HEIGHT)
        painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self.word)

    def _entry(self, painter: QPainter, x: float, top: float, entry: LegendEntry, px: int, *, notes: bool) -> None:
        if entry.colour:
            paint_swatch(painter, x, top + HEIGHT / 2.0, self.theme.colour(entry.colour), entry.stroke)
            x += SWATCH_PX + 6
        if entry.label:
            room = self.width() - _PAD / 2.0 - x - 6.0 - measure_text(entry.value, px, bold=True)
            text = QFontMetricsF(font(px)).elidedText(entry.label, Qt.TextElideMode.ElideRight, max(0.0, room))
            x = self._text(painter, (x, top), text, "muted", px) + 6
        x = self._text(painter, (x, top), entry.value, "text", px, bold=True)
        if notes and entry.note:
            self._text(painter, (x + 6, top), entry.note, "muted", px)

    def _text(
        self, painter: QPainter, at: tuple[float, float], text: str, colour: str, px: int, *, bold: bool = False
    ) -> float:
        x, top = at
        painter.setFont(font(px, bold=bold))
        painter.setPen(self.theme.colour(colour))
        width = measure_text(text, px, bold=bold)
        painter.drawText(QRectF(x, top, width + 2, HEIGHT), Qt.AlignmentFlag.AlignVCenter, text)
        return x + width


def _flow(start: float, widths: Sequence[float], gap: float, right: float) -> list[tuple[float, int]]:
    """Return left edge and line of each piece, one after the other from `start`; further lines begin at the left."""
    x, line, made = start, 0, list[tuple[float, int]]()
    for width in widths:
        if x + width > right and x > _PAD:
            x, line = float(_PAD), line + 1
        made.append((x, line))
        x += width + gap
    return made


def _spoken(entry: LegendEntry) -> str:
    return " ".join(filter(None, (entry.label, entry.value, entry.note)))


def _width(entry: LegendEntry, px: int, *, notes: bool) -> float:
    width = (SWATCH_PX + 6 if entry.colour else 0) + measure_text(entry.value, px, bold=True)
    width += measure_text(entry.label, px) + 6 if entry.label else 0
    return width + (6 + measure_text(entry.note, px) if notes and entry.note else 0)
