"""Forget one node: its rows in the tables and in the archive, its roll-ups and all else that is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, exists, func, select

from drivers.errors import Usage
from edge_bridge.fleet.store.archived_spans import count_archived_of
from edge_bridge.fleet.store.tables import OF_NODE, ROW
from edge_bridge.fleet.store.upkeep_tables import ARCHIVED_DAY, ARCHIVED_SPAN, UPKEEP_OF_NODE

if TYPE_CHECKING:
    from sqlalchemy import Connection


def forget_node(connection: Connection, node: str, *, delete_rows: bool) -> int:
    """Forget a node within a transaction; return how many rows are deleted, those of the archive among them.

    Raise `Usage` for an unknown node, or for one with rows without `delete_rows`; `StoreFailed` for an archive that
    cannot be read or written: then nothing is forgotten.
    """
    archived = count_archived_of(connection, node)
    rows = int(connection.execute(select(func.count()).select_from(ROW).where(ROW.c.node == node)).scalar_one())
    tables = (*OF_NODE, *UPKEEP_OF_NODE, ARCHIVED_SPAN)
    if not any(connection.execute(select(exists().where(table.c.node == node))).scalar() for table in tables):
        remove_old_files(connection)  # the program may have ended before they went
        raise Usage(f"no node {node} is known", key="node", value=node, hint="name a node that the fleet reports")
    if (rows or archived) and not delete_rows:
        also = f", {archived} of them in the archive" if archived else ""
        what = f"{node} has {rows + archived} rows, which would be deleted{also}"
        raise Usage(what, key="delete-rows", value=node, hint="add --delete-rows")
    if archived:
        from edge_bridge.fleet.store.archive_rewrite import rewrite_without  # noqa: PLC0415  # pyarrow is large

        rewrite_without(connection, node)
    for table in tables:
        connection.execute(delete(table).where(table.c.node == node))
    return rows + archived


def remove_old_files(connection: Connection) -> None:
    """Remove files of the archive that others without a forgotten node replaced."""
    if connection.execute(select(exists().where(ARCHIVED_DAY.c.day.is_not(None)))).scalar():
        from edge_bridge.fleet.store.archive_rewrite import remove_replaced  # noqa: PLC0415  # pyarrow is large

        remove_replaced(connection)
