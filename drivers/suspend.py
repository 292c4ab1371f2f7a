"""Detects and inhibits sleep of the computer: in sleep no process runs, and the clock of the time-outs stops.

Two clocks show it: one counts sleep, one does not. While the computer is awake their difference is constant.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from drivers.clock import monotonic

if TYPE_CHECKING:
    from collections.abc import Callable

    Clock = Callable[[], float]

SLEPT_S: Final = 0.1  # a shorter sleep does not count: the clocks are read one after the other
APART_S: Final = 0.02  # if the process was delayed longer between two readings, the measurement is void
WHY: Final = "a bench is armed"
_CONTINUOUS, _SYSTEM = 0x80000000, 0x00000001  # ES_CONTINUOUS, ES_SYSTEM_REQUIRED of SetThreadExecutionState


class SuspendWatch:
    """Detects sleep; call once a turn (three clock readings). Without such clocks in the system it detects nothing."""

    def __init__(self, awake: Clock | None = None, elapsed: Clock | None = None) -> None:
        """Take the clocks in s: `awake` stops while the computer sleeps, `elapsed` goes on. Default: the system's."""
        clocks = _clocks() if awake is None or elapsed is None else (awake, elapsed)
        self.works = clocks is not None
        self._awake, self._elapsed = clocks or (monotonic, monotonic)
        self._apart_s = self._elapsed() - self._awake()

    def slept_s(self) -> float:
        """Return how long the computer has slept since the last call, 0 if it has not."""
        before_s = self._awake()
        elapsed_s = self._elapsed()
        after_s = self._awake()
        if after_s - before_s > APART_S:
            return 0.0  # keep the known difference and compare it the next time
        apart_s = elapsed_s - before_s
        grown_s, self._apart_s = apart_s - self._apart_s, apart_s
        return grown_s if grown_s > SLEPT_S else 0.0


class SleepInhibitor:
    """Requests the system not to sleep while a bench is armed; best effort, no error if the system cannot.

    Call `keep` and `close` from one thread only, because Windows counts by thread.
    """

    def __init__(self, command: tuple[str, ...] | None = None) -> None:
        self._command = _command() if command is None else command
        self._child: subprocess.Popen[bytes] | None = None
        self._on = False

    @property
    def pid(self) -> int | None:
        """Id of the process that inhibits sleep; None without one."""
        return None if self._child is None else self._child.pid

    def keep(self, on: bool) -> None:  # noqa: FBT001  # its only argument
        """Inhibit sleep from now on, or stop inhibiting."""
        if on == self._on:
            return
        self._on = on
        if sys.platform == "win32":
            import ctypes  # noqa: PLC0415  # only Windows needs it

            ctypes.windll.kernel32.SetThreadExecutionState(_CONTINUOUS | (_SYSTEM if on else 0))
        elif on:
            self._begin()
        else:
            self._end()

    def close(self) -> None:
        self.keep(False)  # noqa: FBT003  # its only argument

    def _begin(self) -> None:
        """Start the child; it runs while its input is open, so it ends with this process, however that ends."""
        if self._command:
            with suppress(OSError):
                self._child = subprocess.Popen(  # noqa: S603  # a command of our own
                    self._command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                )

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        if child.stdin is not None:
            with suppress(OSError):
                child.stdin.close()
        try:
            child.wait(1.0)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def sentence(slept_s: float) -> str:
    """Return the reason for which a bench trips after sleep."""
    return f"the computer was asleep for {slept_s:.1f} s and did not guard the bench"


def _command() -> tuple[str, ...]:
    """Return the command that inhibits sleep while `cat` waits for its input; empty if there is none."""
    cat = shutil.which("cat")
    if cat and (systemd := shutil.which("systemd-inhibit")):
        return (systemd, "--what=sleep:idle", "--mode=block", "--who=PulseBMS Workbench", f"--why={WHY}", cat)
    if cat and sys.platform == "darwin" and (caffeinate := shutil.which("caffeinate")):
        return (caffeinate, "-is", cat)
    return ()


def _clocks() -> tuple[Clock, Clock] | None:
    """Return the clock that stops in sleep and the one that goes on; None if the system has only one of them."""
    if sys.platform == "win32":
        return _windows()
    if hasattr(time, "CLOCK_BOOTTIME"):
        return monotonic, lambda: time.clock_gettime(time.CLOCK_BOOTTIME)
    if (awake := getattr(time, "CLOCK_UPTIME_RAW", None)) is not None:  # macOS, where monotonic time counts sleep
        return lambda: time.clock_gettime(awake), monotonic
    return None


def _windows() -> tuple[Clock, Clock] | None:
    """Return QueryUnbiasedInterruptTime (100 ns, without sleep), GetTickCount64 (ms, with sleep; steps of 16 ms)."""
    import ctypes  # noqa: PLC0415  # only Windows needs it

    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009  # absent elsewhere
    if not hasattr(kernel, "QueryUnbiasedInterruptTime"):
        return None
    kernel.GetTickCount64.restype = ctypes.c_ulonglong

    def awake() -> float:
        ticks = ctypes.c_ulonglong()
        kernel.QueryUnbiasedInterruptTime(ctypes.byref(ticks))
        return ticks.value * 1e-7

    return awake, lambda: kernel.GetTickCount64() * 1e-3
