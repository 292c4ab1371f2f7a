"""A writer beside a fleet that may run, or for a database that no fleet has made yet."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from drivers.errors import Usage
from edge_bridge.fleet.store.fleet_writer import FleetWriter
from edge_bridge.fleet.store.migrate import VERSION
from edge_bridge.fleet.store.open_store import open_store, parse_address


def open_writer(where: Path | str) -> FleetWriter:
    """Return a writer; make or convert the database first if it has not all tables. Raise `Usage` or `StoreFailed`."""
    address = parse_address(where)
    if not isinstance(address, Path) or _read_file_version(address) != VERSION:  # else a fleet may hold the file
        open_store(where).close()
    return FleetWriter(where)


def _read_file_version(path: Path) -> int:
    if not path.is_file():
        return 0
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            return int(database.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.Error as error:
        hint = "name the database of a fleet"
        raise Usage(f"cannot be read: {error}", where=str(path), key="store", value=str(path), hint=hint) from error
