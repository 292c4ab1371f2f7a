"""The loop's end of the shadow score: it collects the turns of a step, sends them, and never waits for an answer."""

from __future__ import annotations

import math
import multiprocessing
from collections import deque
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from control.shadow import worker
from control.shadow.scores import ShadowScore, ShadowStep

if TYPE_CHECKING:
    from collections.abc import Mapping
    from multiprocessing.context import SpawnProcess

    from control.ports import Decision
    from control.shadow.scores import ShadowOrder
    from drivers.snapshot import Estimate, PackReading

MOST_STEPS: Final = 600  # that may wait, 5 minutes: a process that lags more is given up
MOST_TURNS: Final = 100  # that one turn may stand for, after turns that were left out
END_S: Final = 2.0


class ShadowScores(NamedTuple):
    """The newest score by controller, and how much of the run it does not cover yet; NaN before the first one."""

    scores: Mapping[str, ShadowScore]
    age_s: float


NO_SCORES: Final = ShadowScores({}, math.nan)


class ShadowWatcher:
    """Gets every turn; the process that scores starts with `start`, so that a bench that is never armed has none."""

    def __init__(self, order: ShadowOrder) -> None:
        self._order = order
        self._names = [lane.name for lane in order.lanes]
        self._rows: list[list[float]] = []
        self._first = np.empty(0), np.empty(0)
        self._steps = deque[ShadowStep]()
        self._is_start, self._behind, self._sent = True, 0, 0  # turns that no score covers yet, and of them those sent
        self._scores: Mapping[str, ShadowScore] = {}
        self._link: Any = None  # one end of a pipe, None before `start`
        self._worker: SpawnProcess | None = None
        self._waits, self._is_over = True, False

    def start(self) -> None:
        """Start the process that scores, once; not on the loop's thread."""
        if self._worker is not None:
            return
        spawn = multiprocessing.get_context("spawn")
        ours, theirs = spawn.Pipe()
        self._worker = spawn.Process(target=worker.serve, args=(theirs, self._order), name="shadow score", daemon=True)
        self._worker.start()
        theirs.close()  # otherwise this end would not see that the worker ended
        self._link = ours

    def watch(
        self, reading: PackReading, estimate: Estimate, decisions: Mapping[str, Decision], dt_s: float
    ) -> ShadowScores:
        """Take one turn, `dt_s` after the last one (0 while nothing runs); return the newest scores. Microseconds."""
        if self._is_over:
            return NO_SCORES
        if dt_s > 0.0:
            self._collect(reading, estimate, decisions, dt_s)
        else:
            self._end_step()
            self._is_start = True
        self._exchange()
        return ShadowScores(self._scores, self._behind * self._order.period_s) if self._scores else NO_SCORES

    def close(self) -> None:
        """End the process, even if it hangs."""
        if self._worker is None or self._link is None:
            return
        self._link.close()
        for end in (self._worker.terminate, self._worker.kill):
            end()
            self._worker.join(END_S)
            if self._worker.exitcode is not None:
                break
        self._worker.close()
        self._worker = self._link = None

    def _collect(
        self, reading: PackReading, estimate: Estimate, decisions: Mapping[str, Decision], dt_s: float
    ) -> None:
        if not self._rows:
            self._first = estimate.soc, reading.temperature_k
        requests = [math.nan if (one := decisions.get(name)) is None else one.current_a for name in self._names]
        turns = min(max(1, round(dt_s / self._order.period_s)), MOST_TURNS)
        self._rows += [[reading.current_a, *requests]] * turns
        self._behind += turns
        if len(self._rows) >= self._order.turns:
            self._end_step()

    def _end_step(self) -> None:
        """Queue the turns collected so far, unless nobody can score them."""
        if not self._rows:
            return
        rows = np.array(self._rows)
        self._rows = []
        if len(self._steps) < MOST_STEPS:
            self._steps.append(ShadowStep(self._is_start, *self._first, rows[:, 0], rows[:, 1:]))
            self._is_start = False
        else:
            self._give_up()

    def _exchange(self) -> None:
        """Take an answer that has arrived, then send the next step; a second one could fill the pipe, and block."""
        link = self._link
        if link is None:
            return
        try:
            if self._waits and link.poll():
                answer = link.recv()
                self._waits = False
                if answer != worker.READY:
                    self._scores = answer
                    self._behind -= self._sent
            if not self._waits and self._steps:
                step = self._steps.popleft()
                self._sent = len(step.current_a)
                self._waits = True
                link.send(step)
        except (OSError, EOFError):
            self._give_up()

    def _give_up(self) -> None:
        """Show no score any more: a part of the run would be missing in it."""
        self._scores, self._is_over = {}, True
        self._steps.clear()
