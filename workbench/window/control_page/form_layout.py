"""The form at the left of a page: a title, a word beside each part, a line of buttons; and why a button cannot act."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLayout, QVBoxLayout, QWidget

from workbench.window.widgets.basic import DockTitle, label

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from PySide6.QtWidgets import QAbstractButton


def lay_out_form(
    form: QWidget, title: str, rows: Iterable[tuple[str, QWidget | QLayout]], buttons: Sequence[QWidget]
) -> QVBoxLayout:
    """Lay out `form`, the first button wider than the others; return its column, to add parts below."""
    grid = QGridLayout()
    grid.setContentsMargins(16, 0, 16, 0)
    grid.setHorizontalSpacing(12)
    grid.setVerticalSpacing(8)
    grid.setColumnStretch(1, 1)
    for line, (word, part) in enumerate(rows):
        grid.addWidget(label(word, "muted"), line, 0)
        if isinstance(part, QLayout):
            grid.addLayout(part, line, 1)
        else:
            grid.addWidget(part, line, 1)
    below = QHBoxLayout()
    below.setContentsMargins(16, 12, 16, 8)
    below.setSpacing(8)
    for place, part in enumerate(buttons):
        below.addWidget(part, 0 if place else 1)
    column = QVBoxLayout(form)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    column.addWidget(DockTitle(title))
    column.addLayout(grid)
    column.addLayout(below)
    return column


def show_reasons(reasons: Iterable[tuple[QAbstractButton, str, str]]) -> None:
    """Disable each button that cannot act; its tool tip says why, or else what it does."""
    for part, why_not, tip in reasons:
        part.setEnabled(not why_not)
        part.setToolTip(why_not or tip)
