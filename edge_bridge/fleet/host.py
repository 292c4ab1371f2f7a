"""The Sparkplug host application as a pure state machine: messages and times in; rows, notes and messages out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from edge_bridge.fleet import commands
from edge_bridge.fleet.node import BUNDLE, Node, bd_seq_of, seq_of, status_of
from edge_bridge.fleet.row import is_row, newest_of, read_row
from edge_bridge.fleet.store import Batch, Born, NodeNote
from edge_bridge.mqtt import Message
from edge_bridge.sparkplug import topics, wire
from edge_bridge.sparkplug.aliases import Aliases
from edge_bridge.sparkplug.payload import PayloadError
from edge_bridge.sparkplug.topics import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from edge_bridge.sparkplug.payload import Payload
    from edge_bridge.sparkplug.topics import Topic

REBIRTH_S: Final = 1.0  # not more often, for each node
MOST_NODES: Final = 10_000
REFUSED, FLAGGED = "refused", "flagged"
_ASKS: Final = frozenset({"no_birth", "out_of_order", "unknown_alias"})  # what a birth would mend


@dataclass(frozen=True, slots=True)
class Now:
    """The wall clock in ms since 1970 (UTC), which stamps, and a monotonic one in s, which decides."""

    ms: int
    mono_s: float


class Host:
    """Hears the nodes of one group. What it learns is left in `batch`, what it wants sent in `outgoing`.

    A message that cannot be taken changes nothing but a counter, and may bring a rebirth about.
    """

    def __init__(self, group: str, host: str, known: Iterable[NodeNote] = ()) -> None:
        self.group, self.host = group, host
        self.nodes = {note.node: Node(note.node, last_ms=note.last_ms, status=dict(note.status)) for note in known}
        self._called = dict[str, Node]()  # by name, but not heard yet
        self._batch = Batch()
        self._outgoing = list[Message]()

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """Its own state first, as the specification wants it, then its nodes."""
        return topics.state(self.host), topics.all_of(self.group)

    def drained(self) -> tuple[Batch, list[Message]]:
        """What has come together since the last call: to be committed, and to be sent."""
        batch, outgoing = self._batch, self._outgoing
        self._batch, self._outgoing = Batch(), []
        return batch, outgoing

    def up(self, will_ms: int, now: Now) -> None:
        """Connected: say so, and ask everybody that was ever met for a birth."""
        self._outgoing.append(commands.state(self.host, will_ms, online=True))
        for node in self.nodes.values():
            self._ask_rebirth(node, now)

    def call(self, name: str, now: Now) -> None:
        """Ask a node that was never heard for its birth: one that has nothing to say may be there all the same."""
        self._ask_rebirth(self._called.setdefault(name, Node(name)), now)

    def down(self) -> None:
        """Not connected: of no node is it known whether it is there."""
        for node in self.nodes.values():
            node.gone()
            self._note(node)

    def heard(self, message: Message, now: Now, will_ms: int) -> None:
        """Take one message, or count why not."""
        if message.topic == topics.state(self.host):
            if commands.told_offline(message.payload):
                self._outgoing.append(commands.state(self.host, will_ms, online=True))
            return
        try:
            self._take(topics.parse(message.topic), message.payload, now)
        except PayloadError as error:
            self._count(REFUSED, error.kind)

    def _take(self, topic: Topic, octets: bytes, now: Now) -> None:
        if topic.group != self.group:
            raise PayloadError("topic", f"{topic.group} is not our group", key="group", value=topic.group)
        if topic.kind is Kind.NCMD:
            return  # our own word
        node = self._node(topic.node, topic.kind)
        takes: dict[Kind, Callable[[Node, Payload, Now], None]] = {
            Kind.NBIRTH: self._birth,
            Kind.NDATA: self._data,
            Kind.NDEATH: self._death,
        }
        try:
            takes[topic.kind](node, wire.decode(octets), now)
        except PayloadError as error:
            if error.kind in _ASKS:
                self._ask_rebirth(node, now)
            raise
        self.nodes[node.name] = node
        self._note(node)

    def _birth(self, node: Node, payload: Payload, now: Now) -> None:
        aliases = Aliases.of(payload.metrics)
        metrics = aliases.read(payload)
        bd_seq, newest, seq, status = bd_seq_of(metrics), newest_of(metrics), seq_of(payload), status_of(metrics)
        node.born(aliases, bd_seq, seq)  # nothing is refused from here on
        node.status.update(status)
        bundle = node.status.get(BUNDLE)
        t_ms = payload.timestamp_ms if payload.timestamp_ms is not None else now.ms
        self._batch.births.append(Born(node.name, t_ms, bd_seq, bundle if isinstance(bundle, str) else None, newest))

    def _data(self, node: Node, payload: Payload, now: Now) -> None:
        node.count(seq_of(payload))
        assert node.aliases is not None  # noqa: S101  # `count` refuses otherwise
        metrics = node.aliases.read(payload)
        row = read_row(node.name, metrics, now.ms) if is_row(metrics) else None
        if row is None or not row.historical:
            node.status.update(status_of(metrics))
        if row is None:
            return
        self._batch.rows.append(row)
        if not row.clock:
            node.last_ms = max(row.t_ms, node.last_ms or 0)
        else:
            self._count(FLAGGED, f"{row.clock}_time")

    def _death(self, node: Node, payload: Payload, now: Now) -> None:
        del now
        metrics = {metric.name: metric for metric in payload.metrics if metric.name is not None}
        if bd_seq_of(metrics) != node.bd_seq:
            raise PayloadError("stale_death", "a death does not belong to the last birth")
        node.gone()

    def _node(self, name: str, kind: Kind) -> Node:
        """The node, or a new one that is remembered only when its message is taken."""
        if name in self.nodes:
            return self.nodes[name]
        if len(self.nodes) >= MOST_NODES:
            raise PayloadError("too_many_nodes", "more nodes than a fleet has", bound=MOST_NODES)
        node = Node(name)
        if kind is Kind.NDATA:
            self.nodes[name] = node  # so that it is not asked for its birth with each message
        return node

    def _ask_rebirth(self, node: Node, now: Now) -> None:
        if now.mono_s - node.rebirth_asked_s < REBIRTH_S:
            return
        node.rebirth_asked_s = now.mono_s
        self._outgoing.append(commands.command(self.group, node.name, {commands.REBIRTH: True}, now.ms))
        self._count(FLAGGED, "rebirth_asked")

    def _note(self, node: Node) -> None:
        self._batch.notes[node.name] = NodeNote(node.name, node.online, node.last_ms, dict(node.status))

    def _count(self, kind: str, reason: str) -> None:
        self._batch.counts[kind, reason] += 1
