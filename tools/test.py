"""Run the tests as `make test` does: side by side what may, two or three whole benches at once, what must be alone.

python tools/test.py [--soak] [pytest arguments]
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
QUICK_S = 0.15


def pytest(*arguments: str) -> int:
    """Exit status of one pytest run; libraries keep to one thread each."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", **threads}
    command = [sys.executable, "-m", "pytest", *arguments]
    print("$", " ".join(command[1:]), flush=True)
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def benches_at_once() -> str:
    """Three where Python is quick, else two: more would only see each other's delays."""
    began_s, total = time.perf_counter(), 0
    for number in range(2_000_000):
        total += number
    return "3" if time.perf_counter() - began_s < QUICK_S else "2"


def main() -> int:
    """0 when every part passed."""
    extra = [argument for argument in sys.argv[1:] if argument != "--soak"]
    if "--soak" in sys.argv:
        return pytest("-m", "soak", "-p", "no:cacheprovider", *extra)
    whole = ("-n", benches_at_once(), "--dist", "loadscope", "--no-loadscope-reorder")
    parts = [
        pytest("-n", "3", "-m", "not alone and not live and not soak and not bench", "--cov", *extra),
        pytest(*whole, "-m", "live and not soak", *extra),  # a tracer would slow what measures time
        pytest("-m", "alone and not soak and not bench", *extra),
    ]
    return next((status for status in parts if status), 0)


sys.exit(main())
