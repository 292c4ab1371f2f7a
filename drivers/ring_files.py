"""Where the files of snapshot rings lie, and how those that killed engines left are told from living ones."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Final

from drivers.errors import BenchError

try:
    import fcntl
except ImportError:  # Windows, where a mapped file cannot be removed anyway
    fcntl = None

if TYPE_CHECKING:
    from typing import BinaryIO

PREFIX: Final = "pulsebms_"
MEMORY: Final = "PULSEBMS_MEMORY"  # in the environment: the folder in memory to take instead of /dev/shm
ROOM: Final = 1 << 27  # 128 MiB: twice the ring of a bench of 24 cells; a container's memory folder may have less
YOUNG_S: Final = 60.0  # a younger file may be about to be held


def memory_folder() -> Path:
    """Where ring files belong: in memory if there is room, because writing back to a disk stalls the writer."""
    memory = Path(os.environ.get(MEMORY, "/dev/shm"))  # noqa: S108  # files there carry a name of the session's own
    fits = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free >= ROOM
    return memory if fits else Path(tempfile.gettempdir())


def fresh_path() -> Path:
    """A path for a new ring; removes what killed engines left."""
    folder = memory_folder()
    sweep(folder)
    return folder / f"{PREFIX}{uuid.uuid4().hex}"


def hold(file: BinaryIO) -> None:
    """Mark a ring as alive until `file` is closed, or its process has ended however it did."""
    if fcntl is not None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


def sweep(folder: Path, young_s: float = YOUNG_S) -> None:
    """Remove the rings in `folder` that nobody holds; who still reads one keeps what it has mapped."""
    for path in folder.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # held, somebody else's, or gone meanwhile
            if time.time() - path.stat().st_ctime > young_s:
                _remove(path)


def remove(path: Path) -> None:
    """Remove the ring at `path` unless somebody holds it; who still reads it keeps what it has mapped."""
    with contextlib.suppress(OSError):  # held, or gone already
        _remove(path)


def reserve(path: Path, file: BinaryIO, size: int) -> None:
    """Take the room now: a page that finds none later ends the process instead of raising. Raises `BenchError`."""
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
        else:
            os.truncate(file.fileno(), size)
    except OSError as error:
        file.close()
        path.unlink(missing_ok=True)
        what = f"finds no room for a ring of {size / 1e6:.0f} MB: {error.strerror}"
        raise BenchError(what, where=str(path), hint="free space there") from error


def _remove(path: Path) -> None:
    if fcntl is not None:
        with path.open("r+b") as file:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    path.unlink()
