"""A command of the console, to read and to copy."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QHBoxLayout, QVBoxLayout, QWidget

from workbench.window.widgets.basic import button, label

COPY: Final = "Copy"
COPY_TIP: Final = "Copy this command to the clipboard"


class CopyLine(QWidget):
    """Shows what the command is for, the command, and a button that copies it."""

    def __init__(self, sentence: str, command: str = "") -> None:
        super().__init__()
        self.sentence, self.command = label(sentence, "muted", wrap=True), label(wrap=True)
        self.command.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.copy = button(COPY, self.copy_command, "link", tip=COPY_TIP)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.command, 1)
        row.addWidget(self.copy, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 8, 16, 8)
        column.setSpacing(4)
        column.addWidget(self.sentence)
        column.addLayout(row)
        self.show_command(command)

    def show_command(self, command: str, sentence: str = "") -> None:
        """Show another command, and another sentence if one is given."""
        if sentence and sentence != self.sentence.text():
            self.sentence.setText(sentence)
        if command != self.command.text():
            self.command.setText(command)

    def copy_command(self) -> None:
        QApplication.clipboard().setText(self.command.text())
