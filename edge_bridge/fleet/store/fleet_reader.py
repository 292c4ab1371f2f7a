"""Questions to a fleet's database beside its writer: connections of their own, which change and lock nothing."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import create_engine, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from edge_bridge.fleet.store.open_store import parse_address
from edge_bridge.fleet.store.sql_store import make_failure
from edge_bridge.fleet.store.tables import BIRTH, BOOT, NODE

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from sqlalchemy import URL, Connection, Engine

CONNECTIONS: Final = 4
TIMEOUT_S: Final = 10.0
_POSTGRESQL: Final = {
    "default_transaction_read_only": "on",
    "statement_timeout": f"{TIMEOUT_S:g}s",
    "jit": "off",
}


class FleetReader:
    """A reader of one fleet's database, for any number of threads. Every question raises `StoreFailed`."""

    def __init__(self, where: Path | str) -> None:
        """`where` is a file or a URL of a database that a `FleetStore` has opened, so that it has all tables."""
        address = parse_address(where)
        self._where = str(address) if isinstance(address, Path) else address.render_as_string(hide_password=True)
        self._engine = open_reading(address)

    @contextmanager
    def begin(self) -> Generator[Connection]:
        """Begin a transaction that only reads."""
        try:
            with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise make_failure(self._where, error) from error

    def check(self) -> None:
        """Raise `StoreFailed` if the database does not answer."""
        with self.begin() as connection:
            connection.execute(text("SELECT 1"))

    def read_notes(self) -> Sequence[Any]:
        """Return name, online, time of the newest row and status text of each node."""
        with self.begin() as connection:
            return connection.execute(select(NODE.c.node, NODE.c.online, NODE.c.last_ms, NODE.c.status)).all()

    def read_row_counts(self) -> Sequence[Any]:
        """Return each node's rows: produced, stored, named by gaps."""
        sums = (func.sum(BOOT.c.highest), func.sum(BOOT.c.stored), func.sum(BOOT.c.named))
        with self.begin() as connection:
            return connection.execute(select(BOOT.c.node, *sums).group_by(BOOT.c.node)).all()

    def read_births(self, node: str, limit: int) -> Sequence[Any]:
        """Return the newest births of a node, the newest first."""
        wanted = select(BIRTH.c.t_ms, BIRTH.c.bd_seq, BIRTH.c.bundle).where(BIRTH.c.node == node)
        with self.begin() as connection:
            return connection.execute(wanted.order_by(BIRTH.c.id.desc()).limit(limit)).all()

    def close(self) -> None:
        self._engine.dispose()


def open_reading(address: Path | URL) -> Engine:
    """Return an engine whose connections can only read."""
    if isinstance(address, Path):
        url = f"sqlite:///file:{address.resolve().as_posix()}?mode=ro&uri=true"
        return create_engine(url, pool_size=CONNECTIONS, max_overflow=0, connect_args={"timeout": TIMEOUT_S})
    options = [str(value) for value in [address.query.get("options")] if value]
    options += [f"-c {name}={value}" for name, value in _POSTGRESQL.items()]
    return create_engine(
        address.set(drivername="postgresql+psycopg"),
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": round(TIMEOUT_S),
            "application_name": "pulsebms fleet api",
            "options": " ".join(options),
        },
    )
