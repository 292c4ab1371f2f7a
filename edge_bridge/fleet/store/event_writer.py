"""The events of a batch, written in its transaction: alarms are raised once and cleared by their opposite."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, delete, insert, select, update

from edge_bridge.fleet.store.records import MAX_EVENTS, ROW_CONFLICT, NodeEvent, RowName
from edge_bridge.fleet.store.tables import EVENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection


_CLEAR: Final = (
    update(EVENT)
    .where(
        EVENT.c.node == bindparam("of_node"),
        EVENT.c.kind == bindparam("of_kind"),
        EVENT.c.is_alarm,
        EVENT.c.cleared_ms.is_(None),
    )
    .values(cleared_ms=bindparam("at_ms"))
)
_OLDEST_KEPT: Final = (
    select(EVENT.c.id)
    .where(EVENT.c.node == bindparam("of_node"))
    .order_by(EVENT.c.id.desc())
    .limit(1)
    .offset(MAX_EVENTS - 1)
    .scalar_subquery()
)
_RAISED: Final = select(EVENT.c.node).where(
    EVENT.c.node.in_(bindparam("of_nodes", expanding=True)),
    EVENT.c.kind == ROW_CONFLICT,
    EVENT.c.is_alarm,
    EVENT.c.cleared_ms.is_(None),
)
_DELETE_OLD: Final = delete(EVENT).where(EVENT.c.node == bindparam("of_node"), EVENT.c.id < _OLDEST_KEPT)


def insert_events(connection: Connection, events: Sequence[NodeEvent]) -> None:
    """Insert events in their order; clear the alarms that they end, and those that they raise again."""
    for event in events:
        for kind in (*event.clears, *([event.kind] if event.is_alarm else [])):
            connection.execute(_CLEAR, {"of_node": event.node, "of_kind": kind, "at_ms": event.t_ms})
        names = ("node", "t_ms", "kind", "severity", "is_alarm")
        values = {name: getattr(event, name) for name in names} | {"detail": event.detail.replace("\0", "")}
        connection.execute(insert(EVENT), values)
    for node in {event.node for event in events}:
        connection.execute(_DELETE_OLD, {"of_node": node})


def insert_conflicts(connection: Connection, conflicts: Sequence[RowName], t_ms: int) -> None:
    """Raise an alarm for each node of which rows arrived again with other content, unless one is raised already.

    Nothing that a device sends clears it: a person does, by acknowledging it. So many conflicts cost one event.
    """
    if not conflicts:
        return
    by_node = dict[str, list[RowName]]()
    for key in conflicts:
        by_node.setdefault(key[0], []).append(key)
    for node in connection.execute(_RAISED, {"of_nodes": sorted(by_node)}).scalars().all():
        by_node.pop(node, None)
    insert_events(connection, [_make_conflict(node, keys, t_ms) for node, keys in by_node.items()])


def _make_conflict(node: str, keys: Sequence[RowName], t_ms: int) -> NodeEvent:
    _, boot, number = min(keys)
    words = f"row {number} of boot {boot} arrived again with other values; the first ones were kept"
    if more := len(set(keys)) - 1:
        words += f"; {more} more rows in this batch"
    return NodeEvent(node, t_ms, ROW_CONFLICT, "warning", words, is_alarm=True)
