"""The size, the age and the newest backup of a fleet's database, for whoever observes it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select, text

from edge_bridge.fleet.backup.run_backup import BACKUP, NEWEST_MS
from edge_bridge.fleet.store.open_store import parse_address
from edge_bridge.fleet.store.tables import BOOT, COUNTER

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from edge_bridge.fleet.store.fleet_reader import FleetReader

_SIZE: Final = text("""
SELECT coalesce(sum(pg_total_relation_size(oid)), 0) FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'm')""")
_PARTITIONS: Final = text("SELECT count(*) FROM pg_inherits WHERE inhparent = to_regclass('row')")
_NEWEST_BACKUP: Final = select(COUNTER.c.count).where(COUNTER.c.kind == BACKUP, COUNTER.c.reason == NEWEST_MS)


@dataclass(frozen=True, slots=True)
class DatabaseFigures:
    """`disk_free` and `disk_size` are None for a server, whose disk is another machine's."""

    size: int  # bytes, with indexes
    partitions: int
    oldest_ms: int | None
    backup_ms: int | None
    disk_free: int | None
    disk_size: int | None


def read_database_figures(reader: FleetReader, where: Path | str) -> DatabaseFigures:
    """Ask the database of `reader`, which `where` names; raise `StoreFailed`."""
    address = parse_address(where)
    with reader.begin() as connection:
        oldest, backup = (
            connection.execute(ask).scalar() for ask in (select(func.min(BOOT.c.first_ms)), _NEWEST_BACKUP)
        )
        if isinstance(address, Path):
            size, partitions, disk = _measure_file(address), 1, shutil.disk_usage(address.parent)
        else:
            size, partitions, disk = *_measure_server(connection), None
    return DatabaseFigures(
        *(size, partitions, oldest, backup),
        disk_free=disk.free if disk else None,
        disk_size=disk.total if disk else None,
    )


def _measure_file(path: Path) -> int:
    files = (path.with_name(path.name + ending) for ending in ("", "-wal", "-shm"))
    return sum(file.stat().st_size for file in files if file.exists())


def _measure_server(connection: Connection) -> tuple[int, int]:
    return int(connection.execute(_SIZE).scalar_one()), int(connection.execute(_PARTITIONS).scalar_one())
