"""Injected defects of a fleet's store, to show that counting finds them; an ordinary store has none."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from drivers.errors import Usage
from edge_bridge.defect_choice import choose_part
from edge_bridge.fleet.store.open_store import open_store, parse_address
from edge_bridge.fleet.store.sqlite_file import make_refusal
from edge_bridge.fleet.store.sqlite_store import SqliteStore
from edge_bridge.fleet.store.tables import ROW

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from edge_bridge.fleet.row import StoredRow
    from edge_bridge.fleet.store.port import FleetStore
    from edge_bridge.fleet.store.row_counts import BatchCounts
    from edge_bridge.fleet.store.staging import StagedBatch


class RowDoublingStore(SqliteStore):
    """A store that keeps its first row twice; its file has no key that prevents this."""

    def __init__(self, where: Path | str) -> None:
        path = _find_file(where)
        if path.exists():
            raise make_refusal(path, "exists already; a table without a key needs a new file")
        super().__init__(path)
        self._done = False
        with self._engine.begin() as connection:
            columns = ", ".join(f"{column.name} {column.type.compile(self._engine.dialect)}" for column in ROW.c)
            connection.exec_driver_sql("DROP TABLE row")
            connection.exec_driver_sql(f"CREATE TABLE row ({columns})")
            connection.exec_driver_sql("CREATE INDEX row_of ON row (node, boot, seq)")

    def _stage(self, rows: Sequence[StoredRow], changes: BatchCounts) -> StagedBatch:
        staged = super()._stage(rows, changes)
        if not self._done and staged.rows:
            self._done = True
            staged.rows.insert(0, staged.rows[0])
        return staged


class RowLosingStore(SqliteStore):
    """A store that acknowledges its first row and does not store it."""

    def __init__(self, where: Path | str) -> None:
        super().__init__(_find_file(where))
        self._done = False

    def _stage(self, rows: Sequence[StoredRow], changes: BatchCounts) -> StagedBatch:
        staged = super()._stage(rows, changes)
        if not self._done and staged.rows:
            self._done = True
            lost = staged.rows.pop(0)
            changes.name(lost.node, lost.boot, lost.seq)
        return staged


STORES: Final[Mapping[str, Callable[[Path | str], FleetStore]]] = MappingProxyType(
    {"double-row": RowDoublingStore, "lose-row": RowLosingStore}
)


def find_store(defect: str) -> Callable[[Path | str], FleetStore]:
    """Return what opens a store with the defect, the ordinary one for an empty name; raise `Usage`."""
    return choose_part(defect, open_store, STORES)


def _find_file(where: Path | str) -> Path:
    address = parse_address(where)
    if not isinstance(address, Path):
        raise Usage("a defect needs an SQLite file", key="store", hint="use --db FILE")
    return address
