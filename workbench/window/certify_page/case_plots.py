"""The plots of a case, one below the other over one time axis, at the instant of the selected check."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from workbench.window.certify_page.case_plot import CasePlot, LimitLine
from workbench.window.certify_page.case_time_axis import CaseTimeView
from workbench.window.certify_page.traces import TraceHistory, is_flag, make_spec
from workbench.window.widgets.basic import label

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.certificates.results import CaseCheck
    from workbench.certify.case_trace import CaseTrace
    from workbench.session.bench_info import BenchInfo
    from workbench.window.widgets.themes import Theme

_PLOT_PX, _FLAG_PX = 118, 104
_SECONDS = {"ms": 1e-3, "s": 1.0}


class CasePlots(QScrollArea):
    """Draws only after a change, not thirty times a second: a finished case does not change."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.axis = CaseTimeView()
        self.plots: list[CasePlot] = []
        self.empty = label(tone="muted", wrap=True)
        self.empty.setContentsMargins(16, 12, 16, 12)
        self._traces: Sequence[CaseTrace] = ()
        self._stale = True
        body = QWidget()
        body.setAutoFillBackground(True)
        self._body = body
        self._column = QVBoxLayout(body)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(1)
        self._column.addWidget(self.empty, alignment=Qt.AlignmentFlag.AlignTop)
        self.setWidget(body)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.axis.changed.connect(self._mark_stale)
        self.axis.pointed.connect(self._mark_stale)

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        for plot in self.plots:
            plot.set_theme(theme)
        self._mark_stale()

    # ---- what is shown

    def show_case(self, traces: Sequence[CaseTrace], bench: BenchInfo | None, why_empty: str) -> bool:
        """Show these traces, or the sentence `why_empty` if there are none; return whether the traces changed."""
        known = [trace for trace in traces if len(trace.t_s) > 1]
        self.empty.setText(why_empty if not known else "")
        self.empty.setVisible(not known)
        if traces is self._traces and len(known) == len(self.plots):
            return False
        self._traces = traces
        for plot in self.plots:
            self._column.removeWidget(plot)
            plot.hide()
            plot.deleteLater()
        words: Mapping[str, Mapping[int, str]] = bench.words if bench is not None else {}
        self.plots = [self._make_plot(trace, words) for trace in known]
        spans = [plot.canvas.store.span for plot in self.plots if isinstance(plot.canvas.store, TraceHistory)]
        self.axis.show_case(min((a for a, _ in spans), default=0.0), max((b for _, b in spans), default=1.0))
        self._mark_stale()
        return True

    def _make_plot(self, trace: CaseTrace, words: Mapping[str, Mapping[int, str]]) -> CasePlot:
        plot = CasePlot(make_spec(trace, words), self.axis, self.theme, self._body)
        flag = is_flag(plot.spec.display)
        plot.setMinimumHeight(_FLAG_PX if flag else _PLOT_PX)
        plot.show_store(TraceHistory(trace))
        self._column.addWidget(plot, 1 if flag else 4)
        plot.show()
        return plot

    def show_check(self, check: CaseCheck | None, bench: BenchInfo | None) -> None:
        """Show the instant and the limits of a check; without a check, the whole case."""
        word = "" if check is None else check.verdict.value
        for plot in self.plots:
            channel = plot.spec.curves[0].channel
            plot.area.show_limits(limits_of(check, channel, _unit(plot), bench), word)
        if check is None:
            self.axis.mark(None)
            return
        window, since_s = window_of(check)
        self.axis.mark(check.at_s, window, since_s)
        self._scroll_to(check.channel)

    def _scroll_to(self, channel: str) -> None:
        """Scroll to the plot that shows the check's channel."""
        plot = next((plot for plot in self.plots if plot.spec.curves[0].channel == channel), None)
        if plot is not None:
            self.ensureWidgetVisible(plot, 0, 0)

    # ---- each frame

    def frame(self) -> None:
        """Draw what is new; called 30 times a second while the page shows."""
        if not self._stale:
            return
        self._stale = False
        for plot in self.plots:
            plot.canvas.advance()
            plot.show_values()

    def _mark_stale(self) -> None:
        self._stale = True


def _unit(plot: CasePlot) -> str:
    store = plot.canvas.store
    return "" if store is None else store.channel(plot.spec.curves[0].channel).unit


def limits_of(check: CaseCheck | None, channel: str, unit: str, bench: BenchInfo | None) -> tuple[LimitLine, ...]:
    """Return the check's own limits if it judges this channel in its unit, else the device limits of the bench file."""
    if check is not None and check.channel == channel and check.unit == unit and not check.is_question:
        if check.lo is not None and check.lo == check.hi:
            return (LimitLine(check.lo, upper=True, exact=True),)
        sides = ((check.lo, False), (check.hi, True))
        own = tuple(LimitLine(level, upper) for level, upper in sides if level is not None)
        if own:
            return own
    pairs = () if bench is None else bench.limits
    device = next((pair.device for pair in pairs if pair.channel == channel), None)
    return () if device is None else tuple(LimitLine(level, level == device[1], device=True) for level in device)


def window_of(check: CaseCheck) -> tuple[tuple[float, float] | None, float | None]:
    """Return, for a check of a time, the allowed window of its instant and when the time began; None for others."""
    scale = _SECONDS.get(check.unit)
    if scale is None or check.at_s is None or check.value is None:
        return None, None
    since_s = check.at_s - scale * check.value
    if check.lo is None and check.hi is None:
        return None, since_s
    early = since_s if check.lo is None else since_s + scale * check.lo
    return (early, math.inf if check.hi is None else since_s + scale * check.hi), since_s
