"""Controls of a replay: play, pause, speed, position."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSlider

from workbench.session.actions import Failure
from workbench.window.plots.plot_grid import REPLAY
from workbench.window.widgets import format as fmt
from workbench.window.widgets.basic import Combo, button, label

if TYPE_CHECKING:
    from workbench.window.runs_page.runs_model import ReplaySource

SPEEDS: Final = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0)
SKIP_S: Final = 10.0
_TICKS: Final = 1000


class ReplayControls(QFrame):
    """Marks the page as a replay; the page calls `advance` with the wall time that passed."""

    leave_wanted = Signal()
    failed = Signal(Failure)  # the run cannot be read any further

    def __init__(self) -> None:
        super().__init__()
        self.source: ReplaySource | None = None
        self.playing = False
        self.mark = label(REPLAY, "amber")
        self.name = label(tone="muted")
        self.play = button("Play", self.toggle)
        self.speed = Combo()
        self.speed.setAccessibleName("Speed")
        self.speed.addItems([f"{speed:g}×" for speed in SPEEDS])  # noqa: RUF001  # the times sign is meant
        self.speed.setCurrentIndex(SPEEDS.index(1.0))
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, _TICKS)
        self.slider.setAccessibleName("Position in the run")
        self.slider.sliderMoved.connect(self.seek_to)
        self.slider.actionTriggered.connect(self._stepped)
        self.position = label()
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 6, 14, 6)
        for part in (self.mark, self.name, self.play, self.speed):
            row.addWidget(part)
        row.addWidget(self.slider, 1)
        row.addWidget(self.position)
        row.addWidget(button("Back to the bench", self.leave_wanted.emit, tip="Leave the replay"))
        self.hide()

    def open(self, source: ReplaySource, name: str) -> None:
        """Open a run and play it from its start."""
        self.source = source
        self.name.setText(name)
        self.playing = False
        self.toggle()
        self.show()

    def toggle(self) -> None:
        if self.source is not None and not self.playing and self.source.position_s >= self.source.duration_s:
            self.source.seek(0.0)
        self.playing = not self.playing
        self.play.setText("Pause" if self.playing else "Play")

    def skip(self, seconds: float) -> None:
        """Move by `seconds` of the run's own time."""
        if self.source is not None:
            self.source.seek(self.source.position_s + seconds)

    def change_speed(self, steps: int) -> None:
        self.speed.setCurrentIndex(min(max(self.speed.currentIndex() + steps, 0), len(SPEEDS) - 1))

    @property
    def rate(self) -> float:
        return SPEEDS[self.speed.currentIndex()]

    def advance(self, dt_s: float) -> None:
        """Play on by `dt_s` of wall time and show the position."""
        source = self.source
        if source is None:
            return
        if self.playing:
            source.advance(dt_s * self.rate)
            if source.position_s >= source.duration_s:
                self.toggle()
        if self.playing and source.failure is not None:
            self.toggle()
            self.failed.emit(source.failure)
        if not self.slider.isSliderDown() and source.duration_s > 0.0:
            self.slider.setValue(round(source.position_s / source.duration_s * _TICKS))
        text = f"{fmt.run_time(source.position_s)} of {fmt.run_time(source.duration_s)}"
        if text != self.position.text():
            self.position.setText(text)

    def _stepped(self, action: int) -> None:
        del action  # any action: the slider has its new position already
        self.seek_to(self.slider.sliderPosition())

    def seek_to(self, tick: int) -> None:
        if self.source is not None:
            self.source.seek(tick / _TICKS * self.source.duration_s)

    def close_source(self) -> None:
        if self.source is not None:
            self.source.close()
            self.source = None
        self.hide()
