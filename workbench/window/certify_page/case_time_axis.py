"""The time range that the plots of a case share; it moves and zooms about the marked instant."""

from __future__ import annotations

import math
from typing import Final

from workbench.window.plots.time_view import TimeView

SPANS_S: Final = (0.12, 0.3, 0.6, 1.2, 3.0, 6.0, 12.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 3600.0)
STEPS: Final = 6  # labels on the time axis; each span divides into them as round numbers


class CaseTimeView(TimeView):
    """Times are those of the case; `mark_s` is the instant of the selected check, None without one."""

    def __init__(self) -> None:
        super().__init__()
        self.mark_s: float | None = None
        self.window: tuple[float, float] | None = None  # the allowed window of the instant
        self._case = (0.0, 1.0)

    def show_case(self, first_s: float, last_s: float) -> None:
        """Show all of another case, with nothing marked."""
        self.start_anew()
        self.mark_s = self.window = None
        self._case = (first_s, last_s)
        self.fit()

    def fit(self) -> None:
        """Show the whole case."""
        first, last = self._case
        self._set(_span(last - first), 0.5 * (first + last))

    def mark(self, at_s: float | None, window: tuple[float, float] | None = None, since_s: float | None = None) -> None:
        """Mark an instant and zoom in as far as its window and its beginning at `since_s` still show.

        Without an instant show the whole case.
        """
        self.mark_s, self.window = at_s, window
        if at_s is None:
            self.fit()
            return
        length = max(self._case[1] - self._case[0], SPANS_S[0])
        others = [place for place in (*(window or ()), since_s) if place is not None and math.isfinite(place)]
        reach = max((abs(place - at_s) for place in others), default=0.5)
        span = _span(min(max(2.4 * reach, SPANS_S[0]), length))
        first, last = self._case
        inside = min(max(at_s, first + 0.5 * span), max(last - 0.5 * span, first + 0.5 * span))
        self._set(span, inside)

    def zoom(self, steps: int) -> None:
        """Zoom by `steps` spans about the hovered or the marked instant, else about the middle."""
        at = SPANS_S.index(self.span_s) + steps
        middle = self.right_s - 0.5 * self.span_s
        about = self.hover_s if self.hover_s is not None else self.mark_s if self.mark_s is not None else middle
        self._set(SPANS_S[min(max(at, 0), len(SPANS_S) - 1)], about)

    def move(self, steps: int) -> None:
        """Move along the case by `steps` labels of the axis."""
        self.right_s += steps * self.span_s / STEPS
        self.changed.emit()

    def _set(self, span_s: float, middle_s: float) -> None:
        step = span_s / STEPS
        self.span_s = span_s
        self.right_s = math.ceil((middle_s + 0.5 * span_s) / step - 0.5) * step
        self.changed.emit()


def _span(seconds: float) -> float:
    return next((span for span in SPANS_S if span >= seconds), SPANS_S[-1])
