"""The time range that all plots share: its span, its right edge, the hovered instant and the two cursors."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Final

from PySide6.QtCore import QObject, Signal

from workbench.window.plots.markers import EventMarkers

SPANS_S: Final = (5.0, 10.0, 30.0, 60.0, 120.0)
USUAL_S: Final = 60.0


class RightEdge(StrEnum):
    """The instant at the right edge of the time axis; its value is the label there."""

    NOW = "now"
    PAUSED = "paused"
    STOPPED = "stopped"  # no more rows arrive
    REPLAY = "here"  # the position of a replay


class TimeView(QObject):
    """One time range for all plots of a grid; times are those of the channel history."""

    changed = Signal()  # span, pause or right edge by hand: everything is drawn anew
    pointed = Signal()  # hovered instant or cursors

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.span_s = USUAL_S
        self.right_s = math.nan
        self.paused = False
        self.edge = RightEdge.NOW
        self.hover_s: float | None = None
        self.cursors: dict[str, float] = {}
        self.markers = EventMarkers()

    def zoom(self, steps: int) -> None:
        """Change the span by `steps`: longer (positive) or shorter."""
        at = SPANS_S.index(self.span_s) + steps
        self.set_span(SPANS_S[min(max(at, 0), len(SPANS_S) - 1)])

    def set_span(self, span_s: float) -> None:
        if span_s != self.span_s:
            self.span_s = span_s
            self.changed.emit()

    def set_edge(self, edge: RightEdge) -> None:
        """Set what the right edge of the time axis is."""
        if edge != self.edge:
            self.edge = edge
            self.changed.emit()

    def pause(self, *, paused: bool) -> None:
        """Hold or release the view; this affects nothing else."""
        if paused != self.paused:
            self.paused = paused
            self.changed.emit()

    def start_anew(self) -> None:
        """Reset the view for other data: remove the hovered instant and the cursors."""
        self.right_s = math.nan
        self.hover(None)
        self.clear_cursors()
        self.pause(paused=False)

    def hover(self, t_s: float | None) -> None:
        if t_s != self.hover_s:
            self.hover_s = t_s
            self.pointed.emit()

    def place(self, name: str, t_s: float) -> None:
        """Put cursor `A` or `B` at an instant; it stays there while the view moves on."""
        self.cursors[name] = t_s
        self.pointed.emit()

    def place_usual(self, name: str) -> None:
        """Put a cursor where the mouse hovers, else on a third of the view."""
        third = {"A": 2.0, "B": 1.0}[name] / 3.0
        self.place(name, self.hover_s if self.hover_s is not None else self.right_s - third * self.span_s)

    def nudge(self, name: str, pixels: float, bin_s: float) -> None:
        if name in self.cursors:
            self.place(name, self.cursors[name] + pixels * bin_s)

    def clear_cursors(self) -> None:
        self.cursors.clear()
        self.pointed.emit()

    @property
    def delta_s(self) -> float | None:
        """Time from cursor A to cursor B, when both stand."""
        if "A" in self.cursors and "B" in self.cursors:
            return self.cursors["B"] - self.cursors["A"]
        return None
