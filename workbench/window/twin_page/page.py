"""The Twin page: models laid over logs and runs, their residuals, and the fit of a cell."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from drivers.errors import PulseError
from workbench.own_command import make_own_command
from workbench.session.actions import Failure
from workbench.window.failures import make_failure
from workbench.window.twin_page.controller import TwinController
from workbench.window.twin_page.dropped_file import DroppedKind, find_kind
from workbench.window.twin_page.refit_view import RefitView
from workbench.window.twin_page.residual_view import ResidualView
from workbench.window.widgets.basic import button, label, wrap_in_scroll_area

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QDragEnterEvent, QDropEvent

    from workbench.window.tasks.background import Background
    from workbench.window.widgets.themes import Theme

RESIDUALS, REFIT = "Residuals", "Refit"


class TwinPage(QWidget):
    """Shows one view at a time; takes files that are dropped on it."""

    failed = Signal(Failure)

    def __init__(
        self,
        background: Background,
        root: Path | None,
        theme: Theme,
        make_command: Callable[..., list[str]] = make_own_command,
    ) -> None:
        super().__init__()
        self.setAccessibleName("Twin page")
        self.setAcceptDrops(True)
        self.controller = TwinController(background, root, make_command)
        self.residuals, self.refit = ResidualView(self.controller, theme), RefitView(self.controller, theme)
        self.views: dict[str, QWidget] = {RESIDUALS: self.residuals, REFIT: self.refit}
        self.buttons = {name: button(name, lambda name=name: self.show_view(name), "plain") for name in self.views}
        self.stack = QStackedWidget()
        self._lay_out()
        self.controller.failed.connect(self.failed)
        self.controller.fitted.connect(self._on_fitted)
        self.refit.residuals_wanted.connect(lambda: self.show_view(RESIDUALS))
        self.show_view(RESIDUALS)

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(16, 12, 16, 8)
        bar.setSpacing(8)
        bar.addWidget(label("Twin", "title"))
        bar.addSpacing(16)
        group = QButtonGroup(self)
        for part in self.buttons.values():
            part.setCheckable(True)
            group.addButton(part)
            bar.addWidget(part)
        bar.addStretch(1)
        for view in self.views.values():
            self.stack.addWidget(wrap_in_scroll_area(view))
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        page.setSpacing(0)
        page.addLayout(bar)
        page.addWidget(self.stack, 1)

    def set_theme(self, theme: Theme) -> None:
        self.residuals.set_theme(theme)
        self.refit.set_theme(theme)

    @property
    def view(self) -> str:
        """The name of the view in front."""
        return list(self.views)[self.stack.currentIndex()]

    def show_view(self, name: str) -> None:
        """Bring a view to the front."""
        self.stack.setCurrentIndex(list(self.views).index(name))
        had_focus = any(part.hasFocus() for part in self.buttons.values())
        self.buttons[name].setChecked(True)
        self.setFocusProxy(self.buttons[name])
        if had_focus:
            self.buttons[name].setFocus()

    def open_file(self, path: Path) -> None:
        """Take a log, a run, a cell file or a list of tests; say why another file is refused."""
        try:
            kind = find_kind(path)
        except PulseError as error:
            self.failed.emit(make_failure(error, "The file cannot be opened"))
            return
        residuals, refit = self.residuals.form, self.refit.form
        if kind is DroppedKind.TESTS:
            refit.choose_tests(path)
            self.show_view(REFIT)
        elif kind is DroppedKind.CELL:
            (refit.before if self.view == REFIT else residuals.cell).add(path)
        else:
            (residuals.choose_run if kind is DroppedKind.RUN else residuals.choose_log)(path)
            self.show_view(RESIDUALS)

    def _on_fitted(self) -> None:
        """Offer the fitted cell wherever a cell is chosen; the one of before stays the one of before."""
        if self.controller.result is not None:
            self.residuals.form.cell.add(self.controller.result.request.out)

    # ---- files that are dropped

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802  # Qt's name
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802  # Qt's name
        for url in event.mimeData().urls():
            if url.isLocalFile():
                self.open_file(Path(url.toLocalFile()))
        event.acceptProposedAction()
