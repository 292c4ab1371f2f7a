"""The events of a batch, written in its transaction: alarms are raised once and cleared by their opposite."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, insert, select, update

from edge_bridge.fleet.store.newest_kept import delete_old, split_names
from edge_bridge.fleet.store.records import MAX_EVENTS
from edge_bridge.fleet.store.tables import EVENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from edge_bridge.fleet.store.records import NodeEvent

_IS_RAISED: Final = (EVENT.c.is_alarm, EVENT.c.cleared_ms.is_(None))
_CLEAR: Final = (
    update(EVENT)
    .where(
        EVENT.c.node == bindparam("of_node"),
        EVENT.c.kind == bindparam("of_kind"),
        *_IS_RAISED,
    )
    .values(cleared_ms=bindparam("at_ms"))
)


_NAMES: Final = ("node", "t_ms", "kind", "severity", "is_alarm")


def insert_events(connection: Connection, events: Sequence[NodeEvent]) -> None:
    """Insert the events of each node in their order; clear the alarms that they end, and those that they raise again.

    Some statements serve the first event of all nodes, then as many the second, and so on.
    """
    for some in _split(events):
        raised = _find_raised(connection, some)
        cleared = [
            {"of_node": event.node, "of_kind": kind, "at_ms": event.t_ms}
            for event in some
            for kind in (*event.clears, *([event.kind] if event.is_alarm else []))
            if (event.node, kind) in raised
        ]
        if cleared:
            connection.execute(_CLEAR, cleared)
        connection.execute(insert(EVENT), [_make_values(event) for event in some])
    delete_old(connection, EVENT, (event.node for event in events), MAX_EVENTS)


def _find_raised(connection: Connection, events: Sequence[NodeEvent]) -> set[tuple[str, str]]:
    """Find the alarms of the nodes of these events that are raised: node and kind."""
    found = set[tuple[str, str]]()
    for names in split_names(event.node for event in events):
        raised = select(EVENT.c.node, EVENT.c.kind).where(EVENT.c.node.in_(names), *_IS_RAISED)
        found.update((node, kind) for node, kind in connection.execute(raised))
    return found


def _split(events: Sequence[NodeEvent]) -> list[list[NodeEvent]]:
    """Split events into the first of each node, the second of each, and so on."""
    found, seen = list[list["NodeEvent"]](), Counter[str]()
    for event in events:
        if seen[event.node] == len(found):
            found.append([])
        found[seen[event.node]].append(event)
        seen[event.node] += 1
    return found


def _make_values(event: NodeEvent) -> dict[str, Any]:
    return {name: getattr(event, name) for name in _NAMES} | {"detail": event.detail.replace("\0", "")}
