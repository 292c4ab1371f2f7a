"""The line at the bottom: the kind of bench, where it records, the guard, the cost of the window."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QFontMetrics, QFontMetricsF
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from workbench.window.widgets import format as fmt
from workbench.window.widgets.themes import font

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.session.bench_info import BenchInfo
    from workbench.session.status import SessionStatus
    from workbench.window.stats import WindowStats
    from workbench.window.widgets.themes import Theme


Part = tuple[str, str, str]  # a muted word, a fact, and what follows it
_GAP_PX: Final = 24
_MESSAGE_MS: Final = 10_000


class StatusLine(QWidget):
    """Shows facts with a muted word before each, fewer words without room, and the last message at the right."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setFixedHeight(26)
        self.theme = theme
        self._facts, self._message = QLabel(), QLabel()
        self._facts.setTextFormat(Qt.TextFormat.RichText)
        self._facts.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._facts.setAccessibleName("Bench facts")
        self._message.setProperty("tone", "muted")
        self._message.hide()
        self._hide_timer = QTimer(self)
        self._hide_timer.setSingleShot(True)
        self._hide_timer.timeout.connect(self._message.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 16, 0)
        row.addWidget(self._facts, 1)
        row.addWidget(self._message)

    def say(self, sentence: str) -> None:
        """Show a message that needs no response; it disappears by itself."""
        room = self.width() // 2
        short = self._message.fontMetrics().elidedText(sentence, Qt.TextElideMode.ElideRight, room)
        self._message.setText(short)
        self._message.setToolTip(sentence)
        self._message.show()
        self._hide_timer.start(_MESSAGE_MS)

    def show_facts(
        self, bench: BenchInfo | None, status: SessionStatus, stats: WindowStats, *, alarms: int = 0
    ) -> None:
        """Show the facts; `alarms`: how many wait where their dock has no room, and what tripped comes first then."""
        first = [("alarms", str(alarms), "")] if alarms else []
        if alarms and status.trip_reason:
            room = self._facts.width() - self._width(first) - _GAP_PX
            metrics = QFontMetrics(font(bold=True))
            first.append(("", metrics.elidedText(status.trip_reason, Qt.TextElideMode.ElideRight, int(room)), ""))
        for brief in (False, True):
            parts = first + _parts(bench, status, stats, brief=brief)
            if self._width(parts) <= self._facts.width():
                break
        while len(parts) > max(1, len(first)) and self._width(parts) > self._facts.width():
            parts.pop()  # half a word says nothing
        muted, bold = self.theme.muted, f'<b style="color:{self.theme.text}">'
        rich = "&nbsp;&nbsp;&nbsp;&nbsp;&nbsp; ".join(
            f'<span style="color:{muted}">{escape(word)} {bold}{escape(fact)}</b>{escape(rest)}</span>'
            for word, fact, rest in parts
        )
        if rich != self._facts.text():
            self._facts.setText(rich)
            self._facts.setToolTip(", ".join(f"{word} {fact}{rest}".strip() for word, fact, rest in parts))

    def _width(self, parts: Sequence[Part]) -> float:
        plain, bold = QFontMetricsF(font()), QFontMetricsF(font(bold=True))
        words = sum(
            plain.horizontalAdvance(f"{word} {rest}") + bold.horizontalAdvance(fact) for word, fact, rest in parts
        )
        return words + _GAP_PX * (len(parts) - 1)


def _parts(bench: BenchInfo | None, status: SessionStatus, stats: WindowStats, *, brief: bool) -> list[Part]:
    parts: list[Part] = []
    if bench is not None and bench.mode:
        parts.append(("mode", bench.mode, ""))
        parts.append(("closure", bench.closure, ""))
        parts.append(("class" if brief else "evidence class", status.evidence_class, ""))
        if not bench.attended:
            parts.append(("", "unattended", ""))
    if status.run_name:
        parts.append(("run", status.run_name, ""))
        size = fmt.format_bytes(status.recorded.size_bytes)
        parts.append(("", size, "") if brief else ("", fmt.count(status.recorded.ticks), f" ticks, {size}"))
    if status.guard.alive or status.loop.rate_hz:
        median = status.guard.median_s
        reaction = "" if median is None else f", {fmt.step_time(median)}" + ("" if brief else " median reaction")
        parts.append(("guard", "alive" if status.guard.alive else "NOT ALIVE", reaction))
        words = "yes" if status.realtime else "no" if brief else status.realtime_words or "no"
        parts.append(("real-time" if brief else "real-time permission", words, ""))
    pace = f"{stats.fps:.0f} fps" if stats.fps > 0.0 else "not drawing"
    return [*parts, ("window", pace, f", {stats.cpu_pct:.0f} % of a core")]
