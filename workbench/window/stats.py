"""Cost of the window, measured by itself: start-up time, paint rate, share of a core."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path


def read_process_age_s() -> float:
    """Return the seconds since this process began, from the operating system."""
    try:
        # the kernel's own count of ticks since boot; psutil adds a boot time that is rounded to a second
        after_name = Path("/proc/self/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2]
        started_s = int(after_name.split()[19]) / os.sysconf("SC_CLK_TCK")
        return time.clock_gettime(time.CLOCK_BOOTTIME) - started_s
    except (OSError, AttributeError):
        import psutil  # noqa: PLC0415  # only after the first paint

        return time.time() - psutil.Process(os.getpid()).create_time()  # noqa: TID251  # a date


@dataclass
class WindowStats:
    """Values for the status line and for scripts; rates are over the last second."""

    shell_ms: float = float("nan")
    plots_ms: float = float("nan")
    fps: float = 0.0
    cpu_pct: float = 0.0
    frames: int = 0
    _since: float = field(default_factory=time.perf_counter)
    _cpu: float = field(default_factory=time.process_time)
    _last: int = 0

    def restart(self) -> None:
        """Begin a new second."""
        self._since, self._cpu, self._last = time.perf_counter(), time.process_time(), self.frames

    def look(self, frames: int) -> bool:
        """Record the frames painted so far; return whether a second has passed and the rates are new."""
        self.frames = frames
        now, cpu = time.perf_counter(), time.process_time()
        passed = now - self._since
        if passed < 1.0:
            return False
        self.fps = max(0, frames - self._last) / passed
        self.cpu_pct = 100.0 * (cpu - self._cpu) / passed
        self._since, self._cpu, self._last = now, cpu, frames
        return True

    def as_json(self) -> dict[str, float]:
        """Return the `window` object that scripts rely on."""
        return {"shell_ms": self.shell_ms, "plots_ms": self.plots_ms, "fps": self.fps, "cpu_pct": self.cpu_pct}
