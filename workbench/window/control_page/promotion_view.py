"""Shadow and promotion: what to judge, the gates as they are judged, the score in the shadow, and the promotion."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from workbench.window.control_page.copy_line import CopyLine
from workbench.window.control_page.gate_table import GateTable
from workbench.window.control_page.judge_controller import JudgeController, list_shipped_policies
from workbench.window.control_page.judge_form import JudgeForm
from workbench.window.control_page.progress_head import ProgressHead
from workbench.window.control_page.promotion_controller import NO_RESULT, PromotionController, describe_open
from workbench.window.control_page.promotion_files import PROMOTED
from workbench.window.control_page.xy_plot import XyAxes, XyLine, XyPlot
from workbench.window.plots.curve import Stroke
from workbench.window.widgets import format as fmt
from workbench.window.widgets.basic import button, label

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PySide6.QtGui import QShowEvent

    from workbench.window.control_page.promotion_files import PromotionRecord, ShadowRecord
    from workbench.window.widgets.themes import Theme

NO_JUDGEMENT: Final = "Choose a candidate and judge it; its gates appear here one by one, with their evidence."
NO_GATE_YET: Final = "The first gates come once the policy is read."
NO_SHADOW: Final = "Run a candidate in the shadow; what it costs more each day appears here."
PROMOTE_TIP: Final = "Keep this policy and its result where bench files can name it"
KEPT: Final = "Promoted. Name the policy in the settings of a lane of kind control.rl in the bench file:"
UNDER_WAY: Final = "The policy is being judged."
JUDGING: Final = "JUDGING"
IN_SHADOW: Final = "IN THE SHADOW"
BEGINS: Final = "It begins."
STOPPING: Final = "It ends."
POLICY_COLOUR: Final = "pink"  # as the lanes of the shipped bench have them
COLOURS: Final = {"mpc": "green", "mpc-wrong": "green", "rule": "blue"}
_EUR: Final = fmt.Display("EUR", decimals=4, signed=True)
_PLOT_PX: Final = 170
_LEFT_PX: Final = 330


class PromotionView(QWidget):
    """Shows the results of one promotion controller, and what its judge controller does."""

    question_wanted = Signal(str, str, str, object)  # title, sentence, word of the button, what to run

    def __init__(self, controller: PromotionController, judging: JudgeController, theme: Theme) -> None:
        super().__init__()
        self.controller, self.judging, self._theme = controller, judging, theme
        self.form = JudgeForm()
        self.promote = button("Promote", self.ask, "primary")
        self.refresh = button("Refresh", controller.refresh, tip="Read the newest results again")
        self.head = ProgressHead("Progress of the shadow or judgement", self.refresh, self.promote, tone="muted")
        self.table = GateTable(theme)
        self.trouble, self.judge = label(tone="amber", wrap=True), label(NO_JUDGEMENT, "muted", wrap=True)
        self.kept = CopyLine(KEPT)
        self.plot = XyPlot("Shadow score: cost above the active one", XyAxes(_EUR, 0.001, "days", has_zero=True), theme)
        self._lay_out()
        self._wire()
        self.offer_policies(())
        self._show()

    def _lay_out(self) -> None:
        self.trouble.setContentsMargins(16, 0, 16, 8)
        self.judge.setContentsMargins(16, 8, 16, 8)
        self.plot.setMinimumHeight(_PLOT_PX)
        self.kept.hide()
        left, right = QWidget(), QWidget()
        beside = QVBoxLayout(left)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.addWidget(self.form)
        beside.addStretch(1)
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for part in (self.head, self.trouble, self.kept, self.judge):
            column.addWidget(part)
        column.addWidget(self.table, 3)
        column.addWidget(self.plot, 2)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setHandleWidth(1)
        split.setChildrenCollapsible(False)
        for part in (left, right):
            split.addWidget(part)
        split.setStretchFactor(1, 1)
        split.setSizes([_LEFT_PX, 900])
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        page.addWidget(split)

    def _wire(self) -> None:
        form, judging = self.form, self.judging
        form.shadow_wanted.connect(self.run_shadow)
        form.judge_wanted.connect(self.run_judgement)
        form.stop_wanted.connect(judging.stop)
        form.folder_wanted.connect(judging.choose_folder)
        form.changed.connect(self._show_form)
        judging.changed.connect(self._show)
        judging.judged.connect(self._show)
        judging.ended.connect(self.controller.refresh)
        self.controller.changed.connect(self._show)
        self.controller.promoted.connect(self._on_promoted)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        for part in (self.table, self.plot):
            part.set_theme(theme)
        self._show()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802  # Qt's name
        super().showEvent(event)
        self.controller.refresh()

    def offer_policies(self, policies: Iterable[Path]) -> None:
        """Offer trained policies as candidates, newest first; those that ship come after them."""
        self.form.offer_policies([*policies, *list_shipped_policies()])

    # ---- requests

    def run_shadow(self) -> None:
        """Run the chosen candidate in the shadow of the chosen active controller."""
        form = self.form
        self._know_candidate()
        self.judging.run_shadow(form.active.value, form.candidate.value, form.days.value(), form.processes.value())

    def run_judgement(self) -> None:
        """Judge the chosen candidate."""
        form = self.form
        self._know_candidate()
        self.judging.judge(form.candidate.value, form.chosen_episodes, form.processes.value())

    def why_not_shadow(self) -> str:
        return self.judging.why_not_shadow(self.form.active.value, self.form.candidate.value)

    def why_not_judge(self) -> str:
        return self.judging.why_not_judge(self.form.candidate.value)

    def _know_candidate(self) -> None:
        if self.judging.folder is not None:
            self.controller.look_in(self.judging.folder, Path(self.form.candidate.value))

    def why_not_promote(self) -> str:
        """Return the first gate that does not hold, also of a judgement under way."""
        if self.judging.is_judging:
            failed = next((gate for gate in self.judging.gates if not gate.holds), None)
            return UNDER_WAY if failed is None else f"{UNDER_WAY} {describe_open(failed)}"
        return self.controller.why_not_promote()

    def ask(self) -> None:
        """Ask, then promote."""
        record = self.controller.results.promotion
        if record is not None and not self.why_not_promote():
            sentence = f"All {len(record.gates)} gates hold. The policy and its result are kept; no lane changes."
            self.question_wanted.emit(
                f"Promote {record.policy} for {record.task}?", sentence, "Promote", self.controller.promote
            )

    # ---- what changes

    def _show(self) -> None:
        results, why_not = self.controller.results, self.why_not_promote()
        record = results.promotion
        gates = self.judging.gates if self.judging.is_judging else () if record is None else record.gates
        self.promote.setEnabled(not why_not)
        self.promote.setToolTip(why_not or PROMOTE_TIP)
        self.trouble.setText(results.trouble)
        self.trouble.setVisible(bool(results.trouble))
        self.table.setVisible(bool(gates))
        self.judge.setVisible(not gates)
        self.judge.setText(NO_GATE_YET if self.judging.is_judging else NO_JUDGEMENT)
        self.table.gates.show_gates(gates)
        self._show_form()
        if self.judging.is_busy:
            self._show_progress()
        else:
            self._show_result(record)
        self._show_shadow(results.shadow)

    def _show_form(self) -> None:
        self.form.show_folder(self.judging.folder)
        self.form.show_reasons(self.why_not_shadow(), self.why_not_judge(), self.judging.why_not_stop())

    def _show_progress(self) -> None:
        task = self.judging.task
        self.head.show_task(task)
        self._show_word(JUDGING if self.judging.is_judging else IN_SHADOW, "text")
        sentence = "" if task is None else task.sentence
        self.head.text.say(STOPPING if self.judging.why_not_stop() else sentence or BEGINS)

    def _show_result(self, record: PromotionRecord | None) -> None:
        self.head.show_task(None)
        if record is None:
            self._show_word("", "text")
            self.head.text.say(NO_RESULT)
            return
        self._show_word(record.verdict.upper(), "green" if record.verdict == PROMOTED else "fail")
        holding = sum(gate.holds for gate in record.gates)
        facts = f"{holding} of {len(record.gates)} gates hold   {record.policy}   {record.task}   rules {record.rules}"
        self.head.text.say(f"{facts}   {fmt.wall_date(record.made_s)}", str(record.file))

    def _show_word(self, word: str, colour: str) -> None:
        self.head.word.setText(word)
        self.head.word.setStyleSheet(f"font-weight: 600; color: {self._theme.colour(colour).name()};")

    def _show_shadow(self, shadow: ShadowRecord | None) -> None:
        lines: list[XyLine] = []
        if shadow is not None:
            colour = COLOURS.get(shadow.candidate, POLICY_COLOUR)
            lines = [
                XyLine("closed loop, own twin", colour, shadow.days, shadow.closed_eur),
                XyLine("open loop, same states", colour, shadow.days, shadow.open_eur, Stroke.DASH),
            ]
        self.plot.show_lines(lines, NO_SHADOW)
        self.plot.setToolTip(
            "" if shadow is None else f"{shadow.candidate} in the shadow of {shadow.active}\n{shadow.file}"
        )

    def _on_promoted(self, policy: Path) -> None:
        self.kept.show_command(f'policy = "{policy}"')
        self.kept.show()
