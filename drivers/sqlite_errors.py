"""What an error of SQLite means, by its code."""

from __future__ import annotations

import sqlite3
from typing import Final

_PRIMARY: Final = 0xFF  # the rest of a code says where it happened
_LOCKED: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


def is_locked(error: Exception) -> bool:
    """Whether somebody else holds the database."""
    return getattr(error, "sqlite_errorcode", 0) & _PRIMARY in _LOCKED
