"""The Control page: the controllers beside each other, their training, and their promotion."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from workbench.window.control_page.judge_controller import JudgeController
from workbench.window.control_page.lanes_view import LanesView
from workbench.window.control_page.live_shadow_view import LiveShadowView
from workbench.window.control_page.promotion_controller import PromotionController
from workbench.window.control_page.promotion_view import PromotionView
from workbench.window.control_page.training_controller import TrainingController
from workbench.window.control_page.training_view import TrainingView
from workbench.window.widgets.basic import button, label, wrap_in_scroll_area

if TYPE_CHECKING:
    from workbench.window.bench_page.page import BenchPage
    from workbench.window.session_controller import SessionController
    from workbench.window.widgets.themes import Theme

LANES, SHADOW, TRAINING, PROMOTION = "Lanes", "Live shadow", "Training", "Shadow and promotion"
LOOK_EVERY: Final = 50  # readings between two looks at the results, 5 s


class ControlPage(QWidget):
    """Shows one view at a time; it reads the history of the Bench page."""

    lane_wanted = Signal(str, str)  # role, name
    connect_wanted = Signal()
    question_wanted = Signal(str, str, str, object)  # title, sentence, word of the button, what to run

    def __init__(self, controller: SessionController, bench: BenchPage, root: Path | None, theme: Theme) -> None:
        super().__init__()
        self.setAccessibleName("Control page")
        self._controller, self.bench = controller, bench
        self.lanes = LanesView(controller, bench, theme)
        self.shadow = LiveShadowView(bench, theme)
        self.training = TrainingView(TrainingController(controller.background, root), theme)
        judging = JudgeController(controller.background, root)
        self.promotion = PromotionView(PromotionController(controller.background, root), judging, theme)
        self.views: dict[str, QWidget] = dict(
            zip(
                (LANES, SHADOW, TRAINING, PROMOTION),
                (self.lanes, self.shadow, self.training, self.promotion),
                strict=True,
            )
        )
        self._readings = 0
        self.buttons = {name: button(name, lambda name=name: self.show_view(name), "plain") for name in self.views}
        self.stack = QStackedWidget()
        self._lay_out()
        self._wire()
        self.show_view(LANES)

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(16, 12, 16, 8)
        bar.setSpacing(8)
        bar.addWidget(label("Control", "title"))
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

    def _wire(self) -> None:
        controller, lanes = self._controller, self.lanes
        lanes.lane_wanted.connect(self.lane_wanted)
        lanes.connect_wanted.connect(self.connect_wanted)
        controller.ticked.connect(self._frame)
        controller.values_due.connect(self._read)
        controller.changed.connect(lanes.show_status)
        for part in (self.training.controller, self.promotion.controller, self.promotion.judging):
            part.failed.connect(controller.failed)
        self.training.controller.listed.connect(self._on_trainings_listed)
        self.promotion.question_wanted.connect(self.question_wanted)

    def set_theme(self, theme: Theme) -> None:
        for view in (self.lanes, self.shadow, self.training, self.promotion):
            view.set_theme(theme)

    @property
    def word(self) -> str:
        """What stands in place of the page's name while something is under way; empty for nothing."""
        return self.training.controller.word or self.promotion.judging.word

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

    def _frame(self) -> None:
        for view in (self.lanes, self.shadow):
            if view.isVisible():
                view.frame()

    def _read(self) -> None:
        for view in (self.lanes, self.shadow):
            if view.isVisible():
                view.read()
        self._readings += 1
        if self.promotion.isVisible() and self._readings % LOOK_EVERY == 0:
            self.promotion.controller.refresh()

    def _on_trainings_listed(self) -> None:
        """Offer the best policy of each training as a candidate, the newest first."""
        best = [record.best for record in self.training.controller.records.values()]
        self.promotion.offer_policies([Path(one.policy) for one in best if one is not None])
