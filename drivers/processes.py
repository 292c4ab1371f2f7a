"""Start a child, end it with the process that started it, let it give way, and check whether another one is alive."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from multiprocessing import connection, resource_tracker
from pathlib import Path
from typing import TYPE_CHECKING, Final

try:
    import psutil
except ImportError:  # an edge node installs only what it needs
    psutil = None

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

BACKGROUND: Final = 10  # nice value: a ninth of the time that a process of the usual value gets
SAME_S: Final = 1.0  # the greatest difference between two readings of one start time


def birth_s(pid: int) -> float:
    """Return the start time of the process with this number (s since 1970), 0 if none is alive.

    Without psutil every process that is alive has the same start time, 1 s.
    """
    if psutil is None:
        return float(_works(pid))
    with contextlib.suppress(psutil.Error, ValueError):
        process = psutil.Process(pid)
        if pid > 0 and process.status() not in {psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD}:
            return process.create_time()
    return 0.0


def is_alive(pid: int, born_s: float | None = None) -> bool:
    """Return whether it is alive; with `born_s` a later process with the same number counts as another one."""
    now_s = birth_s(pid)
    return bool(now_s) and (born_s is None or abs(now_s - born_s) < SAME_S)


def start_child(process: BaseProcess) -> None:
    """Start a process that follows its parent: a Ctrl-C at the terminal does not reach it, not even as it starts."""
    if not hasattr(signal, "pthread_sigmask"):
        process.start()
        return
    resource_tracker.ensure_running()  # its start would lift the mask
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_with_parent() -> None:
    """From now on, end this process at once when the process that spawned it by `multiprocessing` has ended."""
    if (parent := multiprocessing.parent_process()) is not None:
        threading.Thread(target=_end_after, args=(parent.sentinel,), name="parent", daemon=True).start()


def give_way(niceness: int = BACKGROUND) -> None:
    """From now on, run this process and its children only where others leave time, as far as the system allows it."""
    if hasattr(os, "setsid"):
        with contextlib.suppress(OSError):  # it leads a group of processes
            os.setsid()
    put_behind(os.getpid(), niceness)


def put_behind(pid: int, niceness: int = BACKGROUND) -> None:
    """Let a process, and the children that it starts later, give way; it should have a session of its own.

    Where Linux groups processes by session (autogroup, usual on desktops), a nice value counts only within one; so the
    group gets the value, too; sched(7).
    """
    with contextlib.suppress(OSError):  # it has ended, or a system without groups
        if hasattr(os, "setpriority"):
            os.setpriority(os.PRIO_PROCESS, pid, max(niceness, os.getpriority(os.PRIO_PROCESS, pid)))
            if os.getsid(pid) == pid:  # else the group is that of others, too
                Path(f"/proc/{pid}/autogroup").write_text(str(niceness), encoding="ascii")
    if psutil is not None and sys.platform == "win32" and niceness > 0:
        with contextlib.suppress(psutil.Error):
            psutil.Process(pid).nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)


def _end_after(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)


def _works(pid: int) -> bool:
    """Return whether it is alive, by POSIX only."""
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
