"""The file behind the outbox: SQLite in WAL mode, synced at each commit, held by one process."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from typing import TYPE_CHECKING, Any, Final

from drivers.errors import Refused
from drivers.private_files import close_to_others, make_private_folder, open_private
from drivers.state_file import put_aside
from edge_bridge.edge import outbox_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

APPLICATION_ID: Final = 0x50424F58  # "PBOX"
VERSION: Final = 3
UNCHECKED_VERSION: Final = 1  # rows without checksums; converted when it is opened
UNKEPT_VERSION: Final = 2  # acknowledged rows are deleted; converted likewise
WAL_PAGES: Final = 64  # a short write-ahead log is reused soon, so it needs no new space on a full disk
PREALLOCATED_BYTES: Final = (
    1 << 19
)  # of database and log from the start, so that there is room in them when the disk fills later
RESERVE_BYTES: Final = 1 << 19
TIGHT_BYTES: Final = 1 << 21  # with less free on the disk no file may grow any more
FREE_PAGES: Final = 32  # inside the database, for the rows until the next check
_PRIMARY: Final = 0xFF  # the low byte of an extended result code
_DISK_FULL_CODES: Final = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
_NOT_DAMAGED: Final = (
    *_DISK_FULL_CODES,
    *(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY),
    *(sqlite3.SQLITE_PERM, sqlite3.SQLITE_NOMEM),
)


def open_database(path: Path, load: Callable[[sqlite3.Connection], None]) -> str:
    """Open the database and `load` it; return a notice if an unreadable one was put aside for a new one.

    Raise `Refused` if another process holds it, or if the disk does not permit it.
    """
    make_private_folder(path.parent)
    try:
        if why := _find_damage(path):
            raise sqlite3.DatabaseError(why)  # noqa: TRY301  # put aside like any other that cannot be read
        _connect(path, load)
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # the latter from a message about damaged names
        code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
        if code in _NOT_DAMAGED:
            hint = (
                "free some space on the disk"
                if code in _DISK_FULL_CODES
                else "stop the other edge that uses this folder, or name another folder with --dir"
            )
            raise Refused(f"cannot be opened: {error}", where=str(path), hint=hint) from error
        aside = _put_aside(path)
        _connect(path, load)
        return f"the outbox could not be read ({error}); it was renamed to {aside.name}, and a new one was created"
    return ""


@contextlib.contextmanager
def begin(database: sqlite3.Connection) -> Generator[None]:
    """Run one transaction: all of it is committed, or nothing."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:  # a full disk may have rolled it back already
            database.execute("ROLLBACK")
        raise


def count_free_pages(database: sqlite3.Connection) -> int:
    """Return the number of free pages in the file."""
    (free,) = database.execute("PRAGMA freelist_count").fetchone()
    return free


def restart_log(database: sqlite3.Connection) -> None:
    """Write the write-ahead log into the database, so that the log starts again in the space that it has."""
    with contextlib.suppress(sqlite3.OperationalError):
        database.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()


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


def _connect(path: Path, load: Callable[[sqlite3.Connection], None]) -> None:
    database = sqlite3.connect(path, isolation_level=None, timeout=0.5)
    close_to_others(path)
    database.text_factory = _decode
    try:
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
        version = _find_version(database)
        if version == 0:
            _create_tables(database)
            _preallocate(database)
        elif version == UNCHECKED_VERSION:
            _convert(database)
        elif version == UNKEPT_VERSION:
            _add_kept(database)
        load(database)
    except BaseException:
        database.close()
        raise


def _decode(data: bytes) -> str:
    """Decode a text of the database, also a damaged one, which its checksum will show."""
    return data.decode("utf-8", "surrogateescape")


def _find_version(database: sqlite3.Connection) -> int:
    """Return 0 for a new file; raise `sqlite3.DatabaseError` for a damaged file or one of another program."""
    (result,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if result != "ok":
        raise sqlite3.DatabaseError(result)
    (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    (application,) = database.execute("PRAGMA application_id").fetchone()
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if tables and (application != APPLICATION_ID or not UNCHECKED_VERSION <= version <= VERSION):
        raise sqlite3.DatabaseError("it belongs to another program or version")
    return version if tables else 0


def _create_tables(database: sqlite3.Connection) -> None:
    for create in outbox_rows.TABLES:
        database.execute(create)
    database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    database.execute(f"PRAGMA user_version = {VERSION}")


def _convert(database: sqlite3.Connection) -> None:
    """Convert the tables of the earlier version; a row that cannot be read gets no checksum, so that it is set aside.

    Raise `sqlite3.OperationalError` if there is no room for it.
    """
    database.execute("BEGIN IMMEDIATE")
    for name in ("row", "boot"):
        database.execute(f"ALTER TABLE {name} RENAME TO old_{name}")
    database.execute("DROP INDEX raw")
    _create_tables(database)
    select = "SELECT place, boot, seq, t_ms, put_s, gap, body FROM old_row"
    for columns in database.execute(select):
        crc = outbox_rows.compute_checksum(*columns) if _is_readable(columns) else None
        copy = "INSERT INTO row SELECT place, boot, seq, t_ms, put_s, gap, body, ?, NULL FROM old_row WHERE place = ?"
        database.execute(copy, (crc, columns[0]))
    for boot, *counts in database.execute("SELECT boot, last, stored, evicted FROM old_boot").fetchall():
        outbox_rows.write_counts(database, boot, outbox_rows.BootCount(*counts))
    for name in ("row", "boot"):
        database.execute(f"DROP TABLE old_{name}")
    database.execute("COMMIT")


def _add_kept(database: sqlite3.Connection) -> None:
    """Convert a file of version 2: all its rows wait. Raise `sqlite3.OperationalError` if there is no room for it."""
    with begin(database):
        database.execute("ALTER TABLE row ADD COLUMN kept")
        database.execute("DROP INDEX IF EXISTS raw")
        for name in ("waiting", "kept"):
            database.execute(outbox_rows.INDEXES[name])
        database.execute(f"PRAGMA user_version = {VERSION}")


def _is_readable(columns: tuple[Any, ...]) -> bool:
    try:
        return isinstance(json.loads(columns[-1]), dict)
    except (ValueError, TypeError, RecursionError):
        return False


def _preallocate(database: sqlite3.Connection) -> None:
    """Grow database and log once; SQLite keeps the free space inside them."""
    database.execute("INSERT INTO row(place, body) VALUES(1, CAST(zeroblob(?) AS TEXT))", (PREALLOCATED_BYTES,))
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
            with open_private(self._path, "wb") as file:
                file.write(b"\xa5" * RESERVE_BYTES)
        except OSError:
            self.release()
