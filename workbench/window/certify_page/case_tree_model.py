"""Qt model of the cases: a case above its cells or variants, ticks on both, a filter, verdicts as they arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QColor, QIcon

from workbench.certificates.results import Verdict
from workbench.window.certify_page import style
from workbench.window.widgets.item_data import guard_data

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.certify.runner import CaseRun
    from workbench.window.widgets.themes import Theme

Index = QModelIndex | QPersistentModelIndex
_TOP: Final = 0
NAME, VERDICT = 0, 1
Tick = Qt.CheckState


class CaseModel(QAbstractItemModel):
    """Two levels; an index's internal id is 0 for a group, else the group's row plus one. A lone case is its group."""

    ticked = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.tickable = True
        self._cases: Sequence[CaseRun] = ()
        self._groups: list[list[CaseRun]] = []
        self._ticks: set[str] = set()
        self._text = ""

    # ---- what is shown

    def show_cases(self, cases: Sequence[CaseRun], *, keep: bool = False) -> None:
        """Show other cases; tick all, or with `keep` those that were ticked."""
        self._cases = cases
        if not keep:
            self._ticks = {case.info.test for case in cases}
        self.filter(self._text)
        self.ticked.emit()

    def filter(self, text: str) -> None:
        """Show the cases whose name, title, hazard, reference or verdict contains all words of `text`."""
        self._text = text
        words = text.lower().split()
        self.beginResetModel()
        groups: dict[str, list[CaseRun]] = {}
        for case in self._cases:
            if all(word in _make_search_text(case) for word in words):
                groups.setdefault(case.info.id, []).append(case)
        self._groups = list(groups.values())
        self.endResetModel()

    def refresh(self) -> None:
        """Update the verdicts."""
        role = Qt.ItemDataRole
        for row, group in enumerate(self._groups):
            top = self.index(row, NAME)
            self.dataChanged.emit(top, self.index(row, VERDICT), [role.DisplayRole, role.DecorationRole])
            if len(group) > 1:
                self.dataChanged.emit(self.index(0, NAME, top), self.index(len(group) - 1, VERDICT, top), [])

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.refresh()

    def set_tickable(self, *, tickable: bool) -> None:
        if tickable != self.tickable:
            self.tickable = tickable
            self.refresh()

    # ---- cases

    def cases_at(self, index: Index) -> Sequence[CaseRun]:
        """Return the case of a row, or all cases of a group."""
        if not index.isValid():
            return ()
        if index.internalId() == _TOP:
            return self._groups[index.row()]
        return (self._groups[index.internalId() - 1][index.row()],)

    def find(self, case: CaseRun) -> QModelIndex:
        """Return the index of a case; invalid if the filter hides it."""
        for top, group in enumerate(self._groups):
            for row, other in enumerate(group):
                if other.info.test == case.info.test:
                    return self.index(row, NAME, self.index(top, NAME)) if len(group) > 1 else self.index(top, NAME)
        return QModelIndex()

    @property
    def ticked_cases(self) -> list[CaseRun]:
        """Return the ticked cases, including those that the filter hides."""
        return [case for case in self._cases if case.info.test in self._ticks]

    @property
    def ticked_names(self) -> tuple[str, ...]:
        """Return the names of the ticked cases as a job lists them; empty for all."""
        chosen = self.ticked_cases
        if len(chosen) == len(self._cases):
            return ()
        return tuple(dict.fromkeys(case.name for case in chosen))

    def tick(self, cases: Sequence[CaseRun], *, on: bool) -> None:
        """Tick or untick cases."""
        tests = {case.info.test for case in cases}
        self._ticks = self._ticks | tests if on else self._ticks - tests
        self.refresh()
        self.ticked.emit()

    def tick_only(self, cases: Sequence[CaseRun]) -> None:
        """Tick only these cases."""
        self._ticks = {case.info.test for case in cases}
        self.refresh()
        self.ticked.emit()

    @property
    def visible(self) -> list[CaseRun]:
        """Return the cases that the filter shows."""
        return [case for group in self._groups for case in group]

    # ---- overrides of Qt's model

    def index(self, row: int, column: int, parent: Index | None = None) -> QModelIndex:
        if parent is None or not parent.isValid():
            return self.createIndex(row, column, _TOP)
        return self.createIndex(row, column, parent.row() + 1)

    def parent(self, index: Index) -> QModelIndex:  # pyright: ignore[reportIncompatibleMethodOverride]  # QObject's too
        if not index.isValid() or index.internalId() == _TOP:
            return QModelIndex()
        return self.createIndex(index.internalId() - 1, NAME, _TOP)

    def rowCount(self, parent: Index | None = None) -> int:  # noqa: N802  # Qt's name
        if parent is None or not parent.isValid():
            return len(self._groups)
        if parent.internalId() != _TOP or parent.column() != NAME:
            return 0
        group = self._groups[parent.row()]
        return len(group) if len(group) > 1 else 0

    def columnCount(self, parent: Index | None = None) -> int:  # noqa: N802  # Qt's name
        del parent
        return 2

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if index.column() == NAME and self.tickable:
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        return flags

    @guard_data
    def data(  # noqa: PLR0911  # one return a role
        self, index: Index, role: int = Qt.ItemDataRole.DisplayRole
    ) -> str | QIcon | QColor | Qt.CheckState | None:
        cases = self.cases_at(index)
        if not cases:
            return None
        word = style.find_worst_verdict(cases)
        if role == Qt.ItemDataRole.ToolTipRole:
            return _make_tool_tip(cases)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{_name(cases)} {cases[0].info.title} {word}"
        if index.column() == NAME:
            if role == Qt.ItemDataRole.CheckStateRole:
                return self._tick_of(cases) if self.tickable else None
            return _make_label(index, cases) if role == Qt.ItemDataRole.DisplayRole else None
        if role == Qt.ItemDataRole.DecorationRole:
            return style.verdict_icon(word, self.theme.name) if word else None
        if role == Qt.ItemDataRole.ForegroundRole:
            return QColor(style.find_verdict_colour(word, self.theme)) if word else None
        return _make_verdict_text(cases, word) if role == Qt.ItemDataRole.DisplayRole else None

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:  # noqa: N802  # Qt's name
        if role != Qt.ItemDataRole.CheckStateRole or not self.tickable:
            return False
        self.tick(self.cases_at(index), on=Tick(value) is not Tick.Unchecked)  # pyright: ignore[reportArgumentType]  # Qt hands numbers over
        return True

    def _tick_of(self, cases: Sequence[CaseRun]) -> Qt.CheckState:
        number = sum(case.info.test in self._ticks for case in cases)
        return Tick.Unchecked if not number else Tick.Checked if number == len(cases) else Tick.PartiallyChecked


def _make_search_text(case: CaseRun) -> str:
    info = case.info
    return " ".join((info.name, info.title, info.hazard, *info.refs, style.find_verdict_word(case))).lower()


def _name(cases: Sequence[CaseRun]) -> str:
    return cases[0].name if len(cases) == 1 else cases[0].info.id


def _make_label(index: Index, cases: Sequence[CaseRun]) -> str:
    """Return a group's title; for a row below it, the variant."""
    return f"{_name(cases)}  {cases[0].info.title}" if index.internalId() == _TOP else cases[0].name


def _make_verdict_text(cases: Sequence[CaseRun], word: str) -> str:
    """Return the verdict; for several cases, how many have passed."""
    if len(cases) == 1 or not word:
        return word
    passed = sum(case.verdict is Verdict.PASS for case in cases)
    return f"{passed} of {len(cases)}"


def _make_tool_tip(cases: Sequence[CaseRun]) -> str:
    one = cases[0].info
    reason = cases[0].reason if len(cases) == 1 else ""
    lines = [f"{_name(cases)}: {one.title}", one.hazard, ", ".join(one.refs), reason]
    return "\n".join(line for line in lines if line)
