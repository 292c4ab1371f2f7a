"""The shell: toolbar, rail, status line and an empty page, shown before any slow import."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent, QPainter, QPaintEvent, QWindow
from PySide6.QtWidgets import QApplication, QHBoxLayout, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from workbench.window.command_registry import CommandRegistry
from workbench.window.rail import PageRail
from workbench.window.session_controller import SessionController
from workbench.window.status_line import StatusLine
from workbench.window.toolbar import Toolbar
from workbench.window.widgets.basic import wrap_in_scroll_area
from workbench.window.widgets.themes import Theme, font, palette, style

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.window.stats import WindowStats

SIZE: Final = (1600, 900)
FUSION: Final = "fusion"


class Shell(QMainWindow):
    """The main window. Emits `painted` once, after the first paint; the pages are added then."""

    painted = Signal()
    closing = Signal()
    themed = Signal(object)
    wanted = Signal(str)  # a page

    def __init__(self, theme: Theme, stats: WindowStats) -> None:
        super().__init__()
        self.theme, self.stats = theme, stats
        self.controller = SessionController(self)
        self.commands = CommandRegistry(self)
        self._declare_off()
        self.toolbar = Toolbar(self.controller, self.commands, theme)
        self.rail = PageRail(theme)
        self.line = StatusLine(theme)
        self.stack = QStackedWidget()
        self.pages: dict[str, QWidget] = {}
        self._areas: dict[str, QWidget] = {}
        self.page = "Bench"
        self.may_close: Callable[[], bool] = lambda: True  # the window asks first while anything is live
        self._first = True
        self._lay_out()
        self.setStyleSheet(style(theme))
        self.rail.wanted.connect(self.wanted)
        self.setWindowTitle("PulseBMS Workbench")
        self.resize(*SIZE)
        self.rail.show_page(self.page)
        QApplication.instance().focusWindowChanged.connect(self._watch)  # pyright: ignore[reportOptionalMemberAccess, reportAttributeAccessIssue, reportUnknownMemberType]  # a QApplication is there

    def _declare_off(self) -> None:
        """Declare the commands of the toolbar before the pages exist; the window replaces the placeholders."""
        off = self.controller.outputs_off
        self.commands.add("outputs off", "OUTPUTS OFF", off, "Ctrl+.", always=True)
        for name, words in (("connect", "Connect"), ("arm", "Arm"), ("run", "Start"), ("pause", "Pause view")):
            self.commands.add(name, words, lambda: None, why_not=lambda: "The bench is being opened.")
        self.commands.add("show run", "Show the run", lambda: None, why_not=lambda: "No run is on.")

    def _lay_out(self) -> None:
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        row = QHBoxLayout()
        row.setSpacing(0)
        row.addWidget(self.rail)
        row.addWidget(self.stack, 1)
        column.addWidget(self.toolbar)
        column.addWidget(_Rule(self))
        column.addLayout(row, 1)
        column.addWidget(_Rule(self))
        column.addWidget(self.line)
        self.setCentralWidget(body)

    def add_page(self, name: str, page: QWidget) -> None:
        self.pages[name] = page
        area = self._areas[name] = wrap_in_scroll_area(page, sideways=True)  # a page never makes the window larger
        self.stack.addWidget(area)

    def show_page(self, name: str) -> None:
        if name in self.pages:
            self.page = name
            self.stack.setCurrentWidget(self._areas[name])
            self.rail.show_page(name)

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme to the whole window, without a restart."""
        self.theme = theme
        self.setStyleSheet("")  # replacing a sheet directly takes three times as long as removing it first
        self.controller.keep_alive()
        dress(theme)
        self.setStyleSheet(style(theme))
        self.controller.keep_alive()
        for part in (self.toolbar, self.rail):
            part.set_theme(theme)
        self.line.theme = theme
        self.themed.emit(theme)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  # Qt's name
        super().paintEvent(event)
        if self._first:
            self._first = False
            self.painted.emit()

    def leave(self) -> None:
        """Close without a question."""
        self.may_close = lambda: True
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802  # Qt's name
        if not self.may_close():
            event.ignore()
            return
        self.closing.emit()
        event.accept()

    # ---- OUTPUTS OFF wherever the keyboard focus is: menus and modal dialogs swallow shortcuts

    def _watch(self, window: QWindow | None) -> None:
        if window is not None:
            window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  # Qt's name
        if isinstance(watched, QWindow) and isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
            modifier, held = Qt.KeyboardModifier, event.modifiers()
            # some layouts need Shift for the period, and the keypad has one of its own
            control = held & modifier.ControlModifier and not held & (modifier.AltModifier | modifier.MetaModifier)
            if control and event.key() == Qt.Key.Key_Period:
                self.controller.outputs_off()
                return True
        return super().eventFilter(watched, event)


class _Rule(QWidget):
    """A separator line, one pixel high."""

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        self._shell = shell
        self.setFixedHeight(1)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  # Qt's name
        del event
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._shell.theme.colour("line"))
        painter.end()


def dress(theme: Theme) -> None:
    """Set Fusion, our font and our palette for the whole application.

    The style sheet belongs to the shell: a page that is made without a parent is styled once, when the shell takes it.
    With a sheet on the application Qt styles every part anew each time a layout takes it.
    """
    app = QApplication.instance()
    if isinstance(app, QApplication):
        if app.style().objectName() != FUSION:
            app.setStyle(FUSION)
        app.setFont(font())
        app.setPalette(palette(theme))
