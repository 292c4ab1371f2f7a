"""What this machine can carry at once, told by how quick its Python is."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from types import TracebackType

ROOT: Final = Path(__file__).resolve().parent.parent
QUICK_S: Final = 0.15
ADDITIONS: Final = 2_000_000
_EVERY_S: Final = 0.5
_SHARE: Final = 20  # of the additions, so that measuring takes little itself


def python_s(additions: int = ADDITIONS) -> float:
    """Seconds for so many additions."""
    began_s, total = time.perf_counter(), 0
    for number in range(additions):
        total += number
    return time.perf_counter() - began_s


def benches_at_once() -> int:
    """How many benches without windows leave each other their time on two cores: 1 or 2.

    What keeps time in one bench takes half a core where `python_s` is 0.15 s, and 1.2 cores where it is 0.34 s: two of
    those leave nothing to the clients, and a guard that hears no client for 2 s switches off, as it must. Three take
    longer than two, as more files fail beside the others and are run again.
    """
    return 1 + (min(python_s() for _ in range(3)) < QUICK_S)


class Speed:
    """How quick the cores are while something else runs, measured above all that keeps time; `python_s` at the end.

    A virtual machine's core may be half as quick a minute later: what was measured before or after does not count.
    """

    python_s: float = 0.0

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.machine"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.python_s = float(self._process.communicate(timeout=10.0)[0])


def _main() -> None:
    import select  # noqa: PLC0415  # only the process that measures needs them
    import statistics  # noqa: PLC0415

    from drivers.realtime import LATENCY_PROBE, ask_realtime  # noqa: PLC0415

    ask_realtime(LATENCY_PROBE)
    took_s = [python_s(ADDITIONS // _SHARE)]
    while not select.select([sys.stdin], [], [], _EVERY_S)[0]:
        took_s.append(python_s(ADDITIONS // _SHARE))
    sys.stdout.write(f"{_SHARE * statistics.median(took_s)}\n")


if __name__ == "__main__":
    _main()
