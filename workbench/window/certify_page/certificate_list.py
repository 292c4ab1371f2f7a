"""The list of earlier certificates; each can be opened again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from workbench.certificates.results import Verdict
from workbench.window.certify_page import style
from workbench.window.widgets.basic import DockTitle, button

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QKeyEvent

    from workbench.window.certify_page.model import CertificateLine
    from workbench.window.widgets.themes import Theme

_FOLDER = Qt.ItemDataRole.UserRole


class CertificateList(QWidget):
    """Earlier certificates; emits `open_wanted` with the folder of one."""

    open_wanted = Signal(object)  # Path

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._lines: Sequence[CertificateLine] = ()
        self.list = _List(self)
        self.title = DockTitle("Earlier certificates")
        self.open = button("Open", self.open_selected, "link")
        self.other = button("Other folder…", self.ask_folder, "link", tip="A folder that certify has written")
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 8, 0)
        row.setSpacing(0)
        row.addWidget(self.title, 1)
        for part in (self.open, self.other):
            row.addWidget(part)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(self.list, 1)
        self.list.currentRowChanged.connect(self.update_buttons)
        self.update_buttons()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.show_lines(self._lines)

    def show_lines(self, lines: Sequence[CertificateLine]) -> None:
        """Show the list, newest first; keep the selection."""
        chosen = self.selected_folder
        self._lines = lines
        self.list.clear()
        for line in lines:
            self.list.addItem(self._item(line))
        folders = [line.folder for line in lines]
        self.list.setCurrentRow(folders.index(chosen) if chosen in folders else 0)
        self.title.show_fact(f"{len(lines)}" if lines else "none yet")
        self.update_buttons()

    def _item(self, line: CertificateLine) -> QListWidgetItem:
        if line.detail:
            item = QListWidgetItem(f"{line.folder.name}  cannot be read")
            verdict = Verdict.ERROR
        else:
            counts = line.counts or {}
            item = QListWidgetItem(
                f"{style.format_time(line.made)}  {line.suite}  {style.format_counts(counts)}  {line.evidence}"
            )
            verdict = Verdict.PASS if line.passed else Verdict.FAIL if counts.get(Verdict.FAIL) else Verdict.BLOCKED
        item.setIcon(style.verdict_icon(verdict, self._theme.name))
        item.setToolTip(line.detail or str(line.folder))
        item.setData(_FOLDER, str(line.folder))
        return item

    @property
    def selected_folder(self) -> Path | None:
        item = self.list.currentItem()
        return Path(item.data(_FOLDER)) if item is not None else None  # pyright: ignore[reportUnnecessaryComparison]  # None in an empty list

    def update_buttons(self, row: int = -1) -> None:
        """Enable the button if a certificate can be opened."""
        del row
        self.open.setEnabled(self.selected_folder is not None)
        self.open.setToolTip("" if self.selected_folder is not None else "Choose a certificate first.")

    def open_selected(self) -> None:
        if self.selected_folder is not None:
            self.open_wanted.emit(self.selected_folder)

    def ask_folder(self) -> None:
        """Ask for the folder of a certificate stored elsewhere, such as one of the command line."""
        dialog = QFileDialog(self, "Open a certificate's folder", "")
        dialog.setOption(QFileDialog.Option.DontUseNativeDialog)  # so that Ctrl+. reaches us
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._open_folder)
        dialog.open()

    def _open_folder(self, folder: str) -> None:
        self.open_wanted.emit(Path(folder))


class _List(QListWidget):
    def __init__(self, earlier: CertificateList) -> None:
        super().__init__()
        self._earlier = earlier
        self.setAccessibleName("Earlier certificates")
        self.setUniformItemSizes(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.itemDoubleClicked.connect(earlier.open_selected)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  # Qt's name
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._earlier.open_selected()
        else:
            super().keyPressEvent(event)
