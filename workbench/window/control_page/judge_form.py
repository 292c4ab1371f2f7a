"""What to judge: the candidate, who is active, days, episodes and processes, and where the results go."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSpinBox, QWidget

from workbench.window.control_page.controller_choice import ControllerChoice
from workbench.window.control_page.form_layout import lay_out_form, show_reasons
from workbench.window.widgets.basic import button, pad_text
from workbench.window.widgets.elided_label import ElidedLabel
from workbench.window.widgets.file_dialogs import ask_folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ALL_EPISODES: Final = "as the rules say"
SHADOW_TIP: Final = "Run the candidate beside the active controller, in simulation: both see the same samples, one acts"
JUDGE_TIP: Final = "Judge the candidate by the shipped rules; its gates appear at the right as they are judged"
STOP_TIP: Final = "End it within seconds; it leaves no result"
EPISODES_TIP: Final = "Fewer episodes than the rules say are a quick look: such a judgement never promotes"
_DAYS, _MOST = 10, 100_000


class JudgeForm(QWidget):
    """Emits the user's requests."""

    shadow_wanted = Signal()
    judge_wanted = Signal()
    stop_wanted = Signal()
    folder_wanted = Signal(object)  # Path
    changed = Signal()  # another candidate or active one

    def __init__(self) -> None:
        super().__init__()
        self.candidate, self.active = ControllerChoice("Candidate"), ControllerChoice("Active controller")
        self.days, self.episodes, self.processes = QSpinBox(), QSpinBox(), QSpinBox()
        self.folder = ElidedLabel("muted")
        self.change = button("Change…", self._ask_folder, "link", tip="Choose the folder of the results")
        self.shadow = button("Run in the shadow", self.shadow_wanted.emit)
        self.judge = button("Judge", self.judge_wanted.emit)
        self.stop = button("Stop", self.stop_wanted.emit)
        self._dress()
        self._lay_out()

    def _dress(self) -> None:
        for choice in (self.candidate, self.active):
            choice.changed.connect(self.changed)
        for part, name, low, high, value in (
            (self.days, "Days in the shadow", 1, _MOST, _DAYS),
            (self.episodes, "Episodes of each gate", 0, _MOST, 0),
            (self.processes, "Processes", 1, 64, max(1, (os.cpu_count() or 2) - 1)),
        ):
            part.setAccessibleName(name)
            part.setRange(low, high)
            part.setValue(value)
            part.setAlignment(Qt.AlignmentFlag.AlignRight)
            pad_text(part)
        self.episodes.setSpecialValueText(ALL_EPISODES)
        self.episodes.setToolTip(EPISODES_TIP)

    def _lay_out(self) -> None:
        into = QHBoxLayout()
        into.setSpacing(8)
        into.addWidget(self.folder, 1)
        into.addWidget(self.change)
        rows = (
            *(("Candidate", self.candidate), ("Active", self.active), ("Days", self.days)),
            *(("Episodes", self.episodes), ("Processes", self.processes), ("Into", into)),
        )
        lay_out_form(self, "Candidate", rows, (self.shadow, self.judge, self.stop))

    @property
    def chosen_episodes(self) -> int | None:
        """None: as many as the rules ask for."""
        return self.episodes.value() or None

    def offer_policies(self, policies: Sequence[Path]) -> None:
        """Offer these policies; the first one is the candidate until the user has chosen another."""
        for choice in (self.candidate, self.active):
            choice.offer(policies)
        if policies and not self.candidate.is_chosen:
            self.candidate.choose(str(policies[0]))

    def show_folder(self, folder: Path | None) -> None:
        """Show where results go."""
        self.folder.say("" if folder is None else folder.name, str(folder or ""))
        self.change.setEnabled(folder is not None)

    def show_reasons(self, shadow: str, judge: str, stop: str) -> None:
        """Disable buttons that cannot act; their tool tip states why."""
        show_reasons(
            (
                (self.shadow, shadow, SHADOW_TIP),
                (self.judge, judge, JUDGE_TIP),
                (self.stop, stop, STOP_TIP),
            )
        )

    def _ask_folder(self) -> None:
        ask_folder(self, "Choose the folder of the results", self.folder_wanted.emit)
