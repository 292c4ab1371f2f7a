"""Which messages a node may send under which group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_bridge.fleet.store.records import OTHER_GROUP
from edge_bridge.sparkplug.payload import PayloadError
from edge_bridge.sparkplug.topics import MessageKind

if TYPE_CHECKING:
    from edge_bridge.fleet.node_state import NodeState
    from edge_bridge.sparkplug.topics import Topic


def check_group(node: NodeState, topic: Topic) -> None:
    """Raise `PayloadError` for a message under another group than that of the node; one that is offline may move."""
    if node.group in {"", topic.group} or (not node.online and topic.kind is not MessageKind.NDEATH):
        return
    words = f"{node.name} is known under the group {node.group}, not {topic.group}"
    raise PayloadError(OTHER_GROUP, words, key="group", value=topic.group, bound=node.group)
