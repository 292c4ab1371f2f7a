"""Real-time permission: asked for by the calling thread, and said in words when it is not given."""

from __future__ import annotations

import contextlib
import os
from typing import Final

LATENCY_PROBE: Final = 50  # above all that keeps time: what delays this is the machine
GUARD: Final = 40
LOOP: Final = 30
ENGINE_THREADS: Final = (
    25  # the engine's other threads: who holds the loop's interpreter waits for no wire of another bench
)
WIRE: Final = 20  # instrument threads: above everything else on the machine, below the loop
INSTRUMENT: Final = 10  # emulated instruments: a real one does not share the processor with its bench

WINDOW: Final = 10  # not in real time, steps before others that are not: who presses OUTPUTS OFF does not wait


def ask_realtime(priority: int) -> str:
    """Put the calling thread under SCHED_FIFO, its children not; empty when granted, else why not, in words."""
    if not hasattr(os, "sched_setscheduler"):
        return "this system has no SCHED_FIFO; the loop keeps time as well as the scheduler lets it"
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
    except OSError as error:
        return f"no real-time permission ({error.strerror}); late p99 is then some 1.4 ms instead of 0.4 ms"
    return ""


def leave_realtime() -> None:
    """The calling thread goes back among everybody else."""
    if hasattr(os, "sched_setscheduler"):
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_OTHER | os.SCHED_RESET_ON_FORK, os.sched_param(0))


def go_before(steps: int) -> None:
    """Put the calling thread, its children not, before whatever is not in real time, where that is permitted."""
    if hasattr(os, "sched_setscheduler"):
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, -steps)
            os.sched_setscheduler(0, os.SCHED_OTHER | os.SCHED_RESET_ON_FORK, os.sched_param(0))


def has_realtime_permission() -> bool:
    """Whether this process may ask for SCHED_FIFO."""
    if not hasattr(os, "sched_setscheduler"):
        return False
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    except OSError:
        return False
    os.sched_setscheduler(0, before[0] & ~os.SCHED_RESET_ON_FORK, before[1])
    return True
