"""The line at the bottom: what kind of bench, where it records, who watches, what the window costs."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from workbench.window import format as fmt

if TYPE_CHECKING:
    from workbench.window.model import BenchFacts, Status
    from workbench.window.stats import Stats
    from workbench.window.themes import Theme


class StatusLine(QWidget):
    """Facts with a muted word before each; the last message at the right."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setFixedHeight(26)
        self.theme = theme
        self._facts, self._message = QLabel(), QLabel()
        self._facts.setTextFormat(Qt.TextFormat.RichText)
        self._facts.setAccessibleName("Bench facts")
        self._message.setProperty("tone", "muted")
        self._message.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._message.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 16, 0)
        row.addWidget(self._facts)
        row.addWidget(self._message, 1)

    def say(self, sentence: str) -> None:
        """A sentence that nobody has to answer."""
        self._message.setText(sentence)
        self._message.setToolTip(sentence)

    def show_facts(self, bench: BenchFacts | None, status: Status, stats: Stats) -> None:
        parts: list[tuple[str, str, str]] = []
        if bench is not None and bench.mode:
            parts.append(("mode", f"{bench.mode}", f", closure <b>{escape(bench.closure)}</b>"))
            parts.append(("evidence class", status.evidence_class, ""))
            if not bench.attended:
                parts.append(("", "unattended", ""))
        if status.run_name:
            size = fmt.octets(status.recorded.octets)
            parts.append(("run", status.run_name, ""))
            parts.append(("", f"{fmt.count(status.recorded.ticks)}", f" ticks, <b>{size}</b>"))
        if status.guard.alive or status.loop.rate_hz:
            median = status.guard.median_s
            reaction = f", {fmt.step_time(median)} median reaction" if median is not None else ""
            parts.append(("guard", "alive" if status.guard.alive else "NOT ALIVE", reaction))
            words = "yes" if status.realtime else status.realtime_words or "no"
            parts.append(("real-time permission", words, ""))
        parts.append(("window", f"{stats.fps:.0f} fps", f", {stats.cpu_pct:.0f} % of a core"))
        muted, bold = self.theme.muted, f'<b style="color:{self.theme.text}">'
        rich = "&nbsp;&nbsp;&nbsp;&nbsp;&nbsp; ".join(
            f'<span style="color:{muted}">{word} {bold}{escape(fact)}</b>{rest.replace("<b>", bold)}</span>'
            for word, fact, rest in parts
        )
        if rich != self._facts.text():
            self._facts.setText(rich)
