"""The one clock of the project: seconds that only rise, the same for all processes of a machine.

Python 3.11 on Windows steps `time.monotonic` by 15.6 ms, longer than a turn of the loop; its performance counter is
fine. On Linux both read CLOCK_MONOTONIC.
"""

from __future__ import annotations

import sys
import time

monotonic = time.perf_counter if sys.platform == "win32" else time.monotonic
