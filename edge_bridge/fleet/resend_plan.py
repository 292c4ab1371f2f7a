"""The plan by which a host asks nodes for rows that they keep and its database lacks; a pure state machine.

Each birth names what the node keeps. A node is looked at once, and again while its missing rows become fewer.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from edge_bridge.metrics import KEPT
from edge_bridge.ranges import Range, count_numbers
from edge_bridge.sparkplug.acks import format_acks, parse_acks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge_bridge.sparkplug.acks import Acks
    from edge_bridge.sparkplug.payload import SparkplugMetric

MAX_ASKED: Final = 2_000  # rows that one node is asked for at once
MAX_BUSY: Final = 10  # nodes that are asked at the same time: 20 000 rows are on their way at most
CHECKS: Final = 10  # nodes in one turn
AGAIN_S: Final = 2.0  # after a request, look again whether the rows have come
MAX_VAIN: Final = 5  # requests without a new row; then the node is left alone until its next birth


@dataclass(slots=True)
class _Candidate:
    kept: Acks
    due_s: float
    missing: int | None = None  # at the last look
    vain: int = 0


class ResendPlan:
    """The nodes whose kept rows are to be compared with the database; times in s of a monotonic clock."""

    def __init__(self) -> None:
        self._new = OrderedDict[str, _Candidate]()
        self._busy = dict[str, _Candidate]()  # those that were asked

    def note_birth(self, node: str, kept: Acks | None, now_s: float) -> None:
        """Note what a node keeps; None for an edge of an earlier version, which is left alone."""
        self.drop(node)
        if kept:
            self._new[node] = _Candidate(kept, now_s)

    def drop(self, node: str) -> None:
        self._new.pop(node, None)
        self._busy.pop(node, None)

    def due_checks(self, now_s: float) -> list[tuple[str, Acks]]:
        """Return the nodes to look at now; each must be answered by `note_missing`, or it is due again."""
        due = [(node, one.kept) for node, one in self._busy.items() if one.due_s <= now_s]
        room = min(CHECKS, MAX_BUSY - len(self._busy))
        return due + [(node, one.kept) for node, one in [*self._new.items()][: max(0, room)]]

    def is_awaited(self, node: str, kept: Acks) -> bool:
        """Return whether `due_checks` still names a node with these rows."""
        one = self._busy.get(node) or self._new.get(node)
        return one is not None and one.kept is kept

    def note_missing(self, node: str, missing: Mapping[str, Sequence[Range]], now_s: float) -> list[str]:
        """Note what the database lacks of a node; return the texts of the requests to send."""
        one = self._busy.pop(node, None) or self._new.pop(node, None)
        count = sum(count_numbers(ranges) for ranges in missing.values())
        if one is None or not count:
            return []
        one.vain = one.vain + 1 if one.missing is not None and count >= one.missing else 0
        if one.vain >= MAX_VAIN:
            return []
        one.missing, one.due_s = count, now_s + AGAIN_S * 2**one.vain
        self._busy[node] = one
        return [*format_acks(_take(missing, MAX_ASKED))][:1]


def read_kept(found: Mapping[str, SparkplugMetric]) -> Acks | None:
    """Read from a birth which rows the node keeps, None if it does not declare it; raise `PayloadError`."""
    value = found[KEPT].value if KEPT in found else None
    return parse_acks(value) if isinstance(value, str) else None


def _take(missing: Mapping[str, Sequence[Range]], most: int) -> dict[str, list[Range]]:
    """Return the first of the missing rows, up to `most`."""
    found = dict[str, list[Range]]()
    for boot, ranges in missing.items():
        for first, last in ranges:
            if most <= 0:
                return found
            end = min(last, first + most - 1)
            found.setdefault(boot, []).append((first, end))
            most -= end - first + 1
    return found
