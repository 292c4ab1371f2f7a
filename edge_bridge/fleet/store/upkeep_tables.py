"""The tables of upkeep: roll-ups, which rows lie where, and what the archive holds; a migration makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import BigInteger, Boolean, Column, Double, MetaData, Table, Text, and_, literal, select

from edge_bridge.fleet.columns import COLUMNS
from edge_bridge.sparkplug.payload import DataType

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000
HOURS_OF_DAY: Final = 24
BLOCK_ROWS: Final = 4096  # rows of one boot that one entry of `HOUR_BLOCK` stands for
NUMERIC: Final = tuple(column.name for column in COLUMNS if column.datatype is not DataType.STRING)
PARTS: Final = ("n", "low", "sum", "high")  # of each numeric column; a sum can be joined with another, a mean cannot
_tables: Final = MetaData()


def _make_rollup(name: str) -> Table:
    return Table(
        name,
        _tables,
        Column("node", Text, primary_key=True),
        Column("start_ms", BigInteger, primary_key=True),
        Column("count", BigInteger),  # rows with a possible time
        Column("held_n", BigInteger),  # rows with this verdict of the gate
        Column("tripped_n", BigInteger),
        *(Column(f"{column}_{part}", BigInteger if part == "n" else Double) for column in NUMERIC for part in PARTS),
    )


MINUTE: Final = _make_rollup("minute")
HOUR: Final = _make_rollup("hour")
STALE_HOUR: Final = Table(  # hours, counted from 1970, whose roll-ups lack a row; an hour may stand here many times
    "stale_hour",
    _tables,
    Column("id", BigInteger, primary_key=True),
    Column("node", Text),
    Column("hour", BigInteger),
)
HOUR_BLOCK: Final = Table(  # where rows of an hour lie in the key: a time index with an entry for 4096 rows
    "hour_block",
    _tables,
    Column("node", Text, primary_key=True),
    Column("hour", BigInteger, primary_key=True),
    Column("boot", Text, primary_key=True),
    Column("block", BigInteger, primary_key=True),
)
ARCHIVED_DAY: Final = Table(
    "archived_day",
    _tables,
    Column("day", BigInteger, primary_key=True),
    Column("part", BigInteger, primary_key=True),  # late rows of a day make a second file
    Column("rows", BigInteger),
    Column("folder", Text),
    Column("file", Text),
    Column("sha256", Text),
    Column("is_done", Boolean),  # False while rows that the file holds are still being deleted
)
ARCHIVED_SPAN: Final = Table(
    "archived_span",
    _tables,
    Column("node", Text),
    Column("boot", Text),
    Column("first", BigInteger),
    Column("last", BigInteger),
)
DAY_SUMS: Final = (
    *("energy_out_wh", "energy_in_wh", "charge_out_ah", "charge_in_ah", "cycles"),
    *("reported_ms", "trip_out_wh", "trip_in_wh", "soh"),
)
PACK_DAY: Final = Table(  # what a pack did on a day (UTC), by `analytics.sum_day` from its minutes
    "pack_day",
    _tables,
    Column(
        "day", BigInteger, primary_key=True
    ),  # counted from 1970; first in the key: all packs of a span lie together
    Column("node", Text, primary_key=True),
    *(Column(name, Double) for name in DAY_SUMS),
    Column("last_ms", BigInteger),  # end of the newest minute in it
)
STALE_DAY: Final = Table(  # days whose sums lack a minute; written and read by upkeep alone
    "stale_day",
    _tables,
    Column("day", BigInteger, primary_key=True),
    Column("node", Text, primary_key=True),
)
FLEET_SETTING: Final = Table("fleet_setting", _tables, Column("name", Text, primary_key=True), Column("value", Text))
FLEET_ID: Final = "fleet_id"  # in the names of archive files, so that two fleets may share a folder
UPKEEP_OF_NODE: Final = (MINUTE, HOUR, STALE_HOUR, HOUR_BLOCK, PACK_DAY, STALE_DAY)  # what is forgotten with a node


def join_blocks(row: Table, where: ColumnElement[bool]) -> Any:
    """Return the rows in the blocks of `HOUR_BLOCK` that `where` chooses; the caller chooses by time too."""
    blocks = select(HOUR_BLOCK.c.node, HOUR_BLOCK.c.boot, HOUR_BLOCK.c.block).where(where).distinct().subquery("blocks")
    first = blocks.c.block * literal(BLOCK_ROWS, BigInteger)
    return blocks.join(
        row,
        and_(
            row.c.node == blocks.c.node,
            row.c.boot == blocks.c.boot,
            row.c.seq.between(first, first + literal(BLOCK_ROWS - 1, BigInteger)),
        ),
    )
