"""Conversion of a CAN adapter's clock to ours: the least delay of a minute is the offset, its slope the drift."""

from __future__ import annotations

import math
from collections import deque
from typing import Final

BUCKET_S: Final = 5.0
MEMORY_S: Final = 60.0
SLOPED: Final = 6  # buckets needed to estimate a drift; with fewer the drift counts as 0
STEEPEST: Final = 1e-3  # s/s: a crystal is fifty times better, an adapter that counts ticks may be worse
STEP_S: Final = 0.050
SURE_S: Final = 1.0  # delayed frames look like a clock set back a little; it was set back if none is in time so long


class AdapterClock:
    """Converter from the time stamps of one adapter, whatever clock makes them, to our monotonic time.

    A delay is the arrival less the stamp: the offset of the clocks plus the transport time, which is never negative.
    So the least delay is the offset. The wall clock is never read: an adapter may stamp with it, and it may be set.
    """

    def __init__(self) -> None:
        self.steps = 0
        self.news, self.news_s = "", float("-inf")  # the newest step, and when it was detected
        self._last = math.nan
        self._changed = math.nan, math.nan  # the newest stamp that differed from the one before, and its arrival
        self._begin(float("-inf"))

    def ours(self, stamp: float, arrived_s: float) -> float:
        """Return the monotonic time of a frame stamped `stamp`, or `arrived_s`, its arrival, if it has no stamp."""
        if not self._runs(stamp, arrived_s):
            return arrived_s
        delay_s = arrived_s - stamp
        self._forget(arrived_s)
        if not self._least:
            self._begin(arrived_s)
        elif beyond_s := self._beyond(stamp, delay_s, arrived_s):
            self._step(beyond_s, arrived_s)
        self._last = stamp
        self._take(delay_s, arrived_s)
        return min(arrived_s, stamp + self._offset_s(arrived_s))

    def _runs(self, stamp: float, arrived_s: float) -> bool:
        """Return whether `stamp` is a running time: some adapters give none, or always the same one."""
        if not math.isfinite(stamp) or stamp <= 0.0:
            return False
        if stamp != self._changed[0]:
            self._changed = stamp, arrived_s
        return arrived_s - self._changed[1] <= STEP_S

    def _begin(self, now_s: float) -> None:
        self._begun_s = now_s
        self._late_s = math.inf  # since when no frame was in time
        self._least: deque[tuple[float, float]] = deque()  # of each bucket: arrival and least delay
        self._bucket = -1
        self._slope = 0.0

    def _forget(self, now_s: float) -> None:
        while self._least and now_s - self._least[0][0] > MEMORY_S:
            self._least.popleft()

    def _beyond(self, stamp: float, delay_s: float, now_s: float) -> float:
        """Return by how much the clock was set back: negative if it was set forward, 0 if it was not set.

        No transport time is below the shortest one, and no frame overtakes another; the rest may be delayed frames.
        """
        off_s = delay_s - self._offset_s(now_s)
        if off_s <= STEP_S:
            self._late_s = math.inf
            return off_s if off_s < -STEP_S else 0.0
        self._late_s = min(self._late_s, now_s)
        return off_s if stamp < self._last - STEP_S or now_s - self._late_s > SURE_S else 0.0

    def _step(self, by_s: float, now_s: float) -> None:
        if now_s - self._begun_s > SURE_S:  # before that the offset was not known: frames had waited in a queue
            self.steps += 1
            self.news, self.news_s = f"the adapter's clock stepped by {-by_s:+.3f} s; its offset is set again", now_s
        self._begin(now_s)

    def _take(self, delay_s: float, now_s: float) -> None:
        bucket = int((now_s - self._begun_s) / BUCKET_S)
        if bucket != self._bucket:
            self._bucket = bucket
            self._least.append((now_s, delay_s))
            self._slope = _slope(list(self._least)[:-1])
        elif delay_s - self._slope * now_s < self._least[-1][1] - self._slope * self._least[-1][0]:
            self._least[-1] = now_s, delay_s

    def _offset_s(self, now_s: float) -> float:
        """Return the least delay, each one corrected by the drift to `now_s`."""
        return min((delay_s + self._slope * (now_s - at_s) for at_s, delay_s in self._least), default=math.inf)


def _slope(least: list[tuple[float, float]]) -> float:
    """Return the drift in s/s: the slope of the least delays by least squares; 0 while they are too few."""
    if len(least) < SLOPED:
        return 0.0
    mean_t = sum(at_s for at_s, _ in least) / len(least)
    mean_d = sum(delay_s for _, delay_s in least) / len(least)
    spread = sum((at_s - mean_t) ** 2 for at_s, _ in least)
    rise = sum((at_s - mean_t) * (delay_s - mean_d) for at_s, delay_s in least)
    return max(-STEEPEST, min(STEEPEST, rise / spread)) if spread else 0.0
