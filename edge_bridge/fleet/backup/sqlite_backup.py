"""Backup and restore of an SQLite file: by SQLite's online backup, which keeps no fleet from writing."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Final

from drivers.errors import RunLogError, StoreFailed, Usage
from drivers.private_files import open_private
from drivers.sqlite_errors import is_locked
from drivers.version import VERSION as PROGRAM
from edge_bridge.fleet.backup.backup_file import PIECE_BYTES, explain_disk, open_content, sync_folder, write_backup
from edge_bridge.fleet.backup.manifest import BackupManifest
from edge_bridge.fleet.backup.work_folder import open_work_folder
from edge_bridge.fleet.store.sqlite_file import APPLICATION_ID, lock_file

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from edge_bridge.fleet.backup.backup_file import ContentWriter

PAGES: Final = 2_000  # that are copied at once
WAIT_S: Final = 5.0
_UNWRITTEN: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC})
_SIDE_FILES: Final = ("-wal", "-shm")


def back_up_file(source: Path, target: Path, time: str, report: Callable[[int, int], None]) -> BackupManifest:
    """Copy a fleet's file as of now, check the copy, and write it as a backup; `report` gets bytes done and in all."""
    if not source.is_file():
        raise Usage("does not exist", where=str(source), key="store", value=str(source), hint="name a fleet's database")
    with (
        explain_disk(target),
        _explain_sqlite(source, target),
        open_work_folder(target) as folder,
    ):
        copy = folder / "copy"
        _copy(source, copy, report)
        version, rows = _check_copy(copy, source)

        def write_content(writer: ContentWriter) -> Callable[[int, str], BackupManifest]:
            with copy.open("rb") as file:
                while piece := file.read(PIECE_BYTES):
                    writer.write(piece)
            return lambda size, sha256: BackupManifest(
                program=PROGRAM, database="sqlite", version=version, time=time, rows=rows, size=size, sha256=sha256
            )

        return write_backup(target, write_content, compress=True)


def restore_file(backup: Path, target: Path, *, replace: bool, report: Callable[[int, int], None]) -> int:
    """Put the content of a checked backup in place of a file that no fleet uses; return the number of its rows."""
    lock = lock_file(target)
    try:
        if not replace and target.exists() and _count_content(target):
            hint = "stop the fleet and add --replace, or name another file"
            raise Usage("is not empty", where=str(target), key="store", value=str(target), hint=hint)
        with explain_disk(target), _explain_sqlite(target, target), open_work_folder(target) as folder:
            draft = folder / "draft"
            _unpack(backup, draft, report)
            _, rows = _check_copy(draft, backup)
            _settle(target)
            for ending in _SIDE_FILES:  # of the file before; SQLite would apply them to the new one
                target.with_name(target.name + ending).unlink(missing_ok=True)
            draft.replace(os.path.realpath(target))
        sync_folder(target)
    finally:
        lock.close()
    return rows


def note_backup(path: Path, statement: str, time_ms: int) -> None:
    """Execute the statement that notes the time of a backup, beside the fleet that may write. Raise `StoreFailed`."""
    try:
        with closing(sqlite3.connect(path, timeout=WAIT_S)) as database, database:
            database.execute(statement, (time_ms,))
    except sqlite3.Error as error:
        raise StoreFailed(str(error), where=str(path), key="store", hint="the backup itself is complete") from error


def _copy(source: Path, copy: Path, report: Callable[[int, int], None]) -> None:
    """Copy one state of the file, whatever a fleet writes meanwhile."""
    with open_private(copy, "wb"):
        pass
    with closing(_open_reading(source)) as before, closing(sqlite3.connect(copy, isolation_level=None)) as after:
        after.execute("PRAGMA synchronous = OFF")  # the backup is what is synchronised
        before.execute("BEGIN")
        size = before.execute("PRAGMA page_size").fetchone()[0]
        before.execute("SELECT count(*) FROM sqlite_master").fetchone()  # from here on this transaction sees one state
        before.backup(after, pages=PAGES, progress=lambda _, left, total: report(size * (total - left), size * total))
        after.execute("PRAGMA journal_mode = DELETE")  # all of it in one file


def _check_copy(copy: Path, of: Path) -> tuple[int, int]:
    """Return the version of the tables and the number of rows; raise `Usage` for a file that is not a fleet's."""
    with closing(sqlite3.connect(f"{copy.resolve().as_uri()}?immutable=1", uri=True)) as database:
        application = database.execute("PRAGMA application_id").fetchone()[0]
        if application != APPLICATION_ID:
            raise Usage(
                *("is not the database of a fleet",),
                where=str(of),
                key="store",
                value=str(of),
                hint="name the database of a fleet",
            )
        if (found := database.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            hint = "restore an earlier backup"
            raise StoreFailed(f"is damaged: {found}", where=str(of), key="store", value=str(of), hint=hint)
        version = database.execute("PRAGMA user_version").fetchone()[0]
        return int(version), int(database.execute("SELECT count(*) FROM row").fetchone()[0])


def _settle(path: Path) -> None:
    """Move into the file what a killed fleet left beside it: a SIGKILL from here on leaves the whole file of before."""
    if path.exists():
        with suppress(sqlite3.Error), closing(sqlite3.connect(path, timeout=WAIT_S)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()


def _count_content(path: Path) -> int:
    """Return how many rows and nodes a fleet's file has; raise `Usage` for one that cannot be counted."""
    try:
        with closing(_open_reading(path)) as database:
            if not database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                return 0
            ask = "SELECT (SELECT count(*) FROM row) + (SELECT count(*) FROM node)"
            return int(database.execute(ask).fetchone()[0])
    except sqlite3.Error as error:
        hint = "add --replace to put the backup in its place"
        raise Usage(f"cannot be read: {error}", where=str(path), key="store", value=str(path), hint=hint) from error


def _open_reading(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=WAIT_S, isolation_level=None)


def _unpack(backup: Path, draft: Path, report: Callable[[int, int], None]) -> None:
    with open_content(backup) as (manifest, content), open_private(draft, "wb") as file:
        done = 0
        while piece := content.read(PIECE_BYTES):
            file.write(piece)
            done += len(piece)
            report(done, manifest.size)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _explain_sqlite(source: Path, target: Path) -> Generator[None]:
    """Raise an error that names the file in place of SQLite's own."""
    try:
        yield
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) in _UNWRITTEN:
            hint = "free some space, or name another folder"
            raise RunLogError(f"cannot be written: {error}", where=str(target), key="file", hint=hint) from error
        words = "is in use by a fleet of an earlier version" if is_locked(error) else f"cannot be read: {error}"
        hint = "stop that fleet" if is_locked(error) else "name the database of a fleet"
        raise Usage(words, where=str(source), key="store", value=str(source), hint=hint) from error
