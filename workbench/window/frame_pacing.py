"""When the next frame is due: 30 a second, and a third of that while the cores have too much to do."""

from __future__ import annotations

from typing import Final

PERIOD_S: Final = 0.033
CATCH_UP_S: Final = 0.1  # a frame that came late is followed sooner, but three that were missed are not made up for
_SLOWDOWN: Final = 3  # periods between two frames
_LATE_S, _IN_TIME_S = 0.060, 0.020  # mean lateness from which it gives way, and under which it no longer does
_MEAN_OVER_S: Final = 3.0  # a moment's work of the window itself, such as another theme, shall not slow it


class FramePacer:
    """`due_s` is the frame under way. What lags on and on leaves the cores to whoever keeps time."""

    def __init__(self, now_s: float) -> None:
        self.due_s = now_s
        self._late_s = 0.0
        self.gives_way = False

    def follow(self, began_s: float, now_s: float) -> None:
        """The frame that was due began at `began_s` and is done: set `due_s` of the next, never a burst."""
        late_s = min(began_s - self.due_s, CATCH_UP_S)
        self._late_s += (late_s - self._late_s) * self.period_s / _MEAN_OVER_S
        if not _IN_TIME_S < self._late_s < _LATE_S:
            self.gives_way = self._late_s >= _LATE_S
        self.due_s = max(self.due_s + self.period_s, now_s - CATCH_UP_S)

    @property
    def period_s(self) -> float:
        """Between two frames now."""
        return PERIOD_S * (_SLOWDOWN if self.gives_way else 1)
