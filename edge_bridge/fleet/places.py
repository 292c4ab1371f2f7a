"""The places of a fleet: a bounded number of nodes, so that invented names cannot exclude a pack."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from edge_bridge.sparkplug.payload import PayloadError

if TYPE_CHECKING:
    from collections.abc import Iterable

IDLE_S: Final = 3600.0  # a node that stores no row for this time may lose its place


class NodePlaces:
    """The places, in the order in which nodes lose them: first nodes without a row, then by their newest row."""

    def __init__(self, storing: Iterable[str], empty: Iterable[str], most: int, now_s: float) -> None:
        """`storing` are nodes of an earlier start that have rows: they count as if they stored one now."""
        self._most = most
        self._empty = OrderedDict[str, None].fromkeys(empty)
        self._storing = OrderedDict((name, now_s) for name in storing)

    def give(self, name: str, now_s: float) -> str | None:
        """Give a place to a new node; return the node that lost its place. Raise `PayloadError` if there is none."""
        lost = self._free(now_s) if len(self._empty) + len(self._storing) >= self._most else None
        self._empty[name] = None
        return lost

    def mark_stored(self, name: str, now_s: float) -> None:
        """Mark that the node has stored a row now."""
        self._empty.pop(name, None)
        self._storing[name] = now_s
        self._storing.move_to_end(name)

    def remove(self, name: str) -> None:
        """Take the place of a node away."""
        self._empty.pop(name, None)
        self._storing.pop(name, None)

    def _free(self, now_s: float) -> str:
        if self._empty:
            return self._empty.popitem(last=False)[0]
        name, stored_s = next(iter(self._storing.items()))
        if now_s - stored_s < IDLE_S:
            raise PayloadError("too_many_nodes", "there are more nodes than a fleet can have", bound=self._most)
        del self._storing[name]
        return name
