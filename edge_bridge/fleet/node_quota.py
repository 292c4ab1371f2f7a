"""How much one node may send: a node that floods must not take the time of the others.

A message counts as one unit, and one more for each `UNIT_BYTES` of its payload; a birth, which is read word by word,
counts as `BIRTH_UNITS`. What is over is dropped before it is read. Then a `seq` is missing, so the host asks for a
birth, and the edge sends again what was not acknowledged: nothing is lost.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from edge_bridge.fleet.events import QUOTA, WARNING
from edge_bridge.fleet.store.records import REFUSED, NodeEvent
from edge_bridge.sparkplug.topics import MessageKind

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from edge_bridge.fleet.store.records import Batch
    from edge_bridge.mqtt import MqttMessage

WINDOW_S: Final = 1.0
MAX_UNITS: Final = 2_000  # of one node and kind of message in a window: ten times a pack with 200 rows/s
UNIT_BYTES: Final = 4_096
BIRTH_UNITS: Final = 200
TELL_S: Final = 60.0  # the shortest time between two events of one node
REASON: Final = "quota"  # in the counter of refused messages
_SHIFT: Final = UNIT_BYTES.bit_length() - 1
_BIRTH: Final = f"/{MessageKind.NBIRTH}/"


class NodeQuotas:
    """The units of each topic, which contains kind and name of a node, in the present window."""

    def __init__(self) -> None:
        self._used = dict[str, int]()
        self._began_s = float("-inf")
        self._told_s = dict[str, float]()  # by node
        self._refused = Counter[str]()  # by node, since the last report

    def admit(self, messages: Sequence[MqttMessage], now_s: float) -> Sequence[MqttMessage]:
        """Return the messages that are within the quotas, in their order; `now_s` is monotonic."""
        if now_s - self._began_s >= WINDOW_S:
            self._used.clear()
            self._began_s = now_s
        used, admitted = self._used, list["MqttMessage"]()
        for message in messages:
            topic = message.topic
            units = used.get(topic, 0) + 1 + (len(message.payload) >> _SHIFT)
            if _BIRTH in topic:
                units += BIRTH_UNITS - 1
            used[topic] = units
            if units <= MAX_UNITS:
                admitted.append(message)
            else:
                self._refused[topic.rpartition("/")[2]] += 1
        return admitted

    def report(self, batch: Batch, known: Container[str], now_ms: int) -> None:
        """Add what was refused to a batch: its number, and an event of each known node, once in `TELL_S`."""
        if not self._refused:
            return
        batch.counts[REFUSED, REASON] += self._refused.total()
        for node, count in self._refused.items():
            if node in known and self._began_s - self._told_s.get(node, float("-inf")) >= TELL_S:
                self._told_s[node] = self._began_s
                words = f"it sends more than its quota of {MAX_UNITS} messages a second; {count} were refused at once"
                batch.events.append(NodeEvent(node, now_ms, QUOTA, WARNING, words))
        self._refused.clear()
