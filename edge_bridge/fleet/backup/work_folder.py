"""A folder beside a file for what a backup or a restore has not completed; the next one deletes what a kill left."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edge_bridge.fleet.store.sqlite_file import WriterLock

if TYPE_CHECKING:
    from collections.abc import Generator

ENDING: Final = ".part"
_IN_USE: Final = "work"


@contextmanager
def open_work_folder(file: Path) -> Generator[Path]:
    """Yield an empty folder on the disk of `file`; delete those that a killed process left there. Raise `OSError`."""
    target = Path(os.path.realpath(file))
    start = f".{target.name}."
    for folder in target.parent.glob(f"{_escape(start)}*{ENDING}"):
        _delete_abandoned(folder)
    with (
        tempfile.TemporaryDirectory(prefix=start, suffix=ENDING, dir=target.parent) as name,
        closing(WriterLock(Path(name) / _IN_USE)),
    ):
        yield Path(name)


def _delete_abandoned(folder: Path) -> None:
    """Delete it unless the process that made it still works in it."""
    try:
        lock = WriterLock(folder / _IN_USE)
    except OSError:
        return
    with closing(lock):
        shutil.rmtree(folder, ignore_errors=True)


def _escape(name: str) -> str:
    return "".join(f"[{one}]" if one in "*?[" else one for one in name)
