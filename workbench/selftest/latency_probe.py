"""Scheduler latency of the machine: an empty loop in its own process, above all timed threads in priority.

`cyclictest` of the Linux real-time tests measures the same: a thread that no other thread may delay is delayed only by
the kernel, the firmware, or a host that gives the core to another guest.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.clock import monotonic
from drivers.realtime import LATENCY_PROBE, ask_realtime

if TYPE_CHECKING:
    from drivers.snapshot import Floats

PERIOD_S: Final = 0.01
END_S = 5.0


@dataclass(frozen=True)
class MachineLateness:
    """Lateness `late_s` (s) of each instant due at `due_s` (s, monotonic clock); empty means lateness 0."""

    due_s: Floats = field(default_factory=lambda: np.empty(0))
    late_s: Floats = field(default_factory=lambda: np.empty(0))

    def select(self, from_s: float, to_s: float) -> MachineLateness:
        """Return the instants that were due between two times."""
        inside = (from_s <= self.due_s) & (self.due_s <= to_s)
        return MachineLateness(self.due_s[inside], self.late_s[inside])

    def late_ms(self, percent: float) -> float:
        """Return a percentile (ms) of the lateness; 0 where nothing was measured, so that this excuses nothing."""
        return float(1e3 * np.percentile(self.late_s, percent)) if len(self.late_s) else 0.0

    @property
    def missed_pct(self) -> float:
        """Share (%) of the due instants that were served together with a later one; 0 where nothing was measured."""
        return float(100.0 * np.mean(self.late_s >= PERIOD_S)) if len(self.late_s) else 0.0


class LatencyProbe:
    """A probe that measures from its start until `finish`."""

    def __init__(self) -> None:
        paths = os.pathsep.join(str(Path(path).resolve()) for path in sys.path)
        self.process = subprocess.Popen(  # noqa: S603  # ourselves
            [sys.executable, "-P", "-m", __name__],
            env={**os.environ, "PYTHONPATH": paths},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def finish(self) -> MachineLateness:
        """End the probe and return what it measured; empty where it was killed or does not answer."""
        try:
            output, _ = self.process.communicate(timeout=END_S)
            fields = json.loads(output)
            return MachineLateness(np.asarray(fields["due_s"], np.float64), np.asarray(fields["late_s"], np.float64))
        except (subprocess.TimeoutExpired, ValueError, KeyError, TypeError):
            self.process.kill()
            self.process.communicate()
            return MachineLateness()


def record_due(due_s: float, now_s: float, due: list[float], late: list[float]) -> float:
    """Record every instant due by `now_s`, from `due_s` on; return the next one. Skip none and move none."""
    while due_s <= now_s:
        due.append(due_s)
        late.append(now_s - due_s)
        due_s += PERIOD_S
    return due_s


def main() -> None:
    """Wake on an absolute schedule until stdin ends, then print the due times and the lateness of each."""
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.buffer.read(), ended.set()), daemon=True).start()
    ask_realtime(LATENCY_PROBE)
    due: list[float] = []
    late: list[float] = []
    due_s = monotonic() + PERIOD_S
    while not ended.is_set():
        time.sleep(max(0.0, due_s - monotonic()))
        due_s = record_due(due_s, monotonic(), due, late)
    sys.stdout.write(json.dumps({"due_s": due, "late_s": late}) + "\n")  # to the process that asked


if __name__ == "__main__":
    main()
