"""The fleet's database file: its tables, and the refusal of any other file."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Final

from drivers.errors import Usage
from drivers.private_files import close_to_others
from drivers.sqlite_errors import is_locked
from edge_bridge.fleet.columns import COLUMNS
from edge_bridge.sparkplug.payload import DataType

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

APPLICATION_ID: Final = 0x50424D46  # "PBMF"
VERSION: Final = 2
WITHOUT_HEALTH: Final = 1  # the version before; its rows get empty columns
LOCK_TIMEOUT_S: Final = 2.0
_MAGIC: Final = b"SQLite format 3\0"
_APPLICATION_AT: Final = 68  # in the header of an SQLite file, four bytes
_HEADER_BYTES: Final = 100
_BIRTH_INDEX: Final = "CREATE INDEX IF NOT EXISTS birth_of ON birth (node)"
_TYPES: Final = {DataType.DOUBLE: "REAL", DataType.INT64: "INTEGER", DataType.STRING: "TEXT"}
_VALUES: Final = ", ".join(f"{column.name} {_TYPES[column.datatype]}" for column in COLUMNS)
_ROW: Final = f"""
CREATE TABLE row (
    node TEXT NOT NULL, boot TEXT NOT NULL, seq INTEGER NOT NULL,
    t_ms INTEGER NOT NULL, historical INTEGER NOT NULL, clock TEXT NOT NULL,
    gap_boot TEXT, gap_first INTEGER, gap_last INTEGER, {_VALUES}"""
_UNIQUE: Final = ", PRIMARY KEY (node, boot, seq)) WITHOUT ROWID;"
_REST: Final = """
CREATE TABLE boot (
    node TEXT NOT NULL, boot TEXT NOT NULL,
    highest INTEGER NOT NULL,  -- the newest row that the edge reported
    stored INTEGER NOT NULL, named INTEGER NOT NULL,  -- rows here, rows in gaps alone
    PRIMARY KEY (node, boot)) WITHOUT ROWID;
CREATE TABLE gap (node TEXT NOT NULL, boot TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL);
CREATE INDEX gap_of ON gap (node, boot, last);
CREATE TABLE node (node TEXT PRIMARY KEY, online INTEGER NOT NULL, last_ms INTEGER, status TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE birth (node TEXT NOT NULL, t_ms INTEGER NOT NULL, bd_seq INTEGER NOT NULL, bundle TEXT);
CREATE TABLE counter (kind TEXT NOT NULL, reason TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (kind, reason))
    WITHOUT ROWID;
"""


def open_database(path: Path, *, unique: bool = True, report: Callable[[str], object] = str) -> sqlite3.Connection:
    """Open or create the database for this process alone; raise `Usage` for a file that is not a fleet's.

    `unique=False` makes a new file without the key that keeps rows from being stored twice. `report` gets a sentence on
    what was converted.
    """
    _check_file(path)
    try:
        database = sqlite3.connect(path, timeout=LOCK_TIMEOUT_S, isolation_level=None)
        close_to_others(path)
    except sqlite3.Error as error:
        raise make_refusal(path, f"cannot be opened: {error}") from error
    try:
        if converted := _prepare(database, path, unique=unique):
            report(converted)
    except sqlite3.Error as error:
        database.close()
        words = "is in use by another fleet" if is_locked(error) else f"cannot be used: {error}"
        raise make_refusal(path, words) from error
    except Usage:
        database.close()
        raise
    return database


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


def _prepare(database: sqlite3.Connection, path: Path, *, unique: bool) -> str:
    """Check and complete the tables; return a sentence on what was converted, empty for nothing."""
    database.execute("PRAGMA locking_mode = EXCLUSIVE")
    application, version, tables = (
        database.execute(ask).fetchone()[0]
        for ask in ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_master")
    )
    new = not tables and not version and not application
    if not new and application != APPLICATION_ID:
        raise make_refusal(path, "is the database of another program")
    if not new and version not in {VERSION, WITHOUT_HEALTH}:
        raise make_refusal(path, f"has version {version}, this program writes {VERSION} and reads {WITHOUT_HEALTH}")
    if not new and (found := database.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
        raise make_refusal(path, f"is damaged: {found}")
    if not new and not unique:
        raise make_refusal(path, "exists already; a table without a key needs a new file")
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("BEGIN IMMEDIATE")  # this process holds the file from here until it is closed
    if new:
        script = _ROW + (_UNIQUE if unique else "); CREATE INDEX row_of ON row (node, boot, seq);") + _REST
        for statement in script.split(";"):
            database.execute(statement)
        database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    added = [] if new else _add_columns(database)
    database.execute(f"PRAGMA user_version = {VERSION}")
    database.execute(_BIRTH_INDEX)
    database.execute("COMMIT")
    return f"{path} was of version {version}: its rows got the empty columns {', '.join(added)}" if added else ""


def _add_columns(database: sqlite3.Connection) -> list[str]:
    """Add the columns that a file of the version before lacks; return their names."""
    known = {name for _, name, *_ in database.execute("PRAGMA table_info(row)")}
    missing = [column for column in COLUMNS if column.name not in known]
    for column in missing:
        database.execute(f"ALTER TABLE row ADD COLUMN {column.name} {_TYPES[column.datatype]}")
    return [column.name for column in missing]


def make_refusal(path: Path, words: str) -> Usage:
    """Make the error for a file that cannot be a fleet's database."""
    return Usage(words, where=str(path), key="db", value=str(path), hint="name another file with --db")
