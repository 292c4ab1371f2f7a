"""The toolbar: the most frequent actions, the loop's timing, the state of the outputs, and OUTPUTS OFF."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QPushButton, QSizePolicy, QWidget

from control.state import BenchState, OutputState
from workbench.window.state_indicator import StateIndicator
from workbench.window.widgets import format as fmt
from workbench.window.widgets.basic import bench_button, button, label, restyle
from workbench.window.widgets.icons import icon
from workbench.window.widgets.themes import BODY_PX, TITLE_PX, Theme, font

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

    from workbench.session.status import SessionStatus
    from workbench.window.command_registry import CommandRegistry
    from workbench.window.session_controller import SessionController

HEIGHT: Final = 52
NO_RECORDING: Final = "Recording starts when the bench is connected; every tick is kept."
_LEAVES_OUT: Final = ("brand", "key", "view words", "bench", "spacing", "padding")  # in this order, without room
_TIGHT: Final = "QPushButton { padding: 6px 4px; }"
ARM_LABELS: Final = {
    BenchState.DISCONNECTED: "Arm",
    BenchState.CONNECTED: "Arm",
    BenchState.ARMED: "Disarm",
    BenchState.RUNNING: "Disarm",
    BenchState.TRIPPED: "Reset…",
}
_ICONS: Final = {
    OutputState.DE_ENERGISED: "ring",
    OutputState.CURRENT_OFF: "ring",
    OutputState.CELLS_LIVE: "dot",
    OutputState.ENERGISED: "bolt",
    OutputState.TRIPPED: "warning",
    OutputState.UNKNOWN: "warning",
}
_TONES: Final = {
    OutputState.DE_ENERGISED: "muted",
    OutputState.CURRENT_OFF: "text",
    OutputState.CELLS_LIVE: "amber",
    OutputState.ENERGISED: "amber",
    OutputState.TRIPPED: "alarm",
    OutputState.UNKNOWN: "amber",
}
_MEANING: Final = {
    OutputState.DE_ENERGISED: "Every output is verified off.",
    OutputState.CURRENT_OFF: "No pack current can flow; the cells may carry voltage.",
    OutputState.CELLS_LIVE: "The cell simulator's outputs carry voltage.",
    OutputState.ENERGISED: "Pack current can flow.",
    OutputState.TRIPPED: "A bench limit was crossed or a value was lost; the safe sequence ran.",
    OutputState.UNKNOWN: "The outputs could not be verified. Treat everything as live.",
}


class OutputBadge(QWidget):
    """The state of the outputs as a word with a symbol, framed in its colour."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.symbol, self.word = QLabel(), QLabel()
        self.word.setFont(font(BODY_PX, bold=True))
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 5, 12, 5)
        row.setSpacing(4)
        row.addWidget(self.symbol)
        row.addWidget(self.word)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setObjectName("badge")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Outputs")
        self._output, self._has_tripped = OutputState.UNKNOWN, False
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.show_output(self._output, has_tripped=self._has_tripped)

    def show_output(self, output: OutputState, *, has_tripped: bool = False) -> None:
        """Show the outputs, and the trip beside them: a trip alone does not say whether they are off."""
        self._output, self._has_tripped = output, has_tripped
        if has_tripped:
            proven = OutputState.CURRENT_OFF if output is OutputState.TRIPPED else output
            words, tone = f"{OutputState.TRIPPED.value}, {proven.value}", OutputState.TRIPPED
            meaning = f"{_MEANING[OutputState.TRIPPED]} {_MEANING[proven]}"
        else:
            words, tone, meaning = output.value, output, _MEANING[output]
        colour = self._theme.colour(_TONES[tone])
        self.symbol.setPixmap(icon(_ICONS[tone], colour).pixmap(QSize(14, 14)))
        self.word.setText(words)
        self.word.setStyleSheet(f"color: {colour.name()};")
        self.setStyleSheet(f"#badge {{ border: 1px solid {colour.name()}; border-radius: 4px; }}")
        self.setToolTip(meaning)
        self.setAccessibleDescription(f"{words}. {meaning}")


