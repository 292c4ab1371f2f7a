"""The meaning of an SQLite error, by its code."""

from __future__ import annotations

import sqlite3
from typing import Final

_PRIMARY: Final = 0xFF  # the other bits of a code give the place of the error
_LOCKED: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


def is_locked(error: Exception) -> bool:
    """Return whether another connection holds the database."""
    return getattr(error, "sqlite_errorcode", 0) & _PRIMARY in _LOCKED
