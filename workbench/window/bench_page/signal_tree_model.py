"""Qt model of the signal tree: groups, their signals, and a row that shows the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QAbstractItemModel, QMimeData, QModelIndex, QPersistentModelIndex, Qt

from workbench.window.plots.plot import MIME
from workbench.window.widgets.item_data import guard_data

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workbench.window.bench_page.signal_groups import SignalGroup, SignalItem

Index = QModelIndex | QPersistentModelIndex
_TOP: Final = 0


@dataclass
class ShownGroup:
    """A group as the tree shows it: with all its signals or only the brief ones."""

    group: SignalGroup
    whole: bool = False

    @property
    def signals(self) -> tuple[SignalItem, ...]:
        return self.group.signals if self.whole else self.group.signals[: self.group.brief]

    @property
    def rows(self) -> int:
        return len(self.signals) + (1 if not self.whole and self.group.more > 0 else 0)


class SignalModel(QAbstractItemModel):
    """Two levels; an index's internal id is 0 for a group, else the group's row plus one."""

    def __init__(self, value: Callable[[SignalItem], str]) -> None:
        """Make an empty model; `value` formats a signal's newest value, for assistive tools and copying."""
        super().__init__()
        self._value = value
        self._shown: list[ShownGroup] = []

    def show_groups(self, groups: Sequence[SignalGroup], whole: set[str]) -> None:
        self.beginResetModel()
        self._shown = [ShownGroup(group, group.name in whole) for group in groups]
        self.endResetModel()

    def group_at(self, index: Index) -> SignalGroup | None:
        """Return the group of a top row."""
        return self._shown[index.row()].group if index.isValid() and index.internalId() == _TOP else None

    def signal_at(self, index: Index) -> SignalItem | None:
        """Return the signal of a row; None for a group and for the row that shows the rest."""
        if not index.isValid() or index.internalId() == _TOP:
            return None
        signals = self._shown[index.internalId() - 1].signals
        return signals[index.row()] if index.row() < len(signals) else None

    def expand_rest(self, index: Index) -> str | None:
        """Show the rest of a group if `index` is its last row; return the group's name."""
        if not index.isValid() or index.internalId() == _TOP or self.signal_at(index) is not None:
            return None
        shown = self._shown[index.internalId() - 1]
        self.layoutAboutToBeChanged.emit()
        shown.whole = True
        self.layoutChanged.emit()
        return shown.group.name

    def find(self, channel: str) -> QModelIndex:
        """Return the index of a channel; invalid if it is not shown."""
        for top, shown in enumerate(self._shown):
            for row, signal in enumerate(shown.signals):
                if signal.channel == channel:
                    return self.index(row, 0, self.index(top, 0))
        return QModelIndex()

    # ---- overrides of Qt's model

    def index(self, row: int, column: int, parent: Index | None = None) -> QModelIndex:
        if parent is None or not parent.isValid():
            return self.createIndex(row, column, _TOP)
        return self.createIndex(row, column, parent.row() + 1)

    def parent(self, index: Index) -> QModelIndex:  # pyright: ignore[reportIncompatibleMethodOverride]  # QObject's too
        if not index.isValid() or index.internalId() == _TOP:
            return QModelIndex()
        return self.createIndex(index.internalId() - 1, 0, _TOP)

    def rowCount(self, parent: Index | None = None) -> int:  # noqa: N802  # Qt's name
        if parent is None or not parent.isValid():
            return len(self._shown)
        return self._shown[parent.row()].rows if parent.internalId() == _TOP else 0

    def columnCount(self, parent: Index | None = None) -> int:  # noqa: N802  # Qt's name
        del parent
        return 1

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return flags | Qt.ItemFlag.ItemIsDragEnabled if self.signal_at(index) is not None else flags

    @guard_data
    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> str | None:
        group, signal = self.group_at(index), self.signal_at(index)
        if role == Qt.ItemDataRole.DisplayRole:
            if group is not None:
                return group.label
            return signal.label if signal else f"… {self._shown[index.internalId() - 1].group.more} more"
        if role == Qt.ItemDataRole.AccessibleTextRole and signal is not None:
            return f"{signal.label} {self._value(signal)}"
        if role == Qt.ItemDataRole.ToolTipRole and signal is not None:
            return f"{signal.channel}\nDrag it onto a plot, or press Enter."
        return None

    def mimeTypes(self) -> list[str]:  # noqa: N802  # Qt's name
        return [MIME]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:  # noqa: N802  # Qt's name
        names = [signal.channel for signal in map(self.signal_at, indexes) if signal is not None]
        data = QMimeData()
        data.setData(MIME, "\n".join(names).encode())
        data.setText("\n".join(names))
        return data
