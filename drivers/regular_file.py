"""Files that somebody else names or leaves: opened without waiting, only if regular, and read up to a bound."""

from __future__ import annotations

import errno
import io
import os
import stat
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

# a pipe without a writer would block the open, a terminal would become the controlling one
_FLAGS: Final = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOCTTY", "O_BINARY", "O_CLOEXEC"))


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file to read it; raise `OSError` for anything else in its place: a folder, pipe or device."""
    file = os.fdopen(os.open(path, _FLAGS), "rb", buffering=0)
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return io.BufferedReader(file)
    file.close()
    raise OSError(errno.EINVAL, "it is not a regular file", str(path))


def read_regular(path: Path, most: int) -> bytes:
    """Return the bytes of a regular file; raise `OSError` for anything else in its place, and beyond `most` bytes."""
    with open_regular(path) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"it has more than {most} bytes", str(path))
    return data
