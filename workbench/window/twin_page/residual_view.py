"""Lay twins over logs and compare them: the form, the twins laid, and their residuals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from workbench.window.control_page.form_layout import show_reasons
from workbench.window.control_page.progress_head import ProgressHead
from workbench.window.twin_page.controller import STOPPING
from workbench.window.twin_page.lay_form import LayForm
from workbench.window.twin_page.residual_plots import ResidualPlots
from workbench.window.twin_page.twin_table import TwinTable
from workbench.window.widgets.basic import button

if TYPE_CHECKING:
    from workbench.window.twin_page.controller import TwinController
    from workbench.window.widgets.themes import Theme

NO_CHOSEN = "Lay a twin first."
LEFT_PX = 330
REMOVE_TIP = "Take the chosen twin off the page"


class ResidualView(QWidget):
    """Shows the twins of one controller."""

    def __init__(self, controller: TwinController, theme: Theme) -> None:
        super().__init__()
        self.controller = controller
        self.form, self.table, self.plots = LayForm(), TwinTable(theme), ResidualPlots(theme)
        self.remove = button("Remove", self.remove_chosen)
        self.head = ProgressHead("Progress of the twin", self.remove, tone="muted")
        self.head.word.hide()
        lay_out_sides(self, [self.form], [self.head, self.table, self.plots])
        self.form.lay_wanted.connect(self.lay)
        self.form.stop_wanted.connect(controller.stop)
        self.form.changed.connect(self._show)
        self.table.chosen_changed.connect(self._show_chosen)
        self.table.remove_wanted.connect(controller.remove)
        controller.changed.connect(self._show)
        controller.laid.connect(self._on_laid)
        self._on_laid()

    def set_theme(self, theme: Theme) -> None:
        for part in (self.table, self.plots):
            part.set_theme(theme)

    def why_not_lay(self) -> str:
        return self.controller.why_not_lay(self.form.path)

    def why_not_remove(self) -> str:
        return "" if self.table.selected is not None else NO_CHOSEN

    def lay(self) -> None:
        """Lay the twin that the form asks for."""
        if not self.why_not_lay() and (request := self.form.request) is not None:
            self.controller.lay([request])

    def remove_chosen(self) -> None:
        """Take the chosen twin off the page."""
        if self.table.selected is not None:
            self.controller.remove(self.table.selected.request)

    # ---- what changes

    def _on_laid(self) -> None:
        self.table.show_twins(self.controller.twins, self.controller.newest)
        self._show()

    def _show_chosen(self) -> None:
        self.plots.show_twins(self.table.twins.rows, self.table.selected)
        self._show()

    def _show(self) -> None:
        controller, chosen = self.controller, self.table.selected
        self.form.show_reasons(self.why_not_lay(), controller.why_not_stop())
        show_reasons(((self.remove, self.why_not_remove(), REMOVE_TIP),))
        is_now = controller.is_busy and not controller.is_fitting
        self.head.show_task(controller.task if is_now else None)
        if is_now and controller.task is not None:
            stops = controller.why_not_stop()
            self.head.text.say(
                STOPPING if stops else f"{controller.task.title}: {controller.task.sentence or 'begins'}"
            )
        else:
            notes = () if chosen is None else chosen.notes
            self.head.text.say("; ".join(notes), "\n".join(notes))


def lay_out_sides(page: QWidget, left: list[QWidget], right: list[QWidget]) -> None:
    """Lay out a form at the left and results at the right; the last result takes the room."""
    split = QSplitter(Qt.Orientation.Horizontal)
    split.setHandleWidth(1)
    split.setChildrenCollapsible(False)
    for parts in (left, right):
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for part in parts:
            column.addWidget(part, int(part is right[-1]))
        if parts is left:
            column.addStretch(1)
        split.addWidget(side)
    split.setStretchFactor(1, 1)
    split.setSizes([LEFT_PX, 900])
    whole = QVBoxLayout(page)
    whole.setContentsMargins(0, 0, 0, 0)
    whole.addWidget(split)
