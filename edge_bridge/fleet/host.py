"""The Sparkplug host application as a pure state machine: messages and times in; rows, records and messages out."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from edge_bridge import metrics
from edge_bridge.fleet import commands
from edge_bridge.fleet.birth_requests import BirthRequests, was_just_asked
from edge_bridge.fleet.node_groups import check_group
from edge_bridge.fleet.node_quota import NodeQuotas
from edge_bridge.fleet.node_state import NodeState, read_bd_seq, read_seq, read_status
from edge_bridge.fleet.places import NodePlaces
from edge_bridge.fleet.quick_rows import QuickReader
from edge_bridge.fleet.resend_plan import ResendPlan, read_kept
from edge_bridge.fleet.row import LATEST_MS, StoredRow, find_clock, is_row, read_newest, read_row
from edge_bridge.fleet.row_status import copy_status
from edge_bridge.fleet.store.records import FLAGGED, REFUSED, Batch, Birth, NodeRecord
from edge_bridge.identity import revocation_notice
from edge_bridge.mqtt import MqttMessage
from edge_bridge.sparkplug import topics, wire
from edge_bridge.sparkplug.aliases import Aliases
from edge_bridge.sparkplug.payload import PayloadError
from edge_bridge.sparkplug.topics import MessageKind

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Sequence

    from edge_bridge.fleet.row_layout import QuickRow
    from edge_bridge.sparkplug.payload import Payload
    from edge_bridge.sparkplug.topics import Topic

MAX_NODES: Final = 10_000
MAX_STRANGERS: Final = 1_000  # unknown nodes that may be asked for a birth within a second
MAX_AT_ONCE: Final = 500  # messages that are read by one set of arrays
MAX_OWN_STATES: Final = 100
_NEEDS_REBIRTH: Final = frozenset({"no_birth", "out_of_order", "unknown_alias"})  # errors that a new birth corrects


@dataclass(frozen=True, slots=True)
class Instant:
    """The wall clock in ms since 1970 (UTC), for time stamps, and a monotonic one in s, for decisions."""

    ms: int
    mono_s: float


class HostApplication:
    """The host of the nodes of some groups; `drain` returns the batch to commit and the messages to send.

    A message that is refused changes only a counter, and may cause a rebirth request.
    """

    def __init__(
        self,
        groups: str | Iterable[str],
        host: str,
        known: Iterable[NodeRecord] = (),
        *,
        admitted: Container[str] | None = None,
        now_s: float = 0.0,
        is_shared: bool = False,
    ) -> None:
        """`groups` are one name or several. With `is_shared` other hosts of the fleet have this id too.

        `known` are the nodes of an earlier start; `admitted` are the names that may join (None: any).
        """
        self.groups = (groups,) if isinstance(groups, str) else tuple(sorted(groups))
        self.host, self._is_shared = host, is_shared
        self.resends = ResendPlan()
        only = self.groups[0] if len(self.groups) == 1 else ""
        self._admitted = admitted
        notes = [note for note in known if self.is_admitted(note.node)]
        self.nodes = {
            note.node: NodeState(
                note.node, last_ms=note.last_ms, status=copy_status(note.status), group=note.group or only
            )
            for note in notes
        }
        has_rows = {note.node: note.last_ms is not None for note in notes}
        self._places = NodePlaces(
            [name for name, stored in has_rows.items() if stored],
            [name for name, stored in has_rows.items() if not stored],
            MAX_NODES,
            now_s,
        )
        self._strangers = OrderedDict[str, NodeState]()  # by name; nodes without a birth that were asked for one
        self._own_states = deque[int](maxlen=MAX_OWN_STATES)  # time stamps
        self.is_other_online = False  # whether another host with the same id is
        self._batch = Batch()
        self._quick, self._quotas, self._births = QuickReader(), NodeQuotas(), BirthRequests()
        self._changed = dict[str, NodeState]()  # by name; a note of each is made once, when the batch is drained
        self._outgoing = list[MqttMessage]()

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """Return the topics: its own STATE first, as the specification requires, its nodes, who is cut off."""
        of_nodes = (name for group in self.groups for name in topics.make_group_filters(group))
        return topics.make_state_topic(self.host), *of_nodes, revocation_notice.FILTER

    def is_admitted(self, name: str) -> bool:
        """Return whether a node of this name may join."""
        return self._admitted is None or name in self._admitted

    def drain(self) -> tuple[Batch, list[MqttMessage]]:
        """Return what was collected since the last call: the batch to commit and the messages to send."""
        batch, outgoing = self._batch, self._outgoing
        batch.notes = {node.name: make_note(node) for node in self._changed.values()}
        self._batch, self._outgoing, self._changed = Batch(), [], {}
        return batch, outgoing

    def handle_connected(self, will_ms: int, now: Instant) -> None:
        """Handle a new connection: publish STATE online, and begin to request a birth from every known node."""
        self._outgoing.append(commands.make_state(self.host, will_ms, online=True))
        self._own_states.append(will_ms)
        self._births.clear()
        self._births.add(self.nodes.values())
        self.request_due_births(now)

    def request_due_births(self, now: Instant) -> None:
        """Request a birth from the nodes whose turn it is since the last connection."""
        for node in self._births.take_due(now.mono_s):
            self._request_rebirth(node, now)

    def request_birth(self, name: str, now: Instant) -> None:
        """Request a birth from an unknown node: a node that sends nothing may still be online."""
        self._request_rebirth(self._find_node(name), now)

    def handle_disconnected(self) -> None:
        """Handle a lost connection: whether a node is online is unknown, so end all sessions."""
        self._births.clear()
        for node in self.nodes.values():
            node.end_session()
            self._changed[node.name] = node

    def handle_messages(self, messages: Sequence[MqttMessage], now: Instant, will_ms: int) -> None:
        """Handle messages in their order: rows that are certain by arrays, all else as `handle_message` does."""
        messages = self._quotas.admit(messages, now.mono_s)
        self._quotas.report(self._batch, self.nodes, now.ms)
        for start in range(0, len(messages), MAX_AT_ONCE):
            part = messages[start : start + MAX_AT_ONCE]
            for message, row in zip(part, self._quick.read(part), strict=True):
                if row is not None and self._take_quick_row(message.topic, row, now):
                    continue
                rows = len(self._batch.rows)
                self.handle_message(message, now, will_ms)
                if row is None and len(self._batch.rows) > rows:
                    self._quick.learn(message)

    def handle_message(self, message: MqttMessage, now: Instant, will_ms: int) -> None:
        """Handle one message, or count why it is refused."""
        if message.topic == topics.make_state_topic(self.host):
            self._handle_state(message.payload, will_ms)
            return
        if (revoked := revocation_notice.parse_notice(message.topic)) is not None:
            self._handle_revoked(revoked)
            return
        try:
            self._handle(topics.parse_topic(message.topic), message.payload, now)
        except PayloadError as error:
            self._count(REFUSED, error.kind)

    def find_group(self, name: str) -> str:
        """Return the group of a node, to which commands for it go."""
        node = self.nodes.get(name)
        return (node.group if node else "") or self.groups[0]

    def drop_node(self, name: str) -> None:
        """Drop a node that belongs to another host, and what was collected of it."""
        self._forget(name)
        self._places.remove(name)
        self._batch = self._batch.drop_nodes({name})

    def declares(self, name: str, metric: str) -> bool:
        """Return whether the birth of a node declares a metric."""
        node = self.nodes.get(name)
        return node is not None and node.aliases is not None and metric in node.aliases.types

    def _handle_state(self, payload: bytes, will_ms: int) -> None:
        """Handle a STATE with the id of this host: contradict one that reports it offline; note another host."""
        state = commands.parse_state(payload)
        if state is None:
            return
        online, t_ms = state
        if not online:
            self.is_other_online = False
            self._outgoing.append(commands.make_state(self.host, will_ms, online=True))
        elif not self._is_shared and t_ms not in self._own_states and t_ms != will_ms:
            self.is_other_online = True
            self._count(FLAGGED, "other_host")

    def _handle(self, topic: Topic, data: bytes, now: Instant) -> None:
        if topic.group not in self.groups:
            raise PayloadError("topic", f"{topic.group} is another group", key="group", value=topic.group)
        if topic.kind is MessageKind.NCMD:
            return  # the host's own command
        if not self.is_admitted(topic.node):
            raise PayloadError("not_listed", f"{topic.node} is not listed as a node of this fleet", value=topic.node)
        node = self._find_node(topic.node)
        check_group(node, topic)
        former, node.group = node.group, topic.group
        if topic.kind is MessageKind.NBIRTH:
            node.former = former if node.name in self.nodes else ""
        handlers: dict[MessageKind, Callable[[NodeState, Payload, Instant], None]] = {
            MessageKind.NBIRTH: self._handle_birth,
            MessageKind.NDATA: self._handle_data,
            MessageKind.NDEATH: self._handle_death,
        }
        try:
            if topic.kind is MessageKind.NDATA:
                node.require_birth()  # before the decoding, which a host that many nodes wait for has no time for
            handlers[topic.kind](node, wire.decode(data), now)
        except PayloadError as error:
            if error.kind in _NEEDS_REBIRTH:
                self._request_rebirth(node, now)
            if not node.online:
                node.group = former or node.group  # only a birth moves a node
            raise
        self._changed[node.name] = node

    def _handle_birth(self, node: NodeState, payload: Payload, now: Instant) -> None:
        aliases = Aliases.from_birth(payload.metrics)
        found = aliases.read(payload)
        bd_seq, newest, seq, status = (
            read_bd_seq(found),
            read_newest(found),
            read_seq(payload),
            read_status(found),
        )
        kept = read_kept(found)
        self._give_place(node, now)
        self.resends.note_birth(node.name, kept, now.mono_s)
        node.begin_session(aliases, bd_seq, seq)  # no check can refuse the birth after this line
        if node.former not in {"", node.group}:
            self._quick.forget(_name_data_topic(node.former, node.name))
        self._quick.begin(_name_data_topic(node.group, node.name), node, aliases)
        node.update_status(status)
        bundle = node.status.get(metrics.SHA256)
        t_ms = payload.timestamp_ms
        t_ms = now.ms if t_ms is None or t_ms > LATEST_MS else t_ms
        self._batch.births.append(
            Birth(node.name, t_ms, bd_seq, bundle if isinstance(bundle, str) else None, newest, node.group, node.former)
        )

    def _handle_data(self, node: NodeState, payload: Payload, now: Instant) -> None:
        node.count_message(read_seq(payload))
        assert node.aliases is not None  # noqa: S101  # `count_message` refuses otherwise
        found = node.aliases.read(payload)
        row = read_row(node.name, found, now.ms) if is_row(found) else None
        if row is None or not row.historical:
            node.update_status(read_status(found))
        if row is None:
            return
        self._add_row(node, row, now)
        if row.clock:
            self._count(FLAGGED, f"{row.clock}_time")

    def _take_quick_row(self, topic: str, quick: QuickRow, now: Instant) -> bool:
        """Take a row that was read quickly; return False, and change nothing, if the strict path has to judge it."""
        node = self._quick.find(topic, quick)
        layout, seq, boot, number, t_ms, values, status = quick
        if node is None or find_clock(t_ms, now.ms) or not node.take_next(seq):
            return False
        if not layout.historical:
            node.update_from_row(layout.status_names, status)
        self._add_row(node, StoredRow(node.name, boot, number, t_ms, layout.historical, "", values, None), now)
        self._changed[node.name] = node
        return True

    def _add_row(self, node: NodeState, row: StoredRow, now: Instant) -> None:
        self._batch.rows.append(row)
        self._places.mark_stored(node.name, now.mono_s)
        if not row.clock and (node.last_ms is None or row.t_ms > node.last_ms):
            node.last_ms = row.t_ms

    def _handle_death(self, node: NodeState, payload: Payload, now: Instant) -> None:
        del now
        found = {metric.name: metric for metric in payload.metrics if metric.name is not None}
        if read_bd_seq(found) != node.bd_seq:
            raise PayloadError("stale_death", "a death does not belong to the last birth")
        node.end_session()

    def _handle_revoked(self, name: str) -> None:
        """End the session of a node that was cut off, whose last will the broker suppresses."""
        if (node := self.nodes.get(name)) is not None:
            node.end_session()
            self._changed[name] = node
            self._batch.revoked.add(name)

    def _find_node(self, name: str) -> NodeState:
        """Return the node, or a new one, which gets a place only with its birth."""
        return self.nodes.get(name) or self._strangers.get(name) or NodeState(name)

    def _give_place(self, node: NodeState, now: Instant) -> None:
        """Give the node a place; raise `PayloadError` if all are in use. Another node may lose its place for it."""
        if node.name in self.nodes:
            return
        lost = self._places.give(node.name, now.mono_s)
        if lost is not None:
            self._forget(lost)
            self._batch.forgotten.add(lost)
            self._count(FLAGGED, "place_lost")
        self._strangers.pop(node.name, None)
        self._batch.forgotten.discard(node.name)
        self.nodes[node.name] = node

    def _forget(self, name: str) -> None:
        node = self.nodes.pop(name, None)
        self._changed.pop(name, None)
        self.resends.drop(name)
        if node is not None:
            self._quick.forget(_name_data_topic(node.group, name))

    def _request_rebirth(self, node: NodeState, now: Instant) -> None:
        if not self._may_ask(node, now):
            return
        node.rebirth_requested_s = now.mono_s
        for group in (node.group,) if node.group else self.groups:
            self._outgoing.append(commands.make_command(group, node.name, {metrics.REBIRTH: True}, now.ms))
        self._count(FLAGGED, "rebirth_asked")

    def _may_ask(self, node: NodeState, now: Instant) -> bool:
        """Return whether a birth may be requested; unknown nodes cannot keep the fleet's own from being asked."""
        if node.name in self.nodes:
            return self._births.may_ask(node, now.mono_s)
        return not was_just_asked(node, now.mono_s) and self._is_room_for(node, now)

    def _is_room_for(self, node: NodeState, now: Instant) -> bool:
        """Remember an unknown node, so that it is asked once a second; return False while too many are asked."""
        while len(self._strangers) >= MAX_STRANGERS and node.name not in self._strangers:
            oldest = next(iter(self._strangers.values()))
            if was_just_asked(oldest, now.mono_s):
                return False
            del self._strangers[oldest.name]
        self._strangers[node.name] = node
        self._strangers.move_to_end(node.name)
        return True

    def _count(self, kind: str, reason: str) -> None:
        self._batch.counts[kind, reason] += 1


def _name_data_topic(group: str, node: str) -> str:
    return f"{topics.NAMESPACE}/{group}/{MessageKind.NDATA}/{node}"


def make_note(node: NodeState) -> NodeRecord:
    """Make what the store keeps of a node."""
    return NodeRecord(node.name, node.online, node.last_ms, node.status, node.group)
