"""The Health page: logs and their cell at the left, figures and what could not be judged at the right."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from workbench.session.actions import Failure
from workbench.window.control_page.progress_head import ProgressHead
from workbench.window.health_page.controller import HealthController
from workbench.window.health_page.form import HealthForm
from workbench.window.health_page.result_view import ResultView
from workbench.window.widgets.basic import button, label
from workbench.window.widgets.file_dialogs import ask_new

if TYPE_CHECKING:
    from PySide6.QtCore import QMimeData

    from workbench.window.tasks.background import Background
    from workbench.window.widgets.themes import Theme

EMPTY: Final = (
    "Drop the log of a used cell or pack on this page, choose its cell, and judge it. Capacity, resistance, limits and "
    "the balance of the cells appear here, with what could not be judged and why."
)
JUDGING, JUDGED, NOTHING = "JUDGING", "JUDGED", "NO FIGURE"
READS: Final = "The logs are read."
SAVE_TIP: Final = "Save the service report, as HTML or as PDF by its suffix"
OPEN_TIP: Final = "Open the service report in the browser"
_LEFT_PX: Final = 340


class HealthPage(QWidget):
    """Shows one health controller; takes logs that are dropped anywhere on it."""

    failed = Signal(Failure)

    def __init__(self, background: Background, theme: Theme, controller: HealthController | None = None) -> None:
        super().__init__()
        self.setAccessibleName("Health page")
        self.setAcceptDrops(True)
        self.controller = controller or HealthController(background)
        self._theme = theme
        self.form, self.view = HealthForm(), ResultView(theme)
        self.empty = label(EMPTY, "muted", wrap=True)
        self.open = button("Open report", self.open_report)
        self.save = button("Save report…", self.ask_save)
        self.head = ProgressHead("Progress of the judgement", self.open, self.save)
        self._lay_out()
        self.form.judge_wanted.connect(self.judge)
        self.form.stop_wanted.connect(self.controller.stop)
        self.form.logs.changed.connect(self._show_reasons)
        self.controller.changed.connect(self._show)
        self.controller.failed.connect(self.failed)
        self._show()

    def _lay_out(self) -> None:
        self.empty.setContentsMargins(16, 16, 16, 16)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignTop)
        bar = QHBoxLayout()
        bar.setContentsMargins(16, 12, 16, 0)
        bar.addWidget(label("Health", "title"))
        bar.addStretch(1)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.head)
        column.addWidget(self.empty, 1)
        column.addWidget(self.view, 1)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setHandleWidth(1)
        split.setChildrenCollapsible(False)
        for part in (self.form, right):
            split.addWidget(part)
        split.setStretchFactor(1, 1)
        split.setSizes([_LEFT_PX, 900])
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        page.setSpacing(0)
        page.addLayout(bar)
        page.addWidget(split, 1)
        self.setFocusProxy(self.form.logs.add_file)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.view.set_theme(theme)
        self._show()

    # ---- requests

    def judge(self) -> None:
        """Judge the logs of the list."""
        self.controller.judge(self.form.request)

    def why_not_judge(self) -> str:
        return self.controller.why_not_judge(self.form.logs.paths)

    def ask_save(self) -> None:
        """Ask where to save the report."""
        if not self.controller.why_no_report():
            ask_new(self, "Save the service report", "Service reports (*.html *.pdf)", self.save_report)

    def save_report(self, path: Path) -> None:
        """Save the report, and say where it is."""
        if (saved := self.controller.save(path)) is not None:
            self.head.text.say(f"Saved as {saved}", str(saved))

    def open_report(self) -> None:
        """Open the report in the program that shows web pages here."""
        judged = self.controller.judged
        if judged is not None and not QDesktopServices.openUrl(QUrl.fromLocalFile(str(judged.html))):
            self.failed.emit(Failure("No program on this machine opens web pages.", f"Open it yourself: {judged.html}"))

    # ---- drag and drop

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802  # Qt's name
        if _list_files(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802  # Qt's name
        files = _list_files(event.mimeData())
        self.form.logs.add(files)
        if files:
            event.acceptProposedAction()

    # ---- what changes

    def _show(self) -> None:
        judged, task = self.controller.judged, self.controller.task if self.controller.is_busy else None
        self.head.show_task(task)
        self.view.setVisible(judged is not None)
        self.empty.setVisible(judged is None)
        if task is not None:
            self.head.bar.setRange(0, 0)  # nobody knows how long a log takes
            self._show_word(JUDGING, "text")
            self.head.text.say(self.controller.why_not_stop() or task.sentence or READS)
        elif judged is None:
            self._show_word("", "text")
            self.head.text.say("")
        else:
            self._show_word(*((JUDGED, "green") if judged.has_figures else (NOTHING, "amber")))
            self.head.text.say(judged.result, judged.result)
            self.view.show_sections(judged.sections)
        self._show_reasons()

    def _show_reasons(self) -> None:
        self.form.show_reasons(self.why_not_judge(), self.controller.why_not_stop())
        why_not = self.controller.why_no_report()
        for part, tip in ((self.open, OPEN_TIP), (self.save, SAVE_TIP)):
            part.setEnabled(not why_not)
            part.setToolTip(why_not or tip)

    def _show_word(self, word: str, colour: str) -> None:
        self.head.word.setText(word)
        self.head.word.setStyleSheet(f"font-weight: 600; color: {self._theme.colour(colour).name()};")


def _list_files(mime: QMimeData) -> list[Path]:
    """Return the files and folders of this machine that are dragged."""
    return [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()]
