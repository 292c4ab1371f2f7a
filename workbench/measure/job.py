"""What every measurement shares: where it may write, how often it repeats, under which conditions it ran."""

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
    """One measurement under way: `say` tells people, `folder` is scratch, `data` holds recorded cells if there are any.

    `share` of the usual repeats are done: figures that are quoted come from all of them.
    """

    say: Callable[[str], None]
    folder: Path
    data: Path | None = None
    share: float = 1.0

    def times(self, usual: int) -> int:
        """How often to repeat what is usually done `usual` times."""
        return max(1, round(self.share * usual))


def describe_conditions(*more: str, realtime: bool | None = None) -> str:
    """Real-time permission, cores, and how busy others keep them just now, before the measurement begins."""
    permitted = has_realtime_permission() if realtime is None else realtime
    others = psutil.cpu_percent(_LOOK_S)
    words = (f"real-time {'yes' if permitted else 'no'}", f"{os.cpu_count()} cores, {others:.0f} % taken by others")
    return ", ".join((*words, *more))


def time_calls(work: Callable[[], object], times: int) -> Floats:
    """Seconds that each of `times` calls took."""
    took_s = np.empty(times)
    for n in range(times):
        began_s = time.perf_counter()
        work()
        took_s[n] = time.perf_counter() - began_s
    return took_s


def run_in_turns(ours: Work, peer: Work, rounds: int) -> tuple[Floats, Floats]:
    """All samples of `ours` and of `peer`, taken in turns A B A B so that both meet the same machine."""
    mine: list[Floats] = []
    theirs: list[Floats] = []
    for _ in range(rounds):
        mine.append(np.asarray(ours(), np.float64))
        theirs.append(np.asarray(peer(), np.float64))
    return np.concatenate(mine), np.concatenate(theirs)


def run_at_priority(priority: int, work: Callable[[], T]) -> T:
    """What `work` answers in a thread of its own under SCHED_FIFO, where that is permitted; raises what it raises."""
    done: Future[T] = Future()

    def run() -> None:
        ask_realtime(priority)
        try:
            done.set_result(work())
        except BaseException as error:  # noqa: BLE001  # handed to who waits
            done.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return done.result()


def percentile(samples: Samples, percent: float) -> float:
    """NaN where nothing was measured."""
    return float(np.percentile(samples, percent)) if len(samples) else float("nan")
