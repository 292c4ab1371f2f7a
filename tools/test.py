"""Run the tests as `make test` does: everything that may run side by side first, then what must have the machine alone.

python tools/test.py [--soak] [pytest arguments]
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def pytest(*arguments: str) -> int:
    """Exit status of one pytest run; libraries keep to one thread each."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", **threads}
    command = [sys.executable, "-m", "pytest", *arguments]
    print("$", " ".join(command[1:]), flush=True)
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def main() -> int:
    """0 when both parts passed."""
    extra = [argument for argument in sys.argv[1:] if argument != "--soak"]
    if "--soak" in sys.argv:
        return pytest("-m", "soak", "-p", "no:cacheprovider", *extra)
    side_by_side = pytest("-n", "2", "-m", "not alone and not soak and not bench", "--cov", "--cov-report=", *extra)
    alone = pytest("-m", "alone and not soak and not bench", "--cov", "--cov-append", "--cov-report=term", *extra)
    return side_by_side or alone


sys.exit(main())
