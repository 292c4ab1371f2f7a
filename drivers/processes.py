"""Whether another process still works, and how a child ends with the process that started it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import threading
from multiprocessing import connection
from pathlib import Path
from typing import Final

try:
    import psutil
except ImportError:  # an edge installs no more than it needs
    psutil = None

SAME_S: Final = 1.0  # how far two readings of one birth may differ


def birth_s(pid: int) -> float:
    """When the process with this number was born (s since 1970), 0 where there is none that works.

    Without psutil any process that works has the same time of birth, 1 s.
    """
    if psutil is None:
        return float(_works(pid))
    with contextlib.suppress(psutil.Error, ValueError):
        process = psutil.Process(pid)
        if pid > 0 and process.status() not in {psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD}:
            return process.create_time()
    return 0.0


def is_alive(pid: int, born_s: float | None = None) -> bool:
    """Whether it works; with `born_s` a later process that was given the same number is another one."""
    now_s = birth_s(pid)
    return bool(now_s) and (born_s is None or abs(now_s - born_s) < SAME_S)


def end_with_parent() -> None:
    """From now on end this process at once when the one that spawned it by `multiprocessing` has ended."""
    if (parent := multiprocessing.parent_process()) is not None:
        threading.Thread(target=_end_after, args=(parent.sentinel,), name="parent", daemon=True).start()


def _end_after(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)


def _works(pid: int) -> bool:
    """By what POSIX alone can tell."""
    if pid <= 0:
        return False
    with contextlib.suppress(OSError, IndexError):
        return (
            Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[0] != "Z"
        )
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True
