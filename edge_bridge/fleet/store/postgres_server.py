"""The connection to a PostgreSQL server, and the refusal of a database that is not a fleet's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import create_engine, event, inspect, text
from sqlalchemy.dialects import postgresql

from drivers.errors import Usage
from edge_bridge.fleet.store.migrate import VERSION, VERSION_TABLE, migrate, read_version
from edge_bridge.fleet.store.partitions import LOCK
from edge_bridge.fleet.store.tables import TEMPORARY, make_temporary

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import URL, Connection, Engine

CONNECT_TIMEOUT_S: Final = 5
SESSION: Final = "pulsebms fleet"  # as the server lists it
MIGRATION_WAIT: Final = "10min"  # for another host that brings the tables up to date
# Each statement of the writer joins the staged rows with one index; the planner, which has no statistics of temporary
# tables, must not read the partitions instead.
_SETTINGS: Final = {
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_seqscan": "off",
    "jit": "off",
    "lock_timeout": "5s",
    "synchronous_commit": "on",  # an acknowledged row is on the disk, whatever the server's default
}


def open_server(url: URL, where: str, report: Callable[[str], object], session: str = SESSION) -> Engine:
    """Connect, and make or convert the tables; `report` gets a sentence on what was converted.

    Raise `Usage` for a database of another program or of a later version, `SQLAlchemyError` for a server that does not
    answer.
    """
    options = [str(value) for value in [url.query.get("options")] if value]
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=1,
        max_overflow=0,
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT_S,
            "application_name": session,
            "options": " ".join([*options, *(f"-c {name}={value}" for name, value in _SETTINGS.items())]),
        },
    )
    try:
        with engine.begin() as connection:
            if before := _bring_up_to_date(connection, where):
                report(f"{where} was of version {before}, it is of version {VERSION} now")
        event.listen(engine, "connect", _make_temporary_tables)
        engine.dispose()  # each connection from now on has the temporary tables
    except BaseException:
        engine.dispose()
        raise
    return engine


def _bring_up_to_date(connection: Connection, where: str) -> int:
    """Migrate under a lock that one host holds at a time; return the version before if there was an older one."""
    connection.execute(text(f"SET LOCAL lock_timeout = '{MIGRATION_WAIT}'"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:one, :two)"), {"one": LOCK[0], "two": LOCK[1]})
    version = read_version(connection)
    if not version and (tables := inspect(connection).get_table_names()):
        raise _make_refusal(where, f"is the database of another program: it has a table {tables[0]}")
    if version > VERSION:
        raise _make_refusal(where, f"has version {version}, this program writes {VERSION}")
    if version < VERSION:
        migrate(connection)
    return version if 0 < version < VERSION else 0


def _make_temporary_tables(connection: Any, _record: object) -> None:
    with connection.cursor() as cursor:
        for table in TEMPORARY:
            cursor.execute(make_temporary(table, postgresql.dialect()))
    connection.commit()


def _make_refusal(where: str, words: str) -> Usage:
    return Usage(
        words, where=where, key="store", value=where, hint=f"name another database; {VERSION_TABLE} marks a fleet's"
    )
