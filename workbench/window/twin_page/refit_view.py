"""Fit a cell to a laboratory's tests, and compare it with the cell of before on each of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from workbench.window.control_page.progress_head import ProgressHead
from workbench.window.control_page.xy_plot import XyAxes, XyLine, XyPlot
from workbench.window.twin_page.controller import STOPPING
from workbench.window.twin_page.model import RefitResult, pool_rmse
from workbench.window.twin_page.refit_form import RefitForm
from workbench.window.twin_page.refit_table import RefitTable
from workbench.window.twin_page.residual_view import lay_out_sides
from workbench.window.widgets import format as fmt
from workbench.window.widgets.basic import button, label

if TYPE_CHECKING:
    from workbench.window.twin_page.controller import TwinController
    from workbench.window.widgets.themes import Theme

NO_FIT: Final = (
    "Choose a list of tests, or drop one here, and fit. The list names a slow discharge, pulses and drive cycles; "
    "held = true marks a test that is only scored. Each test appears here with its error before and after."
)
FIT_BEGINS: Final = "The tests are read first."
UNDER_WAY: Final = "Each test appears here with its error before and after, once the fit ends."
_PLOT_PX: Final = 170
NO_TEST: Final = "Choose a test of a fit first."
SHOW_TIP: Final = "Lay both cells over the chosen test, and show their residuals"


class RefitView(QWidget):
    """Shows the newest fit of one controller."""

    residuals_wanted = Signal()

    def __init__(self, controller: TwinController, theme: Theme) -> None:
        super().__init__()
        self.controller = controller
        self.form, self.table = RefitForm(controller.folder), RefitTable()
        self.compare = button("Show residuals", self.lay_both)
        self.head = ProgressHead("Progress of the fit", self.compare, tone="muted")
        self.empty, self.summary = label(NO_FIT, "muted", wrap=True), label(wrap=True)
        for part in (self.empty, self.summary):
            part.setContentsMargins(16, 8, 16, 8)
        self.head.word.hide()
        self.plot = XyPlot("RMSE by temperature", XyAxes(fmt.MILLIVOLT, 1.0, "°C", is_positive=True), theme)
        self.plot.setMinimumHeight(_PLOT_PX)
        self._rest = QWidget()
        parts = [self.head, self.empty, self.summary, self.table, self.plot, self._rest]
        lay_out_sides(self, [self.form], parts)
        self.form.fit_wanted.connect(self.fit)
        self.form.stop_wanted.connect(controller.stop)
        self.form.changed.connect(self._show)
        self.table.chosen_changed.connect(self._show)
        controller.changed.connect(self._show)
        controller.fitted.connect(self._on_fitted)
        self._show()

    def set_theme(self, theme: Theme) -> None:
        self.plot.set_theme(theme)

    def why_not_fit(self) -> str:
        return self.controller.why_not_fit(self.form.tests)

    def why_not_compare(self) -> str:
        chosen = self.table.selected
        return NO_TEST if chosen is None else self.controller.why_not_lay(chosen.lay.log)

    def fit(self) -> None:
        """Fit a cell to the tests of the form."""
        if not self.why_not_fit() and (request := self.form.make_request()) is not None:
            self.controller.fit(request)

    def lay_both(self) -> None:
        """Lay the cells of before and after over the chosen test."""
        test, result = self.table.selected, self.controller.result
        if test is not None and result is not None and not self.why_not_compare():
            self.controller.lay([test.lay, replace(test.lay, cell=str(result.request.out))])
            self.residuals_wanted.emit()

    # ---- what changes

    def _on_fitted(self) -> None:
        result = self.controller.result
        if result is not None:
            self.table.tests.show_tests(result.tests)
            held = next((place for place, test in enumerate(result.tests) if test.held), 0)
            self.table.selectRow(held)
            self.summary.setText(describe_fit(result))
            self.plot.show_lines(make_lines(result), "")
        self._show()

    def _show(self) -> None:
        controller, result = self.controller, self.controller.result
        why_not = self.why_not_compare()
        self.form.show_reasons(self.why_not_fit(), controller.why_not_stop())
        self.compare.setEnabled(not why_not)
        self.compare.setToolTip(why_not or SHOW_TIP)
        for part, is_shown in (
            (self.empty, result is None),
            (self._rest, result is None),
            (self.summary, result is not None),
            (self.table, result is not None),
            (self.plot, result is not None and len({test.degc for test in result.tests}) > 1),
        ):
            part.setVisible(is_shown)
        self.empty.setText(UNDER_WAY if controller.is_fitting else NO_FIT)
        self.head.show_task(controller.task if controller.is_fitting else None)
        if controller.is_fitting and controller.task is not None:
            stops = controller.why_not_stop()
            self.head.text.say(STOPPING if stops else controller.task.sentence or FIT_BEGINS)
        else:
            notes = () if result is None else result.notes
            self.head.text.say("; ".join(notes), "\n".join(notes))


def make_lines(result: RefitResult) -> list[XyLine]:
    """Return the RMSE before and after by temperature: of the held tests, or of the fitted ones where none is held."""
    tests = [test for test in result.tests if test.held] or list(result.tests)
    degrees = sorted({test.degc for test in tests})
    lines: list[XyLine] = []
    for word, colour, name in (("before", "muted", "before_v"), ("after", "green", "after_v")):
        values = [pool_rmse([getattr(test, name) for test in tests if test.degc == degc]) for degc in degrees]
        kind = "held" if tests[0].held else "fitted"
        lines.append(XyLine(f"{word}, {kind} tests", colour, tuple(degrees), tuple(values), value=""))
    return lines


def describe_fit(result: RefitResult) -> str:
    """Return what came of a fit: the cell, the mean error before and after, what the tests settled, the file."""
    parts = [f"{result.cell}, {fmt.figure(result.capacity_ah, 3)} Ah."]
    for is_held, word in ((True, "Held tests"), (False, "Fitted tests")):
        of = [test for test in result.tests if test.held is is_held]
        if of:
            before, after = (pool_rmse([getattr(test, name) for test in of]) for name in ("before_v", "after_v"))
            parts.append(f"{word}: {fmt.MILLIVOLT.text(before)} before, {fmt.MILLIVOLT.text(after)} after.")
    parts.append(f"The tests settled {fmt.PERCENT.text(result.settled)} of the parameters.")
    return " ".join([*parts, f"Written to {result.request.out}"])
