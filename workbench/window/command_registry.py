"""Every command of the window in one list: its label, its keys, whether it is allowed now."""

from __future__ import annotations

from collections.abc import Callable  # noqa: TC003  # a field of a record names it
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget


@dataclass(frozen=True)
class WindowCommand:
    """One command: `name` for code, `words` is the label, `keys` its shortcut if it has one."""

    name: str
    words: Callable[[], str]
    run: Callable[[], object]
    keys: str = ""
    why_not: Callable[[], str] = str
    always: bool = False  # its keys work in every window of the application


class CommandRegistry:
    """Commands by name; each is a `QAction` of the window, so that its keys work."""

    def __init__(self, window: QWidget) -> None:
        self._window = window
        self.commands: dict[str, WindowCommand] = {}
        self._qt_actions: dict[str, QAction] = {}

    def add(
        self,
        name: str,
        words: str | Callable[[], str],
        run: Callable[[], object],
        keys: str = "",
        *,
        why_not: Callable[[], str] = str,
        always: bool = False,
    ) -> None:
        """Register a command; `why_not` returns an empty string when the command is allowed now."""
        say = (lambda: words) if isinstance(words, str) else words
        self.commands[name] = WindowCommand(name, say, run, keys, why_not, always)
        action = QAction(self._window)
        action.setObjectName(name)
        if keys:
            action.setShortcut(QKeySequence(keys))
        context = Qt.ShortcutContext.ApplicationShortcut if always else Qt.ShortcutContext.WindowShortcut
        action.setShortcutContext(context)
        action.setAutoRepeat(False)
        action.triggered.connect(lambda: self.run(name))
        self._window.addAction(action)
        self._qt_actions[name] = action

    def replace(
        self,
        name: str,
        words: str | Callable[[], str],
        run: Callable[[], object],
        keys: str = "",
        *,
        why_not: Callable[[], str] = str,
    ) -> None:
        """Register a command; replace one that already has the name."""
        old = self._qt_actions.pop(name, None)
        if old is not None:
            self._window.removeAction(old)
            old.deleteLater()
        self.add(name, words, run, keys, why_not=why_not)

    def why_not(self, name: str) -> str:
        return self.commands[name].why_not()

    def run(self, name: str) -> None:
        """Run the command if it is allowed now; otherwise do nothing."""
        command = self.commands[name]
        if not command.why_not():
            command.run()

    def list(self) -> list[WindowCommand]:
        return list(self.commands.values())
