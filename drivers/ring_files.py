"""The location of snapshot ring files, and the detection of files that killed engines left."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
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
MAGIC: Final = b"PULSRNG"  # the next byte is the version, 0 while the ring is made
MEMORY: Final = "PULSEBMS_MEMORY"  # environment variable: the folder in memory to use instead of /dev/shm
ROOM: Final = 1 << 27  # 128 MiB: twice the ring of a bench of 24 cells; a container's memory folder may have less
YOUNG_S: Final = 60.0  # a younger file may not be held yet


def memory_folder() -> Path:
    """Return the folder for ring files: in memory if there is room, because write-back to a disk stalls the writer."""
    memory = Path(os.environ.get(MEMORY, "/dev/shm"))  # noqa: S108  # files there carry a name of the session's own
    fits = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free >= ROOM
    return memory if fits else Path(tempfile.gettempdir())


def fresh_path() -> Path:
    """Return a path for a new ring, and remove the files that killed engines left."""
    folder = memory_folder()
    sweep(folder)
    return folder / f"{PREFIX}{uuid.uuid4().hex}"


def create(path: Path) -> BinaryIO:
    """Make the file of a ring, for this user alone, and hold it until it is closed or this process has ended.

    Raise `FileExistsError`.
    """
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600), "r+b")
    if fcntl is not None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    file.write(MAGIC + b"0")
    file.flush()
    return file


def sweep(folder: Path, young_s: float = YOUNG_S) -> None:
    """Remove this user's rings in `folder` that no process holds; a reader keeps the memory that it has mapped.

    Others may keep files there whose names begin alike: only a file that begins like a ring is one.
    """
    for path in folder.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # held, or removed meanwhile
            if _is_own_ring(path) and time.time() - path.stat().st_ctime > young_s:  # noqa: TID251  # as files are dated
                _remove(path)


def _is_own_ring(path: Path) -> bool:
    about = path.lstat()
    if not stat.S_ISREG(about.st_mode) or about.st_uid != getattr(os, "getuid", lambda: about.st_uid)():
        return False
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def remove(path: Path) -> None:
    """Remove the ring at `path` unless a process holds it; a reader keeps the memory that it has mapped."""
    with contextlib.suppress(OSError):  # held, or already removed
        _remove(path)


def reserve(path: Path, file: BinaryIO, size: int) -> None:
    """Allocate the space now, because a page without space later ends the process. Raise `BenchError`."""
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
        else:
            os.truncate(file.fileno(), size)
    except OSError as error:
        file.close()
        path.unlink(missing_ok=True)
        what = f"has no space for a ring of {size / 1e6:.0f} MB: {error.strerror}"
        raise BenchError(what, where=str(path), hint="free space there") from error


def _remove(path: Path) -> None:
    if fcntl is not None:
        with path.open("r+b") as file:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    path.unlink()
