"""The Certify page: cases at the left, the selected case with its checks and plots at the right."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSplitter, QVBoxLayout, QWidget

from workbench.certificates.results import Verdict
from workbench.window.certify_page import style
from workbench.window.certify_page.bar import CertifyBar
from workbench.window.certify_page.case_plots import CasePlots
from workbench.window.certify_page.certificate_list import CertificateList
from workbench.window.certify_page.checks import CheckTable
from workbench.window.certify_page.controller import CertifyController
from workbench.window.certify_page.picker import CasePicker
from workbench.window.certify_page.result_bar import ResultBar
from workbench.window.widgets.basic import label
from workbench.window.widgets.elided_label import ElidedLabel

if TYPE_CHECKING:
    from workbench.certify.runner import CaseRun
    from workbench.session.bench_info import BenchInfo
    from workbench.window.certify_page.model import Certifier
    from workbench.window.session_controller import SessionController
    from workbench.window.widgets.themes import Theme

OTHER_BENCH: Final = "The suite was read for another bench file; read it again on the Certify page."
SECOND_BENCH: Final = "A second emulated bench starts; the connected one keeps running."
NOTHING_FAILED: Final = "There is no failed check."
KINDS: Final = {True: "emulated", False: "real instruments", None: ""}  # None: the bench file is not read
_LEFT_PX: Final = 400
_EARLIER_PX: Final = 150
_CHECKS_PX: Final = 210


class CaseHead(QWidget):
    """Head of the selected case: name, sentence, what it demonstrates, result."""

    def __init__(self) -> None:
        super().__init__()
        self.symbol, self.word, self.name = QLabel(), label(), ElidedLabel()
        self.about = label(tone="muted", wrap=True)
        self.name.setStyleSheet("font-weight: 600;")
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.name, 1)
        for part in (self.symbol, self.word):
            row.addWidget(part)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 4, 16, 8)
        column.setSpacing(2)
        column.addLayout(row)
        column.addWidget(self.about)

    def show_case(self, case: CaseRun | None, theme: Theme) -> None:
        word = "" if case is None else style.find_verdict_word(case)
        self.symbol.setVisible(bool(word))
        self.word.setText(word)
        if word:
            self.symbol.setPixmap(style.verdict_icon(word, theme.name).pixmap(QSize(14, 14)))
            self.word.setStyleSheet(f"font-weight: 600; color: {style.find_verdict_colour(word, theme)};")
        self.name.say("" if case is None else f"{case.name}   {case.info.title}")
        facts = [] if case is None else [case.info.hazard, ", ".join(case.info.refs), case.reason]
        self.about.setText("   ".join(fact for fact in facts if fact))


class CertifyPage(QWidget):
    """Shows one certification controller."""

    bundle_wanted = Signal(object)  # a certificate's folder

    def __init__(self, session_controller: SessionController, certifier: Certifier, theme: Theme) -> None:
        super().__init__()
        self.setAccessibleName("Certify page")
        self.session_controller, self._theme = session_controller, theme
        self._case: CaseRun | None = None
        self._follows = True  # selects the case under way, until the user selects another
        self._leading = False
        self.controller = CertifyController(session_controller, certifier)
        self.bar = CertifyBar(certifier.suites())
        self.result_bar = ResultBar(self.controller, theme)
        self.picker, self.certificate_list = CasePicker(theme), CertificateList(theme)
        self.head, self.checks, self.case_plots = CaseHead(), CheckTable(theme), CasePlots(theme)
        self._lay_out()
        self._wire()
        self._on_changed()

    def _lay_out(self) -> None:
        left = QSplitter(Qt.Orientation.Vertical)
        right = QSplitter(Qt.Orientation.Vertical)
        upper = QWidget()
        column = QVBoxLayout(upper)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.head)
        column.addWidget(self.checks, 1)
        whole = QSplitter(Qt.Orientation.Horizontal)
        splits = (
            (left, (self.picker, self.certificate_list), (480, _EARLIER_PX)),
            (right, (upper, self.case_plots), (_CHECKS_PX, 380)),
            (whole, (left, right), (_LEFT_PX, 900)),
        )
        for splitter, parts, sizes in splits:
            splitter.setHandleWidth(1)
            splitter.setChildrenCollapsible(False)
            for number, part in enumerate(parts):
                splitter.addWidget(part)
                splitter.setStretchFactor(number, number if splitter is not left else 1 - number)
            splitter.setSizes(list(sizes))
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        page.setSpacing(0)
        for part in (self.bar, self.result_bar):
            page.addWidget(part)
        page.addWidget(whole, 1)
        self.setFocusProxy(self.picker.view)

    def _wire(self) -> None:
        controller, bar = self.controller, self.bar
        bar.suite_chosen.connect(self.read_again)
        bar.start_wanted.connect(self.start)
        bar.stop_wanted.connect(controller.stop)
        self.picker.case_selected.connect(self._look_at)
        self.picker.ticked.connect(self._update_buttons)
        self.checks.selectionModel().selectionChanged.connect(self._on_check_selected)
        self.certificate_list.open_wanted.connect(controller.open)
        self.result_bar.bundle_wanted.connect(self.bundle_wanted)
        for failing in (controller.failed, self.result_bar.failed):
            failing.connect(self.session_controller.failed)
        controller.changed.connect(self._on_changed)
        controller.replaced.connect(self._on_replaced)
        controller.ended.connect(self._on_ended)
        controller.listed.connect(self._on_listed)
        self.session_controller.ticked.connect(self._frame)
        self.session_controller.changed.connect(self._follow)
        self.session_controller.session_opened.connect(self._follow)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        for part in (self.result_bar, self.picker.model, self.certificate_list, self.checks, self.case_plots):
            part.set_theme(theme)
        self.head.show_case(self._case, theme)

    # ---- the suite and the bench

    @property
    def _facts(self) -> BenchInfo | None:
        return self.session_controller.session.bench if self.session_controller.session is not None else None

    @property
    def _bench(self) -> Path | None:
        """The bench file of the session."""
        return Path(self._facts.file).resolve() if self._facts is not None else None

    def refresh(self) -> None:
        """Read what may have changed; called when the page comes to the front."""
        self._follow()
        self.controller.look()

    def read_again(self) -> None:
        """Read the chosen suite again for the bench of the session."""
        self._choose(again=True)

    def _follow(self) -> None:
        """Read the suite for another session or bench file, once the page is visible."""
        if self.isVisible():
            self._choose(again=False)
        self._update_buttons()

    def _choose(self, *, again: bool) -> None:
        bench, suite = self._bench, self.bar.suite
        if bench is not None and suite is not None:
            self.controller.choose(suite.path, bench, again=again)

    # ---- certify

    def why_not_start(self) -> str:
        """Return why the ticked cases cannot be certified now."""
        why = self.controller.why_not_start(len(self.picker.model.ticked_cases))
        if not why and self._bench != self.controller.bench:
            return OTHER_BENCH
        return why

    def start(self) -> None:
        """Certify the ticked cases."""
        if not self.why_not_start():
            self._follows = True
            self.controller.start(self.picker.model.ticked_names)

    def _update_buttons(self) -> None:
        """Disable buttons that cannot act; their tool tip states why."""
        controller, facts = self.controller, self._facts
        note = SECOND_BENCH if controller.second_bench() else ""
        self.bar.show_start(len(self.picker.model.ticked_cases), self.why_not_start(), note)
        self.bar.show_stop(controller.why_not_stop())
        busy = controller.why_busy()
        self.bar.show_busy(busy)
        able = not busy and controller.shown is None
        self.picker.set_able(able=able, why=busy or ("An earlier certificate is shown." if controller.shown else ""))
        if facts is not None:
            self.bar.show_bench(Path(facts.file).name or facts.name, KINDS[controller.emulated])

    # ---- what changes

    def _on_replaced(self) -> None:
        self._case = None
        self.picker.show_cases(self.controller.rows, tickable=self.controller.shown is None)
        if not self.controller.rows:
            self._look_at(None)
        elif self.controller.verdict is not None:
            self._lead_to(next((case for case in self.controller.rows if _wrong(case)), self.controller.rows[0]))

    def _on_changed(self) -> None:
        controller = self.controller
        if controller.on and self._follows and controller.work is not None and (now := controller.work.now) is not None:
            self._lead_to(next((case for case in controller.cases if case.info.test == now.info.test), None))
        self.picker.model.refresh()
        self._update_buttons()
        self.result_bar.refresh()
        self._show(self._case)

    def _on_ended(self) -> None:
        """Select the first failure, unless the user has selected another case."""
        if self._follows:
            self._lead_to(next((case for case in self.controller.cases if _wrong(case)), self._case))

    def _on_listed(self) -> None:
        self.certificate_list.show_lines(self.controller.past)

    def _lead_to(self, case: CaseRun | None) -> None:
        if case is not None and case is not self._case:
            self._leading = True
            self.picker.show_case(case)
            self._leading = False

    def _look_at(self, case: CaseRun | None) -> None:
        if self.controller.on and not self._leading:
            self._follows = False
        self._case = case
        self.checks.checks.show_checks(())
        self._show(case)

    def _show(self, case: CaseRun | None) -> None:
        self.head.show_case(case, self._theme)
        shown = () if case is None else case.checks
        fresh = self.checks.selected_check is None and bool(shown)
        self.checks.checks.show_checks(shown)
        traces = () if case is None else case.traces
        other = self.case_plots.show_case(traces, self._facts, _why_no_plot(case))
        if fresh and (case is None or case.verdict is not None or not self.controller.on):
            self.checks.choose_first()
        if other:
            self.case_plots.show_check(self.checks.selected_check, self._facts)

    def _on_check_selected(self) -> None:
        self.case_plots.show_check(self.checks.selected_check, self._facts)

    def show_next_failed(self) -> None:
        """Select the next check that did not pass, also in later cases."""
        rows = self.checks.checks.rows
        chosen = self.checks.selected_check
        at = next((n for n, row in enumerate(rows) if row is chosen), -1)
        after = [n for n, row in enumerate(rows) if n > at and row.verdict not in (Verdict.PASS, Verdict.NA)]
        if after:
            self.checks.selectRow(after[0])
            return
        cases = list(self.controller.rows)
        start = next((n for n, case in enumerate(cases) if case is self._case), -1)
        later = [case for case in (*cases[start + 1 :], *cases[: start + 1]) if _wrong(case)]
        if later:
            self._lead_to(later[0])
            self.checks.choose_first()

    def why_no_failed(self) -> str:
        """Return why there is no next failed check."""
        return "" if any(_wrong(case) for case in self.controller.rows) else NOTHING_FAILED

    def _frame(self) -> None:
        if self.isVisible():
            self.case_plots.frame()


def _wrong(case: CaseRun) -> bool:
    return case.verdict not in (None, Verdict.PASS, Verdict.NA)


def _why_no_plot(case: CaseRun | None) -> str:
    if case is None:
        return "Choose a suite; its cases, their checks and plots appear here."
    if case.verdict is None:
        return "The plots appear when the case has ended." if case.begun else "The case has not run yet."
    return "This case recorded no plot."
