"""Placeholders for empty places: a sentence about what will be there, and a button."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from workbench.window.widgets.basic import bench_button, button, label

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class EmptyState(QFrame):
    """One line with a button."""

    def __init__(self, sentence: str, word: str, run: Callable[[], object], *, acts_on_bench: bool = False) -> None:
        super().__init__()
        self.button = (bench_button if acts_on_bench else button)(word, run, "primary")
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 10, 16, 10)
        row.addWidget(label(sentence, "muted"))
        row.addWidget(self.button)
        row.addStretch(1)


class PlaceholderPage(QWidget):
    """A page whose content comes later: a title, what it will contain, and buttons to pages that exist."""

    def __init__(
        self, title: str, sentences: Sequence[str], buttons: Sequence[tuple[str, Callable[[], object]]]
    ) -> None:
        super().__init__()
        self.setAccessibleName(f"{title} page")
        column = QVBoxLayout(self)
        column.setContentsMargins(48, 48, 48, 48)
        column.setSpacing(12)
        column.addWidget(label(title, "title"))
        for sentence in sentences:
            text = label(sentence, "muted", wrap=True)
            text.setMaximumWidth(640)
            column.addWidget(text)
        row = QHBoxLayout()
        made = [button(word, run, "primary" if number == 0 else "") for number, (word, run) in enumerate(buttons)]
        self.setFocusProxy(made[0])
        for part in made:
            row.addWidget(part)
        row.addStretch(1)
        column.addLayout(row)
        column.addStretch(1)
        column.setAlignment(Qt.AlignmentFlag.AlignTop)
