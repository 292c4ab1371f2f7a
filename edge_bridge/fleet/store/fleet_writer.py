"""What people change in a fleet's database: short transactions on a connection of its own, each with an audit entry."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import create_engine, event, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from edge_bridge.fleet.store.audit_chain import append_entry
from edge_bridge.fleet.store.open_store import parse_address
from edge_bridge.fleet.store.records import ROW_CONFLICT
from edge_bridge.fleet.store.sql_store import make_failure
from edge_bridge.fleet.store.tables import EVENT

if TYPE_CHECKING:
    from collections.abc import Generator

    from sqlalchemy import URL, Connection, Engine

    from edge_bridge.fleet.store.audit_chain import AuditNote

WAIT_S: Final = 5.0  # for the host's own transaction


class FleetWriter:
    """The writer of people's changes; threads may share it. Every change raises `StoreFailed`."""

    def __init__(self, where: Path | str) -> None:
        """`where` is a file or a URL of a database that a `FleetStore` has opened, so that it has all tables."""
        address = parse_address(where)
        self._where = str(address) if isinstance(address, Path) else address.render_as_string(hide_password=True)
        self._engine = _open_writing(address)

    @contextmanager
    def begin(self) -> Generator[Connection]:
        """Begin a transaction."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise make_failure(self._where, error) from error

    def append(self, note: AuditNote) -> None:
        """Append an entry to the audit."""
        with self.begin() as connection:
            append_entry(connection, note)

    def acknowledge(self, alarm: int, note: str, audit: AuditNote) -> Any | None:
        """Acknowledge an alarm and return it as a row of `EVENT`; None if there is none that nobody acknowledged.

        A conflict of rows has no opposite that would clear it, so this clears it too.
        """
        wanted = (
            update(EVENT)
            .where(EVENT.c.id == alarm, EVENT.c.is_alarm, EVENT.c.acknowledged_ms.is_(None))
            .values(acknowledged_ms=audit.t_ms, acknowledged_by=audit.who, note=note)
        )
        cleared = update(EVENT).where(EVENT.c.id == alarm, EVENT.c.kind == ROW_CONFLICT, EVENT.c.cleared_ms.is_(None))
        with self.begin() as connection:
            if not connection.execute(wanted).rowcount:
                return None
            connection.execute(cleared.values(cleared_ms=audit.t_ms))
            append_entry(connection, audit)
            return connection.execute(select(EVENT).where(EVENT.c.id == alarm)).first()

    def close(self) -> None:
        self._engine.dispose()


def _open_writing(address: Path | URL) -> Engine:
    if isinstance(address, Path):
        url = f"sqlite:///file:{address.absolute().as_posix()}?mode=rw&uri=true"
        engine = create_engine(url, pool_size=1, max_overflow=0, connect_args={"timeout": WAIT_S})
        event.listen(engine, "connect", _leave_transactions)
        event.listen(engine, "begin", _begin)
        return engine
    return create_engine(
        address.set(drivername="postgresql+psycopg"),
        pool_size=1,
        max_overflow=0,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": round(WAIT_S),
            "application_name": "pulsebms fleet people",
            "options": f"{address.query.get('options', '')} -c lock_timeout={WAIT_S:g}s",
        },
    )


def _leave_transactions(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # `_begin` begins them
    connection.execute("PRAGMA synchronous = FULL")


def _begin(connection: Connection) -> None:
    connection.execute(text("BEGIN IMMEDIATE"))
