"""One line under the bar: the progress of a certification, or its result and the next steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QSizePolicy

from workbench.certificates.certificate import result_words
from workbench.certificates.results import Verdict
from workbench.session.actions import Failure
from workbench.window.certify_page import style
from workbench.window.certify_page.controller import STOPPING, CertifyController, CertifyStage
from workbench.window.certify_page.model import NOT_PASSED
from workbench.window.widgets import format as fmt
from workbench.window.widgets.basic import button, label

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.window.certify_page.model import CertificationResult
    from workbench.window.widgets.themes import Theme

NO_REPORT = "The report could not be written."
NO_RESULT = "Nothing has been certified yet; certify, or open an earlier certificate."
_HEIGHT = 44  # fixed, so that the widgets below do not move
_ERROR_HEIGHT = 4 * _HEIGHT  # at most, of an error without cases, which is shown in full


class ResultBar(QFrame):
    """Shows the state of the certification; its buttons act on the shown result."""

    failed = Signal(Failure)
    bundle_wanted = Signal(object)  # the certificate's folder

    def __init__(self, controller: CertifyController, theme: Theme) -> None:
        super().__init__()
        self._controller, self._theme = controller, theme
        self.symbol, self.word = QLabel(), label()
        self.text = label()
        self.text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.remaining = label(tone="muted")
        self.live = label("▲ ITS BENCH IS LIVE", "amber")
        self.live.setToolTip("The certification arms its own bench. OUTPUTS OFF ends the certification at once.")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedSize(220, 4)
        self.bar.setAccessibleName("Progress of the certification")
        self.back = button("Back to the suite", controller.leave)
        self.report = button("Open report", self.open_report)
        self.folder = button("Show folder", self.show_folder)
        self.bundle = button("Make a bundle…", self.make_bundle)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 16, 0)
        row.setSpacing(8)
        for part in (self.symbol, self.word):
            row.addWidget(part)
        row.addWidget(self.text, 1)
        for part in (self.live, self.remaining, self.bar, self.back, self.report, self.folder, self.bundle):
            row.addWidget(part)
        self.setMinimumHeight(_HEIGHT)
        self.refresh()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.refresh()

    def refresh(self) -> None:
        """Show the current state; called after each change."""
        controller = self._controller
        result = controller.verdict if controller.stage is CertifyStage.IDLE else None
        for part in (self.report, self.folder, self.bundle):
            part.setVisible(result is not None)
        self.back.setVisible(controller.shown is not None)
        self.bar.setVisible(controller.stage is not CertifyStage.IDLE)
        self.remaining.setVisible(controller.stage is CertifyStage.RUNNING)
        self.live.setVisible(controller.on)
        wraps = result is None and controller.stage is CertifyStage.IDLE and bool(controller.broken)
        self.text.setWordWrap(wraps)
        self.setMaximumHeight(_ERROR_HEIGHT if wraps else _HEIGHT)
        if result is not None:
            self._show_result(result)
        elif controller.stage is CertifyStage.IDLE:
            self._show_idle()
        else:
            self._show_progress()

    def _say(self, text: str, word: str = "", verdict: str = "", colour: str = "muted", tip: str = "") -> None:
        self.symbol.setVisible(bool(verdict))
        if verdict:
            self.symbol.setPixmap(style.verdict_icon(verdict, self._theme.name).pixmap(QSize(14, 14)))
        self.word.setVisible(bool(word))
        self.word.setText(word)
        self.word.setStyleSheet(f"font-weight: 600; color: {self._theme.colour(colour).name()};")
        if self.text.text() != text:
            self.text.setText(text)
        self.text.setToolTip(tip or text)
        self.setAccessibleName(f"{word} {text}".strip())

    def _show_idle(self) -> None:
        controller = self._controller
        if controller.broken:
            self._say("; ".join(controller.broken), "ERROR", Verdict.ERROR, "amber")
        else:
            self._say(f"{len(controller.cases)} cases; tick those to run." if controller.cases else "")

    def _show_progress(self) -> None:
        controller, work = self._controller, self._controller.work
        sentences = {
            CertifyStage.READING: "The suite is being read.",
            CertifyStage.STOPPING: STOPPING,
            CertifyStage.WRITING: "Certificate and report are being written.",
        }
        if controller.stage is not CertifyStage.RUNNING or work is None:
            self.bar.setRange(0, 0)
            self._say(sentences.get(controller.stage, ""))
            return
        done, whole = sum(case.verdict is not None for case in work.cases), len(work.cases)
        self.bar.setRange(0, whole)
        self.bar.setValue(done)
        now = work.now
        doing = (
            f"{now.name}  {now.info.title}"
            if now is not None
            else "between two cases"
            if done
            else "the bench is starting"
        )
        self._say(doing, f"{done:>{len(str(whole))}} of {whole}" if whole else "", colour="text")
        self.remaining.setText("" if work.left_s is None else f"{fmt.age(work.left_s)} left")

    def _show_result(self, result: CertificationResult) -> None:
        word = result_words(passed=result.passed, not_judged=result.not_judged)
        verdict = Verdict.PASS if result.passed else Verdict.FAIL
        if not result.passed and not result.counts.get(Verdict.FAIL):  # no check shows a failure of the device
            verdict = Verdict.ERROR if result.trouble or result.counts.get(Verdict.ERROR) else Verdict.BLOCKED
        facts = [style.format_counts(result.counts) or "no case ran", f"class {result.evidence}"]
        if self._controller.shown is not None:
            facts.append(f"{result.suite}, {style.format_time(result.made)}")
        facts.append("; ".join(result.trouble) or result.folder.name)
        tip = "\n".join((*result.trouble, str(result.folder)))
        self._say("   ".join(facts), word, verdict, style.COLOURS[verdict], tip)
        missing = "" if result.written and result.report.is_file() else NO_REPORT
        self.report.setEnabled(not missing)
        self.report.setToolTip(missing or str(result.report))
        self.folder.setToolTip(str(result.folder))
        why_not = "" if result.passed else NOT_PASSED
        self.bundle.setEnabled(not (missing or why_not))
        self.bundle.setToolTip(missing or why_not or "Build a signed configuration that contains this certificate")

    # ---- next steps

    def why_no_result(self) -> str:
        """Return why there is nothing to open."""
        if self._controller.verdict is None or self._controller.stage is not CertifyStage.IDLE:
            return NO_RESULT
        return ""

    def why_no_report(self) -> str:
        return self.why_no_result() or ("" if self.report.isEnabled() else self.report.toolTip())

    def why_no_bundle(self) -> str:
        return self.why_no_result() or ("" if self.bundle.isEnabled() else self.bundle.toolTip())

    def open_report(self) -> None:
        """Open the report in the browser."""
        if self._controller.verdict is not None:
            self._open(self._controller.verdict.report)

    def show_folder(self) -> None:
        """Open the folder in the file manager."""
        if self._controller.verdict is not None:
            self._open(self._controller.verdict.folder)

    def _open(self, path: Path) -> None:
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(path))):
            self.failed.emit(Failure(f"No program on this machine opens {path.name}.", f"Open it yourself: {path}"))

    def make_bundle(self) -> None:
        if self._controller.verdict is not None:
            self.bundle_wanted.emit(self._controller.verdict.folder)
