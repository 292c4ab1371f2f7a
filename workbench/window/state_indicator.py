"""Indicator of the state machine: every state, the current one; below them the device's state and the loop's timing."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetricsF, QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from control.state import BenchState
from workbench.window.widgets import format as fmt
from workbench.window.widgets.themes import LABEL_PX, Theme, font, measure_text

if TYPE_CHECKING:
    from workbench.session.status import DeviceInfo, LoopStats, SessionStatus

WAY: Final = (BenchState.DISCONNECTED, BenchState.CONNECTED, BenchState.ARMED, BenchState.RUNNING)
DEVICE: Final = "BMS"
_TIMING_TIP: Final = "Turns per second, delay of a turn after its due time, missed turns"
_REASON_PX: Final = 160
_MARK: Final = "▲ "
_NEXT: Final = " › "  # noqa: RUF001  # an arrow between words


class StateIndicator(QWidget):
    """Two lines at the right of the toolbar; without room it shows only the current state, and only the device's."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.state, self.loop = QLabel(), QLabel()
        self.state.setAccessibleName("State")
        self.loop.setToolTip(_TIMING_TIP)
        self.loop.setAccessibleName("Device and loop")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 6, 0, 6)
        column.setSpacing(2)
        for part in (self.state, self.loop):
            part.setTextFormat(Qt.TextFormat.RichText)
            part.setFont(font(LABEL_PX))
            part.setProperty("tone", "label")
            part.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            part.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            column.addWidget(part)
        self._status: SessionStatus | None = None

    @property
    def least_px(self) -> int:
        """Width below which the reason of a trip is no sentence any more; 0 without a trip."""
        return _REASON_PX if self._status is not None and self._status.state is BenchState.TRIPPED else 0

    def show_status(self, status: SessionStatus) -> None:
        """Show the state, or the trip with its reason, and the loop's timing."""
        self._status = status
        self._show_state(status.state, status.trip_reason)
        self._show_loop(status.loop, status.device)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  # Qt's name
        super().resizeEvent(event)
        if self._status is not None:
            self.show_status(self._status)

    def _show_state(self, state: BenchState, reason: str) -> None:
        plain, bold = QFontMetricsF(font(LABEL_PX)), QFontMetricsF(font(LABEL_PX, bold=True))
        room = self.width() - 4.0
        if state is BenchState.TRIPPED:
            words = f"{_MARK}{state.word}"
            room_px = int(room - bold.horizontalAdvance(f"{words}  "))
            why = plain.elidedText(reason, Qt.TextElideMode.ElideRight, max(0, room_px))
            rich = f"{self._word(words, self.theme.alarm, bold=True)}&nbsp; {self._word(why, self.theme.text)}"
            rich = rich if room_px >= 0 else ""
        elif bold.horizontalAdvance(state.word) > room:
            rich = ""  # the buttons say it; half a word says nothing
        elif plain.horizontalAdvance(_NEXT.join(state.word for state in WAY)) + 4.0 > room:
            rich = self._word(state.word, self._colour(state), bold=True)
        else:
            rich = self._word(_NEXT, self.theme.faint).join(
                self._word(one.word, self._colour(one) if one is state else self.theme.faint, bold=one is state)
                for one in WAY
            )
        if rich != self.state.text():
            self.state.setText(rich)
            spoken = f"{state.word}. {reason}".strip(". ") if state is BenchState.TRIPPED else state.word
            self.state.setToolTip(f"{spoken}. Reset the trip with a reason to leave this state." if reason else spoken)
            self.state.setAccessibleDescription(spoken)

    def _colour(self, state: BenchState) -> str:
        return self.theme.amber if state is BenchState.RUNNING else self.theme.text

    @staticmethod
    def _word(text: str, colour: str, *, bold: bool = False) -> str:
        weight = ";font-weight:600" if bold else ""
        return f'<span style="color:{colour}{weight}">{escape(text)}</span>'

    def _show_loop(self, loop: LoopStats, device: DeviceInfo) -> None:
        late = fmt.MILLISECOND.text(loop.late_p99_s)
        rate = f"{loop.rate_hz:.0f} Hz" if loop.rate_hz else fmt.DASH
        missed = fmt.count(loop.missed) if loop.rate_hz else fmt.DASH
        timing = [("loop", rate), ("late p99", late), ("missed", missed)]
        words = ", ".join(filter(None, (device.state, device.fault_words)))
        device_words = f"{_MARK if device.fault else ''}{DEVICE}: {words}" if words else ""
        if not self.state.text():
            timing.clear()  # no room for the more important line above
        used = _measure("", device_words) if device_words else 0.0
        while timing and used + sum(_measure(*fact) for fact in timing) > self.width():
            timing.pop()
        parts = [
            f"{self._word(word, self.theme.muted)} {self._word(value, self.theme.text, bold=True)}"
            for word, value in timing
        ]
        if device_words:
            metrics = QFontMetricsF(font(LABEL_PX, bold=True))
            short = metrics.elidedText(device_words, Qt.TextElideMode.ElideRight, max(0, self.width() - 4))
            parts.insert(0, self._word(short, self.theme.fail if device.fault else self.theme.text, bold=True))
        rich = "&nbsp;&nbsp; ".join(parts)
        if rich != self.loop.text():
            self.loop.setText(rich)
            self.loop.setToolTip("\n".join(filter(None, (device_words, _TIMING_TIP))))
            self.loop.setAccessibleDescription(device_words)


def _measure(word: str, value: str) -> float:
    """Return the width of a fact with the gap that follows it."""
    return measure_text(f"{word}    ", LABEL_PX) + measure_text(value, LABEL_PX, bold=True)
