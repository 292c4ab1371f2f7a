"""Placeholders for empty places: a sentence about what will be there, and a button."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFrame, QHBoxLayout

from workbench.window.widgets.basic import bench_button, button, label

if TYPE_CHECKING:
    from collections.abc import Callable


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
