"""A line of text that ends in an ellipsis where there is no room for it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QStyleOption


class ElidedLabel(QLabel):
    """Takes the room that others leave; its tool tip is the whole text unless another is set."""

    def __init__(self, tone: str = "") -> None:
        super().__init__()
        self.setProperty("tone", tone)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def say(self, text: str, tip: str = "") -> None:
        """Show a text; do nothing if it is shown already."""
        if text != self.text():
            self.setText(text)
        if self.toolTip() != (tip or text):
            self.setToolTip(tip or text)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  # Qt's name
        del event
        option = QStyleOption()
        option.initFrom(self)
        room = self.contentsRect()
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room.width())
        painter = QPainter(self)
        painter.setPen(option.palette.color(self.foregroundRole()))  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue]
        painter.drawText(room, int(self.alignment()), shown)
        painter.end()
