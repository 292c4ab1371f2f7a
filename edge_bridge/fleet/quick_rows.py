"""The quick way from many messages to rows: by the layouts that were learned from rows of the same birth."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from typing import TYPE_CHECKING, Final, TypeAlias

from edge_bridge.fleet.learn_layout import learn_layout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_bridge.fleet.node_state import NodeState
    from edge_bridge.fleet.row_layout import QuickRow, RowLayout
    from edge_bridge.mqtt import MqttMessage
    from edge_bridge.sparkplug.aliases import Aliases

MAX_BIRTHS: Final = 64  # different births whose layouts are kept
MAX_LENGTHS: Final = 64  # lengths of messages of one birth
MAX_ALIKE: Final = 8  # layouts of one length
MAX_LESSONS: Final = 256  # layouts that may be learned at once: each costs as much as three rows of the strict path
ROWS_A_LESSON: Final = 32  # rows that must arrive for each more

_Declared: TypeAlias = "tuple[tuple[object, ...], tuple[object, ...]]"


class BirthLayouts:
    """The layouts of rows under one birth, by the length of their messages; nodes with equal births share them.

    They share what the birth declared too, which is most of what a host keeps of a node.
    """

    def __init__(self, aliases: Aliases) -> None:
        self.aliases = aliases
        self._by_length = OrderedDict[int, "list[RowLayout]"]()

    def find(self, length: int) -> Sequence[RowLayout]:
        """Return the layouts for messages of this length, the newest first."""
        return self._by_length.get(length, ())

    def add(self, length: int, layout: RowLayout) -> None:
        """Add a layout; the oldest one goes where there are too many."""
        layout.births = self
        alike = self._by_length.setdefault(length, [])
        alike.insert(0, layout)
        del alike[MAX_ALIKE:]
        if len(self._by_length) > MAX_LENGTHS:
            self._by_length.popitem(last=False)


class QuickReader:
    """Reads the messages that are rows for certain, and learns from those that the strict path accepted."""

    def __init__(self) -> None:
        self._births = OrderedDict[_Declared, BirthLayouts]()
        self._nodes = dict[str, "NodeState"]()  # by the topic of their data
        self._lessons = float(MAX_LESSONS)

    def begin(self, topic: str, node: NodeState, aliases: Aliases) -> None:
        """Read the data of this topic by the layouts of a new birth, which declared `aliases`."""
        declared = tuple(aliases.types.items()), tuple(aliases.names.items())
        node.layouts = self._births.setdefault(declared, BirthLayouts(aliases))
        node.aliases = node.layouts.aliases
        self._births.move_to_end(declared)
        if len(self._births) > MAX_BIRTHS:
            self._births.popitem(last=False)
        self._nodes[topic] = node

    def find(self, topic: str, row: QuickRow) -> NodeState | None:
        """Return the node of a topic, if its birth is still the one under which the row was read."""
        node = self._nodes.get(topic)
        return node if node is not None and row[0].births is node.layouts else None

    def forget(self, topic: str) -> None:
        """Leave the data of this topic to the strict path."""
        self._nodes.pop(topic, None)

    def learn(self, message: MqttMessage) -> None:
        """Learn from a row that the strict path accepted, unless it comes after too many others."""
        self._lessons = min(self._lessons + 1.0 / ROWS_A_LESSON, MAX_LESSONS)
        node = self._nodes.get(message.topic)
        if self._lessons < 1.0 or node is None or node.aliases is None or node.layouts is None:
            return
        length, payload = len(message.payload), [message.payload]
        if any(layout.read(payload) != [None] for layout in node.layouts.find(length)):
            return  # learned from another message of the same batch
        self._lessons -= 1.0
        if (layout := learn_layout(message.payload, node.aliases)) is not None:
            node.layouts.add(length, layout)

    def read(self, messages: Sequence[MqttMessage]) -> list[QuickRow | None]:
        """Read what is a row for certain, for each message; None for all that the strict path has to decide.

        Whether a row comes in its order is not known here: `NodeState` counts its `seq`.
        """
        found: list[QuickRow | None] = [None] * len(messages)
        groups = defaultdict[tuple[BirthLayouts, int], list[int]](list)
        for place, message in enumerate(messages):
            node = self._nodes.get(message.topic)
            if node is not None and node.aliases is not None and node.layouts is not None:
                groups[node.layouts, len(message.payload)].append(place)
        for (layouts, length), places in groups.items():
            rest = places
            for layout in layouts.find(length):
                if not rest:
                    break
                rest = _read_by(layout, messages, rest, found)
            self._lessons = min(self._lessons + (len(places) - len(rest)) / ROWS_A_LESSON, MAX_LESSONS)
        return found


def _read_by(
    layout: RowLayout, messages: Sequence[MqttMessage], places: list[int], found: list[QuickRow | None]
) -> list[int]:
    """Read messages by one layout into `found`; return the places of those that it does not describe."""
    rows = layout.read([messages[place].payload for place in places])
    for place, row in zip(places, rows, strict=True):
        found[place] = row
    return [place for place in places if found[place] is None]
