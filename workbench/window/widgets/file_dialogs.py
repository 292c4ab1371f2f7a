"""File dialogs that let Ctrl+. through and delete themselves when they are done."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget


def ask_open(parent: QWidget, title: str, kinds: str, take: Callable[[Path], None], start: Path | None = None) -> None:
    """Ask for an existing file."""
    _dialog(parent, title, take, start, kinds).open()


def ask_new(parent: QWidget, title: str, kinds: str, take: Callable[[Path], None], start: Path | None = None) -> None:
    """Ask for a file, existing or new."""
    dialog = _dialog(parent, title, take, start, kinds)
    dialog.setFileMode(QFileDialog.FileMode.AnyFile)
    dialog.open()


def ask_folder(parent: QWidget, title: str, take: Callable[[Path], None], start: Path | None = None) -> None:
    """Ask for an existing folder."""
    dialog = _dialog(parent, title, take, start, "")
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.open()


def _dialog(parent: QWidget, title: str, take: Callable[[Path], None], start: Path | None, kinds: str) -> QFileDialog:
    dialog = QFileDialog(parent, title, str(start or ""), kinds)
    dialog.setOption(QFileDialog.Option.DontUseNativeDialog)  # a native one would swallow Ctrl+.
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

    def on_selected(file: str) -> None:
        take(Path(file))

    dialog.fileSelected.connect(on_selected)
    return dialog
