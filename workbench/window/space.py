"""What gives way on a small screen, in one order: alarms, cell strip, last columns of the lanes, third row of plots.

Only then follow the lists at the sides. The toolbar never gives way; a page that still has no room scrolls.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from PySide6.QtWidgets import QDockWidget

PLOT_ROW_PX: Final = 170  # the least height of a plot that can be read: three lines of header above its curves
CELL_STRIP_PX: Final = 44
ALARMS_PX: Final = 126
ROWS: Final = 3


class PagePart(Enum):
    """A part of the Bench page that gives way, in this order."""

    ALARMS = "alarms"
    CELL_STRIP = "cell strip"
    LAST_COLUMNS = "last columns of the lanes"
    THIRD_ROW = "third row of plots"
    SIGNALS = "signals"
    LISTS = "gate and limits"


_DOCKS: Final = {PagePart.ALARMS: ("alarms",), PagePart.SIGNALS: ("signals",), PagePart.LISTS: ("gate", "limits")}
_WITH_ROWS: Final = ROWS * PLOT_ROW_PX
LEAST: Final[Mapping[PagePart, tuple[int, int]]] = {  # width and height of the page from which on a part has room
    PagePart.ALARMS: (0, _WITH_ROWS + CELL_STRIP_PX + ALARMS_PX),
    PagePart.CELL_STRIP: (0, _WITH_ROWS + CELL_STRIP_PX),
    PagePart.LAST_COLUMNS: (1500, 0),
    PagePart.THIRD_ROW: (0, _WITH_ROWS),
    PagePart.SIGNALS: (800, 0),
    PagePart.LISTS: (0, 2 * PLOT_ROW_PX + 60),
}


def find_hidden(width: int, height: int) -> frozenset[PagePart]:
    """Return the parts without room on a page of this size, in logical pixels."""
    return frozenset(part for part, (wide, high) in LEAST.items() if width < wide or height < high)


class DockSpace:
    """Hides docks that have no room, and shows them again as they were."""

    def __init__(self, docks: Mapping[str, QDockWidget]) -> None:
        self._docks = {part: [docks[name] for name in names] for part, names in _DOCKS.items()}
        self._given_way: dict[PagePart, list[QDockWidget]] = {}

    def apply(self, hidden: Collection[PagePart]) -> None:
        """Hide the docks of these parts once; a dock that somebody opens again stays open."""
        for part, docks in self._docks.items():
            if part in hidden and part not in self._given_way:
                shown = [dock for dock in docks if not dock.isHidden() and not dock.isFloating()]
                self._given_way[part] = shown
                for dock in shown:
                    dock.hide()
            elif part not in hidden:
                for dock in self._given_way.pop(part, []):
                    dock.show()

    def restore(self) -> None:
        """Show every dock that has given way, so that a saved layout keeps it."""
        self.apply(())

    def forget(self) -> None:
        """Take the docks as they are, because another layout was applied."""
        self._given_way.clear()
