"""The SQLite file of a fleet: one writer, any number of readers, and the refusal of any other file."""

from __future__ import annotations

import os
import sqlite3
import sys
from typing import TYPE_CHECKING, Final

from sqlalchemy import create_engine, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

from drivers.errors import Usage
from drivers.private_files import FILE_MODE, close_to_others
from drivers.sqlite_errors import is_locked
from edge_bridge.fleet.store.migrate import VERSION, migrate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Connection, Engine

APPLICATION_ID: Final = 0x50424D46  # "PBMF"
VERSIONS: Final = range(1, VERSION + 1)  # that this program reads; 1 has no health, 2 allowed no reader
LOCK_TIMEOUT_S: Final = 2.0
_MAGIC: Final = b"SQLite format 3\0"
_APPLICATION_AT: Final = 68  # in the header of an SQLite file, four bytes
_HEADER_BYTES: Final = 100


class WriterLock:
    """The lock of the one writer of a file: `FILE.lock`, held until it is closed or this process has ended."""

    def __init__(self, path: Path) -> None:
        """Raise `BlockingIOError` if another process holds it, `OSError` if there can be none."""
        self._file = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT, FILE_MODE)
        try:
            _lock(self._file)
        except OSError as error:
            os.close(self._file)
            raise BlockingIOError(*error.args) from error

    def close(self) -> None:
        """Give the file free; a second call does nothing. The lock file stays: a removed one could be held twice."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _lock(file: int) -> None:
    if sys.platform != "win32":
        import fcntl  # noqa: PLC0415  # each system has one of the two

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    else:
        import msvcrt  # noqa: PLC0415

        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)


def lock_file(path: Path) -> WriterLock:
    """Become the one writer of this file; raise `Usage` for one that is not a fleet's, or that has a writer."""
    _check_file(path)
    try:
        return WriterLock(path)
    except BlockingIOError as error:
        raise make_refusal(path, "is in use by another fleet") from error
    except OSError as error:
        raise make_refusal(path, f"cannot be opened: {error.strerror or error}") from error


def open_file(path: Path, report: Callable[[str], object] = str) -> Engine:
    """Open or create the file under its lock; raise `Usage`. `report` gets a sentence on what was converted."""
    try:
        database = sqlite3.connect(path, timeout=LOCK_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        close_to_others(path)
    except sqlite3.Error as error:
        raise make_refusal(path, f"cannot be opened: {error}") from error
    try:
        before = _check_version(database, path)
        engine = _make_engine(database)
        if before != VERSION:
            _convert(engine)
        if before in VERSIONS and before != VERSION:
            more = "; its rows have empty columns for health" if before == 1 else ""
            report(f"{path} was of version {before}, it is of version {VERSION} now{more}")
    except (sqlite3.Error, SQLAlchemyError) as error:
        database.close()
        cause = getattr(error, "orig", None) or error
        words = "is in use by another fleet" if is_locked(cause) else f"cannot be used: {cause}"
        raise make_refusal(path, words) from error
    except Usage:
        database.close()
        raise
    return engine


def _check_file(path: Path) -> None:
    """Raise `Usage` for a file that is not a fleet's; read its header only, because SQLite may change a file."""
    if not path.exists():
        return
    if not path.is_file():
        raise make_refusal(path, "is not a file")
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
    except OSError as error:
        raise make_refusal(path, f"cannot be opened: {error.strerror or error}") from error
    if not header:
        raise make_refusal(path, "is empty: its rows are lost, or it is not a database")
    if len(header) < _HEADER_BYTES or not header.startswith(_MAGIC):
        raise make_refusal(path, "cannot be used: file is not a database")
    application = int.from_bytes(header[_APPLICATION_AT : _APPLICATION_AT + 4], "big")
    if application == APPLICATION_ID:
        return
    if application or not path.with_name(f"{path.name}-wal").exists():  # a killed fleet's number may be in its log
        raise make_refusal(path, "is the database of another program")


def _check_version(database: sqlite3.Connection, path: Path) -> int:
    """Return the version of the file, 0 for a new one; raise `Usage` for one that cannot be used."""
    application, version, tables = (
        database.execute(ask).fetchone()[0]
        for ask in ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_master")
    )
    if not tables and not version and not application:
        return 0
    if application != APPLICATION_ID:
        raise make_refusal(path, "is the database of another program")
    if version not in VERSIONS:
        words = f"has version {version}, this program writes {VERSION} and reads {VERSIONS[0]} to {VERSIONS[-1]}"
        raise make_refusal(path, words)
    if (found := database.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
        raise make_refusal(path, f"is damaged: {found}")
    return version


def is_current(path: Path) -> bool:
    """Return whether the file is a fleet's of this version, without its lock; False for one that cannot be read."""
    try:
        database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=LOCK_TIMEOUT_S)
    except sqlite3.Error:
        return False
    try:
        asked = ("PRAGMA application_id", "PRAGMA user_version")
        return [database.execute(ask).fetchone()[0] for ask in asked] == [APPLICATION_ID, VERSION]
    except sqlite3.Error:
        return False
    finally:
        database.close()


def _make_engine(database: sqlite3.Connection) -> Engine:
    for setting in ("journal_mode = WAL", "synchronous = FULL", "temp_store = MEMORY"):  # WAL: nobody waits to read
        database.execute(f"PRAGMA {setting}")
    engine = create_engine("sqlite://", creator=lambda: database, poolclass=StaticPool)
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _convert(engine: Engine) -> None:
    """Bring the file to `VERSION` in one transaction: a killed fleet leaves it as it was."""
    with engine.begin() as connection:
        migrate(connection)
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.exec_driver_sql(f"PRAGMA user_version = {VERSION}")


def make_refusal(path: Path, words: str) -> Usage:
    """Make the error for a file that cannot be a fleet's database."""
    return Usage(words, where=str(path), key="db", value=str(path), hint="name another file with --db")
