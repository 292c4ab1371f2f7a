"""What the fleet refused or flagged, counted by reason since its file began."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem

from workbench.window.widgets import format as fmt

if TYPE_CHECKING:
    from edge_bridge.fleet.view import FleetView

_KIND_PX: Final = 88
_COUNT_PX: Final = 72
_STYLE: Final = "QTreeWidget::item { padding: 4px 12px; } QHeaderView::section { padding: 6px 12px; }"
MEANING: Final = {
    "no_birth": "data before a birth",
    "out_of_order": "a message is missing",
    "unknown_alias": "an alias that no birth declared",
    "stale_death": "a death of an earlier connection",
    "conflict": "a row again, with other values",
    "implausible": "an implausible value",
    "not_finite": "a value that is not finite",
    "wrong_type": "a value of the wrong type",
    "topic": "an unknown topic",
    "rebirth_asked": "a birth was requested",
    "future_time": "a time stamp in the future",
    "past_time": "a time stamp long past",
    "quota": "too many messages of one pack",
    "other_group": "a pack online in another group",
    "other_host": "another host has the same id",
    "place_lost": "a pack lost its place to a new one",
    "resend_asked": "rows were requested again",
    "not_listed": "a pack that is not listed here",
    "too_many_nodes": "more packs than a fleet can have",
    "oversized": "a message that is too large",
    "undecodable": "bytes that are no Sparkplug message",
    "too_many_metrics": "too many metrics in one message",
    "nameless": "a metric without name and alias",
    "name": "a metric name too long or empty",
    "not_utf8": "a text that is not UTF-8",
    "text": "a text too long or with a zero",
    "unknown_datatype": "a metric of an unknown type",
    "out_of_range": "a number too large for its type",
    "declared_twice": "a metric declared twice",
    "twice": "a metric twice in one message",
    "incomplete_birth": "a birth without a name or a type",
    "bd_seq": "a birth with an impossible number",
    "seq": "an impossible message number",
    "no_seq": "a message without its number",
    "incomplete_row": "a row without one of its values",
    "no_time": "a row without its time",
    "boot": "a row without a valid boot",
    "row_number": "an impossible row number",
    "gap": "a gap that ends before it begins",
    "acks": "an unreadable acknowledgement",
}


class FleetCounters(QTreeWidget):
    """One line per reason; refused messages changed nothing, flagged ones were accepted."""

    def __init__(self) -> None:
        super().__init__()
        self.setColumnCount(3)
        self.setHeaderLabels(["Messages", "Why", "Times"])
        self.headerItem().setTextAlignment(2, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.setAccessibleName("Messages that were refused or flagged")
        self.setRootIsDecorated(False)
        self.setIndentation(0)
        self.setUniformRowHeights(True)
        self.setStyleSheet(_STYLE)
        self.header().setStretchLastSection(False)
        self.header().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        for section, width_px in ((0, _KIND_PX), (2, _COUNT_PX)):
            self.header().setSectionResizeMode(section, QHeaderView.ResizeMode.Fixed)
            self.header().resizeSection(section, width_px)
        self._shown: tuple[tuple[str, str, int], ...] = ()
        self.hide()

    def show_view(self, view: FleetView | None) -> None:
        """Show the counters; update in place if only numbers changed."""
        rows = () if view is None else tuple(_rows(view))
        if rows == self._shown:
            return
        self.setVisible(bool(rows))
        if [row[:2] for row in rows] != [row[:2] for row in self._shown]:
            self.clear()
            self.addTopLevelItems([_item(kind, reason) for kind, reason, _ in rows])
        self._shown = rows
        for number, (_, _, count) in enumerate(rows):
            item = self.topLevelItem(number)
            if item is not None:
                item.setText(2, fmt.count(count))


def _rows(view: FleetView) -> list[tuple[str, str, int]]:
    """Return kind, reason and count; leave out counts of 0."""
    kinds = (("refused", view.refused), ("flagged", view.flagged))
    return [(kind, reason, count) for kind, counts in kinds for reason, count in sorted(counts.items()) if count]


def _item(kind: str, reason: str) -> QTreeWidgetItem:
    item = QTreeWidgetItem([kind, MEANING.get(reason, reason.replace("_", " ")), ""])
    item.setToolTip(1, f"{item.text(1)} ({reason})")
    item.setTextAlignment(2, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return item
