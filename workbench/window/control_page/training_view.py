"""Train policies: start and stop a training, and watch the learning curve of each seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from workbench.window.bundle_page.choice_list import ChoiceLine, ChoiceList
from workbench.window.control_page.progress_head import ProgressHead
from workbench.window.control_page.training_controller import (
    ENDED,
    FAILED,
    STOPPED,
    STOPPING,
    WORKING,
    TrainingController,
    list_shipped_tasks,
)
from workbench.window.control_page.training_files import COST, INTERVENTIONS, RETURN, TrainingRecord
from workbench.window.control_page.training_form import TrainingForm
from workbench.window.control_page.xy_plot import XyAxes, XyLine, XyPlot
from workbench.window.widgets import format as fmt
from workbench.window.widgets.themes import lane_colour

if TYPE_CHECKING:
    from PySide6.QtGui import QShowEvent

    from workbench.window.widgets.themes import Theme

NO_TRAINING: Final = "Start a training; the return of each seed appears here row by row."
NO_ROW: Final = "The first row comes after the first validation, in about a minute."
NO_TRAININGS: Final = "None yet. Start one above, or run in a console: python main.py train arbitrage --out DIR"
_EUR: Final = fmt.Display("EUR", decimals=4, signed=True)
_PLOTS: Final = (
    ("Return of an episode", RETURN, XyAxes(_EUR, 0.001, "steps")),
    ("Cost that the multiplier holds", COST, XyAxes(fmt.PERCENT, 0.1, "steps", is_positive=True)),
    ("Interventions of the shield", INTERVENTIONS, XyAxes(fmt.PERCENT, 0.1, "steps", is_positive=True)),
)
_LEFT_PX: Final = 330
_SYMBOLS: Final = {True: ("ok", "green"), False: ("ring", "muted")}


class TrainingView(QWidget):
    """Shows one training controller."""

    policy_wanted = Signal(str)  # a policy's file, to judge

    def __init__(self, controller: TrainingController, theme: Theme) -> None:
        super().__init__()
        self.controller = controller
        self.form = TrainingForm(list_shipped_tasks())
        self.lines = ChoiceList("Trainings", NO_TRAININGS, theme)
        self.head = ProgressHead("Progress of the training")
        self.plots = [XyPlot(title, axes, theme) for title, _, axes in _PLOTS]
        self._lay_out()
        form = self.form
        form.start_wanted.connect(self.start)
        form.stop_wanted.connect(controller.stop)
        form.resume_wanted.connect(self.resume)
        controller.changed.connect(self._on_changed)
        controller.listed.connect(self._on_listed)
        self.lines.changed.connect(self._show_record)
        self._on_listed()
        self._on_changed()

    def _lay_out(self) -> None:
        self.head.word.setStyleSheet("font-weight: 600;")
        left, right = QWidget(), QWidget()
        for side, parts in ((left, (self.form, self.lines)), (right, (self.head, *self.plots))):
            column = QVBoxLayout(side)
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(1 if side is right else 0)
            for part in parts:
                column.addWidget(part, 0 if part in {self.form, self.head} else 1)
        self.lines.setMinimumHeight(120)
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

    def set_theme(self, theme: Theme) -> None:
        self.lines.set_theme(theme)
        for plot in self.plots:
            plot.set_theme(theme)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802  # Qt's name
        super().showEvent(event)
        self.controller.refresh()
        self._show_buttons()

    @property
    def record(self) -> TrainingRecord | None:
        """The chosen training."""
        path = self.lines.selected_path
        return None if path is None else self.controller.records.get(path)

    def start(self) -> None:
        """Start a training with the values of the form, and show it."""
        form = self.form
        self.controller.start(form.task, form.chosen_algorithm, form.seeds.value(), form.minutes.value())
        self._choose_newest()

    def resume(self) -> None:
        """Continue the chosen training."""
        if self.record is not None:
            self.controller.resume(self.record, self.form.minutes.value())
            self._choose_newest()

    def why_not_resume(self) -> str:
        return self.controller.why_not_resume(self.record)

    # ---- what changes

    def _choose_newest(self) -> None:
        if self.controller.request is not None:
            self.lines.choose(self.controller.request.out)

    def _on_listed(self) -> None:
        records = list(self.controller.records.values())
        ended = sum(record.has_ended for record in records)
        self.lines.show_lines([_make_line(record) for record in records], fact=f"{ended} ended" if records else "")
        self._show_record()

    def _on_changed(self) -> None:
        self._show_buttons()
        self._show_head()

    def _show_buttons(self) -> None:
        controller = self.controller
        reasons = controller.why_not_start(), controller.why_not_stop(), self.why_not_resume()
        self.form.show_reasons(*reasons, has_extra=controller.has_extra)

    def _show_record(self) -> None:
        record = self.record
        seeds = () if record is None else record.seeds
        for plot, (_, name, _) in zip(self.plots, _PLOTS, strict=True):
            shown = [
                XyLine(f"seed {seed.seed}", lane_colour(place), seed.steps, seed.values.get(name, ()))
                for place, seed in enumerate(seeds)
            ]
            sentence = NO_TRAINING if record is None else NO_ROW
            plot.show_lines(shown, sentence if plot is self.plots[0] else "")
        self._show_buttons()
        self._show_head()

    def _show_head(self) -> None:
        """Show how the chosen training stands: the one under way, or the result of another."""
        controller, record, task = self.controller, self.record, self.controller.task
        is_now = controller.is_busy and controller.request is not None and record is not None
        is_now = is_now and record.folder == controller.request.out  # pyright: ignore[reportOptionalMemberAccess]
        self.head.show_task(task if is_now else None)
        if is_now and task is not None:
            self.head.word.setText(WORKING)
            self.head.text.say(STOPPING if controller.why_not_stop() else task.sentence)
        else:
            word, text = describe_result(record)
            self.head.word.setText(word)
            self.head.text.say(text)


def describe_result(record: TrainingRecord | None) -> tuple[str, str]:
    """Return the state of a training that is not under way, and what came of it."""
    if record is None:
        return "", ""
    if record.alarm:
        return FAILED, record.alarm
    if not record.has_ended:
        return STOPPED, f"{record.folder.name} has no summary yet"
    best = record.best
    if best is None:
        return ENDED, "no seed has a policy"
    return ENDED, f"best: seed {best.seed}, {_EUR.text(best.return_eur)} an episode, {best.policy}"


def _make_line(record: TrainingRecord) -> ChoiceLine:
    symbol, colour = ("warning", "amber") if record.alarm else _SYMBOLS[record.has_ended]
    steps = max((seed.steps[-1] for seed in record.seeds if seed.steps), default=0.0)
    name = f"{record.task} {record.algorithm.upper()}" if record.task else record.folder.name.split("_", 2)[-1]
    tip = f"{record.folder}\n{fmt.count(round(steps))} steps of each seed\n{describe_result(record)[1]}"
    return ChoiceLine(f"{name}   {len(record.seeds)} seeds", record.folder, symbol, colour, tip)