class Toolbar(QWidget):
    """Buttons of the toolbar; one that cannot act is grey and its tool tip states why."""

    def __init__(self, controller: SessionController, commands: CommandRegistry, theme: Theme) -> None:
        super().__init__()
        self.setFixedHeight(HEIGHT)
        self._controller, self._commands = controller, commands
        self.brand = label("PulseBMS")
        self.brand.setFont(font(TITLE_PX, bold=True))
        self.bench = button("no bench", lambda: None, "plain", tip="Bench file")
        self.menu = QMenu(self.bench)
        self.bench.setMenu(self.menu)
        self.connect_ = bench_button("Connect", partial(commands.run, "connect"))
        self.arm = bench_button(ARM_LABELS[BenchState.DISCONNECTED], partial(commands.run, "arm"))
        self.run = bench_button("Start", partial(commands.run, "run"))
        self.recording = button("Not recording", partial(commands.run, "show run"))
        self.pause = button("Pause view", partial(commands.run, "pause"))
        self.state_indicator = StateIndicator(theme)
        self.badge = OutputBadge(theme)
        self.off = bench_button("OUTPUTS OFF   Ctrl+.", partial(commands.run, "outputs off"), "off")
        self.off.setAccessibleName("Outputs off")
        self.off.setToolTip("Sends the guard's safe sequence at once. Not an emergency stop: that one is hard-wired.")
        row = self._row = QHBoxLayout(self)
        for part in (self.brand, self.bench, self.connect_, self.arm, self.run, self.recording, self.pause):
            row.addWidget(part)
        row.addWidget(self.state_indicator, 1)
        row.addWidget(self.badge)
        row.addWidget(self.off)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)  # it never makes the window larger
        self.paused = False
        self._view_words = ("", "")  # of the buttons that a symbol explains
        self._fitted: tuple[object, ...] = ()
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.badge.set_theme(theme)
        self.state_indicator.theme = theme
        self.refresh()

    def refresh(self) -> None:
        """Update words and states of all buttons from the status."""
        desk, status, theme = self._controller, self._controller.status, self._theme
        connected, running = desk.connected, status.state is BenchState.RUNNING
        self._button(self.connect_, "Disconnect" if connected else "Connect", self._commands.why_not("connect"))
        self._button(self.arm, ARM_LABELS[status.state], self._commands.why_not("arm"))
        self._button(self.run, self._run_word(status), self._commands.why_not("run"))
        restyle(self.run, "kind", "running" if running else "")
        self.run.setIcon(icon("stop" if running else "play", theme.colour("blue" if running else "faint")))
        recording = connected and bool(status.run_name) and not status.recorded.trouble
        why = "" if status.run_name else NO_RECORDING
        self._view_words = (
            "Recording" if recording else "Not recording",
            "Resume view" if self.paused else "Pause view",
        )
        self.recording.setEnabled(not why)
        self.recording.setToolTip(why)
        self.recording.setIcon(icon("dot", theme.colour("fail" if recording else "faint")))
        if not why:
            where = f"Every tick goes to {status.run_folder or status.run_name}; shows it in Runs."
            self.recording.setToolTip(status.recorded.trouble or where)
        for part, words in zip((self.recording, self.pause), self._view_words, strict=True):
            part.setAccessibleName(words)
        self.pause.setIcon(icon("play" if self.paused else "pause", theme.colour("text")))
        self.pause.setToolTip("Holds the view still (Space). The recording goes on.")
        self.badge.show_output(status.output, has_tripped=status.state is BenchState.TRIPPED)
        self.state_indicator.show_status(status)
        self._fit()

    # ---- little room: the buttons that act and OUTPUTS OFF stay whole; words that say less go first

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  # Qt's name
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Leave out as little as the width needs."""
        texts = tuple(part.text() for part in (self.bench, self.connect_, self.arm, self.run, self.badge.word))
        if (self.width(), texts, self._view_words) == self._fitted:
            return
        self._fitted = (self.width(), texts, self._view_words)
        for left_out in range(len(_LEAVES_OUT) + 1):
            self._leave_out(frozenset(_LEAVES_OUT[:left_out]))
            if self._row.minimumSize().width() + self.state_indicator.least_px <= self.width():
                return

    def _leave_out(self, parts: frozenset[str]) -> None:
        self.brand.setVisible("brand" not in parts)
        self.bench.setVisible("bench" not in parts)
        self.off.setText("OUTPUTS OFF" if "key" in parts else "OUTPUTS OFF   Ctrl+.")
        for part, words in zip((self.recording, self.pause), self._view_words, strict=True):
            part.setText("" if "view words" in parts else words)
        tight = _TIGHT if "padding" in parts else ""
        if tight != self.styleSheet():
            self.setStyleSheet(tight)
        spacing = 4 if "spacing" in parts else 8
        self._row.setSpacing(spacing)
        self._row.setContentsMargins(2 * spacing, 0, 2 * spacing, 0)

    def _run_word(self, status: SessionStatus) -> str:
        if status.state is BenchState.RUNNING:
            return f"Stop  {fmt.run_time(status.run_s or 0.0)}"
        return "Start"

    def _button(self, which: QPushButton, text: str, why_not: str) -> None:
        if which.text() != text:
            which.setText(text)
        which.setEnabled(not why_not)
        which.setToolTip(why_not)

    def show_time(self, run_s: float | None) -> None:
        """Update only the run time, between two statuses."""
        if run_s is not None and self._controller.status.state is BenchState.RUNNING:
            text = f"Stop  {fmt.run_time(run_s)}"
            if text != self.run.text():
                self.run.setText(text)
