"""The Runs page: recorded runs, to open in the Bench page's plots or to export."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from workbench.window.widgets import format as fmt
from workbench.window.widgets.basic import button, label
from workbench.window.widgets.item_data import guard_data
from workbench.window.widgets.placeholder import EmptyState
from workbench.window.widgets.table_model import Index, TableModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QKeyEvent

    from workbench.window.runs_page.runs_model import RecordedRuns, ReplaySource, RunListEntry

HEADS: Final = ("Run", "Started", "Duration", "Ticks", "Size", "Evidence", "Bench", "State")
_WIDTHS: Final = (260, 190, 90, 90, 90, 80, 110)
_NUMBERS: Final = (2, 3, 4)
FORMATS: Final = {"CSV": ".csv", "MDF4": ".mf4"}


class RunTable(TableModel["RunListEntry"]):
    """Runs, newest first; filtered by name, bench, state."""

    def __init__(self) -> None:
        super().__init__(HEADS, _NUMBERS)
        self._all: list[RunListEntry] = []
        self._text = ""

    def show_runs(self, rows: Sequence[RunListEntry]) -> None:
        self._all = list(rows)
        self.filter(self._text)

    def filter(self, text: str) -> None:
        self._text = text
        words = text.lower().split()
        self.beginResetModel()
        self.rows = [
            row for row in self._all if all(word in f"{row.name} {row.bench} {row.state}".lower() for word in words)
        ]
        self.endResetModel()

    @guard_data
    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> str | Qt.AlignmentFlag | None:
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self.alignment(index.column())
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.detail or str(row.folder)
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        return (
            row.name,
            row.started or fmt.DASH,
            fmt.DASH if row.duration_s is None else fmt.run_time(row.duration_s),
            fmt.DASH if row.ticks is None else fmt.count(row.ticks),
            fmt.format_bytes(row.size_bytes),
            row.evidence_class or fmt.DASH,
            row.bench or fmt.DASH,
            row.state,
        )[index.column()]


class RunsPage(QWidget):
    """Lists, opens and exports runs; long work shows above the list."""

    replay_ready = Signal(object, str)  # ReplaySource, name
    bench_page_wanted = Signal()

    def __init__(self, recorded_runs: RecordedRuns | None) -> None:
        super().__init__()
        self._recorded_runs = recorded_runs
        self._choose = ""
        self.table = RunTable()
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter runs…")
        self.filter.setAccessibleName("Filter runs")
        self.filter.setMinimumWidth(120)
        self.filter.setMaximumWidth(280)
        self.filter.textChanged.connect(self.table.filter)
        self.view = _View(self)
        self.open = button("Open and replay", self.open_selected, "primary")
        self.exports = {word: button(f"Export {word}…", partial(self.ask_file, word)) for word in FORMATS}
        self.empty = EmptyState(
            "No run is recorded yet. Start a run on the Bench page.", "Go to the bench", self.bench_page_wanted.emit
        )
        row = QHBoxLayout()
        row.setContentsMargins(16, 12, 16, 8)
        row.setSpacing(8)
        row.addWidget(label("Runs", "title"))
        row.addSpacing(16)
        row.addWidget(self.filter, 1)
        row.addStretch(0)
        for part in (self.open, *self.exports.values(), button("Refresh", partial(self.refresh, ""))):
            row.addWidget(part)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(self.empty)
        column.addWidget(self.view, 1)
        self.view.selectionModel().selectionChanged.connect(self._update_buttons)
        self.table.modelReset.connect(self._update_buttons)
        self.empty.hide()  # until the folder has been read
        self._update_buttons()

    def refresh(self, choose: str = "") -> None:
        """Read the folder again; then select the run `choose`, else keep the selection."""
        self._choose = choose or (self.selected_run.name if self.selected_run is not None else "")
        if self._recorded_runs is not None:
            self._recorded_runs.list_runs(self.show_runs)

    def show_runs(self, rows: Sequence[RunListEntry]) -> None:
        """Show these runs; select the requested one, else the newest."""
        self.table.show_runs(rows)
        self.empty.setVisible(not rows)
        if self.table.rows:
            names = [row.name for row in self.table.rows]
            self.view.selectRow(names.index(self._choose) if self._choose in names else 0)
        self._update_buttons()

    @property
    def selected_run(self) -> RunListEntry | None:
        rows = self.view.selectionModel().selectedRows()
        return self.table.rows[rows[0].row()] if rows else None

    def why_no_selected_run(self) -> str:
        return "" if self.selected_run is not None else "Choose a run on the Runs page first."

    def _update_buttons(self) -> None:
        why = self.why_no_selected_run()
        for part in (self.open, *self.exports.values()):
            part.setEnabled(not why)
            part.setToolTip(why)

    def open_selected(self) -> None:
        if (row := self.selected_run) is not None:
            self.open_folder(row.folder)

    def open_folder(self, folder: Path) -> None:
        """Open a run outside the window's thread, then play it."""
        if self._recorded_runs is not None:
            self._recorded_runs.replay(folder, lambda source: self._ready(source, folder.name))

    def _ready(self, source: ReplaySource, name: str) -> None:
        self.replay_ready.emit(source, name)

    def ask_file(self, word: str) -> None:
        """Ask for the file of the export."""
        row = self.selected_run
        if row is None:
            return
        suffix = FORMATS[word]
        dialog = QFileDialog(self, f"Export {word}", str(row.folder.parent / f"{row.name}{suffix}"))
        dialog.setOption(QFileDialog.Option.DontUseNativeDialog)  # so that Ctrl+. reaches us
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.export_to)
        dialog.open()

    def export_to(self, file: str) -> None:
        self.export(Path(file))

    def export(self, file: Path) -> None:
        """Export the chosen run; progress and cancel show above the list."""
        row = self.selected_run
        if row is not None and self._recorded_runs is not None:
            self._recorded_runs.export(row.folder, file)


class _View(QTableView):
    def __init__(self, page: RunsPage) -> None:
        super().__init__()
        self._page = page
        self.setModel(page.table)
        self.setShowGrid(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(30)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTabKeyNavigation(False)
        self.setAccessibleName("Recorded runs")
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setSectionResizeMode(len(HEADS) - 1, QHeaderView.ResizeMode.Stretch)
        for column, width in enumerate(_WIDTHS):
            self.setColumnWidth(column, width)
        self.doubleClicked.connect(page.open_selected)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  # Qt's name
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._page.open_selected()
        else:
            super().keyPressEvent(event)
