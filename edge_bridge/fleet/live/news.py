"""Which states of a node are worth a message of their own: measured values come with rows, all else is news."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edge_bridge import metrics
from edge_bridge.fleet.columns import COLUMNS
from edge_bridge.fleet.row_status import tells_the_same

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from edge_bridge.fleet.store.records import NodeRecord
    from edge_bridge.metrics import Scalar

MAX_KNOWN: Final = 20_000  # twice the nodes of a fleet: the states of invented names do not add up
DEPTH_MS: Final = 1_000  # the depth of an outbox changes with each message; it is news once in this time
_OF_ROWS: Final = frozenset({*(column.metric for column in COLUMNS), metrics.DEPTH})
NEWS: Final = tuple(
    name
    for name in (
        metrics.SHA256,
        metrics.NAME,
        metrics.EVIDENCE,
        metrics.SERIAL,
        metrics.DESIRED,
        metrics.STATE,
        metrics.REASON,
        metrics.RECEIVED,
        metrics.EVICTED,
    )
    if name not in _OF_ROWS
)


class NodeNews:
    """The last known state of each node, and which changes of it are news."""

    def __init__(self) -> None:
        self.records = dict[str, "NodeRecord"]()
        self._shown = dict[str, tuple[tuple[object, ...], "Scalar", int]]()  # what was news, the depth, and when

    def update(self, records: Iterable[NodeRecord], with_rows: Container[str], now_ms: int) -> list[NodeRecord]:
        """Take new states; return those that are news. `with_rows` are nodes whose values come with a row."""
        found = list["NodeRecord"]()
        for record in records:
            before = self.records.get(record.node)
            if self._is_news(before, record, now_ms) or (record.node not in with_rows and record != before):
                found.append(record)
                self._shown[record.node] = (_pick(record), record.status.get(metrics.DEPTH), now_ms)
            self.records[record.node] = record
        while len(self.records) > MAX_KNOWN:
            oldest = next(iter(self.records))
            del self.records[oldest]
            self._shown.pop(oldest, None)
        return found

    def _is_news(self, before: NodeRecord | None, record: NodeRecord, now_ms: int) -> bool:
        shown = self._shown.get(record.node)
        if shown is None or before is None:
            return True
        is_same = before.online == record.online and tells_the_same(before.status, record.status)
        if not is_same and shown[0] != _pick(record):
            return True
        return now_ms - shown[2] >= DEPTH_MS and shown[1] != record.status.get(metrics.DEPTH)


def _pick(record: NodeRecord) -> tuple[object, ...]:
    get = record.status.get
    return (record.online, *[get(name) for name in NEWS])
