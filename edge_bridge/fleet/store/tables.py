"""The tables of the fleet's database as SQLAlchemy sees them; the migrations make them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import BigInteger, Boolean, Column, Double, MetaData, Table, Text

from edge_bridge.fleet.columns import COLUMN_NAMES, COLUMNS
from edge_bridge.sparkplug.payload import DataType

if TYPE_CHECKING:
    from sqlalchemy import Dialect

    from edge_bridge.fleet.row import StoredRow
    from edge_bridge.metrics import Scalar

DAY_MS: Final = 86_400_000
_TYPES: Final = {DataType.DOUBLE: Double, DataType.INT64: BigInteger, DataType.STRING: Text}
_tables: Final = MetaData()


def _make_row_columns() -> list[Column[object]]:
    """Make the columns of a row in the order of `as_columns`."""
    return [
        Column("node", Text, primary_key=True),
        Column("boot", Text, primary_key=True),
        Column("seq", BigInteger, primary_key=True),
        Column("t_ms", BigInteger),
        Column("historical", Boolean),
        Column("clock", Text),
        Column("gap_boot", Text),
        Column("gap_first", BigInteger),
        Column("gap_last", BigInteger),
        *(Column(column.name, _TYPES[column.datatype]) for column in COLUMNS),
    ]


ROW: Final = Table("row", _tables, *_make_row_columns())
DATED_ROW: Final = Table("row", MetaData(), *_make_row_columns(), Column("day", BigInteger))  # in PostgreSQL
BOOT: Final = Table(
    "boot",
    _tables,
    Column("node", Text, primary_key=True),
    Column("boot", Text, primary_key=True),
    Column("highest", BigInteger),  # the newest row that the edge reported
    Column("stored", BigInteger),  # rows here
    Column("named", BigInteger),  # rows in gaps alone
    Column("first_ms", BigInteger),  # the times of the rows here lie between these
    Column("last_ms", BigInteger),
)
GAP: Final = Table(
    "gap", _tables, Column("node", Text), Column("boot", Text), Column("first", BigInteger), Column("last", BigInteger)
)
NODE: Final = Table(
    "node",
    _tables,
    Column("node", Text, primary_key=True),
    Column("online", Boolean),
    Column("last_ms", BigInteger),
    Column("status", Text),
    Column("group_id", Text),  # empty until a birth tells it
)
BIRTH: Final = Table(
    "birth",
    _tables,
    Column("id", BigInteger, primary_key=True, autoincrement=True),
    Column("node", Text),
    Column("t_ms", BigInteger),
    Column("bd_seq", BigInteger),
    Column("bundle", Text),
)
COUNTER: Final = Table(
    "counter",
    _tables,
    Column("kind", Text, primary_key=True),
    Column("reason", Text, primary_key=True),
    Column("count", BigInteger),
)
EVENT: Final = Table(
    "event",
    _tables,
    Column("id", BigInteger, primary_key=True, autoincrement=True),
    Column("node", Text),
    Column("t_ms", BigInteger),
    Column("kind", Text),
    Column("severity", Text),
    Column("detail", Text),
    Column("is_alarm", Boolean),  # it stays raised until another event clears it
    Column("cleared_ms", BigInteger),
    Column("acknowledged_ms", BigInteger),
    Column("acknowledged_by", Text),
    Column("note", Text),
)
AUDIT: Final = Table(
    "audit",
    _tables,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("t_ms", BigInteger),
    Column("who", Text),
    Column("action", Text),
    Column("object", Text),
    Column("before", Text),  # SHA-256 of what was there, empty for nothing
    Column("after", Text),
    Column("prev_hash", Text),
    Column("hash", Text),
)
STAGED, STAGED_BOOT, STAGED_NODE = (  # temporary: what one batch changes
    Table(f"staged_{table.name}", MetaData(), *(Column(column.name, column.type) for column in table.c))
    for table in (ROW, BOOT, NODE)
)
TOUCHED: Final = Table("touched", MetaData(), Column("node", Text), Column("boot", Text))  # temporary: its boots
TEMPORARY: Final = (STAGED, STAGED_BOOT, STAGED_NODE, TOUCHED)
OF_NODE: Final = (ROW, BOOT, GAP, BIRTH, EVENT, NODE)  # the tables that know a node
KEY: Final = ("node", "boot", "seq")
CONTENT: Final = ("t_ms", "gap_boot", "gap_first", "gap_last", *COLUMN_NAMES)  # the rest tells how a row arrived


def as_columns(row: StoredRow) -> tuple[Scalar, ...]:
    """Return a row as the columns of `STAGED`."""
    gap = (row.gap.boot, row.gap.first, row.gap.last) if row.gap else (None, None, None)
    return (row.node, row.boot, row.seq, row.t_ms, row.historical, row.clock, *gap, *row.values)


def make_temporary(table: Table, dialect: Dialect) -> str:
    """Return the statement that makes a temporary table of this connection."""
    columns = ", ".join(f"{column.name} {column.type.compile(dialect)}" for column in table.c)
    return f"CREATE TEMPORARY TABLE {table.name} ({columns})"
