"""The bar at the top of the page: the suite, the bench, Stop, and the button that certifies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QSizePolicy, QWidget

from workbench.window.certify_page.model import Suite
from workbench.window.widgets.basic import Combo, bench_button, button, label
from workbench.window.widgets.themes import TITLE_PX, font

if TYPE_CHECKING:
    from collections.abc import Sequence

OTHER: Final = "Other folder…"
READ_AGAIN: Final = "Read the suite's files again"


class CertifyBar(QWidget):
    """Emits the user's requests; the `show_...` methods set what it shows."""

    suite_chosen = Signal()
    start_wanted = Signal()
    stop_wanted = Signal()

    def __init__(self, suites: Sequence[Suite]) -> None:
        super().__init__()
        self._suites = list(suites)
        self.suites = Combo()
        self.suites.setAccessibleName("Suite")
        self.suites.setMinimumWidth(100)
        self.bench = label(tone="muted")
        self.bench.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.again = button("Read again", self.suite_chosen.emit, tip=READ_AGAIN)
        self.stop = bench_button("Stop", self.stop_wanted.emit)
        self.start = bench_button("Certify", self.start_wanted.emit, "primary")
        self.start.setFont(font(TITLE_PX, bold=True))
        self.start.setStyleSheet(f"font-size: {TITLE_PX}px; padding: 8px 16px;")
        self.start.setMinimumWidth(176)  # so that a changing number does not move the rest
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 12, 16, 8)
        row.setSpacing(8)
        row.addWidget(label("Certify", "title"))
        row.addSpacing(16)
        for part in (label("Suite", "muted"), self.suites, self.again):
            row.addWidget(part)
        row.addSpacing(8)
        row.addWidget(self.bench, 1)
        for part in (self.stop, self.start):
            row.addWidget(part)
        self._fill(0)
        self.suites.activated.connect(self._activated)

    @property
    def suite(self) -> Suite | None:
        """The chosen suite."""
        at = self.suites.currentIndex()
        return self._suites[at] if 0 <= at < len(self._suites) else None

    def show_bench(self, name: str, kind: str) -> None:
        """Show the bench file of the window's session."""
        text = f"on {name}{f', {kind}' if kind else ''}"
        if self.bench.text() != text:
            self.bench.setText(text)
            self.bench.setToolTip(text)

    def show_start(self, number: int, why_not: str, note: str) -> None:
        """Show how many cases Start would run, why it cannot, or a note if it can."""
        text = f"Certify {number} {'case' if number == 1 else 'cases'}" if number else "Certify"
        if self.start.text() != text:
            self.start.setText(text)
        self.start.setEnabled(not why_not)
        self.start.setToolTip(why_not or note)

    def show_stop(self, why_not: str) -> None:
        self.stop.setEnabled(not why_not)
        self.stop.setToolTip(why_not or "The current case ends, then the bench is made safe")

    def show_busy(self, why: str) -> None:
        """Allow another suite only while nothing runs; `why` is the reason."""
        for part in (self.suites, self.again):
            part.setEnabled(not why)
        self.suites.setToolTip(why)
        self.again.setToolTip(why or READ_AGAIN)

    # ---- suites

    def _fill(self, at: int) -> None:
        self.suites.clear()
        self.suites.addItems([suite.name for suite in self._suites])
        for number, suite in enumerate(self._suites):
            self.suites.setItemData(number, str(suite.path), Qt.ItemDataRole.ToolTipRole)
        self.suites.addItem(OTHER)
        self._at = at
        self.suites.setCurrentIndex(at)

    def _activated(self, at: int) -> None:
        if at < len(self._suites):
            self._at = at
            self.suite_chosen.emit()
        else:
            self.suites.setCurrentIndex(self._at)
            self.ask_folder()

    def ask_folder(self) -> None:
        """Ask for the folder of the user's own suite."""
        dialog = QFileDialog(self, "Open a folder of cases", "")
        dialog.setOption(QFileDialog.Option.DontUseNativeDialog)  # so that Ctrl+. reaches us
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.add_folder)
        dialog.open()

    def add_folder(self, folder: str) -> None:
        """Choose the suite in `folder`."""
        path = Path(folder)
        known = next((n for n, suite in enumerate(self._suites) if suite.path == path), None)
        if known is None:
            self._suites.append(Suite(path.name, path))
            known = len(self._suites) - 1
        self._fill(known)
        self.suite_chosen.emit()
