"""The left side of the page: a filter above the tree of cases, and buttons that tick many cases at once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QHeaderView, QLineEdit, QTreeView, QVBoxLayout, QWidget

from workbench.certificates.results import Verdict
from workbench.window.certify_page import style
from workbench.window.certify_page.case_tree_model import NAME, VERDICT, CaseModel
from workbench.window.widgets.basic import button, label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.certify.runner import CaseRun
    from workbench.window.widgets.themes import Theme

_VERDICT_PX = 104
_AGAIN = "Tick only the cases that did not pass"


class CasePicker(QWidget):
    """Emits `case_selected` with the selected case and `ticked` when the set of cases to certify changes."""

    case_selected = Signal(object)  # CaseRun
    ticked = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.model = CaseModel(theme)
        self.view = _View(self.model)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter cases…  Ctrl+F")
        self.filter.setAccessibleName("Filter cases")
        self.filter.setClearButtonEnabled(True)
        self.count = label(tone="label")
        self.all = button("All", partial(self.tick_visible, on=True), "link", tip="Tick every listed case")
        self.none = button("None", partial(self.tick_visible, on=False), "link", tip="Untick every listed case")
        self.again = button("Not passed", self.tick_not_passed, "link", tip=_AGAIN)
        self._shown: CaseRun | None = None
        self._lay_out()
        self.filter.textChanged.connect(self._filter)
        self.view.selectionModel().currentChanged.connect(self._choose)
        self.model.ticked.connect(self._count)
        self.model.ticked.connect(self.ticked)

    def _lay_out(self) -> None:
        top = QVBoxLayout()
        top.setContentsMargins(16, 0, 8, 4)
        top.setSpacing(4)
        top.addWidget(self.filter)
        row = QHBoxLayout()
        row.setSpacing(0)
        row.addWidget(self.count, 1)
        for part in (self.all, self.none, self.again):
            row.addWidget(part)
        top.addLayout(row)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        column.addWidget(self.view, 1)

    # ---- what is shown

    def show_cases(self, cases: Sequence[CaseRun], *, tickable: bool) -> None:
        """Show other cases and select the first."""
        self.model.set_tickable(tickable=tickable)
        self.model.show_cases(cases)
        self._unfold()
        self._shown = None
        if cases:
            self.view.setCurrentIndex(self.model.index(0, NAME))

    def show_case(self, case: CaseRun) -> None:
        """Select a case, if the filter shows it."""
        index = self.model.find(case)
        if index.isValid():
            self.view.setCurrentIndex(index)
            self.view.scrollTo(index)

    def set_able(self, *, able: bool, why: str) -> None:
        """Allow ticks to change only while nothing runs."""
        self.model.set_tickable(tickable=able)
        for part in (self.all, self.none, self.again):
            part.setEnabled(able)
        self.again.setEnabled(able and any(_not_passed(case) for case in self.model.visible))
        self.again.setToolTip(why or _AGAIN)

    def _filter(self, text: str) -> None:
        shown = self._shown
        self.model.filter(text)
        self._unfold()
        if shown is not None:
            self.show_case(shown)

    def _unfold(self) -> None:
        """Open the groups while a filter is set; otherwise close them, so that all cases fit."""
        for row in range(self.model.rowCount()):
            self.view.setExpanded(self.model.index(row, NAME), bool(self.filter.text()))

    def _choose(self, index: QModelIndex) -> None:
        cases = self.model.cases_at(index)
        if not cases:
            return
        one = next(
            (case for case in cases if _not_passed(case)), cases[0]
        )  # of a group, the first case that did not pass
        if one is not self._shown:
            self._shown = one
            self.case_selected.emit(one)

    def _count(self) -> None:
        number = len(self.model.visible)
        self.count.setText(f"{len(self.model.ticked_cases)} ticked" if self.model.tickable else f"{number} cases")

    # ---- ticks

    def tick_visible(self, *, on: bool) -> None:
        """Tick or untick the cases that the filter shows."""
        if self.model.tickable:
            self.model.tick(self.model.visible, on=on)

    def tick_not_passed(self) -> None:
        """Tick the cases that failed, stopped or never ran."""
        if self.model.tickable:
            self.model.tick_only([case for case in self.model.visible if _not_passed(case)])


def _not_passed(case: CaseRun) -> bool:
    return case.verdict not in (None, Verdict.PASS, Verdict.NA)


class _View(QTreeView):
    def __init__(self, model: CaseModel) -> None:
        super().__init__()
        self.setModel(model)
        self.setHeaderHidden(True)
        self.setUniformRowHeights(True)
        self.setIndentation(20)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setStyleSheet(
            "QTreeView::item { padding: 3px 0; border: 0; }"
            " QTreeView::item:selected { background: palette(highlight); }"
        )
        self.setItemDelegate(style.FlatItemDelegate(self))
        self.setExpandsOnDoubleClick(True)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Cases")
        header = self.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(40)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(VERDICT, QHeaderView.ResizeMode.Fixed)
        header.resizeSection(VERDICT, _VERDICT_PX)

    def event(self, event: QEvent) -> bool:
        """Let Space tick a case here; elsewhere it pauses the plots."""
        override = event.type() is QEvent.Type.ShortcutOverride
        if override and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Space and not event.modifiers():
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  # Qt's name
        if event.key() != Qt.Key.Key_Space:
            super().keyPressEvent(event)
            return
        index = self.currentIndex().siblingAtColumn(NAME)
        ticked = index.data(Qt.ItemDataRole.CheckStateRole)
        if ticked is not None:
            fresh = Qt.CheckState.Unchecked if ticked == Qt.CheckState.Checked else Qt.CheckState.Checked
            self.model().setData(index, fresh, Qt.ItemDataRole.CheckStateRole)
