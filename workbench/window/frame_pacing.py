"""Pacing of frames: 30 a second, and a third of that while the processor cores are overloaded."""

from __future__ import annotations

from typing import Final

PERIOD_S: Final = 0.033
CATCH_UP_S: Final = 0.1  # a frame that came late is followed sooner, but three that were missed are not made up for
_SLOWDOWN: Final = 3  # periods between two frames
_LATE_S, _IN_TIME_S = 0.060, 0.020  # mean lateness from which it slows down, and below which it stops doing so
_MEAN_OVER_S: Final = 3.0  # a short task of the window itself, such as another theme, must not slow it


class FramePacer:
    """`due_s` is when the current frame is due. A window that stays late slows down, to leave the cores to the loop."""

    def __init__(self, now_s: float) -> None:
        self.due_s = now_s
        self._late_s = 0.0
        self.gives_way = False

    def follow(self, began_s: float, now_s: float) -> None:
        """Set `due_s` of the next frame after one that began at `began_s` and is done; never cause a burst."""
        late_s = min(began_s - self.due_s, CATCH_UP_S)
        self._late_s += (late_s - self._late_s) * self.period_s / _MEAN_OVER_S
        if not _IN_TIME_S < self._late_s < _LATE_S:
            self.gives_way = self._late_s >= _LATE_S
        self.due_s = max(self.due_s + self.period_s, now_s - CATCH_UP_S)

    @property
    def period_s(self) -> float:
        """The current time between two frames."""
        return PERIOD_S * (_SLOWDOWN if self.gives_way else 1)
