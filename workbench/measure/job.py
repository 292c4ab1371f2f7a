"""The parts that all measurements share: folder, number of repeats, conditions, timing."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

import numpy as np
import psutil

from drivers.realtime import ask_realtime, has_realtime_permission

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from drivers.snapshot import Floats

    Samples: TypeAlias = Sequence[float] | Floats
    Work: TypeAlias = Callable[[], Samples]

T = TypeVar("T")

_LOOK_S: Final = 0.4


@dataclass(frozen=True)
class MeasureJob:
    """One measurement: `say` prints progress, `folder` is scratch, `data` holds recorded cells if there are any.

    `share` is the fraction of the usual repeats; quoted figures come from all of them.
    """

    say: Callable[[str], None]
    folder: Path
    data: Path | None = None
    share: float = 1.0

    def times(self, usual: int) -> int:
        """Return how often to repeat something that is usually done `usual` times."""
        return max(1, round(self.share * usual))


def describe_conditions(*more: str, realtime: bool | None = None) -> str:
    """Return real-time permission, number of cores, and their load by others just before the measurement."""
    permitted = has_realtime_permission() if realtime is None else realtime
    others = psutil.cpu_percent(_LOOK_S)
    words = (f"real-time {'yes' if permitted else 'no'}", f"{os.cpu_count()} cores, {others:.0f} % taken by others")
    return ", ".join((*words, *more))


def time_calls(work: Callable[[], object], times: int) -> Floats:
    """Return the duration in s of each of `times` calls."""
    took_s = np.empty(times)
    for n in range(times):
        began_s = time.perf_counter()
        work()
        took_s[n] = time.perf_counter() - began_s
    return took_s


def run_in_turns(ours: Work, peer: Work, rounds: int) -> tuple[Floats, Floats]:
    """Return all samples of `ours` and `peer`, taken in turns A B A B, so that both see the same machine state."""
    mine: list[Floats] = []
    theirs: list[Floats] = []
    for _ in range(rounds):
        mine.append(np.asarray(ours(), np.float64))
        theirs.append(np.asarray(peer(), np.float64))
    return np.concatenate(mine), np.concatenate(theirs)


def run_at_priority(priority: int, work: Callable[[], T]) -> T:
    """Run `work` in a thread of its own, under SCHED_FIFO if permitted; return its result, raise what it raises."""
    done: Future[T] = Future()

    def run() -> None:
        ask_realtime(priority)
        try:
            done.set_result(work())
        except BaseException as error:  # noqa: BLE001  # passed to the waiting thread
            done.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return done.result()


def percentile(samples: Samples, percent: float) -> float:
    """Return a percentile of the samples; NaN if there are none."""
    return float(np.percentile(samples, percent)) if len(samples) else float("nan")
