"""The sessions of this machine that have not ended in order: one file each, which survives a power cut.

A session that leaves with everything verified off removes its file. A file that is left belongs to an engine that died,
or to one that left while its guard was still trying.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from drivers.bench_lock import this_process
from drivers.processes import birth_s, is_alive
from drivers.state_file import (
    DamagedFile,
    MissingFile,
    put_aside,
    read_state,
    read_text,
    read_whole,
    remove,
    write_state,
)

FOLDER: Final = "PULSEBMS_JOURNAL"  # an environment variable that names another folder
NAME: Final = "pulsebms-sessions"


@dataclass(frozen=True, slots=True)
class SessionEntry:
    """One session: its user, bench, run folder, addresses, engine and guard."""

    bench: str
    user: str
    started: str
    folder: str
    addresses: tuple[str, ...]
    engine: int
    engine_born: float
    guard: int
    guard_born: float

    @property
    def engine_lives(self) -> bool:
        return is_alive(self.engine, self.engine_born)

    @property
    def guard_lives(self) -> bool:
        return is_alive(self.guard, self.guard_born)


def begin(bench: str, folder: Path, addresses: tuple[str, ...], guard: int | None) -> Path | None:
    """Write the entry of this session; return its path, or None if it cannot be written."""
    me = this_process(bench)
    entry = SessionEntry(
        bench,
        me.user,
        me.started,
        str(folder),
        addresses,
        me.process,
        birth_s(me.process),
        guard or 0,
        birth_s(guard or 0),
    )
    path = _folder() / f"{uuid.uuid4().hex}.json"
    try:
        write_state(path, asdict(entry))
    except OSError:
        return None
    with contextlib.suppress(OSError):
        path.chmod(0o644)
    return path


def end(path: Path | None) -> None:
    """Remove the entry of a session that has left in order, or whose end has been shown."""
    if path is not None:
        with contextlib.suppress(OSError):  # another user's entry stays and is shown again
            remove(path)


def unfinished() -> list[tuple[Path, SessionEntry | DamagedFile]]:
    """Return the sessions whose engine is gone and that did not end in order, oldest first."""
    found: list[tuple[str, Path, SessionEntry | DamagedFile]] = []
    for path in _folder().glob("*.json"):
        entry = read_state(path, _entry)
        if isinstance(entry, SessionEntry) and not entry.engine_lives:
            found.append((entry.started, path, entry))
        elif isinstance(entry, DamagedFile):
            found.append(("", path, entry))
            with contextlib.suppress(OSError):
                put_aside(path)
    return [
        (path, entry) for _, path, entry in sorted(found, key=lambda one: one[:2]) if not isinstance(entry, MissingFile)
    ]


def _entry(fields: dict[str, Any]) -> SessionEntry:
    return SessionEntry(
        bench=read_text(fields, "bench"),
        user=read_text(fields, "user"),
        started=read_text(fields, "started"),
        folder=read_text(fields, "folder"),
        addresses=tuple(str(address) for address in fields["addresses"]),
        engine=read_whole(fields, "engine"),
        engine_born=float(fields["engine_born"]),
        guard=read_whole(fields, "guard"),
        guard_born=float(fields["guard_born"]),
    )


def _folder() -> Path:
    """Return the folder: the same for every user; it survives a restart if the machine has `/var/tmp`."""
    named = os.environ.get(FOLDER)
    kept = Path("/var/tmp")  # noqa: S108  # names are drawn at random
    folder = Path(named) if named else (kept if kept.is_dir() else Path(tempfile.gettempdir())) / NAME
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o1777)
    return folder
