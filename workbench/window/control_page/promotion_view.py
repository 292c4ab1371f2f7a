"""Shadow and promotion: the gates of the newest judgement, the score in the shadow, and the button that promotes."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from workbench.window.control_page.copy_line import CopyLine
from workbench.window.control_page.gate_table import GateTable
from workbench.window.control_page.promotion_controller import NO_RESULT, RESULTS, PromotionController
from workbench.window.control_page.promotion_files import PROMOTED
from workbench.window.control_page.xy_plot import XyAxes, XyLine, XyPlot
from workbench.window.widgets import format as fmt
from workbench.window.widgets.basic import button, label
from workbench.window.widgets.elided_label import ElidedLabel

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtGui import QShowEvent

    from workbench.window.widgets.themes import Theme

NO_JUDGEMENT: Final = "Judge a policy in a console; its gates appear here with their evidence:"
NO_SHADOW: Final = "No candidate has run in the shadow yet."
MORE_RUNS: Final = "Run a candidate in the shadow of the MPC, in simulation:"
PROMOTE_TIP: Final = "Keep this policy and its result where bench files can name it"
KEPT: Final = "Promoted. Name the policy in the settings of a lane of kind control.rl in the bench file:"
ANY_POLICY: Final = "POLICY.onnx"
_EUR: Final = fmt.Display("EUR", decimals=4, signed=True)
_PLOT_PX: Final = 190


class PromotionView(QWidget):
    """Shows one promotion controller."""

    question_wanted = Signal(str, str, str, object)  # title, sentence, word of the button, what to run

    def __init__(self, controller: PromotionController, theme: Theme) -> None:
        super().__init__()
        self.controller, self._theme, self._policy = controller, theme, ANY_POLICY
        self.word, self.text = QLabel(), ElidedLabel("muted")
        self.promote = button("Promote", self.ask, "primary")
        self.refresh = button("Refresh", controller.refresh, tip="Read the newest results again")
        self.table = GateTable(theme)
        self.trouble = label(tone="amber", wrap=True)
        self.judge, self.shadow, self.kept = CopyLine(NO_JUDGEMENT), CopyLine(MORE_RUNS), CopyLine(KEPT)
        self.plot = XyPlot("Shadow score: cost above the active one", XyAxes(_EUR, 0.001, "days", has_zero=True), theme)
        self._lay_out()
        controller.changed.connect(self._show)
        controller.promoted.connect(self._on_promoted)
        self._show()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(16, 4, 16, 8)
        head.setSpacing(8)
        head.addWidget(self.word)
        head.addWidget(self.text, 1)
        for part in (self.refresh, self.promote):
            head.addWidget(part)
        self.trouble.setContentsMargins(16, 0, 16, 8)
        self.plot.setMinimumHeight(_PLOT_PX)
        self.plot.setMaximumHeight(_PLOT_PX + 80)
        self.kept.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        for part in (self.trouble, self.kept, self.judge):
            column.addWidget(part)
        column.addWidget(self.table, 3)
        column.addWidget(self.plot, 2)
        column.addWidget(self.shadow)
        column.addStretch(0)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        for part in (self.table, self.plot):
            part.set_theme(theme)
        self._show()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802  # Qt's name
        super().showEvent(event)
        self.controller.refresh()

    def show_policy(self, policy: str) -> None:
        """Name this policy in the commands, the best one that was trained last."""
        self._policy = policy or ANY_POLICY
        self._show_commands()

    def ask(self) -> None:
        """Ask, then promote."""
        record = self.controller.results.promotion
        if record is not None and not self.controller.why_not_promote():
            sentence = f"All {len(record.gates)} gates hold. The policy and its result are kept; no lane changes."
            self.question_wanted.emit(
                f"Promote {record.policy} for {record.task}?", sentence, "Promote", self.controller.promote
            )

    # ---- what changes

    def _show(self) -> None:
        results, why_not = self.controller.results, self.controller.why_not_promote()
        record, shadow = results.promotion, results.shadow
        self.promote.setEnabled(not why_not)
        self.promote.setToolTip(why_not or PROMOTE_TIP)
        self.trouble.setText(results.trouble)
        self.trouble.setVisible(bool(results.trouble))
        self.table.setVisible(record is not None)
        self.judge.setVisible(record is None)
        self.word.setText("" if record is None else record.verdict.upper())
        colour = self._theme.colour("green" if record is not None and record.verdict == PROMOTED else "fail").name()
        self.word.setStyleSheet(f"font-weight: 600; color: {colour};")
        if record is None:
            self.text.say(NO_RESULT)
        else:
            holding = sum(gate.holds for gate in record.gates)
            facts = (
                f"{holding} of {len(record.gates)} gates hold   {record.policy}   {record.task}   rules {record.rules}"
            )
            self.text.say(f"{facts}   {fmt.wall_date(record.made_s)}", str(record.file))
            self.table.gates.show_gates(record.gates)
        lines: list[XyLine] = []
        if shadow is not None:
            lines = [
                XyLine("closed loop, own twin", "orange", shadow.days, shadow.closed_eur),
                XyLine("open loop, same states", "blue", shadow.days, shadow.open_eur),
            ]
        self.plot.show_lines(lines, NO_SHADOW)
        self.plot.setToolTip(
            "" if shadow is None else f"{shadow.candidate} in the shadow of {shadow.active}\n{shadow.file}"
        )
        self.shadow.setVisible(shadow is None)
        self._show_commands()

    def _show_commands(self) -> None:
        policy, root = shlex.quote(self._policy), self.controller.root
        out = RESULTS if root is None else shlex.quote(str(root / RESULTS))
        self.judge.show_command(f"python main.py promote {policy} --out {out}")
        shadow = f"python main.py shadow --candidate {policy} --days 30 --json > {out}/shadow.json"
        self.shadow.show_command(f"mkdir -p {out} && {shadow}")

    def _on_promoted(self, policy: Path) -> None:
        self.kept.show_command(f'policy = "{policy}"')
        self.kept.show()
