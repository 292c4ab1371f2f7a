"""Rows as JSON in a table of SQLite and nothing else: the base of the outbox and of the fleet's store."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class BareRows:
    """A table with write-ahead log and synchronous FULL, as both of ours use."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.execute("CREATE TABLE row (boot TEXT, seq INTEGER, body TEXT, PRIMARY KEY (boot, seq))")
        self._last = 0

    def commit(self, bodies: list[str]) -> None:
        """Write the rows in one transaction."""
        rows = [("boot", self._last + n, body) for n, body in enumerate(bodies, 1)]
        self._last += len(rows)
        self._database.execute("BEGIN IMMEDIATE")
        self._database.executemany("INSERT INTO row VALUES (?, ?, ?)", rows)
        self._database.execute("COMMIT")

    def close(self) -> None:
        self._database.close()
