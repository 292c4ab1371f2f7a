"""The lock of upkeep: one at a time for a database, whoever runs it; a node is not forgotten meanwhile."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from sqlalchemy import text

from drivers.errors import Usage
from edge_bridge.fleet.store.sqlite_file import WriterLock

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from sqlalchemy import Connection, Engine

_LOCK: Final = {"one": 0x5044, "two": 1}
_TRY: Final = text("SELECT pg_try_advisory_lock(:one, :two)")
_FREE: Final = text("SELECT pg_advisory_unlock(:one, :two)")
_TRY_HERE: Final = text("SELECT pg_try_advisory_xact_lock(:one, :two)")


class UpkeepLock:
    """The lock beside an SQLite file, `FILE.upkeep.lock`; a context that holds it."""

    def __init__(self, path: Path) -> None:
        """Raise `Usage` if another upkeep runs."""
        try:
            self._lock = WriterLock(path.with_name(f"{path.name}.upkeep"))
        except BlockingIOError as error:
            raise _make_refusal() from error

    def __enter__(self) -> None:
        """Hold it."""

    def __exit__(self, *_error: object) -> None:
        self._lock.close()


@contextmanager
def hold_server_lock(engine: Engine) -> Generator[None]:
    """Hold the lock of a server with a connection of its own; raise `Usage` if another upkeep runs."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.execute(_TRY, _LOCK).scalar():
            raise _make_refusal()
        try:
            yield
        finally:
            if not connection.invalidated:
                connection.execute(_FREE, _LOCK)


def exclude_upkeep(connection: Connection) -> None:
    """Keep upkeep from a server's database until the transaction ends; raise `Usage` if it runs now."""
    if not connection.execute(_TRY_HERE, _LOCK).scalar():
        raise _make_refusal()


def _make_refusal() -> Usage:
    return Usage("upkeep of this database runs now", key="store", hint="wait until it has ended, or stop it")
