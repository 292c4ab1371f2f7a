"""Real-time scheduling: the calling thread requests it, and gets a sentence if it is not granted."""

from __future__ import annotations

import contextlib
import os
from typing import Final

LATENCY_PROBE: Final = 50  # above every other thread: only the machine itself delays it
GUARD: Final = 40
LOOP: Final = 30
# the engine's other threads: one that holds the loop's interpreter must not wait for the wire of another bench
ENGINE_THREADS: Final = 25
WIRE: Final = 20  # instrument threads: above everything else on the machine, below the loop
INSTRUMENT: Final = 10  # emulated instruments: a real one does not share the processor with its bench

WINDOW: Final = 10  # not real-time; steps of priority above other such threads: OUTPUTS OFF must not wait


def ask_realtime(priority: int) -> str:
    """Put the calling thread, not its children, under SCHED_FIFO; return an empty text if granted, else why not."""
    if not hasattr(os, "sched_setscheduler"):
        return "this system has no SCHED_FIFO; the timing of the loop depends on its normal scheduler"
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
    except OSError as error:
        return f"no real-time permission ({error.strerror}); expect a late p99 of about 1.4 ms instead of 0.4 ms"
    return ""


def leave_realtime() -> None:
    """Return the calling thread to normal scheduling (SCHED_OTHER)."""
    if hasattr(os, "sched_setscheduler"):
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_OTHER | os.SCHED_RESET_ON_FORK, os.sched_param(0))


def go_before(steps: int) -> None:
    """Raise the calling thread, not its children, above other threads that are not real-time, where permitted."""
    if hasattr(os, "sched_setscheduler"):
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, -steps)
            os.sched_setscheduler(0, os.SCHED_OTHER | os.SCHED_RESET_ON_FORK, os.sched_param(0))


def has_realtime_permission() -> bool:
    """Whether this process may use SCHED_FIFO."""
    if not hasattr(os, "sched_setscheduler"):
        return False
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    except OSError:
        return False
    os.sched_setscheduler(0, before[0] & ~os.SCHED_RESET_ON_FORK, before[1])
    return True
