"""Small pieces that docks and pages share: titles, labels, buttons, dock frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QDockWidget,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QWidget,
)

from workbench.window.widgets.elided_label import ElidedLabel
from workbench.window.widgets.icons import paint_icon
from workbench.window.widgets.themes import LABEL_PX, font
from workbench.window.widgets.wrapped_label import WrappedLabel

if TYPE_CHECKING:
    from collections.abc import Callable


def label(text: str = "", tone: str = "", *, wrap: bool = False) -> QLabel:
    """Make a label in one of the style sheet's tones."""
    made = WrappedLabel(text) if wrap else QLabel(text)
    made.setProperty("tone", tone)
    made.setTextFormat(Qt.TextFormat.PlainText)
    return made


def button(text: str, run: Callable[[], object], kind: str = "", *, tip: str = "") -> QPushButton:
    """Make a push button of one of the style sheet's kinds.

    A click leaves the keyboard focus where it was, so that Space pauses the view and does not press the button again.
    """
    made = QPushButton(text)
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    made.setProperty("kind", kind)
    made.setAutoDefault(False)
    made.setToolTip(tip)
    made.clicked.connect(lambda: run())  # noqa: PLW0108  # `clicked` passes a flag that `run` does not take
    return made


def bench_button(text: str, run: Callable[[], object], kind: str = "", *, tip: str = "") -> QPushButton:
    """Make a button that acts on a bench; it never has the keyboard focus, its command has keys of its own."""
    made = button(text, run, kind, tip=tip)
    made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return made


def restyle(widget: QWidget, name: str, value: str) -> None:
    """Set a property that the style sheet uses, and apply the style sheet again."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def wrap_in_scroll_area(content: QWidget, *, sideways: bool = False) -> QScrollArea:
    """Let a part scroll where it has less room than it needs; `sideways`: in both directions."""
    area = QScrollArea()
    area.setWidget(content)
    area.setWidgetResizable(True)
    if not sideways:
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return area


def pad_text(field: QAbstractSpinBox) -> None:
    """Keep a spin box's text off its border; Qt leaves the padding of a style sheet out there."""
    field.lineEdit().setTextMargins(6, 0, 6, 0)


class Combo(QComboBox):
    """A combo box whose arrow is one of our icons; the style sheet has none."""

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  # Qt's name
        super().paintEvent(event)
        painter = QPainter(self)
        box = QRectF(self.width() - 22.0, self.height() / 2.0 - 6.0, 12.0, 12.0)
        paint_icon(painter, "down", box, self.palette().color(self.foregroundRole()))
        painter.end()


class DockTitle(QWidget):
    """A dock's title: a word in capitals and a fact at the right. Dragging it moves the dock."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.title = QLabel(title.upper())
        self.fact = ElidedLabel("label")
        spaced = font(LABEL_PX, bold=True)
        spaced.setLetterSpacing(spaced.SpacingType.AbsoluteSpacing, 0.6)
        for part in (self.title, self.fact):
            part.setFont(spaced)
            part.setProperty("tone", "label")
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.fact.setAlignment(Qt.AlignmentFlag.AlignRight)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 10, 16, 6)
        row.addWidget(self.title)
        row.addWidget(self.fact, 1)

    def show_fact(self, text: str) -> None:
        self.fact.say(text)


class Dock(QDockWidget):
    """A dock that moves, floats and closes; its object name identifies it in a saved layout."""

    def __init__(self, name: str, title: str, content: QWidget) -> None:
        super().__init__(title)
        self.setObjectName(name)
        self.setAccessibleName(title)
        self.bar = DockTitle(title)
        self.set_bar(self.bar)
        self.setWidget(content)

    def set_bar(self, bar: QWidget) -> None:
        """Set the widget that replaces the title."""
        self.setTitleBarWidget(bar)
        bar.setToolTip("Drag to move, double-click to float, right-click for more")
        bar.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)

    def turn_float(self) -> None:
        """Float, or dock again at the former place."""
        self.setFloating(not self.isFloating())
