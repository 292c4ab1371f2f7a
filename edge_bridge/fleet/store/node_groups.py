"""The group of a node: a name that is online under one group is refused under another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, not_, or_, select

from edge_bridge.fleet.store.tables import NODE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import ColumnElement, Connection

    from edge_bridge.fleet.store.records import Birth


def find_strangers(connection: Connection, births: Iterable[Birth]) -> set[str]:
    """Return the nodes with a birth under a group while another host has them online under another one.

    A host asks this only of a node that it did not know: of all others it knows the group.
    """
    groups = {birth.node: birth.group for birth in births if birth.group and not birth.former}
    if not groups:
        return set()
    wanted = select(NODE.c.node, NODE.c.group_id).where(
        NODE.c.node.in_(list(groups)), NODE.c.online, NODE.c.group_id != ""
    )
    return {node for node, group in connection.execute(wanted) if group != groups[node]}


def may_replace_node(new: Any) -> ColumnElement[bool]:
    """Return whether a note replaces the stored one: a host may have an old note of a node that has moved."""
    same = or_(NODE.c.group_id.in_(["", new.group_id]), new.group_id == "")
    return or_(same, and_(new.online, not_(NODE.c.online)))
