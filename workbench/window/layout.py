"""Positions of the docks and the chosen theme, kept between sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QByteArray, QSettings, Qt

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtWidgets import QMainWindow

VERSION: Final = 1


def find_area(dock: str) -> Qt.DockWidgetArea:
    """Return where a dock of the Bench page stands in the default layout."""
    area = Qt.DockWidgetArea
    return {"signals": area.LeftDockWidgetArea, "alarms": area.BottomDockWidgetArea}.get(dock, area.RightDockWidgetArea)


class LayoutSettings:
    """A settings file; without a path, the user's own settings."""

    def __init__(self, path: Path | None = None) -> None:
        if path is None:
            self._settings = QSettings("PulseBMS", "Workbench")
        else:
            self._settings = QSettings(str(path), QSettings.Format.IniFormat)

    def save(self, shell: QMainWindow, page: QMainWindow, theme: str) -> None:
        self._settings.setValue("shell", shell.saveGeometry())
        self._settings.setValue("bench", page.saveState(VERSION))
        self._settings.setValue("theme", theme)
        self._settings.sync()

    def restore_shell(self, shell: QMainWindow) -> bool:
        state = self._settings.value("shell")
        return isinstance(state, QByteArray) and shell.restoreGeometry(state)

    def restore_page(self, page: QMainWindow) -> bool:
        """Restore the docks; return False if nothing was saved, or by another version."""
        state = self._settings.value("bench")
        return isinstance(state, QByteArray) and page.restoreState(state, VERSION)

    @property
    def theme(self) -> str | None:
        """The last chosen theme."""
        value = self._settings.value("theme")
        return value if isinstance(value, str) else None
