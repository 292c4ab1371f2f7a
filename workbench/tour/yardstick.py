"""How late the machine itself is: an empty loop in a process of its own, above everything that keeps time here.

`cyclictest` of the Linux real-time tests measures the same: what delays a thread that no other may delay is the
kernel, the firmware, or a host that gives the core to another guest.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from drivers.realtime import YARDSTICK, ask_realtime

PERIOD_S = 0.01
END_S = 5.0


class Yardstick:
    """Measures from its start until it is read."""

    def __init__(self) -> None:
        paths = os.pathsep.join(str(Path(path).resolve()) for path in sys.path)
        self.process = subprocess.Popen(  # noqa: S603  # ourselves
            [sys.executable, "-P", "-m", __name__],
            env={**os.environ, "PYTHONPATH": paths},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def p99_ms(self) -> float:
        """How late the empty loop woke at p99, in ms; 0 where it measured nothing."""
        try:
            told, _ = self.process.communicate(timeout=END_S)
            return float(told)
        except (subprocess.TimeoutExpired, ValueError):
            self.process.kill()
            self.process.communicate()
            return 0.0


def main() -> None:
    """Wake on an absolute schedule until stdin ends, then print the p99 of the lateness in ms."""
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.buffer.read(), ended.set()), daemon=True).start()
    ask_realtime(YARDSTICK)
    late_s: list[float] = []
    due_s = time.monotonic()
    while not ended.is_set():
        due_s = max(due_s + PERIOD_S, time.monotonic())
        time.sleep(max(0.0, due_s - time.monotonic()))
        late_s.append(time.monotonic() - due_s)
    late_s.sort()
    print(1e3 * late_s[int(0.99 * len(late_s))])  # noqa: T201  # to the process that asked


if __name__ == "__main__":
    main()
