"""The file behind the outbox: SQLite in WAL mode, synced at each commit, held by one process."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from typing import TYPE_CHECKING, Final

from drivers.errors import Refused
from drivers.private_files import close_to_others, make_private_folder
from drivers.state_file import put_aside

if TYPE_CHECKING:
    from pathlib import Path

APPLICATION_ID: Final = 0x50424F58  # "PBOX"
VERSION: Final = 1
WAL_PAGES: Final = 64  # a short write-ahead log is reused soon, so it needs no new space on a full disk
PREALLOCATED_BYTES: Final = (
    1 << 19
)  # of database and log from the start, so that there is room in them when the disk fills later
RESERVE_BYTES: Final = 1 << 19
TIGHT_BYTES: Final = 1 << 21  # with less free on the disk no file may grow any more
FREE_PAGES: Final = 32  # inside the database, for the rows until the next check
_PRIMARY: Final = 0xFF  # the low byte of an extended result code
_DISK_FULL_CODES: Final = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
_TABLES: Final = f"""
    CREATE TABLE row(
        place INTEGER PRIMARY KEY, boot TEXT NOT NULL, seq INTEGER NOT NULL, t_ms INTEGER NOT NULL,
        put_s REAL NOT NULL, gap INTEGER NOT NULL, body TEXT NOT NULL, UNIQUE(boot, seq));
    CREATE INDEX raw ON row(place) WHERE gap = 0;
    CREATE TABLE boot(
        boot TEXT PRIMARY KEY, last INTEGER NOT NULL, stored INTEGER NOT NULL, evicted INTEGER NOT NULL);
    PRAGMA application_id = {APPLICATION_ID};
    PRAGMA user_version = {VERSION};
"""


def open_database(path: Path) -> tuple[sqlite3.Connection, str]:
    """Open the database; return a notice if an unreadable one was put aside. Raise `Refused` if another holds it."""
    make_private_folder(path.parent)
    try:
        if why := _find_damage(path):
            raise sqlite3.DatabaseError(why)  # noqa: TRY301  # put aside like any other that cannot be read
        return _connect(path), ""
    except sqlite3.OperationalError as error:
        hint = (
            "free some space on the disk"
            if is_disk_full(error)
            else "stop the other edge that uses this folder, or name another folder with --dir"
        )
        raise Refused(f"cannot be opened: {error}", where=str(path), hint=hint) from error
    except sqlite3.DatabaseError as error:
        aside = _put_aside(path)
        return _connect(
            path
        ), f"the outbox could not be read ({error}); it was renamed to {aside.name}, and a new one was created"


def is_disk_full(error: sqlite3.Error) -> bool:
    """Return whether the error comes from the disk."""
    return getattr(error, "sqlite_errorcode", 0) & _PRIMARY in _DISK_FULL_CODES


def _find_damage(path: Path) -> str:
    """Return the damage that SQLite would read as a new file or as another's lock; empty if there is none."""
    if path.is_symlink() and not path.exists():
        return "it is a link to a missing file"
    if not path.exists():
        return ""
    if not path.is_file():
        return "it is not a file"
    return "" if path.stat().st_size else "it is empty"


def _connect(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None, timeout=0.5)
    close_to_others(path)
    try:
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
        if not _is_outbox(database):
            database.executescript(_TABLES)
            _preallocate(database)
    except BaseException:
        database.close()
        raise
    return database


def _is_outbox(database: sqlite3.Connection) -> bool:
    """Return False for a new file; raise `sqlite3.DatabaseError` for a damaged file or one of another program."""
    (result,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if result != "ok":
        raise sqlite3.DatabaseError(result)
    (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    (application,) = database.execute("PRAGMA application_id").fetchone()
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if tables and (application, version) != (APPLICATION_ID, VERSION):
        raise sqlite3.DatabaseError("it belongs to another program or version")
    return bool(tables)


def _preallocate(database: sqlite3.Connection) -> None:
    """Grow database and log once; SQLite keeps the free space inside them."""
    row = "INSERT INTO row(boot, seq, t_ms, put_s, gap, body) VALUES('', 0, 0, 0, 1, CAST(zeroblob(?) AS TEXT))"
    database.execute(row, (PREALLOCATED_BYTES,))
    database.execute("DELETE FROM row")


def _put_aside(path: Path) -> Path:
    aside = put_aside(path)
    for tail in ("-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + tail).replace(aside.with_name(aside.name + tail))
    return aside


class DiskReserve:
    """Reserved disk space: to delete the oldest rows on a full disk also needs room to write."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.allocate()

    @property
    def is_tight(self) -> bool:
        """Return whether the disk is so full that no file of the edge may grow."""
        return shutil.disk_usage(self._path.parent).free < TIGHT_BYTES

    def release(self) -> None:
        self._path.unlink(missing_ok=True)

    def allocate(self) -> None:
        """Reserve the space again if the disk has plenty."""
        if self._path.exists() or self.is_tight:
            return
        try:
            self._path.write_bytes(b"\xa5" * RESERVE_BYTES)
        except OSError:
            self.release()
