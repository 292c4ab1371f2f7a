"""What keeps a demo from going on, as an error: a full disk first, because no part of it can then log its own error."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Final

from drivers.errors import BenchError

LEFT: Final = 1_000_000  # bytes; with less than these free, a disk is full


def make_demo_error(what: str, folder: Path, hint: str) -> BenchError:
    """Return the error of a part whose files lie in `folder`, or, as the database of PostgreSQL, in a temporary one."""
    for place in (folder, Path(tempfile.gettempdir())):
        if shutil.disk_usage(place).free < LEFT:
            full = "free some space, or name another folder: --dir for the demo, TMPDIR for PostgreSQL"
            return BenchError(f"no space is left on the disk of {place}: {what}", hint=full)
    return BenchError(what, hint=hint)
