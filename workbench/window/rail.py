"""The rail at the left edge: one button per page."""

from __future__ import annotations

from functools import partial
from typing import Final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QToolButton, QVBoxLayout, QWidget

from workbench.window.widgets.icons import icon
from workbench.window.widgets.themes import LABEL_PX, Theme, font

PAGES: Final = ("Bench", "Twin", "Control", "Certify", "Runs", "Bundle", "Fleet", "Health")
WIDTH: Final = 56
_BUTTON_PX, _BRIEF_PX = 50, 28


class PageRail(QWidget):
    """Buttons of the pages; emits the requested page."""

    wanted = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setFixedWidth(WIDTH)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Ignored)
        self._theme = theme
        self.buttons: dict[str, QToolButton] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 8, 5, 8)
        column.setSpacing(4)
        for number, page in enumerate(PAGES, 1):
            made = QToolButton()
            made.setText(page)
            made.setFont(font(LABEL_PX))
            made.setIconSize(QSize(16, 16))
            made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
            made.setFixedSize(47, _BUTTON_PX)
            made.setCheckable(True)
            made.setToolTip(f"{page}  Ctrl+{number}")
            made.setAccessibleName(f"{page} page")
            made.clicked.connect(partial(self.wanted.emit, page))
            self.buttons[page] = made
            column.addWidget(made)
        column.addStretch(1)
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        t = theme
        self.setStyleSheet(
            f"QToolButton {{ border: 1px solid transparent; border-radius: 4px; color: {t.muted}; font-size: 11px;"
            f" padding: 4px 0; background: transparent; }} QToolButton:hover {{ background: {t.hover}; }}"
            f" QToolButton:checked {{ background: {t.selected}; color: {t.text}; }}"
            f" QToolButton:focus {{ border-color: {t.blue}; }}"
        )
        self.show_page(next((page for page, made in self.buttons.items() if made.isChecked()), PAGES[0]))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  # Qt's name
        """Leave the symbols out where the buttons would not fit."""
        super().resizeEvent(event)
        brief = self.height() < len(PAGES) * (_BUTTON_PX + 4) + 16
        style = Qt.ToolButtonStyle
        for made in self.buttons.values():
            made.setToolButtonStyle(style.ToolButtonTextOnly if brief else style.ToolButtonTextUnderIcon)
            made.setFixedHeight(_BRIEF_PX if brief else _BUTTON_PX)

    def mark(self, page: str, word: str = "") -> None:
        """Show a word in place of the page's name while work goes on there."""
        if self.buttons[page].text() != (word or page):
            self.buttons[page].setText(word or page)

    def show_page(self, page: str) -> None:
        for name, made in self.buttons.items():
            made.setChecked(name == page)
            made.setIcon(icon(name.lower(), self._theme.colour("text" if name == page else "muted")))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  # Qt's name
        del event
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.colour("panel"))
        painter.setPen(self._theme.colour("line"))
        painter.drawLine(self.width() - 1, 0, self.width() - 1, self.height())
        painter.end()
