"""Every action of the window in one list: its words, its keys, whether it makes sense now."""

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
    """One action: `name` for code, `words` for people, `keys` where it has a shortcut."""

    name: str
    words: Callable[[], str]
    run: Callable[[], object]
    keys: str = ""
    why_not: Callable[[], str] = str
    always: bool = False  # its keys work whatever window is in front


class CommandRegistry:
    """Deeds by name; each is a `QAction` of the window, so that its keys work."""

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
        """Make it known; `why_not` answers an empty string when it makes sense now."""
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
        """Make it known, in place of one that has the name already."""
        old = self._qt_actions.pop(name, None)
        if old is not None:
            self._window.removeAction(old)
            old.deleteLater()
        self.add(name, words, run, keys, why_not=why_not)

    def why_not(self, name: str) -> str:
        return self.commands[name].why_not()

    def run(self, name: str) -> None:
        """Do it when it makes sense now; grey things do nothing."""
        command = self.commands[name]
        if not command.why_not():
            command.run()

    def list(self) -> list[WindowCommand]:
        return list(self.commands.values())
