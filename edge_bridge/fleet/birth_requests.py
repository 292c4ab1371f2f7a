"""How fast a host asks for births: a whole fleet that is born at once would keep it from everything else.

A birth costs as much as twenty rows, so at most `BIRTHS_PER_S` are asked for. Nodes that wait for their turn keep
their rows.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from edge_bridge.fleet.node_state import NodeState

REBIRTH_S: Final = 1.0  # the shortest time between two requests to one node
BIRTHS_PER_S: Final = 1_000.0
MAX_AT_ONCE: Final = 1_000.0


def was_just_asked(node: NodeState, now_s: float) -> bool:
    """Return whether a request may still be on its way to the node."""
    return now_s - node.rebirth_requested_s < REBIRTH_S


class BirthRequests:
    """The nodes that have to be asked, in their order, and how many may be asked now; times in s, monotonic."""

    def __init__(self) -> None:
        self._waiting = deque["NodeState"]()
        self._left, self._filled_s = MAX_AT_ONCE, float("-inf")

    def add(self, nodes: Iterable[NodeState]) -> None:
        """Let these nodes be asked, after those that wait."""
        self._waiting.extend(nodes)

    def clear(self) -> None:
        """Let nobody wait: the connection was lost, or is a new one."""
        self._waiting.clear()

    def may_ask(self, node: NodeState, now_s: float) -> bool:
        """Return whether a known node may be asked now, and count it if it may."""
        self._fill(now_s)
        if was_just_asked(node, now_s) or self._left < 1.0:
            return False
        self._left -= 1.0
        return True

    def take_due(self, now_s: float) -> Iterator[NodeState]:
        """Take the nodes whose turn it is, without those that were born or asked meanwhile."""
        self._fill(now_s)
        for _ in range(len(self._waiting)):
            if self._left < 1.0:
                return
            node = self._waiting.popleft()
            if was_just_asked(node, now_s):
                self._waiting.append(node)
            elif node.aliases is None:
                yield node

    def _fill(self, now_s: float) -> None:
        grown = min(MAX_AT_ONCE, (now_s - self._filled_s) * BIRTHS_PER_S)
        self._left, self._filled_s = min(MAX_AT_ONCE, self._left + grown), now_s
